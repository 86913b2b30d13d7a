//! Slips that clients make, and what looking at their tokens names.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod double;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use double::{ISS_KEY, credentials};
use idcheck_client::{
    Profile,
    inspect::{Cause, Expected, Finding, Report, token},
};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

const NOW: i64 = 1_795_000_000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

fn legacy() -> Value {
    json!({
        "orgId": "04595257", "apId": "AW001", "userId": "clerk01", "iss": ISS_KEY, "sub": "綠色便民專案",
        "aud": "2026/11/18 19:06:40", "jobId": "V2C201", "opType": "RW", "iat": NOW - 180, "exp": NOW + 180,
        "jti": "0f1e2d3c", "conditionMap": conditions(&json!({})),
    })
}

/// The text of `conditionMap` with some members replaced.
fn conditions(replaced: &Value) -> String {
    let mut map = json!({"personId": "A123456789", "applyCode": "1", "applyYyymmdd": "1080617", "issueSiteId": "63000"});
    for (name, value) in replaced.as_object().unwrap() {
        map[name] = value.clone();
    }
    map.to_string()
}

fn strict() -> Value {
    json!({
        "iss": ISS_KEY, "sub": "clerk01", "aud": "https://idcheck.example", "iat": NOW, "exp": NOW + 300,
        "jti": "0f1e2d3c", "digest": URL_SAFE_NO_PAD.encode([7; 32]),
    })
}

/// Looks at claims under a header; the signature is not by our key, which is not compared here.
fn look(header: &Value, claims: &Value) -> Report {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    token(&format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode("x")), None, now())
}

fn found(report: &Report) -> Vec<(Cause, &'static str)> {
    report.findings.iter().map(|Finding { cause, member }| (*cause, member.unwrap_or_default())).collect()
}

#[test]
fn tokens_as_they_should_be() {
    for (header, claims, profile) in [
        (json!({"alg": "RS256"}), legacy(), Profile::Legacy),
        (json!({"alg": "EdDSA", "typ": "JWT"}), strict(), Profile::Strict),
    ] {
        let report = look(&header, &claims);
        assert_eq!((report.profile, found(&report)), (Some(profile), vec![]));
        assert_eq!(report.issued_at.unwrap().timestamp(), claims["iat"].as_i64().unwrap());
    }
}

#[rstest]
#[case("iat", json!(NOW * 1000), &[(Cause::NotYetValid, "iat"), (Cause::Span, "exp")])]
#[case("iat", json!(NOW.to_string()), &[(Cause::Member, "iat")])]
#[case("iat", json!(NOW + 301), &[(Cause::NotYetValid, "iat"), (Cause::Span, "exp")])]
#[case("iat", json!(NOW - 4000), &[(Cause::Span, "exp")])]
#[case("exp", json!(NOW - 300), &[(Cause::Expired, "exp"), (Cause::Span, "exp")])]
#[case("exp", json!(NOW + 3420), &[])]
#[case("jti", json!(5), &[(Cause::Member, "jti")])]
#[case("jti", json!(""), &[(Cause::Value, "jti")])]
#[case("sub", json!("綠色便民"), &[(Cause::Value, "sub")])]
#[case("jobId", json!("V2C202"), &[(Cause::Value, "jobId")])]
#[case("opType", Value::Null, &[(Cause::Member, "opType")])]
#[case("userId", json!("職員"), &[(Cause::Value, "userId")])]
#[case("conditionMap", json!({"personId": "A123456789"}), &[(Cause::Member, "conditionMap")])]
#[case("conditionMap", json!("[]"), &[(Cause::Value, "conditionMap")])]
#[case("conditionMap", json!(conditions(&json!({"personId": "A123456780"}))), &[(Cause::Value, "personId")])]
#[case("conditionMap", json!(conditions(&json!({"applyCode": 1}))), &[(Cause::Member, "applyCode")])]
#[case("conditionMap", json!(conditions(&json!({"applyYyymmdd": "1151119"}))), &[(Cause::Value, "applyYyymmdd")])]
#[case("conditionMap", json!(conditions(&json!({"issueSiteId": "10019"}))), &[(Cause::Value, "issueSiteId")])]
#[case("conditionMap", json!(conditions(&json!({"name": "x"}))), &[(Cause::Value, "conditionMap")])]
fn a_slip_in_a_legacy_token(
    #[case] name: &str,
    #[case] value: Value,
    #[case] expected: &[(Cause, &'static str)],
) {
    let mut claims = legacy();
    claims[name] = value;
    let report = look(&json!({"alg": "RS256"}), &claims);
    assert_eq!(found(&report), expected);
    assert!(!format!("{report:?}").contains("A12345678"), "{report:?}");
}

#[rstest]
#[case("exp", json!(NOW + 301), &[(Cause::Span, "exp")])]
#[case("digest", json!("short"), &[(Cause::Value, "digest")])]
#[case("sub", json!(""), &[(Cause::Value, "sub")])]
fn a_slip_in_a_strict_token(
    #[case] name: &str,
    #[case] value: Value,
    #[case] expected: &[(Cause, &'static str)],
) {
    let mut claims = strict();
    claims[name] = value;
    assert_eq!(found(&look(&json!({"alg": "ES256"}), &claims)), expected);
}

#[test]
fn the_algorithm_is_that_of_the_profile() {
    for (alg, claims) in [
        ("HS256", legacy()),
        ("none", legacy()),
        ("PS256", legacy()),
        ("HS256", strict()),
        ("RS512", strict()),
    ] {
        let report = look(&json!({"alg": alg}), &claims);
        assert_eq!(found(&report), [(Cause::AlgorithmRefused, "alg")], "{alg}");
    }
}

#[test]
fn what_is_no_token_is_told() {
    for text in ["", "a.b", "a.b.c", "e30.e30.", "e30.e30.!", "eyJ9.eyJ9.eA"] {
        let report = token(text, None, now());
        let cause = report.findings[0].cause;
        assert!(matches!(cause, Cause::NotAToken | Cause::ProfileUnclear), "{text}: {cause:?}");
    }
    assert_eq!(token("e30.e30.eA", None, now()).findings[0].cause, Cause::ProfileUnclear);
}

#[test]
fn a_token_is_compared_with_the_credentials() {
    let credentials = credentials();
    let expected = Expected { credentials: &credentials, audience: "https://idcheck.example" };
    let compare = |claims: &Value| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}.eA", part(&json!({"alg": "RS256"})), part(claims));
        found(&token(&text, Some(expected), now()))
    };
    let other_key = (Cause::OtherKey, "");
    assert_eq!(compare(&legacy()), [other_key]);
    for (mut claims, name) in
        [(legacy(), "iss"), (legacy(), "orgId"), (legacy(), "apId"), (strict(), "iss"), (strict(), "aud")]
    {
        claims[name] = json!("other");
        let mut findings = compare(&claims);
        findings.sort_by_key(|finding| finding.0 != Cause::OtherKey);
        assert_eq!(findings, [other_key, (Cause::NotOurs, name)], "{name}");
    }
}

/// Any JSON that a member may hold.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "canary.{0,12}".prop_map(Value::from),
        Just(json!({"personId": "canary"})),
        Just(json!("{\"personId\":\"canary\"}")),
    ]
}

proptest! {
    /// Whatever a token holds: no panic, something is found, and nothing of it is shown.
    #[test]
    fn no_token_breaks_the_look_or_is_shown(
        claims in prop::collection::hash_map("iat|exp|jti|sub|aud|digest|orgId|conditionMap|userId", any_value(), 0..9),
        alg in any_value(),
    ) {
        let report = look(&json!({"alg": alg}), &json!(claims));
        let shown = format!("{report:?}");
        prop_assert!(!report.findings.is_empty() && !shown.contains("canary"), "{}", shown);
    }

    #[test]
    fn no_text_breaks_the_look(text in ".{0,60}") {
        prop_assert!(!token(&text, None, now()).findings.is_empty());
    }
}
