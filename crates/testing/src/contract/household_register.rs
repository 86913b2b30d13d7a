//! The contract of [`HouseholdRegister`]: an edition replaces the register whole, under the ledger's eyes.

use idcheck_domain::verification::CardStatus;
use idcheck_usecases::ports::{Changes, HouseholdRegister, Ledger, LedgerAnswer};

use super::ledger::{admit, question};
use crate::builders::register_row;

const ORGANISATION: usize = super::ledger::ORGANISATION;
const ALL: [usize; 4] = [0, 1, 2, 3];

/// The results about persons 0 to 3, each asked with the right card.
async fn results(ledger: &impl Ledger, turn: &str) -> [u8; 4] {
    let mut results = [0; 4];
    for number in ALL {
        let asked = question(number, 108, &format!("{turn}-{number}"));
        let LedgerAnswer::Result(result) = ledger.record(asked).await.unwrap() else { panic!("refused") };
        results[number] = result.code();
    }
    results
}

/// Queries see the old register until the new one is in force, whatever is begun, added or given up meanwhile.
pub async fn editions<S: HouseholdRegister + Changes>(store: &S, ledger: &impl Ledger) {
    use CardStatus::{Normal, OutOfUse, ReportedLost};
    admit(store, ORGANISATION).await;
    store.import(&ALL.map(|number| register_row(number, Normal))).await.unwrap();

    store.begin_edition().await.unwrap();
    store.add_to_edition(&[register_row(0, ReportedLost)]).await.unwrap();
    store.begin_edition().await.unwrap();
    assert_eq!(store.complete_edition().await.unwrap(), 0, "the one that was given up is gone");

    for turn in ["first", "second"] {
        store.begin_edition().await.unwrap();
        store.add_to_edition(&[register_row(0, Normal), register_row(1, Normal)]).await.unwrap();
        // Of a person's rows the last one counts.
        store.add_to_edition(&[register_row(1, ReportedLost), register_row(2, Normal)]).await.unwrap();
        store.add_to_edition(&[register_row(1, OutOfUse)]).await.unwrap();
        assert_eq!(store.complete_edition().await.unwrap(), 3);
        let before = if turn == "first" { [1, 1, 1, 1] } else { [1, 6, 1, 3] };
        assert_eq!(results(ledger, &format!("{turn} before")).await, before);
        store.put_edition_in_force().await.unwrap();
        let after = if turn == "first" { [1, 6, 1, 2] } else { [1, 6, 1, 4] };
        assert_eq!(results(ledger, &format!("{turn} after")).await, after, "who is not in it is unknown");
        assert_eq!(store.count().await.unwrap(), 3);
    }
    store.import(&[register_row(3, Normal)]).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 4, "it has its key");
    store.import(&[register_row(3, Normal)]).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 4);
}
