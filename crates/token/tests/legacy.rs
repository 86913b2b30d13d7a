//! Tokens as clients send them, and as attackers do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::PathBuf, sync::Arc};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    Violation,
    key::{KeyId, Profile},
};
use idcheck_token::{LegacyTokens, PublicKeys};
use idcheck_usecases::ports::{CallerKey, KeyReader, TokenReader, TokenRefusal};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

const ISS: &str = "e3yMEJMEppYGbb37BxVaOSX00btXCASk";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

struct Signer {
    pair: KeyPair,
    pem: String,
    key: CallerKey,
}

impl Signer {
    fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        // aws-lc-rs gives PKCS#1; both forms are read.
        let pem = pem("RSA PUBLIC KEY", pair.public_key().as_ref());
        let material = PublicKeys.read(&pem, Profile::Legacy).unwrap().material;
        let key = CallerKey { id: KeyId(Uuid::from_u128(1)), profile: Profile::Legacy, material };
        Self { pair, pem, key }
    }

    fn rsa(&self, encoding: &'static dyn RsaEncoding, input: &str) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
        signature
    }

    fn token(&self, header: &str, payload: &str) -> String {
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.rsa(&RSA_PKCS1_SHA256, &input);
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn claims(iat: i64, exp: i64) -> Value {
    json!({
        "orgId": "04595257", "apId": "AW001", "userId": "user1", "iss": ISS, "sub": "綠色便民專案",
        "aud": "2026/11/23 10:00:00", "jobId": "V2C201", "opType": "RW",
        "iat": now().timestamp() + iat, "exp": now().timestamp() + exp, "jti": "0123456789abcdef",
        "conditionMap": "{\"personId\":\"A123456789\"}",
    })
}

fn verify(signer: &Signer, token: &str) -> Result<String, TokenRefusal> {
    LegacyTokens::default()
        .verify_legacy(token, std::slice::from_ref(&signer.key), now())
        .map(|claims| claims.jti)
}

const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;

#[test]
fn what_clients_send_is_accepted() {
    let signer = Signer::new();
    for header in [HEADER, r#"{"alg":"RS256"}"#, r#"{"typ":"jwt","alg":"RS256","kid":"x"}"#] {
        assert!(verify(&signer, &signer.token(header, &claims(-180, 180).to_string())).is_ok(), "{header}");
    }
    for seconds in [150, 180, 300, 600] {
        assert!(
            verify(&signer, &signer.token(HEADER, &claims(-seconds, seconds).to_string())).is_ok(),
            "{seconds}"
        );
    }
    let escaped =
        claims(-180, 180).to_string().replace("綠色便民專案", "\\u7da0\\u8272\\u4fbf\\u6c11\\u5c08\\u6848");
    let token = signer.token(HEADER, &escaped);
    let read =
        LegacyTokens::default().verify_legacy(&token, std::slice::from_ref(&signer.key), now()).ok().unwrap();
    assert_eq!(read.sub.as_deref(), Some("綠色便民專案"));
    assert_eq!(LegacyTokens::default().issuer(&token).unwrap(), ISS);
}

#[test]
fn times_at_their_bounds() {
    let signer = Signer::new();
    for (iat, exp, expected) in [
        (300, 400, Ok(())),
        (301, 400, Err(TokenRefusal::NotYetValid)),
        (-400, -299, Ok(())),
        (-400, -300, Err(TokenRefusal::Expired)),
        (-3600, 0, Ok(())),
        (-3601, 0, Err(TokenRefusal::Expired)),
        (10, 5, Err(TokenRefusal::Expired)),
    ] {
        let outcome = verify(&signer, &signer.token(HEADER, &claims(iat, exp).to_string())).map(drop);
        assert_eq!(outcome, expected, "iat {iat}, exp {exp}");
    }
}

#[test]
fn claims_that_are_absent_or_of_another_type_are_malformed() {
    let signer = Signer::new();
    for (name, value) in [
        ("iat", json!("1795000000")),
        ("iat", json!(1.5)),
        ("exp", Value::Null),
        ("jti", json!(5)),
        ("jti", json!("")),
    ] {
        let mut claims = claims(-180, 180);
        claims[name] = value.clone();
        let outcome = verify(&signer, &signer.token(HEADER, &claims.to_string()));
        assert_eq!(outcome, Err(TokenRefusal::Malformed), "{name} = {value}");
    }
}

#[test]
fn a_claim_twice_is_malformed_however_it_is_spelled() {
    let signer = Signer::new();
    let body = claims(-180, 180).to_string();
    for double in [r#""jti":"a","#, r#""\u006ati":"a","#, r#""other":1,"other":2,"#] {
        let token = signer.token(HEADER, &body.replacen('{', &format!("{{{double}"), 1));
        assert_eq!(verify(&signer, &token), Err(TokenRefusal::Malformed), "{double}");
    }
    let token = signer.token(r#"{"alg":"none","alg":"RS256"}"#, &body);
    assert_eq!(verify(&signer, &token), Err(TokenRefusal::Malformed));
}

#[test]
fn no_header_chooses_the_key_or_the_algorithm() {
    let signer = Signer::new();
    let body = claims(-180, 180).to_string();
    let input =
        |header: &str| format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(&body));
    let join = |input: &str, signature: &[u8]| format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));

    let none = input(r#"{"alg":"none"}"#);
    let hs = input(r#"{"alg":"HS256"}"#);
    let secret = hmac::Key::new(hmac::HMAC_SHA256, signer.pem.as_bytes());
    let rs512 = input(r#"{"alg":"RS512"}"#);
    let ps256 = input(r#"{"alg":"PS256"}"#);
    let other = Signer::new();
    let jwk =
        input(r#"{"alg":"RS256","jwk":{"kty":"RSA"},"jku":"https://evil.example","x5u":"x","x5c":["x"]}"#);
    for (name, token) in [
        ("none without signature", format!("{none}.")),
        ("none with RS256 signature", join(&none, &signer.rsa(&RSA_PKCS1_SHA256, &none))),
        ("HS256 with the public key", join(&hs, hmac::sign(&secret, hs.as_bytes()).as_ref())),
        ("RS512", join(&rs512, &signer.rsa(&RSA_PKCS1_SHA512, &rs512))),
        ("PS256", join(&ps256, &signer.rsa(&RSA_PSS_SHA256, &ps256))),
        ("RS256 claimed, PSS signed", {
            let input = input(HEADER);
            join(&input, &signer.rsa(&RSA_PSS_SHA256, &input))
        }),
        ("another key, carried along", join(&jwk, &other.rsa(&RSA_PKCS1_SHA256, &jwk))),
        ("lower-case alg", signer.token(r#"{"alg":"rs256"}"#, &body)),
    ] {
        assert_eq!(verify(&signer, &token), Err(TokenRefusal::SignatureInvalid), "{name}");
    }
    let crit = signer.token(r#"{"alg":"RS256","crit":["exp"]}"#, &body);
    assert_eq!(verify(&signer, &crit), Err(TokenRefusal::Malformed));
}

#[test]
fn a_key_of_the_strict_profile_signs_no_legacy_token() {
    let mut signer = Signer::new();
    signer.key.profile = Profile::Strict;
    let token = signer.token(HEADER, &claims(-180, 180).to_string());
    assert_eq!(verify(&signer, &token), Err(TokenRefusal::SignatureInvalid));
}

#[test]
fn changed_by_one_letter_is_refused() {
    let signer = Signer::new();
    let token = signer.token(HEADER, &claims(-180, 180).to_string());
    let parts: Vec<_> = token.split('.').collect();
    for changed in 0..3 {
        let mut parts: Vec<Vec<u8>> =
            parts.iter().map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        let middle = parts[changed].len() / 2;
        parts[changed][middle] ^= 1;
        let parts: Vec<_> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
        let outcome = verify(&signer, &parts.join("."));
        assert!(
            matches!(outcome, Err(TokenRefusal::SignatureInvalid | TokenRefusal::Malformed)),
            "part {changed}: {outcome:?}"
        );
    }
    for cut in [token.len() - 1, token.len() - 4] {
        assert!(verify(&signer, &token[..cut]).is_err());
    }
    assert!(verify(&signer, &format!("{token}=")).is_err());
    assert!(verify(&signer, &format!("{token}.x")).is_err());
}

#[test]
fn the_condition_map_has_exactly_four_texts() {
    let tokens = LegacyTokens::default();
    let good = "{\t\"personId\" : \"A123456789\",\n\"issueSiteId\":\"63000\",\"applyCode\":\"1\",\"applyYyymmdd\":\"1080617\"}";
    assert!(tokens.condition(good).is_some());
    for bad in [
        "",
        "[]",
        "null",
        r#"{"personId":"A123456789","applyCode":"1","applyYyymmdd":"1080617"}"#,
        r#"{"personId":"A123456789","applyCode":1,"applyYyymmdd":"1080617","issueSiteId":"63000"}"#,
        r#"{"personId":"A123456789","applyCode":"1","applyYyymmdd":"1080617","issueSiteId":"63000","x":"1"}"#,
        r#"{"personId":"A","personId":"A123456789","applyCode":"1","applyYyymmdd":"1080617"}"#,
        &format!("{good} trailing"),
    ] {
        assert!(tokens.condition(bad).is_none(), "{bad}");
    }
}

#[test]
fn keys_that_are_weak_or_no_keys_are_refused() {
    let read = |pem: &str| PublicKeys.read(pem, Profile::Legacy).map(drop);
    assert_eq!(read("no pem"), Err(Violation::PublicKeyFormat));
    assert_eq!(read(&pem("PUBLIC KEY", b"\x30\x03abc")), Err(Violation::PublicKeyFormat));
    let integer = |bytes: &[u8]| {
        let mut der = vec![2, 0x82];
        der.extend(u16::try_from(bytes.len() + 1).unwrap().to_be_bytes());
        der.push(0);
        der.extend(bytes);
        der
    };
    let rsa = |modulus: &[u8], exponent: &[u8]| {
        let mut body = integer(modulus);
        body.extend([2, u8::try_from(exponent.len()).unwrap()]);
        body.extend(exponent);
        let mut der = vec![0x30, 0x82];
        der.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        der.extend(body);
        pem("RSA PUBLIC KEY", &der)
    };
    let signer = Signer::new();
    let modulus = signer.pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
    assert_eq!(read(&rsa(&modulus, &[1, 0, 1])), Ok(()));
    assert_eq!(read(&rsa(&modulus, &[3])), Err(Violation::PublicKeyRefused), "small exponent");
    assert_eq!(read(&rsa(&modulus, &[1, 0, 2])), Err(Violation::PublicKeyRefused), "even exponent");
    assert_eq!(read(&rsa(&modulus[..128], &[1, 0, 1])), Err(Violation::PublicKeyRefused), "1024 bits");
    let mut even = modulus.clone();
    *even.last_mut().unwrap() &= 0xFE;
    assert_eq!(read(&rsa(&even, &[1, 0, 1])), Err(Violation::PublicKeyRefused), "even modulus");
}

#[test]
fn the_fingerprint_is_the_same_for_both_spellings_of_a_key() {
    let signer = Signer::new();
    let first = PublicKeys.read(&signer.pem, Profile::Legacy).unwrap();
    let windows = signer.pem.replace('\n', "\r\n");
    let second = PublicKeys.read(&windows, Profile::Legacy).unwrap();
    assert_eq!(first.fingerprint, second.fingerprint);
    assert_eq!(first.fingerprint.len(), 64);
    drop(Arc::clone(&first.material));
}

/// Wycheproof's JWS vectors with RS256 keys: what is invalid must not verify.
#[test]
#[expect(clippy::disallowed_methods, reason = "where the vectors are is told by the environment")]
fn wycheproof_jws_vectors_have_no_wrong_accept() {
    let shared = std::env::var_os("IDCHECK_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = shared.join("vectors/wycheproof/json_web_signature_test.json");
    let Ok(text) = std::fs::read(&path) else {
        println!("skipped: {} is absent", path.display());
        return;
    };
    let vectors: Value = serde_json::from_slice(&text).unwrap();
    let (mut checked, mut accepted) = (0, 0);
    for group in vectors["testGroups"].as_array().unwrap() {
        let jwk = &group["public"];
        if jwk["kty"] != "RSA" || jwk["alg"] != "RS256" {
            continue;
        }
        let Some(key) = rsa_pem(jwk).and_then(|pem| PublicKeys.read(&pem, Profile::Legacy).ok()) else {
            continue;
        };
        let key =
            CallerKey { id: KeyId(Uuid::from_u128(1)), profile: Profile::Legacy, material: key.material };
        for test in group["tests"].as_array().unwrap() {
            let jws = test["jws"].as_str().unwrap_or_default();
            // The vectors sign other claims than ours: past the signature they end as malformed.
            let outcome = LegacyTokens::default().verify_legacy(jws, std::slice::from_ref(&key), now());
            let signed = !matches!(outcome, Err(TokenRefusal::SignatureInvalid)) && algorithm_read(jws);
            checked += 1;
            accepted += usize::from(signed);
            let expected = test["result"] == "valid";
            assert_eq!(signed, expected, "{}: {}", test["tcId"], test["comment"]);
        }
    }
    assert!(accepted > 0, "no valid vector applies");
    println!("{checked} vectors, {accepted} signatures accepted, 0 wrong");
}

/// Whether the token reads as far as its algorithm, so that `Malformed` can only come from the claims.
fn algorithm_read(jws: &str) -> bool {
    let mut parts = jws.split('.');
    let header = parts.next().and_then(|h| URL_SAFE_NO_PAD.decode(h).ok());
    let payload = parts.next().and_then(|h| URL_SAFE_NO_PAD.decode(h).ok());
    let signature = parts.next().and_then(|h| URL_SAFE_NO_PAD.decode(h).ok());
    let header: Option<Value> = header.and_then(|h| serde_json::from_slice(&h).ok());
    payload.is_some()
        && signature.is_some()
        && parts.next().is_none()
        && header.is_some_and(|h| h["alg"] == "RS256" && h.get("crit").is_none())
}

fn rsa_pem(jwk: &Value) -> Option<String> {
    let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok();
    let integer = |bytes: Vec<u8>| {
        let mut der = vec![2, 0x82];
        der.extend(u16::try_from(bytes.len() + 1).ok()?.to_be_bytes());
        der.push(0);
        der.extend(bytes);
        Some(der)
    };
    let exponent = part("e")?;
    let mut body = integer(part("n")?)?;
    body.extend([2, u8::try_from(exponent.len()).ok()?]);
    body.extend(exponent);
    let mut der = vec![0x30, 0x82];
    der.extend(u16::try_from(body.len()).ok()?.to_be_bytes());
    der.extend(body);
    Some(pem("RSA PUBLIC KEY", &der))
}

proptest! {
    #[test]
    fn no_input_makes_the_reader_panic(token in "[A-Za-z0-9_.-]{0,200}", condition in ".{0,200}") {
        let tokens = LegacyTokens::default();
        let _ = tokens.issuer(&token);
        let _ = tokens.verify_legacy(&token, &[], now() + TimeDelta::days(1));
        let _ = tokens.condition(&condition);
    }
}
