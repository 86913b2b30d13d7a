//! The contract of [`Officers`] and [`OfficerSessions`].

use chrono::TimeDelta;
use idcheck_domain::officer::{OfficerId, Role};
use idcheck_usecases::ports::{
    Clock, Officer, OfficerChange, OfficerCredential, OfficerSessions, Officers, SessionToken,
};
use uuid::Uuid;

use crate::{FixedClock, builders::audit_entry};

/// User names are unique, failures are counted exactly, a code is good once, sessions end.
pub async fn suite<S: Officers + OfficerSessions + Clone + Send + 'static>(store: &S) {
    let now = FixedClock::default().now();
    let officer =
        Officer { id: OfficerId(Uuid::from_u128(1)), username: "lin".to_owned(), role: Role::Supervisor };
    let new = |id| Officer { id: OfficerId(Uuid::from_u128(id)), ..officer.clone() };
    let local = || OfficerCredential::Local { password_hash: "hash".to_owned(), totp_secret: vec![9; 20] };
    assert!(store.add(new(1), local(), now, audit_entry()).await.unwrap());
    assert!(!store.add(new(2), local(), now, audit_entry()).await.unwrap(), "a user name was given twice");
    let record = store.find_by_username("lin").await.unwrap().unwrap();
    assert_eq!(record.officer, officer);
    assert!(record.credential == local() && !record.closed);
    assert!(store.find_by_username("LIN").await.unwrap().is_none());

    // A code is good once, sent twenty times at once.
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        tasks.spawn(async move { store.succeeded(OfficerId(Uuid::from_u128(1)), 100, now).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|good| *good).count(), 1);
    assert!(!store.succeeded(officer.id, 99, now).await.unwrap(), "an older code passed");

    // Five failures at once lock, and no good code unlocks.
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let store = store.clone();
        let until = now + TimeDelta::minutes(15);
        tasks.spawn(async move { store.failed(OfficerId(Uuid::from_u128(1)), 5, until).await.unwrap() });
    }
    tasks.join_all().await;
    let record = store.find_by_username("lin").await.unwrap().unwrap();
    assert_eq!(record.locked_until, Some(now + TimeDelta::minutes(15)));
    assert!(!store.succeeded(officer.id, 101, now).await.unwrap(), "a locked account signed in");
    assert!(store.succeeded(officer.id, 102, now + TimeDelta::minutes(15)).await.unwrap());

    let token = SessionToken::new([5; 32]);
    store.open(&token, officer.id, now, now + TimeDelta::hours(10)).await.unwrap();
    let idle = |at: chrono::DateTime<chrono::Utc>| at - TimeDelta::minutes(30);
    assert_eq!(store.resume(&token, now, idle(now)).await.unwrap(), Some(officer.clone()));
    let busy = now + TimeDelta::minutes(29);
    assert_eq!(store.resume(&token, busy, idle(busy)).await.unwrap(), Some(officer));
    let quiet = busy + TimeDelta::minutes(31);
    assert_eq!(store.resume(&token, quiet, idle(quiet)).await.unwrap(), None, "an idle session lives");
    assert_eq!(store.resume(&SessionToken::new([6; 32]), now, idle(now)).await.unwrap(), None);
    store.close(&token).await.unwrap();
    assert_eq!(store.resume(&token, now, idle(now)).await.unwrap(), None, "a closed session lives");
    accounts(store).await;
}

/// Subjects are unique; closing an account and a new credential end its sessions; a closed one opens none.
async fn accounts<S: Officers + OfficerSessions>(store: &S) {
    let now = FixedClock::default().now();
    let named = |id, username: &str| Officer {
        id: OfficerId(Uuid::from_u128(id)),
        username: username.to_owned(),
        role: Role::Reviewer,
    };
    let subject = |subject: &str| OfficerCredential::Provider { subject: subject.to_owned() };
    let (chen, wang) = (named(11, "chen"), named(12, "wang"));
    assert!(store.add(chen.clone(), subject("chen-1"), now, audit_entry()).await.unwrap());
    assert!(
        !store.add(wang.clone(), subject("chen-1"), now, audit_entry()).await.unwrap(),
        "two are one person"
    );
    assert!(store.add(wang.clone(), subject("wang-1"), now, audit_entry()).await.unwrap());
    assert_eq!(store.find_by_subject("chen-1").await.unwrap(), Some(chen.clone()));
    assert_eq!(store.find_by_subject("CHEN-1").await.unwrap(), None);
    let credential = store.find_by_username("chen").await.unwrap().unwrap().credential;
    assert!(credential == subject("chen-1"), "a password was made up");
    let taken = store.change(wang.id, OfficerChange::Credential(subject("chen-1")), audit_entry()).await;
    assert!(!taken.unwrap(), "a subject was given to two");

    let end = now + TimeDelta::hours(10);
    let idle = now - TimeDelta::minutes(30);
    let tokens = [SessionToken::new([21; 32]), SessionToken::new([22; 32])];
    let open = async || {
        for token in &tokens {
            store.open(token, chen.id, now, end).await.unwrap();
        }
        store.open(&SessionToken::new([23; 32]), wang.id, now, end).await.unwrap();
    };
    let none_is_left = async |why: &str| {
        for token in &tokens {
            assert_eq!(store.resume(token, now, idle).await.unwrap(), None, "{why}");
        }
        let others = SessionToken::new([23; 32]);
        assert!(store.resume(&others, now, idle).await.unwrap().is_some(), "another's session ended: {why}");
        store.close(&others).await.unwrap();
    };
    open().await;
    assert!(store.change(chen.id, OfficerChange::Role(Role::Auditor), audit_entry()).await.unwrap());
    let resumed = store.resume(&tokens[0], now, idle).await.unwrap().unwrap();
    assert_eq!(resumed.role, Role::Auditor, "a role counts from the next request on");
    store.close_all(chen.id).await.unwrap();
    none_is_left("closed everywhere").await;

    open().await;
    assert!(store.change(chen.id, OfficerChange::Closed(true), audit_entry()).await.unwrap());
    none_is_left("the account was closed").await;
    assert_eq!(store.find_by_subject("chen-1").await.unwrap(), None, "a closed account signs in");
    // One that was opened at the same moment.
    store.open(&tokens[0], chen.id, now, end).await.unwrap();
    assert_eq!(store.resume(&tokens[0], now, idle).await.unwrap(), None, "a closed account has a session");
    let listed = store.list().await.unwrap();
    let of_chen = listed.iter().find(|listed| listed.officer.id == chen.id).unwrap();
    assert!(of_chen.closed && of_chen.by_provider);
    assert!(store.change(chen.id, OfficerChange::Closed(false), audit_entry()).await.unwrap());
    assert!(store.find_by_subject("chen-1").await.unwrap().is_some());
    store.close_all(chen.id).await.unwrap();

    // A password instead, after failures that locked: the lock is lifted, old codes count again.
    open().await;
    store.failed(chen.id, 1, end).await.unwrap();
    let local = OfficerCredential::Local { password_hash: "new".to_owned(), totp_secret: vec![8; 20] };
    assert!(store.change(chen.id, OfficerChange::Credential(local.clone()), audit_entry()).await.unwrap());
    none_is_left("the credential was changed").await;
    let record = store.find_by_username("chen").await.unwrap().unwrap();
    assert!(record.credential == local && record.locked_until.is_none() && record.failures == 0);
    assert!(store.succeeded(chen.id, 1, now).await.unwrap());
    let nobody = OfficerId(Uuid::from_u128(99));
    assert!(!store.change(nobody, OfficerChange::Closed(true), audit_entry()).await.unwrap());
}
