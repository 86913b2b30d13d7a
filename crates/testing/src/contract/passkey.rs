//! The contract of [`Passkeys`].

use chrono::TimeDelta;
use idcheck_domain::{
    officer::{OfficerId, Role},
    value::PasskeyName,
};
use idcheck_usecases::ports::{
    Clock, Officer, OfficerChange, OfficerCredential, Officers, Passkey, PasskeyChallenge, PasskeyHalf,
    Passkeys,
};
use uuid::Uuid;

use crate::{FixedClock, builders::audit_entry};

const HERE: [u8; 32] = [1; 32];

fn passkey(number: u8, clock: &FixedClock) -> Passkey {
    let half = PasskeyHalf { credential: vec![number; 16], public_key: vec![number; 91], counter: 7 };
    let name = PasskeyName::parse("筆電 '\"{}").unwrap();
    Passkey { half, name, added_at: clock.now(), used_at: None }
}

fn local() -> OfficerCredential {
    OfficerCredential::Local { password_hash: "hash".to_owned(), totp_secret: vec![7; 20] }
}

/// A challenge is for the browser session that it was issued to, good once; a passkey is one officer's, used by one of two, and goes with a
/// new way to sign in.
pub async fn suite(
    store: &(impl Passkeys + Officers),
    other: &(impl Passkeys + Officers),
    clock: &FixedClock,
) {
    let end = clock.now() + TimeDelta::minutes(5);
    let challenge = |random: u8| store.issue(HERE, [random; 32], end);
    assert_eq!(other.issued(&challenge(1).bytes, HERE), Some(challenge(1)), "another node issued it");
    assert_eq!(store.issued(&challenge(1).bytes, [2; 32]), None, "another browser's");
    for place in [0, 8, 40, 71] {
        let mut forged = challenge(1).bytes;
        forged[place] ^= 1;
        assert_eq!(store.issued(&forged, HERE), None, "byte {place}");
    }
    for length in [0, 8, 40, 71] {
        assert_eq!(store.issued(&challenge(1).bytes[..length], HERE), None, "{length} bytes");
    }

    let officer = |number, name: &str| Officer {
        id: OfficerId(Uuid::from_u128(number)),
        username: name.to_owned(),
        role: Role::Reviewer,
    };
    let (lin, chen) = (officer(71, "lin-with-a-key"), officer(72, "chen-with-a-key"));
    for officer in [&lin, &chen] {
        assert!(Officers::add(store, officer.clone(), local(), clock.now(), audit_entry()).await.unwrap());
    }
    let add = async |to: &Officer, passkey: &Passkey, challenge: &PasskeyChallenge| {
        store.add_passkey(to.id, passkey, challenge, 2, audit_entry()).await.unwrap()
    };
    let first = passkey(1, clock);
    assert!(!add(&lin, &first, &challenge(1)).await, "no code was taken");
    for officer in [&lin, &chen] {
        assert!(store.succeeded(officer.id, 77, clock.now()).await.unwrap());
    }
    assert!(add(&lin, &first, &challenge(1)).await);
    assert!(!add(&lin, &passkey(2, clock), &challenge(1)).await, "the challenge was used");
    assert!(!add(&chen, &first, &challenge(2)).await, "the credential is known");
    assert!(add(&lin, &passkey(2, clock), &challenge(2)).await, "what was refused used no challenge");
    assert!(!add(&lin, &passkey(3, clock), &challenge(3)).await, "there are as many as may be");
    assert_eq!(other.of_officer(lin.id).await.unwrap(), [first.clone(), passkey(2, clock)]);
    assert_eq!(other.holder(&first.half.credential).await.unwrap(), Some((lin.clone(), first.clone())));
    assert_eq!(store.holder(&[9; 16]).await.unwrap(), None);

    // Two nodes take the same use; a use again, and one that was overtaken.
    let (half, used, at) = (&first.half, challenge(4), clock.now());
    let (here, there) =
        tokio::join!(store.passkey_used(half, 8, &used, at), other.passkey_used(half, 8, &used, at));
    assert_ne!(here.unwrap(), there.unwrap(), "both, or none");
    let used = PasskeyHalf { counter: 8, ..first.half.clone() };
    assert!(
        !store.passkey_used(&used, 9, &challenge(4), clock.now()).await.unwrap(),
        "the challenge was used"
    );
    assert!(
        !store.passkey_used(&first.half, 9, &challenge(5), clock.now()).await.unwrap(),
        "it was used meanwhile"
    );
    assert!(store.passkey_used(&used, 9, &challenge(5), clock.now()).await.unwrap());
    let kept = other.of_officer(lin.id).await.unwrap().remove(0);
    assert_eq!((kept.half.counter, kept.used_at), (9, Some(clock.now())));

    // Whose account is closed signs in with none.
    let half = kept.half;
    assert!(store.change(lin.id, OfficerChange::Closed(true), audit_entry()).await.unwrap());
    assert_eq!(store.holder(&half.credential).await.unwrap(), None);
    assert!(!store.passkey_used(&half, 10, &challenge(6), clock.now()).await.unwrap());
    assert!(store.change(lin.id, OfficerChange::Closed(false), audit_entry()).await.unwrap());
    assert!(store.holder(&half.credential).await.unwrap().is_some());

    let remove =
        async |who: &Officer, number: u8| store.remove_passkey(who.id, &[number; 16], audit_entry()).await;
    assert!(!remove(&chen, 2).await.unwrap(), "another's");
    assert!(remove(&lin, 2).await.unwrap());
    assert!(!remove(&lin, 2).await.unwrap());
    assert!(store.change(lin.id, OfficerChange::Credential(local()), audit_entry()).await.unwrap());
    assert_eq!(other.of_officer(lin.id).await.unwrap(), [], "a new way to sign in is the only one");
    assert!(!add(&lin, &passkey(4, clock), &challenge(7)).await, "the code was taken before it");

    // A reset and a passkey at the same moment, on two nodes: whoever comes first, none is left.
    for round in 10..30 {
        assert!(store.succeeded(lin.id, u64::from(round), clock.now()).await.unwrap());
        let (passkey, challenge) = (passkey(round, clock), challenge(round));
        let (added, reset) = tokio::join!(
            store.add_passkey(lin.id, &passkey, &challenge, 2, audit_entry()),
            other.change(lin.id, OfficerChange::Credential(local()), audit_entry())
        );
        assert!(added.is_ok() && reset.unwrap());
        assert_eq!(store.of_officer(lin.id).await.unwrap(), [], "round {round}");
    }
}
