//! Tokens of the strict profile.

use aws_lc_rs::digest;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use idcheck_domain::key::Profile;
use idcheck_token::{Tokens, Window};
use idcheck_usecases::ports::{CallerKey, TokenReader, TokenRefusal};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{self, BASE_URL, ISS, Signer, caller_key, input, join, now, tokens};

const BODY: &str =
    r#"{"personId":"A123456789","applyCode":"1","applyDate":"2019-06-17","issueSiteId":"63000"}"#;

fn digest(body: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, body.as_bytes()))
}

fn claims(iat: i64, exp: i64) -> Value {
    json!({
        "iss": ISS, "sub": "user1", "aud": BASE_URL, "iat": now().timestamp() + iat,
        "exp": now().timestamp() + exp, "jti": "0123456789abcdef", "digest": digest(BODY),
    })
}

fn key(signer: &Signer) -> CallerKey {
    caller_key(&signer.pem(), Profile::Strict, 7)
}

fn verify(keys: &[CallerKey], token: &str) -> Result<Option<String>, TokenRefusal> {
    support::strict(&tokens(), token, BODY.as_bytes(), keys)
}

#[test]
fn every_kind_of_key_signs() {
    for signer in Signer::all() {
        let token = signer.token(&json!({"typ": "JWT"}), &claims(-100, 200));
        assert_eq!(verify(&[key(&signer)], &token), Ok(Some("user1".to_owned())), "{}", signer.algorithm());
        assert_eq!(tokens().read(&token).ok().unwrap().issuer(), Ok(ISS));
    }
}

#[test]
fn no_key_takes_the_algorithm_of_another_kind() {
    let signers = Signer::all();
    for signer in &signers {
        for other in &signers {
            let header = json!({"alg": other.algorithm()}).to_string();
            let input = input(&header, &claims(-100, 200).to_string());
            let token = join(&input, &signer.sign(&input));
            let outcome = verify(&[key(signer)], &token);
            let same = signer.algorithm() == other.algorithm();
            assert_eq!(outcome.is_ok(), same, "{} as {}", signer.algorithm(), other.algorithm());
            // Signed by one key, checked with another.
            let own = signer.token(&json!({}), &claims(-100, 200));
            let foreign = verify(&[key(other)], &own);
            assert_eq!(foreign.is_ok(), same, "{} by {}", signer.algorithm(), other.algorithm());
        }
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "HS256"}),
            json!({"alg": "RS384"}),
            json!({"alg": "ES384"}),
            json!({"alg": ""}),
        ] {
            let input = input(&header.to_string(), &claims(-100, 200).to_string());
            let token = join(&input, &signer.sign(&input));
            assert_eq!(verify(&[key(signer)], &token), Err(TokenRefusal::SignatureInvalid), "{header}");
        }
    }
}

#[test]
fn the_key_identity_chooses_among_the_organisations_keys_only() {
    let signers = Signer::all();
    let keys: Vec<_> =
        signers.iter().zip(1..).map(|(signer, id)| caller_key(&signer.pem(), Profile::Strict, id)).collect();
    for (signer, own) in signers.iter().zip(&keys) {
        let own = own.id.0.to_string();
        for kid in
            keys.iter().map(|key| key.id.0.to_string()).chain([own.to_uppercase(), Uuid::nil().to_string()])
        {
            let token = signer.token(&json!({"kid": kid}), &claims(-100, 200));
            assert_eq!(verify(&keys, &token).is_ok(), kid == own, "{kid}");
        }
        assert!(verify(&keys, &signer.token(&json!({}), &claims(-100, 200))).is_ok());
        let odd = signer.token(&json!({"kid": 1}), &claims(-100, 200));
        assert_eq!(verify(&keys, &odd), Err(TokenRefusal::Malformed));
        let carried = json!({"jwk": {"kty": "OKP"}, "jku": "https://evil.example", "x5c": ["x"]});
        let token = signer.token(&carried, &claims(-100, 200));
        assert_eq!(verify(&[], &token), Err(TokenRefusal::SignatureInvalid));
    }
}

#[test]
fn times_at_their_bounds() {
    let [_, _, _, signer] = Signer::all();
    let keys = [key(&signer)];
    for (iat, exp, expected) in [
        (0, 300, Ok(())),
        (0, 301, Err(TokenRefusal::Expired)),
        (300, 600, Ok(())),
        (301, 600, Err(TokenRefusal::NotYetValid)),
        (-599, -299, Ok(())),
        (-600, -300, Err(TokenRefusal::Expired)),
        (10, 5, Err(TokenRefusal::Expired)),
    ] {
        let outcome = verify(&keys, &signer.token(&json!({}), &claims(iat, exp))).map(drop);
        assert_eq!(outcome, expected, "iat {iat}, exp {exp}");
    }
    let window = Window { span: chrono::TimeDelta::seconds(60), ..Window::STRICT };
    let shorter = Tokens::new(BASE_URL).with_windows(Window::LEGACY, window);
    let token = signer.token(&json!({}), &claims(0, 61));
    let outcome = support::strict(&shorter, &token, BODY.as_bytes(), &keys).map(drop);
    assert_eq!(outcome, Err(TokenRefusal::Expired));
}

#[test]
fn audience_and_body_are_bound() {
    let [_, _, _, signer] = Signer::all();
    let keys = [key(&signer)];
    let with = |name: &str, value: Value| {
        let mut claims = claims(-100, 200);
        claims[name] = value;
        verify(&keys, &signer.token(&json!({}), &claims)).map(drop)
    };
    for (aud, expected) in [
        (json!("https://idcheck.example/"), TokenRefusal::WrongAudience),
        (json!("http://idcheck.example"), TokenRefusal::WrongAudience),
        (json!("2026/11/23 10:00:00"), TokenRefusal::WrongAudience),
        (json!([BASE_URL]), TokenRefusal::Malformed),
        (Value::Null, TokenRefusal::Malformed),
    ] {
        assert_eq!(with("aud", aud.clone()), Err(expected), "{aud}");
    }
    let standard = STANDARD.encode(digest::digest(&digest::SHA256, BODY.as_bytes()));
    for (bound, expected) in [
        (json!(digest(&BODY.replace("63000", "64000"))), TokenRefusal::WrongDigest),
        (json!(digest(&format!("{BODY} "))), TokenRefusal::WrongDigest),
        (json!(digest("")), TokenRefusal::WrongDigest),
        (json!(standard), TokenRefusal::WrongDigest),
        (json!(""), TokenRefusal::WrongDigest),
        (Value::Null, TokenRefusal::Malformed),
        (json!(5), TokenRefusal::Malformed),
    ] {
        assert_eq!(with("digest", bound.clone()), Err(expected), "{bound}");
    }
    for jti in [json!(""), json!("a\0b"), json!(5), Value::Null, json!("x".repeat(129))] {
        assert_eq!(with("jti", jti), Err(TokenRefusal::Malformed));
    }
    assert_eq!(with("jti", json!("x".repeat(128))), Ok(()));
}

#[test]
fn members_are_read_once_and_as_they_are() {
    let text = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
    let read = |json: &str| tokens().members(json.as_bytes());
    assert_eq!(
        read(r#" {"a":"1", "b": 2, "\u0063":"\u4e2d", "d":["x"]} "#),
        Some(vec![text("a", "1"), ("b".to_owned(), None), text("c", "中"), ("d".to_owned(), None)])
    );
    for bad in ["", "[]", "null", "\"a\"", r#"{"a":"1","a":"1"}"#, r#"{"a":"1","\u0061":"2"}"#, "{} {}", "{"]
    {
        assert_eq!(read(bad), None, "{bad}");
    }
}
