//! The contract of [`Officers`] and [`OfficerSessions`].

use chrono::TimeDelta;
use idcheck_domain::officer::{OfficerId, Role};
use idcheck_usecases::ports::{Clock, NewOfficer, Officer, OfficerSessions, Officers, SessionToken};
use uuid::Uuid;

use crate::FixedClock;

/// User names are unique, failures are counted exactly, a code is good once, sessions end.
pub async fn suite<S: Officers + OfficerSessions + Clone + Send + 'static>(store: &S) {
    let now = FixedClock::default().now();
    let officer =
        Officer { id: OfficerId(Uuid::from_u128(1)), username: "lin".to_owned(), role: Role::Supervisor };
    let new = |id| NewOfficer {
        officer: Officer { id: OfficerId(Uuid::from_u128(id)), ..officer.clone() },
        password_hash: "hash".to_owned(),
        totp_secret: vec![9; 20],
    };
    assert!(store.add(new(1), now).await.unwrap());
    assert!(!store.add(new(2), now).await.unwrap(), "a user name was given twice");
    let record = store.find_by_username("lin").await.unwrap().unwrap();
    assert_eq!((record.officer.clone(), record.totp_secret), (officer.clone(), vec![9; 20]));
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
}
