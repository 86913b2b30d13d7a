//! Changes that hold for the queries of this process.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use idcheck_domain::{
    access::Access,
    organisation::Organisation,
    value::{CompanyName, IssKey},
};

use crate::{
    ports::{
        CallerRecord, Change, Changes as _, CommitError, LoadedCallers, MockCallerSource, MockChanges,
        MockKeyReader, Standing, Write,
    },
    tests::{contact, now, ubn},
    verify::{CallerSnapshot, InForce},
};

const ISS: &str = "0123456789abcdef0123456789abcdef";

/// A store in which each commit changes who may ask, and the callers of a process on it.
async fn process(outcome: Result<(), CommitError>) -> (InForce, Arc<CallerSnapshot>) {
    let epoch = Arc::new(AtomicI64::new(1));
    let (now_at, committed) = (Arc::clone(&epoch), Arc::clone(&epoch));
    let mut source = MockCallerSource::new();
    source.expect_restored_at().returning(|| Ok(None));
    source.expect_epoch().returning(move || Ok(now_at.load(Ordering::Relaxed)));
    source.expect_load().returning(move || {
        let record = CallerRecord {
            iss_key: IssKey::parse(ISS).unwrap(),
            ubn: ubn(),
            standing: Standing::Sandbox,
            keys: Vec::new(),
        };
        let callers = if epoch.load(Ordering::Relaxed) > 1 { vec![record] } else { Vec::new() };
        Ok(LoadedCallers { damaged: 0, callers })
    });
    let mut changes = MockChanges::new();
    changes.expect_commit().returning(move |_| {
        committed.fetch_add(1, Ordering::Relaxed);
        outcome
    });
    let callers = Arc::new(CallerSnapshot::new(Arc::new(source), Arc::new(MockKeyReader::new())));
    callers.refresh().await.unwrap();
    (InForce::new(Arc::new(changes), Arc::clone(&callers)), callers)
}

fn of_callers() -> Change {
    let mut organisation = Organisation::new(ubn(), CompanyName::parse("測試甲").unwrap(), contact());
    organisation.access = Access::Active { since: now() };
    Change { organisation: Some(Write::Insert(organisation)), ..Change::default() }
}

#[tokio::test]
async fn who_may_ask_is_known_here_when_the_commit_returns() {
    let (changes, callers) = process(Ok(())).await;
    assert!(callers.find(ISS).is_none());
    changes.commit(of_callers()).await.unwrap();
    assert!(callers.find(ISS).is_some());
}

#[tokio::test]
async fn a_refused_change_and_one_of_other_things_load_nothing() {
    let (changes, callers) = process(Err(CommitError::Conflict)).await;
    assert_eq!(changes.commit(of_callers()).await, Err(CommitError::Conflict));
    assert!(callers.find(ISS).is_none());
    let (changes, callers) = process(Ok(())).await;
    changes.commit(Change::default()).await.unwrap();
    assert!(callers.find(ISS).is_none());
}
