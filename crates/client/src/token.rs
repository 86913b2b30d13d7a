//! The tokens of both profiles. Time and `jti` are arguments. A token holds personal data: never shown, never logged.

use std::fmt;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::taipei;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    credentials::Credentials,
    key::Algorithm,
    question::{Question, UserId},
};

/// `sub` of the legacy profile.
pub(crate) const SUBJECT: &str = "綠色便民專案";
/// `jobId` of the legacy profile.
pub(crate) const JOB: &str = "V2C201";
/// `opType` of the legacy profile.
pub(crate) const OPERATION: &str = "RW";
/// The legacy profile's tokens are valid from this long ago until this long ahead, as the Ministry advises.
const LEGACY_REACH: TimeDelta = TimeDelta::seconds(180);
/// The strict profile's tokens: at most 300 s in all.
const STRICT_REACH: (TimeDelta, TimeDelta) = (TimeDelta::seconds(60), TimeDelta::seconds(180));

/// A signed token.
pub(crate) struct Token {
    pub(crate) text: Zeroizing<String>,
    pub(crate) jti: String,
    pub(crate) expires_at: DateTime<Utc>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("jti", &self.jti).finish_non_exhaustive()
    }
}

/// Whom, when and as what.
pub(crate) struct Making<'a> {
    pub(crate) credentials: &'a Credentials,
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<&'a str>,
    pub(crate) user: &'a UserId,
    pub(crate) now: DateTime<Utc>,
    pub(crate) jti: String,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LegacyClaims<'a> {
    org_id: &'a str,
    ap_id: &'a str,
    user_id: &'a str,
    iss: &'a str,
    sub: &'static str,
    aud: String,
    job_id: &'static str,
    op_type: &'static str,
    iat: i64,
    exp: i64,
    jti: &'a str,
    condition_map: &'a str,
}

#[derive(Serialize)]
struct StrictClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: &'a str,
    digest: String,
}

/// `conditionMap` of the legacy profile.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Condition<'a> {
    person_id: &'a str,
    apply_code: &'a str,
    apply_yyymmdd: String,
    issue_site_id: &'a str,
}

/// Body of the strict profile.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    person_id: &'a str,
    apply_code: &'a str,
    apply_date: String,
    issue_site_id: &'a str,
}

/// The question as the legacy profile writes it; `None` if it does not serialise.
pub(crate) fn condition(question: &Question) -> Option<Zeroizing<String>> {
    let condition = Condition {
        person_id: question.person_id.expose(),
        apply_code: question.data.apply_code.as_str(),
        apply_yyymmdd: question.data.applied_on.to_string(),
        issue_site_id: question.data.issue_site.code(),
    };
    serde_json::to_string(&condition).ok().map(Zeroizing::new)
}

/// The question as the strict profile writes it; `None` if it does not serialise.
pub(crate) fn body(question: &Question) -> Option<Zeroizing<Vec<u8>>> {
    let body = Body {
        person_id: question.person_id.expose(),
        apply_code: question.data.apply_code.as_str(),
        apply_date: question.data.applied_on.date().to_string(),
        issue_site_id: question.data.issue_site.code(),
    };
    serde_json::to_vec(&body).ok().map(Zeroizing::new)
}

/// A token of the legacy profile with these conditions; `None` when the key did not sign.
pub(crate) fn legacy(making: Making<'_>, condition: &str) -> Option<Token> {
    let (from, until) = (making.now - LEGACY_REACH, making.now + LEGACY_REACH);
    let claims = LegacyClaims {
        org_id: making.credentials.ubn.as_str(),
        ap_id: making.credentials.account.as_str(),
        user_id: making.user.as_str(),
        iss: making.credentials.iss_key.expose(),
        sub: SUBJECT,
        // Not an audience: the time of sending, in Taipei.
        aud: taipei::local(making.now).format("%Y/%m/%d %H:%M:%S").to_string(),
        job_id: JOB,
        op_type: OPERATION,
        iat: from.timestamp(),
        exp: until.timestamp(),
        jti: &making.jti,
        condition_map: condition,
    };
    let text = sign(&making, &claims)?;
    Some(Token { text, jti: making.jti, expires_at: until })
}

/// A token of the strict profile for this body; `None` when the key did not sign.
pub(crate) fn strict(making: Making<'_>, audience: &str, body: &[u8]) -> Option<Token> {
    let (back, ahead) = STRICT_REACH;
    let (from, until) = (making.now - back, making.now + ahead);
    let claims = StrictClaims {
        iss: making.credentials.iss_key.expose(),
        sub: making.user.as_str(),
        aud: audience,
        iat: from.timestamp(),
        exp: until.timestamp(),
        jti: &making.jti,
        digest: URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, body)),
    };
    let text = sign(&making, &claims)?;
    Some(Token { text, jti: making.jti, expires_at: until })
}

/// JWS compact serialization (RFC 7515 §7.1).
fn sign(making: &Making<'_>, claims: &impl Serialize) -> Option<Zeroizing<String>> {
    let header = Header { alg: making.algorithm.as_str(), typ: "JWT", kid: making.key_id };
    let claims = Zeroizing::new(serde_json::to_vec(claims).ok()?);
    let mut text = Zeroizing::new(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).ok()?));
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(claims.as_slice(), &mut text);
    let signature = making.credentials.key.sign(making.algorithm, text.as_bytes())?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{
        Algorithm, Credentials, DateTime, Engine, Making, Question, TimeDelta, Token, URL_SAFE_NO_PAD,
        UserId, Utc, body, condition, digest, legacy, strict,
    };
    use crate::{CardData, KeyKind, PersonId, RocDate, SigningKey};
    use idcheck_domain::value::{ApplyCode, IssueSite};

    const ISS_KEY: &str = "e3yMEJMEppYGbb37BxVaOSX00btXCASk";

    static RSA: LazyLock<Credentials> = LazyLock::new(|| credentials(KeyKind::Rsa2048));

    fn credentials(kind: KeyKind) -> Credentials {
        let pem = SigningKey::generate(kind).unwrap().private_pem;
        Credentials::new("04595257", "AW001", ISS_KEY, &pem).unwrap()
    }

    fn making<'a>(credentials: &'a Credentials, user: &'a UserId, now: DateTime<Utc>) -> Making<'a> {
        let algorithm = credentials.key.algorithms(crate::Profile::Strict)[0];
        Making {
            credentials,
            algorithm,
            key_id: None,
            user,
            now,
            jti: "0f1e2d3c4b5a69788796a5b4c3d2e1f0".into(),
        }
    }

    fn part(token: &Token, number: usize) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(token.text.split('.').nth(number).unwrap()).unwrap()
    }

    fn claims(token: &Token) -> Value {
        serde_json::from_slice(&part(token, 1)).unwrap()
    }

    fn question() -> Question {
        Question::parse("A123456789", "1", "1080617", "63000").unwrap()
    }

    #[test]
    fn the_legacy_token_to_the_letter() {
        let user = UserId::parse("clerk01").unwrap();
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let asked = Making { algorithm: Algorithm::Rs256, ..making(&RSA, &user, now) };
        let token = legacy(asked, &condition(&question()).unwrap()).unwrap();
        assert_eq!(part(&token, 0), br#"{"alg":"RS256","typ":"JWT"}"#);
        // 1795000000 is 2026-11-18T11:06:40Z by `date -u -d @1795000000`.
        let expected = concat!(
            r#"{"orgId":"04595257","apId":"AW001","userId":"clerk01","iss":"e3yMEJMEppYGbb37BxVaOSX00btXCASk","#,
            r#""sub":"綠色便民專案","aud":"2026/11/18 19:06:40","jobId":"V2C201","opType":"RW","iat":1794999820,"#,
            r#""exp":1795000180,"jti":"0f1e2d3c4b5a69788796a5b4c3d2e1f0","conditionMap":"{\"personId\":\"A123456789\","#,
            r#"\"applyCode\":\"1\",\"applyYyymmdd\":\"1080617\",\"issueSiteId\":\"63000\"}"}"#,
        );
        assert_eq!(String::from_utf8(part(&token, 1)).unwrap(), expected);
        let (signed, _) = token.text.rsplit_once('.').unwrap();
        assert!(RSA.key.made(Algorithm::Rs256, signed.as_bytes(), &part(&token, 2)));
    }

    #[test]
    fn the_strict_token_names_body_audience_and_algorithm() {
        for (kind, alg) in
            [(KeyKind::Rsa2048, "PS256"), (KeyKind::P256, "ES256"), (KeyKind::Ed25519, "EdDSA")]
        {
            let credentials = credentials(kind);
            let user = UserId::parse("clerk01").unwrap();
            let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
            let body = body(&question()).unwrap();
            assert_eq!(
                String::from_utf8(body.to_vec()).unwrap(),
                r#"{"personId":"A123456789","applyCode":"1","applyDate":"2019-06-17","issueSiteId":"63000"}"#
            );
            let asked = Making { key_id: Some("k1"), ..making(&credentials, &user, now) };
            let token = strict(asked, "https://idcheck.example", &body).unwrap();
            let header: Value = serde_json::from_slice(&part(&token, 0)).unwrap();
            assert_eq!(header, json!({"alg": alg, "typ": "JWT", "kid": "k1"}));
            let expected = json!({
                "iss": ISS_KEY, "sub": "clerk01", "aud": "https://idcheck.example", "iat": 1_794_999_940,
                "exp": 1_795_000_180, "jti": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                "digest": URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &body)),
            });
            assert_eq!(claims(&token), expected);
        }
    }

    /// An ID number that is valid: letter and digits drawn, check digit reckoned by trying.
    fn person_id() -> impl Strategy<Value = PersonId> {
        ("[A-Z][12][0-9]{7}").prop_map(|stem| {
            (0..10).find_map(|digit| PersonId::parse(&format!("{stem}{digit}")).ok()).unwrap()
        })
    }

    fn any_question() -> impl Strategy<Value = Question> {
        let sites: Vec<_> = IssueSite::all().collect();
        let days = 0..40_000_i64;
        (person_id(), prop::sample::select(ApplyCode::ALL.to_vec()), days, prop::sample::select(sites))
            .prop_map(|(person_id, apply_code, day, issue_site)| {
                let first = chrono::NaiveDate::from_ymd_opt(1912, 1, 1).unwrap();
                let applied_on = RocDate::from_date(first + TimeDelta::days(day)).unwrap();
                Question::new(person_id, CardData { apply_code, applied_on, issue_site })
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Read back with nothing but a JSON parser, every question is what was asked, in text members only, and
        /// times hold the bounds that the service sets.
        #[test]
        fn claims_hold_what_was_asked(
            question in any_question(),
            seconds in 0_i64..4_000_000_000,
            user in "[A-Za-z0-9]{1,12}",
        ) {
            let user_id = UserId::parse(&user).unwrap();
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let asked = Making { algorithm: Algorithm::Rs256, ..making(&RSA, &user_id, now) };
            let token = legacy(asked, &condition(&question).unwrap()).unwrap();
            let claims = claims(&token);
            let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
            prop_assert!(iat <= seconds && seconds < exp && exp - iat <= 3600);
            prop_assert_eq!(token.expires_at.timestamp(), exp);
            prop_assert_eq!(claims["userId"].as_str().unwrap(), user);
            let map: Value = serde_json::from_str(claims["conditionMap"].as_str().unwrap()).unwrap();
            let map = map.as_object().unwrap();
            prop_assert_eq!(map.len(), 4);
            let text = |name: &str| map[name].as_str().unwrap();
            let again = Question::parse(
                text("personId"), text("applyCode"), text("applyYyymmdd"), text("issueSiteId"),
            ).unwrap();
            prop_assert!(again.person_id == question.person_id && again.data == question.data);
            prop_assert!(token.text.len() < 2048);
            let shown = format!("{token:?}");
            prop_assert!(!shown.contains(question.person_id.expose()) && shown.contains(&token.jti));
        }

        /// The digest is that of the bytes sent, and no other body has it.
        #[test]
        fn the_digest_binds_the_body(question in any_question(), other in any_question()) {
            let user = UserId::parse("u").unwrap();
            let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
            let body_of = |q: &Question| body(q).unwrap();
            let digest_of = |q: &Question| {
                claims(&strict(making(&RSA, &user, now), "https://a", &body_of(q)).unwrap())["digest"].clone()
            };
            prop_assert_eq!(digest_of(&question) == digest_of(&other), *body_of(&question) == *body_of(&other));
            let claims = claims(&strict(making(&RSA, &user, now), "https://a", &body_of(&question)).unwrap());
            prop_assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 300);
            prop_assert!(!claims.to_string().contains(question.person_id.expose()));
        }
    }
}
