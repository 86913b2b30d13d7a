//! What is a passkey's, and what is not: each byte that counts, changed.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};

use super::*;

const CREDENTIAL: [u8; 32] = [7; 32];

fn passkeys() -> Passkeys {
    Passkeys::new("https://idcheck.example:8443").unwrap()
}

fn client_data(kind: &str, origin: &str) -> Vec<u8> {
    let challenge = URL_SAFE_NO_PAD.encode([9; 72]);
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#)
        .into_bytes()
}

/// Flags and counter for a host, and behind them a credential where one is made.
fn authenticator_data(host: &str, flags: u8, counter: u32, made: bool) -> Vec<u8> {
    let mut data = digest(&SHA256, host.as_bytes()).as_ref().to_vec();
    data.push(flags);
    data.extend(counter.to_be_bytes());
    if made {
        data.extend([0; 16]);
        data.extend(32_u16.to_be_bytes());
        data.extend(CREDENTIAL);
        data.extend(*b"the key in CBOR, which nobody reads");
    }
    data
}

const HOST: &str = "idcheck.example";
const MADE: u8 = 0x45;
const USED: u8 = 0x05;

fn p256() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()
}

fn der(key: &impl KeyPair<PublicKey: AsDer<PublicKeyX509Der<'static>>>) -> Vec<u8> {
    key.public_key().as_der().unwrap().as_ref().to_vec()
}

fn made(public_key: Vec<u8>) -> PasskeyMade {
    PasskeyMade {
        credential: CREDENTIAL.to_vec(),
        client_data: client_data("webauthn.create", "https://idcheck.example:8443"),
        authenticator_data: authenticator_data(HOST, MADE, 0, true),
        public_key,
    }
}

/// A use that `sign` signed.
fn used(data: Vec<u8>, sign: impl Fn(&[u8]) -> Vec<u8>) -> PasskeyUsed {
    let client_data = client_data("webauthn.get", "https://idcheck.example:8443");
    let signed = [data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat();
    let signature = sign(&signed);
    PasskeyUsed { credential: CREDENTIAL.to_vec(), client_data, authenticator_data: data, signature }
}

#[test]
fn passkeys_are_for_a_host_that_browsers_trust() {
    for (url, offered) in [
        ("https://idcheck.example", true),
        ("https://idcheck.example:8443", true),
        ("http://localhost:8080", true),
        ("http://idcheck.example", false),
        ("http://127.0.0.1:8080", false),
        ("https://192.0.2.1", false),
        ("https://[2001:db8::1]", false),
    ] {
        assert_eq!(Passkeys::new(url).is_some(), offered, "{url}");
    }
    assert_eq!(passkeys().host(), HOST);
}

#[test]
fn a_challenge_is_of_this_address_and_kind() {
    let origin = "https://idcheck.example:8443";
    let challenge = |data: &[u8]| passkeys().challenge(data, "webauthn.get");
    assert_eq!(challenge(&client_data("webauthn.get", origin)), Some(vec![9; 72]));
    let text = String::from_utf8(client_data("webauthn.get", origin)).unwrap();
    for other in [
        client_data("webauthn.create", origin),
        client_data("webauthn.get", "https://idcheck.example"),
        client_data("webauthn.get", "https://idcheck.example.evil.example:8443"),
        client_data("webauthn.get", "http://idcheck.example:8443"),
        text.replace("false", "true").into_bytes(),
        text.replace("CQ", "C!").into_bytes(),
        b"{}".to_vec(),
        b"".to_vec(),
    ] {
        assert_eq!(challenge(&other), None, "{}", String::from_utf8_lossy(&other));
    }
}

type Sign<'k> = Box<dyn Fn(&[u8]) -> Vec<u8> + 'k>;

/// Of each algorithm that browsers make passkeys with.
#[test]
fn a_passkey_is_made_and_used() {
    let random = SystemRandom::new();
    let ec = p256();
    let ed = Ed25519KeyPair::generate().unwrap();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let keys: [(Vec<u8>, Sign<'_>); 3] = [
        (der(&ec), Box::new(|message| ec.sign(&random, message).unwrap().as_ref().to_vec())),
        (der(&ed), Box::new(|message| ed.sign(message).as_ref().to_vec())),
        (
            der(&rsa),
            Box::new(|message| {
                let mut signature = vec![0; rsa.public_modulus_len()];
                rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }),
        ),
    ];
    for (public_key, sign) in &keys {
        let half = passkeys().made(&made(public_key.clone())).unwrap();
        assert_eq!((half.credential.as_slice(), half.counter), (CREDENTIAL.as_slice(), 0));
        let data = |counter| authenticator_data(HOST, USED, counter, false);
        assert_eq!(
            passkeys().used(&half, &used(data(0), sign)),
            Some(0),
            "an authenticator that does not count"
        );
        assert_eq!(passkeys().used(&half, &used(data(3), sign)), Some(3));
        let counted = PasskeyHalf { counter: 3, ..half.clone() };
        for (counter, taken) in [(0, false), (2, false), (3, false), (4, true)] {
            let used = passkeys().used(&counted, &used(data(counter), sign));
            assert_eq!(used, taken.then_some(counter), "after 3 {counter}");
        }
        // Extensions stand behind the head where their flag says so.
        let extended = [authenticator_data(HOST, USED | 0x80, 1, false), vec![0xa0]].concat();
        assert_eq!(passkeys().used(&half, &used(extended, sign)), Some(1));
    }
}

#[test]
fn a_key_that_is_none_makes_no_passkey() {
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
    let good = made(der(&p256()));
    let mut cut = good.public_key.clone();
    cut.truncate(60);
    let mut off_the_curve = good.public_key.clone();
    *off_the_curve.last_mut().unwrap() ^= 1;
    let data = |host, flags, made| authenticator_data(host, flags, 0, made);
    let short = authenticator_data(HOST, MADE, 0, true)[..60].to_vec();
    let with = |authenticator_data| PasskeyMade { authenticator_data, ..good.clone() };
    let refused = [
        made(der(&p384)),
        made(cut),
        made(off_the_curve),
        made(Vec::new()),
        with(data("evil.example", MADE, true)),
        with(data(HOST, MADE & !0x01, true)),
        with(data(HOST, MADE & !0x04, true)),
        with(data(HOST, MADE & !0x40, true)),
        with(data(HOST, MADE, false)),
        with(short),
        with(Vec::new()),
        PasskeyMade { credential: vec![8; 32], ..good.clone() },
        PasskeyMade { credential: CREDENTIAL[..31].to_vec(), ..good.clone() },
    ];
    assert!(passkeys().made(&good).is_some());
    for (number, wrong) in refused.iter().enumerate() {
        assert_eq!(passkeys().made(wrong), None, "{number}");
    }
}

#[test]
fn what_was_not_signed_so_is_no_use() {
    let (key, random) = (p256(), SystemRandom::new());
    let half = passkeys().made(&made(der(&key))).unwrap();
    let sign = |message: &[u8]| key.sign(&random, message).unwrap().as_ref().to_vec();
    let good = used(authenticator_data(HOST, USED, 1, false), sign);
    assert_eq!(passkeys().used(&half, &good), Some(1));
    for place in 0..good.authenticator_data.len() {
        let mut changed = good.clone();
        changed.authenticator_data[place] ^= 1;
        assert_eq!(passkeys().used(&half, &changed), None, "byte {place}");
    }
    for place in [0, 20, good.client_data.len() - 1] {
        let mut changed = good.clone();
        changed.client_data[place] ^= 1;
        assert_eq!(passkeys().used(&half, &changed), None, "client data {place}");
    }
    let other = passkeys().made(&made(der(&p256()))).unwrap();
    assert_eq!(passkeys().used(&other, &good), None, "another key's");
    assert_eq!(passkeys().used(&half, &PasskeyUsed { signature: Vec::new(), ..good }), None);
    // Signed, but by nobody who was there, by nobody verified, for another host, with more than was said.
    for data in [
        authenticator_data(HOST, USED & !0x01, 1, false),
        authenticator_data(HOST, USED & !0x04, 1, false),
        authenticator_data("evil.example", USED, 1, false),
        [authenticator_data(HOST, USED, 1, false), vec![0]].concat(),
        authenticator_data(HOST, USED, 1, false)[..36].to_vec(),
    ] {
        assert_eq!(passkeys().used(&half, &used(data, sign)), None);
    }
}
