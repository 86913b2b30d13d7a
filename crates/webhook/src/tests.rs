//! Where a call goes, and where it never does.

use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};
use idcheck_domain::webhook::{WebhookSecret, WebhookUrl};
use idcheck_domain::{application::Kind, value::UnifiedBusinessNumber};
use idcheck_usecases::ports::{MailMessage, Webhook};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use uuid::Uuid;

use super::*;

struct Now;

impl Clock for Now {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000, 0).unwrap()
    }
}

fn call(url: &str) -> QueuedCall {
    QueuedCall {
        id: Uuid::from_u128(7),
        webhook: Webhook {
            ubn: UnifiedBusinessNumber::parse("04595257").unwrap(),
            url: WebhookUrl::parse(url, AddressPolicy::PublicOrLoopback).unwrap(),
            secret: WebhookSecret::new([1; 32]),
            set_at: Now.now(),
        },
        message: MailMessage::Rejected {
            case_number: "1151123-7K3M9QX".to_owned(),
            kind: Kind::Apply,
            company: "測試甲股份有限公司".to_owned(),
            reason: "王小明未敘明".to_owned(),
        },
        queued_at: Now.now(),
        attempts: 0,
    }
}

fn caller(policy: AddressPolicy) -> HttpCaller {
    HttpCaller::new(policy, Arc::new(Now)).unwrap()
}

/// Answers one request with this and tells what was asked.
async fn answering(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"}") {
            assert!(stream.read_buf(&mut asked).await.unwrap() > 0);
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(asked).unwrap()
    });
    (format!("http://{address}/hook?a=b"), asked)
}

#[tokio::test]
async fn a_call_says_what_happened_and_names_nobody() {
    let (url, asked) = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let call = call(&url);
    assert_eq!(caller(AddressPolicy::PublicOrLoopback).call(&call).await, Ok(()));
    let asked = asked.await.unwrap();
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    let expected = "{\"data\":{\"caseNumber\":\"1151123-7K3M9QX\",\"kind\":\"apply\",\
        \"unifiedBusinessNumber\":\"04595257\"},\"timestamp\":\"2026-11-18T19:06:40.000+08:00\",\"type\":\"case.rejected\"}";
    assert_eq!(body, expected);
    assert!(head.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{head}");
    let signature = signature::of(&call.webhook.secret, &call.id.to_string(), 1_795_000_000, body);
    for line in [
        "content-type: application/json".to_owned(),
        format!("webhook-id: {}", call.id),
        "webhook-timestamp: 1795000000".to_owned(),
        format!("webhook-signature: {signature}"),
    ] {
        assert!(head.contains(&line), "{line} in {head}");
    }
}

/// What is no success is a failure; nobody is followed anywhere.
#[tokio::test]
async fn only_a_success_is_one() {
    for (answer, status) in [
        ("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n", 500),
        ("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n", 302),
        ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", 410),
    ] {
        let (url, _asked) = answering(answer).await;
        let outcome = caller(AddressPolicy::PublicOrLoopback).call(&call(&url)).await;
        assert_eq!(outcome, Err(CallFailure::Status(status)));
    }
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let outcome = caller(AddressPolicy::PublicOrLoopback).call(&call(&format!("http://{closed}/"))).await;
    assert_eq!(outcome, Err(CallFailure::Connection));
}

/// An address of the computer or its network is not called, whether it was named or a name leads there: nothing is asked.
#[tokio::test]
async fn nothing_inside_is_called() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let outside = caller(AddressPolicy::Public);
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("https://[::1]:{port}/"),
        // These names lead to this computer (RFC 6761 §6.3), where they lead anywhere.
        format!("https://a.localhost:{port}/"),
        format!("https://no-such-host.invalid:{port}/"),
    ] {
        assert_eq!(outside.call(&call(&url)).await, Err(CallFailure::Host), "{url}");
    }
    let waited = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(waited.is_err(), "somebody came");
}

/// The resolver itself: a name that leads inside is refused, and is allowed where loopback is.
#[tokio::test]
async fn a_name_leads_where_the_policy_allows() {
    let resolved =
        async |policy, name: &str| Allowed(policy).resolve(name.parse().unwrap()).await.map(Iterator::count);
    assert!(resolved(AddressPolicy::Public, "localhost").await.is_err());
    assert!(resolved(AddressPolicy::PublicOrLoopback, "localhost").await.unwrap() > 0);
}
