//! The contract of [`CompanySnapshots`].

use chrono::TimeDelta;
use idcheck_domain::company::CompanyRecord;
use idcheck_usecases::ports::{Clock, CompanyRegister, CompanySnapshots, RegisterError};

use crate::{FixedClock, builders::ubn};

fn record(number: usize, name: &str) -> CompanyRecord {
    CompanyRecord { ubn: ubn(number), name: name.to_owned(), status: None }
}

/// A snapshot counts from its completion on and as a whole; interrupted, it goes on where it was.
pub async fn snapshots<S: CompanySnapshots + CompanyRegister>(store: &S) {
    let at = FixedClock::default().now();
    let (first, second) = ([1; 32], [2; 32]);
    assert_eq!(store.company(ubn(1)).await, Err(RegisterError::NoSnapshot));
    assert_eq!(store.begin(&first, at).await, Ok(Some(0)));
    store.append(&first, &[record(1, "甲"), record(2, "乙")], 2).await.unwrap();
    assert_eq!(store.company(ubn(1)).await, Err(RegisterError::NoSnapshot), "it is not complete");
    assert_eq!(store.state_of().await, Err(RegisterError::NoSnapshot));
    assert_eq!(store.begin(&first, at + TimeDelta::hours(1)).await, Ok(Some(2)));
    store.append(&first, &[record(3, "丙")], 3).await.unwrap();
    assert_eq!(store.complete(&first, at).await, Ok(3));
    assert_eq!(store.state_of().await, Ok(Some(at)));
    assert_eq!(store.company(ubn(3)).await, Ok(Some(record(3, "丙"))));
    assert_eq!(store.company(ubn(4)).await, Ok(None));
    assert_eq!(store.begin(&first, at).await, Ok(None), "it is complete");

    let later = at + TimeDelta::days(365);
    assert_eq!(store.begin(&second, later).await, Ok(Some(0)));
    store.append(&second, &[record(4, "丁")], 1).await.unwrap();
    assert_eq!(store.company(ubn(4)).await, Ok(None), "the one before stays in force");
    store.abandon(&second).await.unwrap();
    store.abandon(&first).await.unwrap();
    assert_eq!(store.company(ubn(3)).await, Ok(Some(record(3, "丙"))), "one in force is not abandoned");
    assert_eq!(store.begin(&second, later).await, Ok(Some(0)));
    store.append(&second, &[record(4, "丁")], 1).await.unwrap();
    assert_eq!(store.complete(&second, later).await, Ok(1));
    assert_eq!(store.company(ubn(3)).await, Ok(None));
    assert_eq!(store.company(ubn(4)).await, Ok(Some(record(4, "丁"))));
}
