//! What the client sends, decoded, and how it reads what comes back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod double;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use double::{Does, Double, ISS_KEY, answer, builder, question, refused};
use idcheck_client::{
    Algorithm, Answer, BuildError, Builder, Client, Credentials, Environment, Error, Field, KeyKind, NotSent,
    Profile, Question, Refusal, SigningKey, UserId,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// 2026-11-18 19:06:40 in Taipei, by `TZ=Asia/Taipei date -d @1795000000`.
const NOW: i64 = 1_795_000_000;

fn still(builder: Builder) -> Client {
    builder.clock(|| DateTime::from_timestamp(NOW, 0).unwrap()).build().unwrap()
}

#[tokio::test]
async fn a_legacy_request_is_as_the_ministry_writes_it() {
    let service = Double::start(&[]).await;
    let client = still(builder(&service.base_url));
    let asked = question().asked_by(UserId::parse("clerk01").unwrap());
    let answered = client.verify(&asked).await.unwrap();
    assert_eq!((answered.answer, answered.request_id.as_deref()), (Answer::Match, Some("0192-1")));

    let request = service.requests().remove(0);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/integration/rwv2c2"));
    assert_eq!(request.headers["sris-consumeradminid"], "00000000");
    assert_eq!(request.headers["content-type"], "application/json");
    assert!(request.body.is_empty());
    assert_eq!(request.header(), json!({"alg": "RS256", "typ": "JWT"}));
    let claims = request.claims();
    assert_eq!(answered.jti, claims["jti"].as_str().unwrap());
    assert_eq!(answered.jti.len(), 32);
    let expected = json!({
        "orgId": "04595257", "apId": "AW001", "userId": "clerk01", "iss": ISS_KEY, "sub": "綠色便民專案",
        "aud": "2026/11/18 19:06:40", "jobId": "V2C201", "opType": "RW", "iat": NOW - 180, "exp": NOW + 180,
        "jti": claims["jti"],
        "conditionMap": r#"{"personId":"A123456789","applyCode":"1","applyYyymmdd":"1080617","issueSiteId":"63000"}"#,
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn a_strict_request_has_the_personal_data_in_its_body_only() {
    for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::Ed25519] {
        let service = Double::start(&[]).await;
        let pem = SigningKey::generate(kind).unwrap().private_pem;
        let credentials = Credentials::new("04595257", "AW001", ISS_KEY, &pem).unwrap();
        let algorithms = credentials.key().algorithms(Profile::Strict);
        for algorithm in algorithms {
            let credentials = Credentials::new("04595257", "AW001", ISS_KEY, &pem).unwrap();
            let builder = Client::builder(&service.base_url, credentials).profile(Profile::Strict);
            let client = still(builder.algorithm(*algorithm).key_id("k-1"));
            assert_eq!(client.verify(&question()).await.unwrap().request_id.as_deref(), Some("r-1"));

            let request = service.requests().pop().unwrap();
            assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/api/v1/verifications"));
            assert_eq!(request.header(), json!({"alg": algorithm.as_str(), "typ": "JWT", "kid": "k-1"}));
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let expected = json!({
                "personId": "A123456789", "applyCode": "1", "applyDate": "2019-06-17", "issueSiteId": "63000",
            });
            assert_eq!(body, expected);
            let claims = request.claims();
            let digest = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &request.body));
            assert_eq!(
                (claims["digest"].as_str(), claims["aud"].as_str()),
                (Some(&*digest), Some(&*service.base_url))
            );
            assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 300);
            assert!(!claims.to_string().contains("A123456789"));
            assert!(!request.headers.contains_key("sris-consumeradminid"));
        }
    }
}

#[tokio::test]
async fn the_sandbox_has_paths_of_its_own() {
    for (profile, path) in
        [(Profile::Legacy, "/sandbox/integration/rwv2c2"), (Profile::Strict, "/sandbox/api/v1/verifications")]
    {
        let service = Double::start(&[]).await;
        let client =
            builder(&service.base_url).profile(profile).environment(Environment::Sandbox).build().unwrap();
        client.verify(&question()).await.unwrap();
        let request = service.requests().remove(0);
        assert_eq!(request.path, path);
        if profile == Profile::Strict {
            assert_eq!(request.claims()["aud"], json!(service.base_url), "the audience has no /sandbox");
        }
    }
}

#[tokio::test]
async fn every_question_has_a_token_of_its_own() {
    let service = Double::start(&[]).await;
    let client = builder(&service.base_url).build().unwrap();
    for _ in 0..5 {
        client.verify(&question()).await.unwrap();
    }
    assert_eq!((service.requests().len(), service.tokens(), service.recorded()), (5, 5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_serves_many_tasks() {
    let service = Double::start(&[]).await;
    let client = builder(&service.base_url).build().unwrap();
    let asking = (0..16).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.verify(&question()).await.unwrap().answer })
    });
    for task in asking.collect::<Vec<_>>() {
        assert_eq!(task.await.unwrap(), Answer::Match);
    }
    assert_eq!((service.tokens(), service.recorded()), (16, 16));
}

#[tokio::test]
async fn every_answer_is_typed_in_both_profiles() {
    let expected = [
        Answer::Match,
        Answer::Mismatch { attempts_left: 2 },
        Answer::Mismatch { attempts_left: 1 },
        Answer::Mismatch { attempts_left: 0 },
        Answer::Locked,
        Answer::OutOfUse,
        Answer::ReportedLost,
        Answer::UserSuspended,
    ];
    for (profile, strict) in [(Profile::Legacy, false), (Profile::Strict, true)] {
        let script: Vec<_> = (1..=8).map(|digit| Does::Says(200, &[], answer(strict, digit))).collect();
        let service = Double::start(&script).await;
        let client = builder(&service.base_url).profile(profile).build().unwrap();
        for answer in expected {
            assert_eq!(client.verify(&question()).await.unwrap().answer, answer);
        }
    }
}

#[tokio::test]
async fn every_refusal_is_typed_in_both_profiles() {
    let rows = [
        (401, "token missing", Refusal::TokenMissing),
        (401, "token malformed", Refusal::TokenMalformed),
        (401, "key unknown", Refusal::KeyUnknown),
        (401, "signature invalid", Refusal::SignatureInvalid),
        (401, "not yet valid", Refusal::NotYetValid),
        (401, "expired", Refusal::Expired),
        (403, "address not registered", Refusal::AddressNotRegistered),
        (403, "access suspended or revoked", Refusal::AccessEnded),
        (431, "headers too large", Refusal::HeadersTooLarge),
    ];
    for (profile, strict) in [(Profile::Legacy, false), (Profile::Strict, true)] {
        for (status, message, expected) in rows {
            let (status, body) = refused(strict, status, message, expected.code());
            let service = Double::start(&[Does::Says(status, &[], body)]).await;
            let client = builder(&service.base_url).profile(profile).build().unwrap();
            let error = client.verify(&question()).await.unwrap_err();
            assert!(matches!(error, Error::Refused(refusal) if refusal == expected), "{error:?}");
            assert!(error.may_ask_again());
            assert_eq!(error.code(), expected.code());
        }
    }
}

#[tokio::test]
async fn a_question_that_is_malformed_is_not_sent() {
    let service = Double::start(&[]).await;
    let client = still(builder(&service.base_url));
    // The day after the 18th of November 2026, the day in Taipei.
    let tomorrow = Question::parse("A123456789", "1", "1151119", "63000").unwrap();
    let error = client.verify(&tomorrow).await.unwrap_err();
    assert!(matches!(&error, Error::Question(broken) if broken.field == Field::ApplyDate), "{error:?}");
    assert!(service.requests().is_empty());
    let today = Question::parse("A123456789", "1", "1151118", "63000").unwrap();
    client.verify(&today).await.unwrap();
}

#[tokio::test]
async fn nothing_is_spoken_before_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = vec![0; 4096];
        let length = stream.read(&mut heard).await.unwrap();
        heard.truncate(length);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream.read_to_end(&mut heard).await.unwrap();
        heard
    });
    let client = builder(&url).build().unwrap();
    let error = client.verify(&question()).await.unwrap_err();
    assert!(matches!(error, Error::NotSent(NotSent::Tls)), "{error:?}");
    let heard = heard.await.unwrap();
    // A TLS record of type handshake (RFC 8446 §5.1), and no request after it.
    assert_eq!(heard[..2], [22, 3]);
    assert!(!heard.windows(7).any(|window| window == b"Bearer "));
}

#[test]
fn what_can_not_work_is_not_built() {
    let p256 = || {
        let pem = SigningKey::generate(KeyKind::P256).unwrap().private_pem;
        Credentials::new("04595257", "AW001", ISS_KEY, &pem).unwrap()
    };
    let url = "https://idcheck.example";
    assert_eq!(Client::builder(url, p256()).build().unwrap_err(), BuildError::Algorithm);
    let other = Client::builder(url, p256()).profile(Profile::Strict).algorithm(Algorithm::Rs256);
    assert_eq!(other.build().unwrap_err(), BuildError::Algorithm);
    let plain = Client::builder("http://idcheck.example", p256()).profile(Profile::Strict);
    assert_eq!(plain.build().unwrap_err(), BuildError::TlsRequired);
    let roots = Client::builder(url, p256()).profile(Profile::Strict).root_certificates("x");
    assert_eq!(roots.build().unwrap_err(), BuildError::RootCertificate);
}
