//! Passkeys: what opens a session, and what adds one.

use std::sync::Arc;

use chrono::TimeDelta;
use idcheck_domain::value::PasskeyName;

use crate::{
    officer::{OfficerPorts, PasskeyPorts, PasskeyRefusal, SignIn, SignInRefusal},
    ports::{
        AuditAction, MockPasskeyVerifier, MockPasskeys, Passkey, PasskeyChallenge, PasskeyHalf, PasskeyMade,
        PasskeyUsed,
    },
    tests::{
        now,
        officers::{GOOD, World, from, officer, ports},
    },
};

/// What is right and wrong about a passkey.
#[derive(Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "a table of what is right and wrong")]
struct Key {
    offered: bool,
    ours: bool,
    of_this_browser: bool,
    in_time: bool,
    held: bool,
    signed: bool,
    fresh: bool,
}

const GOOD_KEY: Key = Key {
    offered: true,
    ours: true,
    of_this_browser: true,
    in_time: true,
    held: true,
    signed: true,
    fresh: true,
};

fn half() -> PasskeyHalf {
    PasskeyHalf { credential: vec![1; 16], public_key: vec![2; 91], counter: 0 }
}

fn with_key(world: &World, key: Key) -> SignIn {
    let mut verifier = MockPasskeyVerifier::new();
    verifier
        .expect_challenge()
        .returning(move |data, wanted| (key.ours && data == wanted.as_bytes()).then(|| vec![9; 72]));
    verifier.expect_made().returning(move |_| key.signed.then(half));
    verifier.expect_used().returning(move |_, _| key.signed.then_some(1));
    let mut store = MockPasskeys::new();
    let minutes = i64::from(key.in_time);
    store.expect_issued().returning(move |bytes, _| {
        let expires_at = now() + TimeDelta::minutes(minutes);
        key.of_this_browser.then(|| PasskeyChallenge { bytes: bytes.to_vec(), expires_at })
    });
    let name = PasskeyName::parse("筆電").unwrap();
    let passkey = Passkey { half: half(), name, added_at: now(), used_at: None };
    store.expect_holder().returning(move |_| Ok(key.held.then(|| (officer(), passkey.clone()))));
    store.expect_passkey_used().returning(move |_, _, _, _| Ok(key.fresh));
    store.expect_add_passkey().returning(move |_, _, _, most, entry| {
        assert_eq!((most, entry.action), (10, AuditAction::PasskeyAdd));
        Ok(key.fresh)
    });
    let passkeys = PasskeyPorts { verifier: Arc::new(verifier), store: Arc::new(store) };
    SignIn::new(OfficerPorts { passkeys: key.offered.then_some(passkeys), ..ports(world) })
}

/// One thing wrong is enough, and which of them it was is not told; none of it counts towards the lock.
#[tokio::test]
async fn a_passkey_opens_a_session() {
    let used = || PasskeyUsed { client_data: b"webauthn.get".to_vec(), ..PasskeyUsed::default() };
    let good = World { sessions_opened: 1, password_right: false, code_right: false, ..GOOD };
    let opened = with_key(&good, GOOD_KEY).open_with_passkey(&used(), [0; 32], &from()).await.unwrap();
    assert_eq!(opened.officer, officer());
    for (key, expected) in [
        (Key { offered: false, ..GOOD_KEY }, SignInRefusal::NotOffered),
        (Key { ours: false, ..GOOD_KEY }, SignInRefusal::Refused),
        (Key { of_this_browser: false, ..GOOD_KEY }, SignInRefusal::Refused),
        (Key { in_time: false, ..GOOD_KEY }, SignInRefusal::Refused),
        (Key { held: false, ..GOOD_KEY }, SignInRefusal::Refused),
        (Key { signed: false, ..GOOD_KEY }, SignInRefusal::Refused),
        (Key { fresh: false, ..GOOD_KEY }, SignInRefusal::Refused),
    ] {
        let refused = with_key(&GOOD, key).open_with_passkey(&used(), [0; 32], &from()).await;
        assert_eq!(refused, Err(expected));
    }
    // One that was made is none that was used.
    let made = PasskeyUsed { client_data: b"webauthn.create".to_vec(), ..used() };
    let refused = with_key(&GOOD, GOOD_KEY).open_with_passkey(&made, [0; 32], &from()).await;
    assert_eq!(refused, Err(SignInRefusal::Refused));
}

/// A session alone adds none: the second factor's code is asked for, and a wrong one counts.
#[tokio::test]
async fn a_passkey_is_added_with_the_second_factor() {
    let made = PasskeyMade { client_data: b"webauthn.create".to_vec(), ..PasskeyMade::default() };
    let add = async |world: &World, key: Key| {
        let name = PasskeyName::parse("筆電").unwrap();
        with_key(world, key).add_passkey(&officer(), name, "123 456", &made, [0; 32]).await
    };
    assert_eq!(add(&GOOD, GOOD_KEY).await, Ok(()));
    let wrong = World { code_right: false, failures_counted: 1, ..GOOD };
    assert_eq!(add(&wrong, GOOD_KEY).await, Err(PasskeyRefusal::Code));
    assert_eq!(add(&World { step_fresh: false, ..GOOD }, GOOD_KEY).await, Err(PasskeyRefusal::Code));
    let provider = World { by_provider: true, ..GOOD };
    assert_eq!(add(&provider, GOOD_KEY).await, Err(PasskeyRefusal::NotOffered));
    for (key, expected) in [
        (Key { offered: false, ..GOOD_KEY }, PasskeyRefusal::NotOffered),
        (Key { ours: false, ..GOOD_KEY }, PasskeyRefusal::NotMade),
        (Key { of_this_browser: false, ..GOOD_KEY }, PasskeyRefusal::NotMade),
        (Key { in_time: false, ..GOOD_KEY }, PasskeyRefusal::NotMade),
        (Key { signed: false, ..GOOD_KEY }, PasskeyRefusal::NotMade),
        (Key { fresh: false, ..GOOD_KEY }, PasskeyRefusal::NotAdded),
    ] {
        assert_eq!(add(&GOOD, key).await, Err(expected));
    }
}
