//! What one query costs without a database: the same HTTP library, the same signature check, a register and the used
//! tokens in memory, and a raw log that is synced before the answer, many queries at once.
//!
//! Started by `cargo xtask bench verify` with a file of settings; it serves until it is killed. What it keeps in one
//! process's memory is what a service on several nodes can't keep there: it is a floor, not a design.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "an instrument, which fails by panicking")]

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::Write as _,
    sync::{Arc, Mutex},
};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use poem::{
    Endpoint, EndpointExt as _, Request, Response, Route, Server, get,
    http::{StatusCode, header},
    listener::TcpListener,
};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    listen: String,
    /// PEM, `SubjectPublicKeyInfo`.
    public_key: String,
    log: String,
    persons: Vec<Card>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Card {
    person_id: String,
    apply_code: String,
    apply_yyymmdd: String,
    issue_site_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    org_id: String,
    iat: i64,
    exp: i64,
    jti: String,
    condition_map: String,
}

type Line = (String, oneshot::Sender<()>);

struct Floor {
    key: ParsedPublicKey,
    register: HashMap<String, Card>,
    used: Mutex<HashSet<String>>,
    log: mpsc::UnboundedSender<Line>,
}

impl Floor {
    /// Nothing for a token that is not good.
    fn result(&self, token: &str) -> Option<(Claims, char)> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.key.verify_sig(signed.as_bytes(), &signature).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        if claims.exp <= claims.iat || !self.used.lock().ok()?.insert(claims.jti.clone()) {
            return None;
        }
        let asked: Card = serde_json::from_str(&claims.condition_map).ok()?;
        let right = self.register.get(&asked.person_id).is_some_and(|card| *card == asked);
        Some((claims, if right { '1' } else { '2' }))
    }
}

struct Query(Arc<Floor>);

impl Endpoint for Query {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let token = request.header(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let Some((claims, result)) = token.and_then(|token| self.0.result(token)) else {
            return Ok(StatusCode::UNAUTHORIZED.into());
        };
        let (durable, answered) = oneshot::channel();
        let line = format!("{} {} {} {result}\n", claims.iat, claims.org_id, claims.jti);
        self.0.log.send((line, durable)).ok();
        answered.await.unwrap();
        let body = format!(
            "{{\"httpCode\":\"200\",\"httpMessage\":\"OK\",\"rdCode\":\"RS7009\",\"rdMessage\":\"查詢作業完成\",\
             \"responseData\":{{\"checkIdCardApply\":\"{result}\"}}}}"
        );
        Ok(Response::builder()
            .content_type("application/json")
            .header(header::CACHE_CONTROL, "no-store")
            .body(body))
    }
}

/// Whatever waits is written and synced together, then answered.
fn write(mut log: File, mut lines: mpsc::UnboundedReceiver<Line>) {
    let (mut batch, mut text) = (Vec::new(), Vec::new());
    while lines.blocking_recv_many(&mut batch, 256) > 0 {
        text.clear();
        for (line, _) in &batch {
            text.extend_from_slice(line.as_bytes());
        }
        log.write_all(&text).unwrap();
        log.sync_data().unwrap();
        for (_, durable) in batch.drain(..) {
            durable.send(()).ok();
        }
    }
}

#[tokio::main]
async fn main() {
    let Some(settings) = std::env::args().nth(1).filter(|argument| !argument.starts_with('-')) else {
        println!("skipped: the floor is started by `cargo xtask bench verify`");
        return;
    };
    let settings: Settings = serde_json::from_slice(&std::fs::read(settings).unwrap()).unwrap();
    let lines = settings.public_key.lines().filter(|line| !line.starts_with('-'));
    let key = STANDARD.decode(lines.collect::<String>()).unwrap();
    let (log, written) = mpsc::unbounded_channel();
    let file = File::create(&settings.log).unwrap();
    std::thread::spawn(move || write(file, written));
    let register = settings.persons.into_iter().map(|card| (card.person_id.clone(), card)).collect();
    let floor = Floor {
        key: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key).unwrap(),
        register,
        used: Mutex::default(),
        log,
    };
    let routes = Route::new().at("/integration/rwv2c2", get(Query(Arc::new(floor)))).boxed();
    Server::new(TcpListener::bind(settings.listen)).run(routes).await.unwrap();
}
