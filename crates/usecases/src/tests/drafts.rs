//! Drafts: changed by two windows at once, and for their session only.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    acts::ActName,
    draft::{DraftPorts, DraftRefusal, KeepDrafts},
    ports::{MockDrafts, StoredDraft},
    tests::{clock, entropy, now},
};

const SESSION: [u8; 32] = [1; 32];

fn stored(version: i64, typed: &[(&str, &str)]) -> StoredDraft {
    StoredDraft {
        id: Uuid::from_u128(1),
        session: SESSION,
        act: ActName::Apply,
        typed: typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        about: Vec::new(),
        challenge: None,
        version,
        expires_at: now() + TimeDelta::hours(1),
    }
}

fn keep(drafts: MockDrafts) -> KeepDrafts {
    KeepDrafts::new(DraftPorts {
        clock: clock(),
        entropy: entropy(),
        drafts: Arc::new(drafts),
        of_address: 2,
    })
}

/// Whoever was overtaken puts its own fields beside what the other window wrote meanwhile.
#[tokio::test]
async fn two_windows_keep_what_both_typed() {
    let mut drafts = MockDrafts::new();
    let read = Mutex::new(vec![stored(2, &[("a", "there")]), stored(1, &[])]);
    drafts.expect_of_session().times(2).returning(move |_| Ok(vec![read.lock().unwrap().pop().unwrap()]));
    drafts.expect_save().times(2).returning(|draft| Ok(draft.version == 2));
    let kept = keep(drafts)
        .change(Uuid::from_u128(1), SESSION, |typed| typed.push(("b".to_owned(), "here".to_owned())))
        .await
        .unwrap();
    assert_eq!(kept.typed, stored(2, &[("a", "there"), ("b", "here")]).typed);
    assert_eq!((kept.version, kept.expires_at), (3, now() + TimeDelta::days(1)));
}

/// A draft that is over, or of another session, is none.
#[tokio::test]
async fn what_is_over_is_not_found() {
    for draft in [
        StoredDraft { expires_at: now(), ..stored(1, &[]) },
        StoredDraft { session: [2; 32], ..stored(1, &[]) },
        StoredDraft { id: Uuid::from_u128(2), ..stored(1, &[]) },
    ] {
        let mut drafts = MockDrafts::new();
        drafts.expect_of_session().returning(move |_| Ok(vec![draft.clone()]));
        let keep = keep(drafts);
        assert_eq!(keep.held(Uuid::from_u128(1), SESSION).await, Err(DraftRefusal::Unknown));
        assert_eq!(keep.change(Uuid::from_u128(1), SESSION, |_| ()).await, Err(DraftRefusal::Unknown));
        assert_eq!(keep.discard(Uuid::from_u128(1), SESSION).await, Err(DraftRefusal::Unknown));
    }
}

/// From one address only so many are kept; of IPv6 the network counts.
#[tokio::test]
async fn an_address_has_its_room() {
    let mut drafts = MockDrafts::new();
    drafts
        .expect_open()
        .withf(|_, room| room.origin.to_string() == "2001:db8::" && room.of_origin == 2)
        .return_once(|_, _| Ok(false));
    let from = "2001:db8::9".parse().unwrap();
    let opened = keep(drafts).open(ActName::Apply, Vec::new(), Vec::new(), SESSION, from).await;
    assert_eq!(opened, Err(DraftRefusal::TooMany));
}
