//! A flood from one address: challenges, signatures, sign-ins, queries with bad signatures and HTTP/2. Who asks from another
//! address gets answers as before, and neither memory nor database grows with it.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use idcheck_tests::{Caller, Nodes, Signer, Site};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// How long it lasts, and between two requests of one flooder: together some thousand a second.
const LASTS: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(4);
/// What a process may take beyond what it had: all bodies under way (64 MiB), passwords being checked (19 MiB each), and
/// what an allocator adds.
const MEMORY_KIB: u64 = 128 * 1024;
/// What one address can add to the database: the defaults of `[limits]`, a minute's share at once and then as they come.
const BURST: [(&str, u64); 2] = [("challenges", 30), ("verification_records", 60)];

/// The defaults, which other suites widen.
const LIMITS: [(&str, &str); 6] = [
    ("IDCHECK_LIMITS__CHALLENGES_PER_ADDRESS", "30"),
    ("IDCHECK_LIMITS__PROOFS_PER_ADDRESS", "30"),
    ("IDCHECK_LIMITS__OPEN_CHALLENGES", "20"),
    ("IDCHECK_LIMITS__OPEN_CHALLENGES_PER_ADDRESS", "60"),
    ("IDCHECK_LIMITS__SIGN_INS_PER_ADDRESS", "20"),
    ("IDCHECK_LIMITS__REFUSED_PER_ADDRESS", "60"),
];

/// What came back: how often each status, and how many 429 without the time to wait.
#[derive(Default)]
struct Seen {
    statuses: BTreeMap<u16, u64>,
    without_wait: u64,
}

/// Sends until told to stop.
async fn flood(request: impl Fn() -> RequestBuilder + Send, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        if let Ok(response) = request().send().await {
            let status = response.status().as_u16();
            *seen.statuses.entry(status).or_default() += 1;
            seen.without_wait += u64::from(status == 429 && !response.headers().contains_key("retry-after"));
            drop(response.bytes().await);
        }
        tokio::time::sleep(PAUSE).await;
    }
    seen
}

/// HTTP/2 by prior knowledge, with a hundred streams that never end; the bytes that came back.
async fn h2(address: String, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let mut frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
        for stream in 0..100_u32 {
            // HEADERS without END_STREAM: POST, http, `/api/v1/challenges` is left to the server's imagination.
            frames.extend([0, 0, 3, 1, 4]);
            frames.extend((2 * stream + 1).to_be_bytes());
            frames.extend([0x83, 0x86, 0x84]);
        }
        drop(stream.write_all(&frames).await);
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(2), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "the connection is kept open");
        // A frame of SETTINGS would be somebody who speaks HTTP/2.
        let spoken = answer.get(3) == Some(&4);
        *seen.statuses.entry(if spoken { 200 } else { 400 }).or_default() += 1;
        tokio::time::sleep(PAUSE * 10).await;
    }
    seen
}

/// The slowest of a hundred answers to a company that asks fifty times a second for this long.
async fn slowest_of_a_hundred(site: &Site, caller: &Caller, lasts: Duration) -> Duration {
    let (url, begun) = (site.url(), Instant::now());
    let mut took = Vec::new();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    while begun.elapsed() < lasts {
        tick.tick().await;
        let token = caller.token(&site.person(took.len() % 900));
        let sent = Instant::now();
        let reply = caller.send(&url, &token).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        took.push(sent.elapsed());
    }
    took.sort();
    took[took.len() * 99 / 100]
}

/// A line of what the kernel tells of a process, in KiB.
fn memory(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_floods_harms_nobody_else() {
    let nodes = Nodes::start_with(1, &LIMITS, None).await;
    let (card_url, pid) = (nodes.card_url.clone(), nodes.processes[0].id());
    let ubn = nodes.cards[1]["unifiedBusinessNumber"].as_str().unwrap().to_owned();
    let site = Site::Postgres(Box::new(nodes));
    assert!(card_url.starts_with("http://127.0.0.1:"));
    let officer = site.reviewer(1).await;
    let (_, caller) = site.admitted(0, &officer).await;
    slowest_of_a_hundred(&site, &caller, LASTS / 4).await;
    let alone = slowest_of_a_hundred(&site, &caller, LASTS).await;

    let rows = |table: &str| site.query(&format!("SELECT count(*) FROM {table}")).parse::<u64>().unwrap();
    let refused =
        || site.query("SELECT count(*) FROM verification_records WHERE outcome NOT IN ('1','2','3','4')");
    let before = (rows("challenges"), refused().parse::<u64>().unwrap(), memory(pid, "VmRSS:"));

    let (url, stop) = (site.url(), Arc::new(AtomicBool::new(false)));
    let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    // A request that is lost in the client is given up: it once waited for ever, on no connection.
    let client = Client::builder().local_address(from).timeout(LASTS).build().unwrap();
    let post = |path: &str, body: &Value| {
        let request = client.post(format!("{url}{path}")).header("content-type", "application/json");
        let body = body.to_string();
        move || request.try_clone().unwrap().body(body.clone())
    };
    let challenge = json!({
        "act": "submitImprovementPlan", "unifiedBusinessNumber": ubn, "content": {"plan": "字".repeat(4000)},
    });
    let proof = json!({"signature": "MIIB".repeat(20_000)});
    let sign_in = json!({"username": "reviewer1", "password": "wrong", "totp": "000000"});
    let stranger = Caller::new(&caller.ubn, &caller.account, &caller.iss_key, Arc::new(Signer::new()));
    let token = stranger.token(&site.person(0));
    let query = client.get(format!("{url}/integration/rwv2c2"));
    let query = query.header("sris-consumerAdminId", "00000000").header("content-type", "application/json");
    let query = query.bearer_auth(token);
    let mut flooders = JoinSet::new();
    for _ in 0..2 {
        let stopped = || Arc::clone(&stop);
        let path = "/api/v1/challenges/01939a3c-0000-7000-8000-000000000000/proof";
        let requests = [
            ("challenges", post("/api/v1/challenges", &challenge)),
            ("proofs", post(path, &proof)),
            ("sign-ins", post("/api/v1/officer/session", &sign_in)),
        ];
        for (name, request) in requests {
            let stop = stopped();
            flooders.spawn(async move { (name, flood(request, stop).await) });
        }
        let (query, stop) = (query.try_clone().unwrap(), stopped());
        flooders
            .spawn(async move { ("bad signatures", flood(move || query.try_clone().unwrap(), stop).await) });
        let (address, stop) = (url.trim_start_matches("http://").to_owned(), stopped());
        flooders.spawn(async move { ("HTTP/2", h2(address, stop).await) });
    }
    let among = slowest_of_a_hundred(&site, &caller, LASTS).await;
    stop.store(true, Ordering::Relaxed);
    for (name, seen) in flooders.join_all().await {
        println!("{name}: {:?}", seen.statuses);
        assert_eq!(seen.without_wait, 0, "{name}: 429 without Retry-After");
        let limited = seen.statuses.get(&429).copied().unwrap_or_default();
        assert!(name == "HTTP/2" || limited > 50, "{name} are not limited: {:?}", seen.statuses);
        assert!(!seen.statuses.contains_key(&503) && !seen.statuses.contains_key(&500), "{name}");
        assert!(name != "HTTP/2" || !seen.statuses.contains_key(&200), "HTTP/2 is spoken");
    }
    let after = (rows("challenges"), refused().parse::<u64>().unwrap(), memory(pid, "VmHWM:"));
    println!(
        "99 of 100 within {alone:?} alone and {among:?} beside; {} KiB more at most; {} challenges, {} refused queries",
        after.2.saturating_sub(before.2),
        after.0 - before.0,
        after.1 - before.1,
    );
    // Measured on two cores that the flood itself needs too: what a scheduler adds is not doubled.
    assert!(among <= alone * 2 + Duration::from_millis(50), "{alone:?} became {among:?}");
    assert!(after.2 <= before.2 + MEMORY_KIB, "{} KiB became {}", before.2, after.2);
    let grown = [after.0 - before.0, after.1 - before.1];
    for ((table, burst), grown) in BURST.into_iter().zip(grown) {
        assert!(grown <= burst * 2, "{table}: {grown} rows more");
    }
    site.close();
}
