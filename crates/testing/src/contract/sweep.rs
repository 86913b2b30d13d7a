//! The contract of [`Sweeps`].

use chrono::TimeDelta;
use idcheck_domain::{
    company::Finding,
    officer::OfficerId,
    sweep::{Sweep, SweepId, SweepItem},
    value::{Account, Reason},
};
use idcheck_usecases::ports::{Change, Changes, Clock, CommitError, Sweeps, Write};
use uuid::Uuid;

use crate::{
    FixedClock,
    builders::{active_organisation, audit, organisation, ubn},
};

fn change() -> Change {
    Change { audit: audit(), ..Change::default() }
}

/// One sweep a day however many begin it, over those who hold access; a finding is written once, a ruling once.
pub async fn sweeps<S: Sweeps + Changes + Clone + 'static>(store: &S, other: &S) {
    let at = FixedClock::default().now();
    for (number, account) in [(900, "AW001"), (901, "AW002")] {
        let held = active_organisation(ubn(number), Account::parse(account).unwrap(), at);
        store.commit(Change { organisation: Some(Write::Insert(held)), ..change() }).await.unwrap();
    }
    let none = Some(Write::Insert(organisation(ubn(902))));
    store.commit(Change { organisation: none, ..change() }).await.unwrap();

    let officer = OfficerId(Uuid::from_u128(61));
    let sweep = |id, days| Sweep {
        id: SweepId(Uuid::from_u128(id)),
        begun_by: Some(officer),
        begun_at: at + TimeDelta::days(days),
        register_of: Some(at),
    };
    let (one, two) = (sweep(1, 0), sweep(2, 0));
    let (one, two) = tokio::join!(store.begin(&one), other.begin(&two));
    let begun = one.unwrap();
    assert_eq!(begun, two.unwrap(), "one sweep a day");
    assert_eq!(store.find(begun.id).await.unwrap(), Some(begun.clone()));
    let items = store.items(begun.id).await.unwrap();
    assert_eq!(items.iter().map(|item| item.value.ubn).collect::<Vec<_>>(), [ubn(900), ubn(901)]);
    assert_eq!(
        store.candidates().await.unwrap(),
        items.into_iter().map(|item| item.value).collect::<Vec<_>>()
    );

    assert_eq!(store.unread(1, FixedClock::default().now()).await.unwrap().len(), 1);
    let (id, item) = store.unread(10, FixedClock::default().now()).await.unwrap().remove(0);
    // Without an answer it is left for a while, and the others come first.
    let later = FixedClock::default().now() + TimeDelta::minutes(10);
    store.unanswered(id, item.ubn, later).await.unwrap();
    let others = store.unread(10, later - TimeDelta::microseconds(1)).await.unwrap();
    assert!(others.len() == 1 && others[0].1.ubn != item.ubn);
    assert_eq!(store.unread(10, later).await.unwrap().len(), 2);
    let found = |finding| SweepItem { finding: Some(finding), ..item.clone() };
    store.found(id, &found(Finding::Dissolved { status: "解散".to_owned() })).await.unwrap();
    store.found(id, &found(Finding::NotFound)).await.unwrap();
    let read = store.items(id).await.unwrap().remove(0);
    assert_eq!(
        read.value,
        found(Finding::Dissolved { status: "解散".to_owned() }),
        "the first answer stands"
    );
    assert_eq!(store.unread(10, FixedClock::default().now()).await.unwrap().len(), 1);

    let kept = read.value.keep(officer, Reason::parse("清算中").unwrap(), at).unwrap();
    let ruling = Write::Update { value: kept.clone(), expected: read.version };
    let ruling = Change { sweep_item: Some((id, ruling)), ..change() };
    store.commit(ruling.clone()).await.unwrap();
    assert_eq!(store.commit(ruling).await, Err(CommitError::Conflict));
    assert_eq!(store.items(id).await.unwrap()[0].value, kept);

    let next = store.begin(&sweep(3, 365)).await.unwrap();
    let latest: Vec<_> = store.latest(5).await.unwrap().into_iter().map(|sweep| sweep.id).collect();
    assert_eq!(latest, [next.id, begun.id]);
}
