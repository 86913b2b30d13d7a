//! A service that does as a script says, and remembers what it was asked and what it recorded.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each suite uses its part")]
#![allow(unreachable_pub, reason = "names of a test say it")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use idcheck_client::{Builder, Client, Credentials, KeyKind, Question, Retries, SigningKey};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub const ISS_KEY: &str = "e3yMEJMEppYGbb37BxVaOSX00btXCASk";

/// A key for all tests of a suite; making one takes a while.
pub static RSA_PEM: LazyLock<String> =
    LazyLock::new(|| SigningKey::generate(KeyKind::Rsa2048).unwrap().private_pem.to_string());

pub fn credentials() -> Credentials {
    Credentials::new("04595257", "AW001", ISS_KEY, &RSA_PEM).unwrap()
}

pub fn question() -> Question {
    Question::parse("A123456789", "1", "1080617", "63000").unwrap()
}

/// Short waits, and none longer than a second and a half.
pub const QUICK: Retries =
    Retries { times: 3, first_wait: Duration::from_millis(5), longest_wait: Duration::from_millis(1500) };

pub fn builder(base_url: &str) -> Builder {
    Client::builder(base_url, credentials()).retries(QUICK).timeout(Duration::from_millis(700))
}

/// What the service does with a request.
#[derive(Debug, Clone)]
pub enum Does {
    /// Answers a token that is new and refuses one that it recorded.
    Answers,
    /// Replies so; records nothing.
    Says(u16, &'static [(&'static str, &'static str)], String),
    /// Records the question, then replies so.
    RecordsAndSays(u16, &'static [(&'static str, &'static str)], String),
    /// Closes without a reply.
    Closes,
    /// Records the question, then closes without a reply.
    RecordsAndCloses,
    /// Records the question and sends the first half of the answer.
    RecordsAndBreaks,
    /// Records the question and never replies.
    RecordsAndHangs,
}

/// A request as it arrived; names of headers in lower case.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn token(&self) -> &str {
        self.headers["authorization"].strip_prefix("Bearer ").unwrap()
    }

    fn part(&self, number: usize) -> Value {
        let part = self.token().split('.').nth(number).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    pub fn header(&self) -> Value {
        self.part(0)
    }

    pub fn claims(&self) -> Value {
        self.part(1)
    }

    pub fn jti(&self) -> String {
        self.claims()["jti"].as_str().unwrap().to_owned()
    }
}

#[derive(Default)]
struct State {
    script: Vec<Does>,
    requests: Vec<Request>,
    recorded: BTreeSet<String>,
}

/// The service.
#[derive(Clone)]
pub struct Double {
    pub base_url: String,
    state: Arc<Mutex<State>>,
}

impl Double {
    /// Follows the script request by request, then answers.
    pub async fn start(script: &[Does]) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), script)
    }

    pub fn on(listener: TcpListener, script: &[Does]) -> Self {
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { script: script.to_vec(), ..State::default() }));
        let double = Self { base_url, state };
        let served = double.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().serve(stream));
            }
        });
        double
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// How many questions it has counted.
    pub fn recorded(&self) -> usize {
        self.state.lock().unwrap().recorded.len()
    }

    /// How many different tokens it has seen.
    pub fn tokens(&self) -> usize {
        self.requests().iter().map(Request::jti).collect::<BTreeSet<_>>().len()
    }

    async fn serve(self, mut stream: TcpStream) {
        let Some(request) = read(&mut stream).await else { return };
        let jti = request.jti();
        let strict = request.method == "POST";
        let (does, known) = {
            let mut state = self.state.lock().unwrap();
            state.requests.push(request);
            let does = if state.script.is_empty() { Does::Answers } else { state.script.remove(0) };
            let records = !matches!(does, Does::Says(..) | Does::Closes);
            (does, records && !state.recorded.insert(jti))
        };
        match does {
            Does::Answers if known => {
                let (status, body) = refused(strict, 401, "already used", "already-used");
                write(&mut stream, status, &[], &body).await;
            }
            Does::Answers => write(&mut stream, 200, &[("x-request-id", "0192-1")], &answer(strict, 1)).await,
            Does::Says(status, headers, body) | Does::RecordsAndSays(status, headers, body) => {
                write(&mut stream, status, headers, &body).await;
            }
            Does::Closes | Does::RecordsAndCloses => {}
            Does::RecordsAndBreaks => {
                let body = answer(strict, 1);
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                let half = &body.as_bytes()[..body.len() / 2];
                stream.write_all(&[head.as_bytes(), half].concat()).await.unwrap();
            }
            Does::RecordsAndHangs => tokio::time::sleep(Duration::from_mins(1)).await,
        }
    }
}

/// The body of an answer with this digit.
pub fn answer(strict: bool, digit: u8) -> String {
    let names =
        ["match", "mismatch", "mismatch", "mismatch", "locked", "outOfUse", "reportedLost", "userSuspended"];
    let body = if strict {
        let mut body =
            json!({"result": names[usize::from(digit) - 1], "code": digit.to_string(), "requestId": "r-1"});
        if (2..=4).contains(&digit) {
            body["attemptsLeft"] = json!(4 - digit);
        }
        body
    } else {
        json!({"httpCode": "200", "httpMessage": "OK", "rdCode": "RS7009", "rdMessage": "查詢作業完成",
            "responseData": {"checkIdCardApply": digit.to_string()}})
    };
    body.to_string()
}

/// The status and body of a refusal: in the legacy envelope, or as a problem.
pub fn refused(strict: bool, status: u16, message: &str, problem: &str) -> (u16, String) {
    let body = if strict {
        json!({"type": format!("/problems/{problem}"), "title": "t", "detail": "d", "status": status})
    } else {
        let code = status.to_string();
        json!({"httpCode": code, "httpMessage": message, "rdCode": "", "rdMessage": "", "responseData": {}})
    };
    (status, body.to_string())
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        stream.read_buf(&mut body).await.ok()?;
    }
    Some(Request { method, path, headers, body })
}

async fn write(stream: &mut TcpStream, status: u16, headers: &[(&str, &str)], body: &str) {
    let named: String = headers.iter().map(|(name, value)| [name, ": ", value, "\r\n"].concat()).collect();
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{named}\r\n");
    // A client that is gone has its answer lost, which is what some tests want.
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}
