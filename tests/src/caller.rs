//! A company's program: tokens of the legacy profile.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use crate::{Applicant, Demo, Officer, json as parse, site::needed};

/// An RSA key and its public half in PEM.
pub struct Signer {
    pair: KeyPair,
    pub public_pem: String,
}

impl Signer {
    pub fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
        let body = STANDARD.encode(der.as_ref());
        let lines: Vec<_> =
            body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let public_pem =
            format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
        Self { pair, public_pem }
    }

    /// The private half in PEM, for programs that are not ours.
    pub fn private_pem(&self) -> String {
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&self.pair).unwrap();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
    }

    pub fn token(&self, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(&json!({"alg": "RS256", "typ": "JWT"})), encode(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl Default for Signer {
    fn default() -> Self {
        Self::new()
    }
}

/// What came back in the legacy profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub rd_code: String,
    /// `checkIdCardApply`, or nothing.
    pub result: String,
    pub message: String,
}

/// A company that may ask.
#[derive(Clone)]
pub struct Caller {
    pub ubn: String,
    pub account: String,
    pub iss_key: String,
    pub signer: Arc<Signer>,
    next: Arc<AtomicU64>,
    client: reqwest::Client,
}

impl Caller {
    /// A company of the demo that may ask, with the applicant it belongs to.
    pub async fn admitted(demo: &Demo, number: usize, officer: &str) -> (Applicant, Self) {
        let applicant = Applicant::of(demo, "company", "valid", number);
        let filed = applicant.done("apply", &Applicant::application()).await;
        assert_eq!(filed["application"]["state"], "received");
        let id = filed["application"]["id"].as_str().unwrap();
        Officer::of(demo, officer).await.approve(id).await;
        let caller = Self::equipped(&applicant).await;
        (applicant, caller)
    }

    /// The program of an applicant that was just approved: its Iss Key, and a key registered for it.
    pub async fn equipped(applicant: &Applicant) -> Self {
        let revealed = applicant.done("revealIssKey", &json!({})).await;
        let signer = Arc::new(Signer::new());
        let content = json!({"publicKeyPem": signer.public_pem, "profile": "legacy", "label": "主機一"});
        let registered = applicant.done("registerKey", &content).await;
        assert_eq!(registered["key"]["fingerprint"].as_str().unwrap().len(), 64);
        let text = |name: &str| revealed[name].as_str().unwrap().to_owned();
        Self::new(&applicant.ubn, &text("account"), &text("issKey"), signer)
    }

    pub fn new(ubn: &str, account: &str, iss_key: &str, signer: Arc<Signer>) -> Self {
        Self {
            ubn: ubn.to_owned(),
            account: account.to_owned(),
            iss_key: iss_key.to_owned(),
            signer,
            next: Arc::new(AtomicU64::new(1)),
            client: reqwest::Client::new(),
        }
    }

    /// The claims of a question about a person with this register data.
    pub fn claims(&self, person: &Value) -> Value {
        let now = chrono::Utc::now().timestamp();
        let condition = json!({
            "personId": person["personId"], "applyCode": person["applyCode"],
            "applyYyymmdd": person["applyYyymmdd"], "issueSiteId": person["issueSiteId"],
        });
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        json!({
            "orgId": self.ubn, "apId": self.account, "userId": "user1", "iss": self.iss_key, "sub": "綠色便民專案",
            "aud": "2026/11/23 10:00:00", "jobId": "V2C201", "opType": "RW", "iat": now - 180, "exp": now + 180,
            "jti": format!("{now}-{number}-{:p}", Arc::as_ptr(&self.next)), "conditionMap": condition.to_string(),
        })
    }

    pub fn token(&self, person: &Value) -> String {
        self.signer.token(&self.claims(person))
    }

    /// The same person with a wrong date.
    pub fn wrong(person: &Value) -> Value {
        let mut wrong = person.clone();
        wrong["applyYyymmdd"] =
            json!(if person["applyYyymmdd"] == "0950102" { "0950103" } else { "0950102" });
        wrong
    }

    /// Sends a token; `None` when no whole answer came.
    pub async fn try_send(&self, base_url: &str, token: &str) -> Option<Reply> {
        let request = self
            .client
            .get(format!("{base_url}/integration/rwv2c2"))
            .header("sris-consumerAdminId", "00000000")
            .header("content-type", "application/json")
            .bearer_auth(token);
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let body = parse(&response.bytes().await.ok()?);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some(Reply {
            status,
            rd_code: text(&body["rdCode"]),
            result: text(&body["responseData"]["checkIdCardApply"]),
            message: text(&body["httpMessage"]),
        })
    }

    pub async fn send(&self, base_url: &str, token: &str) -> Reply {
        self.try_send(base_url, token).await.expect("an answer")
    }

    /// A strict token for `body`, signed with an Ed25519 key; `claims` replaces members.
    pub fn strict_token(&self, key: &Ed25519KeyPair, audience: &str, body: &str, claims: &Value) -> String {
        let now = chrono::Utc::now().timestamp();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
        let mut all = json!({
            "iss": self.iss_key, "sub": "user1", "aud": audience, "iat": now, "exp": now + 120,
            "jti": format!("s{now}-{number}-{:p}", Arc::as_ptr(&self.next)),
            "digest": URL_SAFE_NO_PAD.encode(digest.as_ref()),
        });
        for (name, value) in claims.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(&json!({"alg": "EdDSA"})), encode(&all));
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).as_ref()))
    }

    /// Sends a strict query to `url`: the status, the headers, the body.
    pub async fn post(&self, url: &str, token: &str, body: &str) -> (u16, reqwest::header::HeaderMap, Value) {
        let request =
            self.client.post(url).header("content-type", "application/json").header("accept-language", "en");
        let response = request.bearer_auth(token).body(body.to_owned()).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        (status, headers, parse(&response.bytes().await.unwrap()))
    }

    /// Asks and gives the result's digit.
    pub async fn ask(&self, base_url: &str, person: &Value) -> String {
        let reply = self.send(base_url, &self.token(person)).await;
        assert_eq!((reply.status, reply.rd_code.as_str()), (200, "RS7009"), "{reply:?}");
        reply.result
    }
}

/// An Ed25519 key and its public half in PEM.
pub fn ed25519() -> (Ed25519KeyPair, String) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let prefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let der = [&prefix[..], pair.public_key().as_ref()].concat();
    (pair, format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der)))
}

/// The interpreter that has the libraries of `tests/interop`.
pub fn interpreter() -> String {
    needed("IDCHECK_TEST_PYTHON")
}

/// Whether a program is on this machine, as its answer to `argument` shows; else says that it is skipped.
pub fn is_here(program: &str, argument: &str) -> bool {
    let here = Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success());
    if !here {
        println!("skipped: {program} is not on this machine");
    }
    here
}

/// Runs a Python script of `tests/interop` with the interpreter that has its libraries.
pub fn python(script: &str, arguments: &[&str]) -> std::process::Output {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(script);
    Command::new(interpreter()).arg(path).args(arguments).output().unwrap()
}
