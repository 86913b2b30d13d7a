//! Calls to a company's address, end to end: set with the card, told of what happens, verified, tried again, sent again, removed.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use idcheck_tests::{Applicant, Demo, Officer, interpreter};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

/// A call as it came: its headers, whose names the client writes in small letters, and its body.
struct Came {
    head: String,
    body: String,
}

impl Came {
    fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    /// The event, if its signature is by this secret.
    fn verified(&self, secret: &str) -> Value {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let signature = self.header("webhook-signature").strip_prefix("v1,").unwrap();
        let signature = STANDARD.decode(signature).unwrap();
        let signed = format!("{id}.{at}.{}", self.body);
        hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
        idcheck_tests::json(self.body.as_bytes())
    }
}

async fn read(stream: &mut TcpStream) -> Came {
    let mut bytes = Vec::new();
    loop {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "it ended early");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() == length.unwrap().parse::<usize>().unwrap() {
            return Came { head: head.to_owned(), body: body.to_owned() };
        }
    }
}

/// A company's receiver: answers with these statuses in turn, then with 204.
struct Receiver {
    url: String,
    came: mpsc::UnboundedReceiver<Came>,
}

impl Receiver {
    async fn start(mut statuses: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let (send, came) = mpsc::unbounded_channel();
        statuses.reverse();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let call = read(&mut stream).await;
                let status = statuses.pop().unwrap_or(204);
                let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                if send.send(call).is_err() {
                    return;
                }
            }
        });
        Self { url, came }
    }

    async fn next(&mut self) -> Came {
        timeout(Duration::from_secs(30), self.came.recv()).await.unwrap().unwrap()
    }

    /// Nobody calls for a while.
    async fn quiet(&mut self) {
        let came = timeout(Duration::from_secs(4), self.came.recv()).await;
        assert!(came.is_err(), "{}", came.unwrap().unwrap().body);
    }
}

/// What the organisation is told of its address.
async fn state(applicant: &Applicant) -> (String, Value) {
    let progress = applicant.done("progress", &json!({})).await;
    let token = progress["session"]["token"].as_str().unwrap().to_owned();
    let url = format!("{}/api/v1/organisations/me/webhook", applicant.base_url);
    let response = reqwest::Client::new().get(url).bearer_auth(&token).send().await.unwrap();
    (token, idcheck_tests::json(&response.bytes().await.unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_called_about_what_happens() {
    let demo = Demo::start().await;
    let applicant = Applicant::of(&demo, "company", "valid", 0);
    let (status, refused) = applicant.act("setWebhook", &json!({"url": "https://hooks.example.com/"})).await;
    assert_eq!((status, &refused["type"]), (409, &json!("/problems/nothing-held")), "before the first case");
    let filed = applicant.done("apply", &Applicant::application()).await;
    let inner = json!({"url": "https://10.0.0.1/hook"});
    let (status, refused) = applicant.challenge("setWebhook", &inner).await;
    assert_eq!((status, &refused["errors"][0]["code"]), (422, &json!("host-address-not-public")));

    // The first call is the test of the address. One that fails comes again, as the same event.
    let mut receiver = Receiver::start(vec![204, 503]).await;
    let set = applicant.done("setWebhook", &json!({"url": receiver.url})).await;
    let secret = set["secret"].as_str().unwrap();
    let first = receiver.next().await;
    let event = first.verified(secret);
    assert_eq!(event["type"], "webhook.set");
    assert_eq!(event["data"], json!({"unifiedBusinessNumber": applicant.ubn}));

    let officer = Officer::of(&demo, "reviewer1").await;
    let id = filed["application"]["id"].as_str().unwrap();
    officer.approve(id).await;
    let (failed, again) = (receiver.next().await, receiver.next().await);
    let event = failed.verified(secret);
    let case = json!({
        "caseNumber": filed["application"]["caseNumber"], "kind": "apply", "unifiedBusinessNumber": applicant.ubn,
    });
    assert_eq!((&event["type"], &event["data"]), (&json!("case.approved"), &case));
    assert_eq!((again.header("webhook-id"), &again.body), (failed.header("webhook-id"), &failed.body));
    again.verified(secret);

    // Two mails, to the contact before and the one after, are one event.
    let contact = json!({"contact": {"name": "陳大文", "mobile": "0912345678", "email": "new@example.com"}});
    applicant.done("changeContact", &contact).await;
    assert_eq!(receiver.next().await.verified(secret)["type"], "contact.changed");
    receiver.quiet().await;
    the_guide_reads(secret, &failed);
    let (_, told) = state(&applicant).await;
    let calls: Vec<_> = told["calls"].as_array().unwrap().iter().map(|c| (&c["type"], &c["state"])).collect();
    let delivered = json!("delivered");
    let types = [json!("contact.changed"), json!("case.approved"), json!("webhook.set")];
    assert_eq!(calls, types.iter().map(|kind| (kind, &delivered)).collect::<Vec<_>>());
}

/// The program of the guide takes a call, and none that was changed or that another secret signed.
fn the_guide_reads(secret: &str, call: &Came) {
    for guide in ["api.md", "api.zh-Hant-TW.md"] {
        let guide = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides").join(guide);
        let guide = std::fs::read_to_string(guide).unwrap();
        let program = guide.split("```python\n").nth(3).unwrap().split("```").next().unwrap();
        let headers = json!({
            "webhook-id": call.header("webhook-id"),
            "webhook-timestamp": call.header("webhook-timestamp"),
            "webhook-signature": format!("v1,other {}", call.header("webhook-signature")),
        });
        for (secret, body, taken) in [
            (secret, call.body.clone(), true),
            (secret, call.body.replace("approved", "rejected"), false),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", call.body.clone(), false),
        ] {
            let run = format!("{program}\nprint(event_of({secret:?}, {headers}, {body:?}.encode())['type'])");
            let output = std::process::Command::new(interpreter()).args(["-c", &run]).output().unwrap();
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(printed.trim() == "case.approved", taken, "{printed}{told}");
            assert!(taken || told.contains("not signed by the service"), "{told}");
        }
    }
}

/// Whoever says 410 is not called again, until it is asked for; another secret is in force at once; removed, nobody is called.
#[tokio::test(flavor = "multi_thread")]
async fn calls_are_given_up_sent_again_and_ended() {
    let demo = Demo::start().await;
    let applicant = Applicant::of(&demo, "company", "valid", 0);
    applicant.done("apply", &Applicant::application()).await;
    let mut receiver = Receiver::start(vec![410]).await;
    let url = json!({"url": receiver.url});
    let set = applicant.done("setWebhook", &url).await;
    receiver.next().await.verified(set["secret"].as_str().unwrap());
    receiver.quiet().await;
    let (token, told) = state(&applicant).await;
    let call = &told["calls"][0];
    assert_eq!((&call["state"], &call["failure"]), (&json!("givenUp"), &json!("410")), "{told}");
    // The contact is told by mail, after those of the case and of the address.
    let mails = || std::fs::read_dir(demo.data_dir().join("mail")).unwrap().count();
    let told = async {
        while mails() < 3 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(20), told).await.unwrap();

    let replaced = applicant.done("setWebhook", &url).await;
    let secret = replaced["secret"].as_str().unwrap();
    assert_ne!(replaced["secret"], set["secret"]);
    assert_eq!(receiver.next().await.verified(secret)["type"], "webhook.set");
    let again = |id: &str| {
        let url = format!("{}/api/v1/organisations/me/webhook/calls/{id}/repeat", applicant.base_url);
        reqwest::Client::new().post(url).bearer_auth(&token).send()
    };
    let id = call["id"].as_str().unwrap();
    assert_eq!(again(id).await.unwrap().status(), 204);
    let came = receiver.next().await;
    assert_eq!(came.header("webhook-id"), id);
    came.verified(secret);
    assert_eq!(again(id).await.unwrap().status(), 404, "it was delivered");

    let removed = applicant.done("removeWebhook", &json!({})).await;
    assert_eq!(removed, url);
    applicant
        .done(
            "changeContact",
            &json!({"contact": {"name": "陳大文", "mobile": "0912345678", "email": "new@example.com"}}),
        )
        .await;
    receiver.quiet().await;
    let (status, refused) = applicant.act("removeWebhook", &json!({})).await;
    assert_eq!((status, &refused["type"]), (409, &json!("/problems/nothing-held")));
}
