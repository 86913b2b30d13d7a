//! Mail over SMTP, against a server that speaks the protocol (RFC 5321) as far as a mail needs it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use idcheck_domain::{application::Kind, value::EmailAddress};
use idcheck_email::{Smtp, SmtpMailer, SmtpSecurity};
use idcheck_usecases::ports::{MailError, MailMessage, Mailer, QueuedMail};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

/// What the server got: envelope and text of each mail.
type Received = Arc<Mutex<Vec<(Vec<String>, String)>>>;

/// A server that answers the recipient with `verdict`.
async fn server(verdict: &'static str) -> (u16, Received) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let received = Received::default();
    let kept = Arc::clone(&received);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, verdict, Arc::clone(&kept)));
        }
    });
    (port, received)
}

async fn serve(stream: TcpStream, verdict: &'static str, received: Received) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mail.test ESMTP\r\n").await.unwrap();
    let mut envelope = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let reply = match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-mail.test\r\n250 8BITMIME\r\n",
            "MAIL" => {
                envelope = vec![line.clone()];
                "250 ok\r\n"
            }
            "RCPT" => {
                envelope.push(line.clone());
                verdict
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.unwrap();
                let mut text = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    text.push_str(&line);
                    text.push('\n');
                }
                received.lock().unwrap().push((std::mem::take(&mut envelope), text));
                "250 taken\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
        if write.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn mailer(port: u16) -> SmtpMailer {
    SmtpMailer::new(Smtp {
        host: "127.0.0.1".to_owned(),
        port,
        security: SmtpSecurity::Plain,
        credentials: None,
        sender: "idcheck <noreply@idcheck.example>".to_owned(),
    })
    .unwrap()
}

fn mail() -> QueuedMail {
    QueuedMail {
        id: Uuid::from_u128(7),
        to: EmailAddress::parse("it@example.com").unwrap(),
        message: MailMessage::Rejected {
            case_number: "1151123-7K3M9QX".to_owned(),
            kind: Kind::Apply,
            company: "測試甲\r\nBcc: victim@example.com".to_owned(),
            reason: "未敘明\n.\nBcc: victim@example.com".to_owned(),
        },
        queued_at: DateTime::<Utc>::UNIX_EPOCH,
        failure: None,
        attempts: 0,
    }
}

#[tokio::test]
async fn a_mail_arrives_whole_and_twice_it_is_the_same() {
    let (port, received) = server("250 ok\r\n").await;
    let mailer = mailer(port);
    mailer.send(&mail()).await.unwrap();
    mailer.send(&mail()).await.unwrap();
    let received = received.lock().unwrap();
    assert_eq!(received.len(), 2);
    let (envelope, text) = &received[0];
    assert!(envelope[0].starts_with("MAIL FROM:<noreply@idcheck.example>"), "{envelope:?}");
    assert_eq!(envelope[1..], ["RCPT TO:<it@example.com>"], "one recipient, whatever was typed");
    assert!(text.contains("Message-ID: <00000000-0000-0000-0000-000000000007@idcheck.example>"), "{text}");
    let (headers, _) = text.split_once("\n\n").unwrap();
    assert!(!headers.contains("victim"), "typed text became a header: {headers}");
    assert!(text.contains("text/plain") && text.contains("text/html"));
    let id = |text: &str| text.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned();
    assert_eq!(id(text), id(&received[1].1));
}

#[tokio::test]
async fn what_may_pass_later_is_told_from_what_never_will() {
    for (verdict, expected) in [
        ("451 try later\r\n", MailError::Temporary),
        ("452 mailbox full\r\n", MailError::Temporary),
        ("550 no such mailbox\r\n", MailError::Permanent),
    ] {
        let (port, received) = server(verdict).await;
        assert_eq!(mailer(port).send(&mail()).await, Err(expected), "{verdict}");
        assert!(received.lock().unwrap().is_empty());
    }
    // Nobody listens.
    let (listener, port) = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    };
    drop(listener);
    assert_eq!(mailer(port).send(&mail()).await, Err(MailError::Temporary));
}

#[tokio::test]
async fn tls_that_is_asked_for_is_never_left_out() {
    let (port, received) = server("250 ok\r\n").await;
    let smtp = Smtp {
        host: "127.0.0.1".to_owned(),
        port,
        security: SmtpSecurity::StartTls,
        credentials: Some(("user".to_owned(), "secret".to_owned())),
        sender: "noreply@idcheck.example".to_owned(),
    };
    // The server does not offer STARTTLS: nothing is sent, and no password either.
    assert!(SmtpMailer::new(smtp).unwrap().send(&mail()).await.is_err());
    assert!(received.lock().unwrap().is_empty());
}
