//! The contract of organisations that do not use their access.

use idcheck_domain::abuse::Thresholds;
use idcheck_usecases::ports::{
    Changes, Clock, Dormancy, DormantOrganisation, Ledger, LedgerEntry, UsageTally,
};

use crate::{FixedClock, NobodySuspended, builders::ubn};

/// Dormant is who has active access and neither was approved nor asked after the day.
pub async fn dormancy<S: Changes + Dormancy>(store: &S, ledger: &impl Ledger, tally: &impl UsageTally) {
    let at = FixedClock::default().now();
    let today = idcheck_domain::taipei::day(at);
    super::ledger::admit(store, 3700).await;
    let of = |dormant: Vec<DormantOrganisation>| {
        dormant.into_iter().find(|one| one.ubn == ubn(3700)).map(|one| one.since)
    };
    let yesterday = today.pred_opt().unwrap();
    assert_eq!(of(store.dormant(yesterday).await.unwrap()), None, "approved today");
    assert_eq!(of(store.dormant(today).await.unwrap()), Some(today));
    let asked = LedgerEntry {
        ubn: ubn(3700),
        at: at + chrono::TimeDelta::days(30),
        ..super::ledger::question(1, 108, "dormant")
    };
    ledger.record(asked).await.unwrap();
    while tally.advance(100, &Thresholds::default(), &NobodySuspended).await.unwrap() > 0 {}
    assert_eq!(of(store.dormant(today).await.unwrap()), None, "it asked since");
    let later = today + chrono::Days::new(30);
    assert_eq!(of(store.dormant(later).await.unwrap()), Some(later));
}
