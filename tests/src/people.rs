//! An applicant with a card, and an officer with a second factor.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use totp_rs::Builder;

/// JSON from bytes.
pub fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

async fn answer(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, if body.is_empty() { Value::Null } else { json(&body) })
}

/// `None` when no whole answer came.
async fn try_answer(request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    let body = response.bytes().await.ok()?;
    Some((status, if body.is_empty() { Value::Null } else { json(&body) }))
}

/// A company with a card in a reader.
#[derive(Clone)]
pub struct Applicant {
    pub base_url: String,
    pub card_url: String,
    pub slot: String,
    pub pin: String,
    pub ubn: String,
    client: reqwest::Client,
}

impl Applicant {
    /// The `number`th card of a kind and state in the demo's file.
    pub fn of(demo: &crate::Demo, kind: &str, state: &str, number: usize) -> Self {
        let cards = demo.file["cards"].as_array().unwrap();
        let card = cards.iter().filter(|c| c["kind"] == kind && c["state"] == state).nth(number).unwrap();
        Self::with(&demo.base_url, demo.file["softcardUrl"].as_str().unwrap(), card)
    }

    pub fn with(base_url: &str, card_url: &str, card: &Value) -> Self {
        let text = |name: &str| card[name].as_str().unwrap_or_default().to_owned();
        Self {
            base_url: base_url.to_owned(),
            card_url: card_url.to_owned(),
            slot: text("slot"),
            pin: text("pin"),
            ubn: text("unifiedBusinessNumber"),
            client: reqwest::Client::new(),
        }
    }

    /// The same company at another node.
    #[must_use]
    pub fn at(&self, base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), ..self.clone() }
    }

    async fn try_post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let request = self.client.post(format!("{}{path}", self.base_url)).body(body.to_string());
        try_answer(request.header("content-type", "application/json")).await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.try_post(path, body).await.expect("an answer")
    }

    pub async fn challenge(&self, act: &str, content: &Value) -> (u16, Value) {
        let body = json!({"act": act, "unifiedBusinessNumber": self.ubn, "content": content});
        self.post("/api/v1/challenges", &body).await
    }

    /// The reference of a file that is kept for an act.
    pub async fn attach(&self, name: &str, bytes: &[u8]) -> String {
        let body = json!({"name": name, "content": STANDARD.encode(bytes)});
        let (status, kept) = self.post("/api/v1/attachments", &body).await;
        assert_eq!(status, 201, "{kept}");
        kept["reference"].as_str().unwrap().to_owned()
    }

    /// The card's signature, as base64 CMS.
    pub async fn sign(&self, tbs: &str) -> String {
        self.try_sign(tbs).await.expect("an answer of the component")
    }

    async fn try_sign(&self, tbs: &str) -> Option<String> {
        let package = json!({
            "func": "MakeSignature", "signatureType": "PKCS7", "tbs": tbs, "tbsEncoding": "NONE",
            "hashAlgorithm": "SHA256", "withCardSN": "true", "pin": self.pin, "nonce": "",
            "slotDescription": self.slot,
        });
        let form = format!("tbsPackage={}", percent(&package.to_string()));
        let request = self.client.post(format!("{}/sign", self.card_url)).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let (_, signed) = try_answer(request).await?;
        assert_eq!(signed["ret_code"], 0, "{signed}");
        Some(signed["signature"].as_str().unwrap().to_owned())
    }

    pub async fn prove(&self, id: &str, signature: &str) -> (u16, Value) {
        self.post(&format!("/api/v1/challenges/{id}/proof"), &json!({"signature": signature})).await
    }

    /// Challenge, signature, proof; `None` when an answer did not come.
    pub async fn try_act(&self, act: &str, content: &Value) -> Option<(u16, Value)> {
        let body = json!({"act": act, "unifiedBusinessNumber": self.ubn, "content": content});
        let (status, challenge) = self.try_post("/api/v1/challenges", &body).await?;
        assert_eq!(status, 201, "{challenge}");
        let signature = self.try_sign(challenge["tbs"].as_str().unwrap()).await?;
        let path = format!("/api/v1/challenges/{}/proof", challenge["id"].as_str().unwrap());
        self.try_post(&path, &json!({"signature": signature})).await
    }

    /// Challenge, signature, proof.
    pub async fn act(&self, act: &str, content: &Value) -> (u16, Value) {
        let (status, challenge) = self.challenge(act, content).await;
        assert_eq!(status, 201, "{challenge}");
        let signature = self.sign(challenge["tbs"].as_str().unwrap()).await;
        self.prove(challenge["id"].as_str().unwrap(), &signature).await
    }

    /// The result of an act that goes through.
    pub async fn done(&self, act: &str, content: &Value) -> Value {
        let (status, proof) = self.act(act, content).await;
        assert_eq!(status, 200, "{act}: {proof}");
        proof["result"].clone()
    }

    /// The content of an application from these host addresses.
    pub fn application() -> Value {
        json!({
            "companyName": "測試甲股份有限公司",
            "hostAddresses": ["127.0.0.1"],
            "contact": {"name": "王小明", "mobile": "0912345678", "email": "it@example.com"},
            "purpose": {"authority": "金融監督管理委員會", "rule": "金融機構防制洗錢辦法", "description": "開戶時確認客戶身分"},
            "consent": {"noticeVersion": "108-06", "conductVersion": "108-06"},
        })
    }
}

pub(crate) fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// An officer who is signed in.
#[derive(Clone)]
pub struct Officer {
    pub base_url: String,
    token: String,
    client: reqwest::Client,
}

/// The code of the moment for a secret in base 32.
pub(crate) fn totp(secret: &str) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = Builder::new().with_secret(secret).build().unwrap();
    let seconds = u64::try_from(chrono::Utc::now().timestamp()).unwrap();
    totp.generate(seconds).to_string()
}

impl Officer {
    /// An officer of the demo's file.
    pub async fn of(demo: &crate::Demo, username: &str) -> Self {
        let officers = demo.file["officers"].as_array().unwrap();
        let officer = officers.iter().find(|o| o["username"] == username).unwrap();
        let text = |name: &str| officer[name].as_str().unwrap().to_owned();
        Self::sign_in(&demo.base_url, username, &text("password"), &text("totpSecret")).await
    }

    /// Somebody whose token is none.
    pub fn nobody(base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), token: "0".repeat(64), client: reqwest::Client::new() }
    }

    pub async fn sign_in(base_url: &str, username: &str, password: &str, secret: &str) -> Self {
        let client = reqwest::Client::new();
        let body = json!({"username": username, "password": password, "totp": totp(secret)});
        let request = client.post(format!("{base_url}/api/v1/officer/session")).body(body.to_string());
        let (status, session) =
            answer(request.header("content-type", "application/json").send().await.unwrap()).await;
        assert_eq!(status, 201, "{session}");
        Self { base_url: base_url.to_owned(), token: session["token"].as_str().unwrap().to_owned(), client }
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        let request =
            self.client.get(format!("{}/api/v1/officer{path}", self.base_url)).bearer_auth(&self.token);
        answer(request.send().await.unwrap()).await
    }

    /// What is not JSON.
    pub async fn bytes(&self, path: &str) -> Vec<u8> {
        let url = format!("{}/api/v1/officer{path}", self.base_url);
        self.client.get(url).bearer_auth(&self.token).send().await.unwrap().bytes().await.unwrap().to_vec()
    }

    pub async fn delete(&self, path: &str) -> (u16, Value) {
        let request =
            self.client.delete(format!("{}/api/v1/officer{path}", self.base_url)).bearer_auth(&self.token);
        let response = request.send().await.unwrap();
        if response.status() == 204 { (204, Value::Null) } else { answer(response).await }
    }

    /// Ends all sessions of the officer; the status.
    pub async fn sign_out_everywhere(&self) -> u16 {
        let url = format!("{}/api/v1/officer/sessions", self.base_url);
        self.client.delete(url).bearer_auth(&self.token).send().await.unwrap().status().as_u16()
    }

    /// The same officer at another node.
    #[must_use]
    pub fn at(&self, base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), ..self.clone() }
    }

    /// `None` when no whole answer came.
    pub async fn try_post(&self, path: &str, body: Option<Value>) -> Option<(u16, Value)> {
        let request =
            self.client.post(format!("{}/api/v1/officer{path}", self.base_url)).bearer_auth(&self.token);
        try_answer(match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        })
        .await
    }

    pub async fn post(&self, path: &str, body: Option<Value>) -> (u16, Value) {
        self.try_post(path, body).await.expect("an answer")
    }

    /// Claims and approves a case.
    pub async fn approve(&self, id: &str) -> Value {
        let (status, case) = self.post(&format!("/applications/{id}/claim"), None).await;
        assert_eq!(status, 200, "{case}");
        let body = json!({"note": "同意", "version": case["version"]});
        let (status, case) = self.post(&format!("/applications/{id}/approve"), Some(body)).await;
        assert_eq!(status, 200, "{case}");
        case
    }
}
