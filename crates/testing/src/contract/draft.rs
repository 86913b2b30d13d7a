//! The contract of [`Drafts`], written through [`Changes`] where they are signed.

use std::net::IpAddr;

use chrono::TimeDelta;
use idcheck_usecases::{
    Content,
    acts::ActName,
    ports::{Change, Changes, Clock, DraftRoom, Drafts, StoredChallenge, StoredDraft, Waiting},
};
use uuid::Uuid;

use crate::{
    FixedClock,
    builders::{audit, ubn},
};

const HERE: [u8; 32] = [1; 32];
const THERE: [u8; 32] = [2; 32];

fn entries(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn draft(number: u128, session: [u8; 32], clock: &FixedClock) -> StoredDraft {
    StoredDraft {
        id: Uuid::from_u128(number),
        session,
        act: ActName::Apply,
        typed: entries(&[("hosts", "8.8.8.8"), ("hosts", ""), ("/contact/name", "王小明\n'\"{}")]),
        about: entries(&[("company", "測試")]),
        challenge: None,
        version: 1,
        expires_at: clock.now() + TimeDelta::days(1),
    }
}

/// Kept as typed, for their session; changed at their version only; in an address's room; gone when they were signed.
pub async fn suite(store: &(impl Drafts + Changes), other: &(impl Drafts + Changes), clock: &FixedClock) {
    let room = |of_origin| DraftRoom { origin: IpAddr::from([192, 0, 2, 1]), of_origin, now: clock.now() };
    let first = draft(1, HERE, clock);
    assert!(store.open(&first, &room(2)).await.unwrap());
    let second = draft(2, HERE, clock);
    assert!(other.open(&second, &room(2)).await.unwrap());
    let stranger = draft(3, THERE, clock);
    assert!(!store.open(&stranger, &room(2)).await.unwrap(), "there is no room");
    assert!(store.open(&stranger, &room(3)).await.unwrap());
    let elsewhere = DraftRoom { origin: IpAddr::from([192, 0, 2, 2]), ..room(1) };
    assert!(store.open(&draft(4, THERE, clock), &elsewhere).await.unwrap(), "the room is an address's");
    let later = DraftRoom { now: clock.now() + TimeDelta::days(2), ..room(1) };
    assert!(store.open(&draft(5, THERE, clock), &later).await.unwrap(), "what ended takes no room");
    assert_eq!(other.of_session(HERE).await.unwrap(), [second.clone(), first.clone()], "newest first");

    // Two windows, two nodes: whoever comes second has read it before the first wrote.
    let challenge = Uuid::from_u128(9);
    let changed = StoredDraft { typed: entries(&[("a", "b")]), challenge: Some(challenge), ..first.clone() };
    assert!(store.save(&changed).await.unwrap());
    assert!(!other.save(&StoredDraft { typed: entries(&[("a", "c")]), ..first.clone() }).await.unwrap());
    let kept = store.of_session(HERE).await.unwrap().into_iter().find(|draft| draft.id == first.id);
    assert_eq!(kept, Some(StoredDraft { version: 2, ..changed.clone() }));
    let (here, there) = (
        StoredDraft { version: 2, typed: entries(&[("a", "d")]), ..changed.clone() },
        StoredDraft { version: 2, typed: entries(&[("a", "e")]), ..changed.clone() },
    );
    let (here, there) = tokio::join!(store.save(&here), other.save(&there));
    assert_ne!(here.unwrap(), there.unwrap(), "both wrote, or none");

    let issued = StoredChallenge {
        id: challenge,
        act: ActName::Apply,
        ubn: ubn(1),
        content: Content::default(),
        tbs: "t".to_owned(),
        session: Some(HERE),
        issued_at: clock.now(),
        expires_at: clock.now() + TimeDelta::minutes(15),
        spent_at: None,
    };
    let waiting = Waiting { origin: IpAddr::from([192, 0, 2, 1]), of_organisation: 9, of_origin: 9 };
    assert!(store.issue_challenge(issued, &waiting).await.unwrap());
    let change = Change { spends: Some((challenge, clock.now())), audit: audit(), ..Change::default() };
    other.commit(change).await.unwrap();
    assert_eq!(
        store.of_session(HERE).await.unwrap(),
        std::slice::from_ref(&second),
        "what was signed has no draft"
    );
    assert!(!store.save(&StoredDraft { version: 3, ..changed }).await.unwrap(), "nor comes back");
    store.end(second.id).await.unwrap();
    assert_eq!(other.of_session(HERE).await.unwrap(), []);
    assert_eq!(other.of_session(THERE).await.unwrap().len(), 3);
}
