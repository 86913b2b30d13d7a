//! The contract of [`Officers`] and [`OfficerSessions`].

use chrono::TimeDelta;
use idcheck_domain::officer::{OfficerId, Role};
use idcheck_usecases::ports::{
    Clock, Officer, OfficerChange, OfficerCredential, OfficerSessions, Officers, SessionId, SessionOrigin,
    SessionToken,
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
    store.open(&token, officer.id, &origin(), now, now + TimeDelta::hours(10)).await.unwrap();
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
    listed_sessions(store).await;
    invitations(store).await;
}

fn origin() -> SessionOrigin {
    SessionOrigin { address: "198.51.100.7".to_owned(), browser: "Firefox 131 · Windows".to_owned() }
}

/// Sessions are listed as long as they live, and one ends without the others; nobody ends another's.
async fn listed_sessions<S: Officers + OfficerSessions>(store: &S) {
    let now = FixedClock::default().now();
    let named = |id, name: &str| Officer {
        id: OfficerId(Uuid::from_u128(id)),
        username: name.to_owned(),
        role: Role::Admin,
    };
    let (hsu, other) = (named(21, "hsu"), named(22, "other"));
    let local = || OfficerCredential::Local { password_hash: "hash".to_owned(), totp_secret: vec![9; 20] };
    for officer in [&hsu, &other] {
        assert!(store.add(officer.clone(), local(), now, audit_entry()).await.unwrap());
    }
    let signed_in = async |name: &str| {
        let listed = Officers::list(store).await.unwrap();
        listed.into_iter().find(|one| one.officer.username == name).unwrap().signed_in_at
    };
    assert_eq!(signed_in("hsu").await, None);
    let tokens = [31, 32, 33].map(|byte| SessionToken::new([byte; 32]));
    let minutes = TimeDelta::minutes;
    let long = SessionOrigin { browser: "x".repeat(90), ..origin() };
    store.open(&tokens[0], hsu.id, &origin(), now - minutes(40), now + minutes(60)).await.unwrap();
    store.open(&tokens[1], hsu.id, &origin(), now - minutes(20), now + minutes(60)).await.unwrap();
    store.open(&tokens[2], hsu.id, &long, now - minutes(10), now + minutes(60)).await.unwrap();
    assert_eq!(signed_in("hsu").await, Some(now - minutes(10)));
    let list = async |officer: OfficerId, idle| {
        OfficerSessions::list(store, officer, Some(&tokens[1]), now, now - minutes(idle)).await.unwrap()
    };
    let open = list(hsu.id, 30).await;
    assert_eq!(open.iter().map(|one| one.current).collect::<Vec<_>>(), [false, true]);
    assert_eq!((&open[1].origin, open[1].used_at), (&origin(), now - minutes(20)));
    assert_eq!(open[0].origin.browser.len(), SessionOrigin::BROWSER);
    assert!(list(other.id, 30).await.is_empty());
    assert!(!store.end(other.id, &open[0].id, audit_entry()).await.unwrap(), "another's session was ended");
    assert!(store.end(hsu.id, &open[0].id, audit_entry()).await.unwrap());
    assert!(!store.end(hsu.id, &open[0].id, audit_entry()).await.unwrap(), "a session ended twice");
    for none in ["", "zz", "00"] {
        assert!(!store.end(hsu.id, &SessionId(none.to_owned()), audit_entry()).await.unwrap());
    }
    assert_eq!(list(hsu.id, 50).await.len(), 2);
    assert!(store.resume(&tokens[2], now, now - minutes(30)).await.unwrap().is_none());
    assert!(store.resume(&tokens[1], now, now - minutes(30)).await.unwrap().is_some());
}

/// An invitation is taken up once, in its time, by who has its code, and not after it was replaced or the account closed.
async fn invitations<S: Officers + OfficerSessions + Clone + Send + 'static>(store: &S) {
    let now = FixedClock::default().now();
    let until = now + TimeDelta::hours(72);
    let invited = |code: &str| OfficerCredential::Invited {
        code_hash: code.to_owned(),
        totp_secret: vec![7; 20],
        until,
    };
    let (id, username) = (OfficerId(Uuid::from_u128(41)), "lee".to_owned());
    let lee = Officer { id, username, role: Role::Reviewer };
    assert!(store.add(lee, invited("first"), now, audit_entry()).await.unwrap());
    assert!(store.find_by_username("lee").await.unwrap().unwrap().credential == invited("first"));
    let listed = Officers::list(store).await.unwrap();
    let listed = listed.iter().find(|one| one.officer.id == id).unwrap();
    assert!(listed.invited_until == Some(until) && !listed.by_provider);
    let accept = async |code: &str, at| store.accept(id, code, "new", 55, at, audit_entry()).await.unwrap();
    assert!(!accept("second", now).await, "a code that was not given");
    assert!(!accept("first", until).await, "after its time");
    assert!(store.change(id, OfficerChange::Credential(invited("second")), audit_entry()).await.unwrap());
    assert!(!accept("first", now).await, "a code that was replaced");
    assert!(store.change(id, OfficerChange::Closed(true), audit_entry()).await.unwrap());
    assert!(!accept("second", now).await, "the account is closed");
    assert!(store.change(id, OfficerChange::Closed(false), audit_entry()).await.unwrap());
    store.failed(id, 1, now + TimeDelta::minutes(15)).await.unwrap();
    assert!(!accept("second", now).await, "the account is locked");
    let later = now + TimeDelta::minutes(16);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let store = store.clone();
        tasks
            .spawn(async move { store.accept(id, "second", "new", 55, later, audit_entry()).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|taken| *taken).count(), 1, "taken up once");
    let credential = store.find_by_username("lee").await.unwrap().unwrap().credential;
    let local = OfficerCredential::Local { password_hash: "new".to_owned(), totp_secret: vec![7; 20] };
    assert!(credential == local);
    assert!(!store.succeeded(id, 55, later).await.unwrap(), "the code that set it up is used");
    assert!(store.succeeded(id, 56, later).await.unwrap());
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
            store.open(token, chen.id, &origin(), now, end).await.unwrap();
        }
        store.open(&SessionToken::new([23; 32]), wang.id, &origin(), now, end).await.unwrap();
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
    store.open(&tokens[0], chen.id, &origin(), now, end).await.unwrap();
    assert_eq!(store.resume(&tokens[0], now, idle).await.unwrap(), None, "a closed account has a session");
    let listed = Officers::list(store).await.unwrap();
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
