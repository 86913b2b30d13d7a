//! Tokens of the legacy profile as clients send them, and as attackers do.

use aws_lc_rs::{
    hmac,
    signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use idcheck_domain::key::Profile;
use idcheck_usecases::ports::{CallerKey, TokenReader, TokenRefusal};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{self, ISS, Rsa, now, tokens};

fn claims(iat: i64, exp: i64) -> Value {
    json!({
        "orgId": "04595257", "apId": "AW001", "userId": "user1", "iss": ISS, "sub": "綠色便民專案",
        "aud": "2026/11/23 10:00:00", "jobId": "V2C201", "opType": "RW",
        "iat": now().timestamp() + iat, "exp": now().timestamp() + exp, "jti": "0123456789abcdef",
        "conditionMap": "{\"personId\":\"A123456789\"}",
    })
}

fn verify(signer: &Rsa, token: &str) -> Result<String, TokenRefusal> {
    support::legacy(token, &[signer.key(Profile::Legacy)], now())
}

const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;

#[test]
fn what_clients_send_is_accepted() {
    let signer = Rsa::new();
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
    let tokens = tokens();
    let read = tokens.read(&token).ok().unwrap();
    let claims = read.verify_legacy(&[signer.key(Profile::Legacy)], now()).ok().unwrap();
    assert_eq!((claims.sub, read.issuer()), (Some("綠色便民專案"), Ok(ISS)));
}

/// A key that ended is none; one that is used is known to be.
#[test]
fn a_key_ends_by_itself_and_its_use_is_noted() {
    let signer = Rsa::new();
    let token = signer.token(HEADER, &claims(-180, 180).to_string());
    for (ends_in, accepted) in [(None, true), (Some(1), true), (Some(0), false), (Some(-1), false)] {
        let expires_at = ends_in.map(|seconds| now() + TimeDelta::seconds(seconds));
        let key = CallerKey { expires_at, ..signer.key(Profile::Legacy) };
        let read = support::legacy(&token, std::slice::from_ref(&key), now()).is_ok();
        assert_eq!(read, accepted, "{ends_in:?}");
        assert_eq!(format!("{:?}", key.used).contains(&now().timestamp_micros().to_string()), accepted);
    }
}

#[test]
fn times_at_their_bounds() {
    let signer = Rsa::new();
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
fn a_beginning_that_is_named_counts() {
    let signer = Rsa::new();
    let at = |nbf: Value| {
        let mut claims = claims(-180, 400);
        claims["nbf"] = nbf;
        verify(&signer, &signer.token(HEADER, &claims.to_string())).map(drop)
    };
    let now = now().timestamp();
    assert_eq!((at(json!(now + 300)), at(json!(now - 9_000))), (Ok(()), Ok(())));
    assert_eq!(at(json!(now + 301)), Err(TokenRefusal::NotYetValid));
    assert_eq!(at(json!("tomorrow")), Err(TokenRefusal::Malformed));
}

#[test]
fn times_with_a_whole_value_are_taken_however_they_are_written() {
    let signer = Rsa::new();
    let body = claims(-180, 180).to_string();
    let iat = now().timestamp() - 180;
    for (written, expected) in [
        (format!("{iat}.0"), Ok(())),
        (format!("{}e1", iat / 10), Ok(())),
        (format!("{iat}.5"), Err(TokenRefusal::Malformed)),
        ("1e300".to_owned(), Err(TokenRefusal::Malformed)),
    ] {
        let body = body.replace(&format!("\"iat\":{iat}"), &format!("\"iat\":{written}"));
        assert!(body.contains(&written));
        assert_eq!(verify(&signer, &signer.token(HEADER, &body)).map(drop), expected, "{written}");
    }
}

#[test]
fn claims_that_are_absent_or_of_another_type_are_malformed() {
    let signer = Rsa::new();
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
    let signer = Rsa::new();
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
    let signer = Rsa::new();
    let body = claims(-180, 180).to_string();
    let input =
        |header: &str| format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(&body));
    let join = |input: &str, signature: &[u8]| format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));

    let none = input(r#"{"alg":"none"}"#);
    let hs = input(r#"{"alg":"HS256"}"#);
    let secret = hmac::Key::new(hmac::HMAC_SHA256, signer.pem.as_bytes());
    let rs512 = input(r#"{"alg":"RS512"}"#);
    let ps256 = input(r#"{"alg":"PS256"}"#);
    let other = Rsa::new();
    let jwk =
        input(r#"{"alg":"RS256","jwk":{"kty":"RSA"},"jku":"https://evil.example","x5u":"x","x5c":["x"]}"#);
    for (name, token) in [
        ("none without signature", format!("{none}.")),
        ("none with RS256 signature", join(&none, &signer.sign(&RSA_PKCS1_SHA256, &none))),
        ("HS256 with the public key", join(&hs, hmac::sign(&secret, hs.as_bytes()).as_ref())),
        ("RS512", join(&rs512, &signer.sign(&RSA_PKCS1_SHA512, &rs512))),
        ("PS256", join(&ps256, &signer.sign(&RSA_PSS_SHA256, &ps256))),
        ("RS256 claimed, PSS signed", {
            let input = input(HEADER);
            join(&input, &signer.sign(&RSA_PSS_SHA256, &input))
        }),
        ("another key, carried along", join(&jwk, &other.sign(&RSA_PKCS1_SHA256, &jwk))),
        ("lower-case alg", signer.token(r#"{"alg":"rs256"}"#, &body)),
    ] {
        assert_eq!(verify(&signer, &token), Err(TokenRefusal::SignatureInvalid), "{name}");
    }
    let crit = signer.token(r#"{"alg":"RS256","crit":["exp"]}"#, &body);
    assert_eq!(verify(&signer, &crit), Err(TokenRefusal::Malformed));
}

#[test]
fn a_key_of_the_strict_profile_signs_no_legacy_token() {
    let signer = Rsa::new();
    let token = signer.token(HEADER, &claims(-180, 180).to_string());
    let outcome = support::legacy(&token, &[signer.key(Profile::Strict)], now());
    assert_eq!(outcome.map(drop), Err(TokenRefusal::SignatureInvalid));
}

#[test]
fn changed_by_one_letter_is_refused() {
    let signer = Rsa::new();
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
    let tokens = tokens();
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

proptest! {
    #[test]
    fn no_input_makes_the_reader_panic(token in "[A-Za-z0-9_.-]{0,200}", condition in ".{0,200}") {
        let tokens = tokens();
        let _ = support::legacy(&token, &[], now() + TimeDelta::days(1));
        let _ = tokens.condition(&condition);
    }
}
