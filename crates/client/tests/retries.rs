//! What is sent again and what never is: each failure, how it ends, how often the service was asked, how many tokens it
//! saw and how many questions it counted.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod double;

use std::time::{Duration, Instant};

use double::{Does, Double, ISS_KEY, builder, question, refused};
use idcheck_client::{Error, Lost, NotSent, Profile, Unanswered};
use tokio::net::TcpListener;

const SOON: &[(&str, &str)] = &[("retry-after", "0")];
const LATER: &[(&str, &str)] = &[("retry-after", "3600")];

/// The token of an outcome that is not known.
fn unanswered(error: Error) -> Unanswered {
    match error {
        Error::OutcomeUnknown { unanswered, .. } | Error::Unavailable { unanswered, .. } => unanswered,
        error => panic!("{error:?} holds no token"),
    }
}

struct Row {
    name: &'static str,
    script: Vec<Does>,
    /// `match`, or the error's code.
    ends: &'static str,
    requests: usize,
    counted: usize,
}

fn rows(strict: bool) -> Vec<Row> {
    let body = |status: u16| match status {
        429 => refused(strict, 429, "too many requests", "too-many-requests").1,
        503 => refused(strict, 503, "service unavailable", "unavailable").1,
        403 => refused(strict, 403, "address not registered", "address-not-registered").1,
        _ => "<html>".to_owned(),
    };
    let says = |status, headers| Does::Says(status, headers, body(status));
    let records = |status, headers| Does::RecordsAndSays(status, headers, body(status));
    let row = |name, script: &[Does], ends, requests, counted| Row {
        name,
        script: script.to_vec(),
        ends,
        requests,
        counted,
    };
    vec![
        row("429, soon", &[says(429, SOON)], "match", 2, 1),
        row("503, soon", &[says(503, SOON)], "match", 2, 1),
        row("429 and 503 in turn", &[says(429, SOON), says(503, SOON), says(429, SOON)], "match", 4, 1),
        row(
            "429 for ever",
            &[says(429, SOON), says(429, SOON), says(429, SOON), says(429, SOON)],
            "too-many-requests",
            4,
            0,
        ),
        row(
            "503 for ever",
            &[says(503, SOON), says(503, SOON), says(503, SOON), says(503, SOON)],
            "unavailable",
            4,
            0,
        ),
        row("429 beyond the bound", &[says(429, LATER)], "too-many-requests", 1, 0),
        row("503 beyond the bound", &[says(503, LATER)], "unavailable", 1, 0),
        row("429 without a time", &[says(429, &[])], "too-many-requests", 1, 0),
        row("503 without a time", &[says(503, &[])], "unavailable", 1, 0),
        row("503 though recorded", &[records(503, SOON)], "already-recorded", 2, 1),
        row("503, then refused", &[says(503, SOON), says(403, &[])], "outcome-unknown", 2, 0),
        row("503, then 429 beyond the bound", &[says(503, SOON), says(429, LATER)], "outcome-unknown", 2, 0),
        row("403", &[says(403, SOON)], "address-not-registered", 1, 0),
        row("500", &[says(500, SOON)], "outcome-unknown", 1, 0),
        row("502", &[says(502, SOON)], "outcome-unknown", 1, 0),
        row("504 though recorded", &[records(504, SOON)], "outcome-unknown", 1, 1),
        row("404", &[says(404, SOON)], "unexpected-status", 1, 0),
        row("a redirect", &[says(307, &[("location", "/elsewhere")])], "unexpected-status", 1, 0),
        row("200 that is not ours, recorded", &[records(200, &[])], "outcome-unknown", 1, 1),
        row("closed before the reply", &[Does::Closes], "outcome-unknown", 1, 0),
        row("recorded and closed", &[Does::RecordsAndCloses], "outcome-unknown", 1, 1),
        row("recorded and cut off", &[Does::RecordsAndBreaks], "outcome-unknown", 1, 1),
        row("recorded and silent", &[Does::RecordsAndHangs], "outcome-unknown", 1, 1),
    ]
}

#[tokio::test]
async fn the_matrix() {
    for (profile, strict) in [(Profile::Legacy, false), (Profile::Strict, true)] {
        for row in rows(strict) {
            let service = Double::start(&row.script).await;
            let client = builder(&service.base_url).profile(profile).build().unwrap();
            let ended = client.verify(&question()).await;
            let name = format!("{}, {}: {ended:?}", profile.as_str(), row.name);
            let code = ended.as_ref().map_or_else(Error::code, |answered| answered.answer.code());
            assert_eq!(code, row.ends, "{name}");
            assert_eq!(service.requests().len(), row.requests, "{name}");
            assert_eq!(service.tokens(), 1, "only the same token is sent again; {name}");
            assert_eq!(service.recorded(), row.counted, "{name}");
            if let Err(error) = &ended {
                assert!(!error.may_ask_again() || row.counted == 0, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn sending_again_tells_what_became_of_the_first() {
    for (script, ends) in [
        (Does::Closes, "match"),
        (Does::RecordsAndCloses, "already-recorded"),
        (Does::RecordsAndBreaks, "already-recorded"),
        (Does::RecordsAndHangs, "already-recorded"),
        (Does::Says(502, &[], "<html>".to_owned()), "match"),
        (Does::RecordsAndSays(504, &[], "<html>".to_owned()), "already-recorded"),
    ] {
        let service = Double::start(std::slice::from_ref(&script)).await;
        let client = builder(&service.base_url).build().unwrap();
        let first = unanswered(client.verify(&question()).await.unwrap_err());
        let again = client.send_again(&first).await;
        let code = again.as_ref().map_or_else(Error::code, |answered| answered.answer.code());
        assert_eq!(code, ends, "{script:?}");
        assert_eq!((service.requests().len(), service.tokens(), service.recorded()), (2, 1, 1), "{script:?}");
    }
}

#[tokio::test]
async fn sending_again_keeps_the_token_until_it_is_known() {
    let refusal = refused(false, 403, "address not registered", "").1;
    let script =
        [Does::RecordsAndCloses, Does::Says(403, &[], refusal), Does::Says(429, LATER, String::new())];
    let service = Double::start(&script).await;
    let client = builder(&service.base_url).build().unwrap();
    let mut token = unanswered(client.verify(&question()).await.unwrap_err());
    let jti = token.jti().to_owned();
    for _ in 0..2 {
        let error = client.send_again(&token).await.unwrap_err();
        assert!(matches!(&error, Error::OutcomeUnknown { lost: Lost::SentAgain(_), .. }), "{error:?}");
        assert!(!error.may_ask_again());
        token = unanswered(error);
        assert_eq!(token.jti(), jti);
    }
    assert!(matches!(client.send_again(&token).await.unwrap_err(), Error::AlreadyRecorded));
    assert_eq!((service.tokens(), service.recorded()), (1, 1));
}

#[tokio::test]
async fn what_was_never_sent_is_sent_when_somebody_listens() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = builder(&format!("http://{address}")).build().unwrap();
    let error = client.verify(&question()).await.unwrap_err();
    assert!(matches!(error, Error::NotSent(NotSent::Refused)) && error.may_ask_again(), "{error:?}");

    let retries = idcheck_client::Retries { first_wait: Duration::from_millis(300), ..double::QUICK };
    let client = builder(&format!("http://{address}")).retries(retries).build().unwrap();
    let started = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Double::on(TcpListener::bind(address).await.unwrap(), &[])
    });
    client.verify(&question()).await.unwrap();
    let service = started.await.unwrap();
    assert_eq!((service.requests().len(), service.recorded()), (1, 1));
}

#[tokio::test]
async fn a_retry_after_is_waited_for() {
    let service = Double::start(&[Does::Says(429, &[("retry-after", "1")], String::new())]).await;
    let client = builder(&service.base_url).build().unwrap();
    let started = Instant::now();
    client.verify(&question()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn no_retries_means_one_attempt() {
    let service = Double::start(&[Does::Says(503, SOON, String::new())]).await;
    let client = builder(&service.base_url).retries(idcheck_client::Retries::NONE).build().unwrap();
    assert!(matches!(client.verify(&question()).await, Err(Error::Unavailable { .. })));
    assert_eq!(service.requests().len(), 1);
}

#[tokio::test]
async fn errors_show_nothing_of_the_question_or_the_credentials() {
    for row in rows(false) {
        let service = Double::start(&row.script).await;
        let client = builder(&service.base_url).build().unwrap();
        let Err(error) = client.verify(&question()).await else { continue };
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let shown = format!("{error} {error:?} {error:#?} {source:?} {client:?}");
        let request = service.requests().remove(0);
        for secret in ["A123456789", "1080617", ISS_KEY, request.token(), &request.token()[..40]] {
            assert!(!shown.contains(secret), "{}: {shown}", row.name);
        }
    }
}
