//! The contract of requests to revoke, written through [`Changes`].

use idcheck_domain::{
    access::Ground,
    officer::OfficerId,
    revocation::{Revocation, RevocationId},
    value::Reason,
};
use idcheck_usecases::ports::{Change, Changes, Clock, CommitError, Revocations, Write};
use uuid::Uuid;

use crate::{
    FixedClock,
    builders::{audit, organisation, ubn},
};

const ONE: OfficerId = OfficerId(Uuid::from_u128(51));
const OTHER: OfficerId = OfficerId(Uuid::from_u128(52));

fn change() -> Change {
    Change { audit: audit(), ..Change::default() }
}

fn asked(id: u128) -> Revocation {
    let reason = Reason::parse("大量試探\n第二行").unwrap();
    let id = RevocationId(Uuid::from_u128(id));
    Revocation::ask(id, ubn(800), Ground::Conduct, reason, ONE, FixedClock::default().now())
}

fn insert(revocation: Revocation) -> Change {
    Change { revocation: Some(Write::Insert(revocation)), ..change() }
}

/// One request waits at a time, one ruling is made however many rule at once, and both are read as written.
pub async fn revocations<S: Changes + Revocations + Clone + 'static>(store: &S, other: &S) {
    let at = FixedClock::default().now();
    let organisation = Some(Write::Insert(organisation(ubn(800))));
    store.commit(Change { organisation, ..change() }).await.unwrap();
    let (one, two) = tokio::join!(store.commit(insert(asked(1))), other.commit(insert(asked(2))));
    let outcomes = [one, two];
    assert!(outcomes.contains(&Ok(())), "{outcomes:?}");
    assert!(outcomes.contains(&Err(CommitError::OpenCase)), "two requests wait: {outcomes:?}");
    let waiting = store.waiting().await.unwrap().remove(0);
    assert_eq!(waiting.version, 1);
    assert_eq!(waiting.value, asked(waiting.value.id.0.as_u128()));

    let mut rulings = tokio::task::JoinSet::new();
    for number in 0..10 {
        let (store, value) =
            (if number % 2 == 0 { store.clone() } else { other.clone() }, waiting.value.clone());
        rulings.spawn(async move {
            let ruled = if number < 5 {
                value.confirm(OTHER, at).unwrap()
            } else {
                value.decline(ONE, Reason::parse("證據不足").unwrap(), at).unwrap()
            };
            let revocation = Some(Write::Update { value: ruled, expected: 1 });
            store.commit(Change { revocation, ..change() }).await
        });
    }
    let outcomes = rulings.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|o| **o == Err(CommitError::Conflict)).count(), 9);
    let ruled = store.find(waiting.value.id).await.unwrap().unwrap();
    assert_eq!((ruled.version, ruled.value.state.ruling().map(|r| r.at)), (2, Some(at)));
    assert!(store.waiting().await.unwrap().is_empty());

    // A ruled one leaves room for the next; the newest is read first.
    store.commit(insert(asked(3))).await.unwrap();
    let all = Revocations::of_organisation(store, ubn(800)).await.unwrap();
    assert_eq!(all.iter().map(|r| r.value.state.as_str()).next(), Some("asked"));
    assert_eq!(all.len(), 2);
}
