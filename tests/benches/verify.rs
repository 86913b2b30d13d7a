//! Load on the verification API of the real program, on both databases, beside the same program with a transaction for
//! each query. `cargo xtask bench verify` runs it; it prints one JSON object a line, for each
//! figure of each round.
//!
//! Load generator, server and database share the machine: ratios count, not figures. The rounds of all variants follow
//! one another in turn, so that what else the machine does falls on all of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a program for a terminal, which fails by panicking"
)]

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use idcheck_tests::{Caller, Process, Site, count_from, free_port, program, wait_ready};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

const CONNECTIONS: usize = 64;
/// Persons that are asked about, each with the right card.
const PERSONS: usize = 900;

/// A server under test.
struct Variant {
    name: &'static str,
    process: Process,
    address: String,
    /// Processes of the database have this in their command line; nothing for SQLite.
    database: Option<String>,
    rounds: Vec<Round>,
}

/// What one round showed.
struct Round {
    rate: f64,
    /// Milliseconds at the median and at 99 of 100.
    p50: f64,
    p99: f64,
    /// Microseconds of processor time for each query.
    server: f64,
    database: f64,
}

/// Ticks of processor time that a process used until now, in microseconds.
fn used(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    (ticks(11) + ticks(12)) * 10_000
}

/// The same of all processes whose command line names `mark`.
fn used_by(mark: &str) -> u64 {
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let named = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(mark)
    };
    pids.filter(named).map(used).sum()
}

/// Sends requests one after the other until the time is over or there are no more; the time that each took.
async fn connection(
    address: String,
    requests: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
    until: Instant,
) -> Vec<Duration> {
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut took = Vec::new();
    let mut answer = vec![0; 4096];
    while Instant::now() < until {
        let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = 0;
        loop {
            let count = stream.read(&mut answer[read..]).await.unwrap();
            assert!(count > 0, "the server closed the connection");
            read += count;
            // The envelope is the last of the answer, and ends so.
            if answer[..read].ends_with(b"}}") {
                break;
            }
        }
        took.push(sent.elapsed());
        let answer = String::from_utf8_lossy(&answer[..read]);
        assert!(answer.contains(r#""checkIdCardApply":"1""#), "{answer}");
    }
    took
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
async fn round(variant: &mut Variant, requests: Vec<String>, time: Duration) {
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let database = variant.database.clone();
    let used_now = |pid| (used(pid), database.as_deref().map_or(0, used_by));
    let before = used_now(variant.process.id());
    let begun = Instant::now();
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        connections.spawn(connection(variant.address.clone(), requests, next, begun + time));
    }
    let mut took: Vec<_> = connections.join_all().await.into_iter().flatten().collect();
    let elapsed = begun.elapsed().as_secs_f64();
    let after = used_now(variant.process.id());
    took.sort_unstable();
    let count = took.len() as f64;
    let at = |hundredth: usize| took[(took.len() - 1) * hundredth / 100].as_secs_f64() * 1000.0;
    variant.rounds.push(Round {
        rate: count / elapsed,
        p50: at(50),
        p99: at(99),
        server: after.0.saturating_sub(before.0) as f64 / count,
        database: after.1.saturating_sub(before.1) as f64 / count,
    });
    let last = variant.rounds.last().unwrap();
    eprintln!(
        "{:<40} {:>8.0}/s  p50 {:>6.2} ms  p99 {:>7.2} ms  CPU {:>5.0} + {:>4.0} µs",
        variant.name, last.rate, last.p50, last.p99, last.server, last.database
    );
}

/// Requests that are each sent once; signing them takes longer than answering them.
fn requests(site: &Site, caller: &Caller, count: usize) -> Vec<String> {
    let one = |number: usize| {
        let token = caller.token(&site.person(number % PERSONS));
        format!(
            "GET /integration/rwv2c2 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             sris-consumerAdminId: 00000000\r\nContent-Type: application/json\r\n\r\n"
        )
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let share = |thread: usize| (thread..count).step_by(threads).map(one).collect::<Vec<_>>();
        let working: Vec<_> = (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
        working.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// A further process on the site's database, with this many queries a transaction.
async fn serve(site: &Site, name: &'static str, batch: usize) -> Variant {
    let mut environment: Vec<(&str, String)> = match site {
        Site::Sqlite(demo) => {
            let data = demo.data_dir();
            vec![
                ("IDCHECK_DATABASE_URL", format!("sqlite://{}", data.join("idcheck.db").display())),
                ("IDCHECK_KEY_FILE", data.join("key").display().to_string()),
                ("IDCHECK_TRUST_DIR", data.join("pki/trust").display().to_string()),
                ("IDCHECK_ALLOW_LOOPBACK_HOSTS", "true".to_owned()),
                ("IDCHECK_MAIL__FOLDER", data.join("mail").display().to_string()),
            ]
        }
        Site::Postgres(nodes) => nodes.environment().to_vec(),
    };
    let address = format!("127.0.0.1:{}", free_port());
    environment.extend([
        ("IDCHECK_LISTEN", address.clone()),
        ("IDCHECK_BASE_URL", format!("http://{address}")),
        ("IDCHECK_LEDGER_BATCH", batch.to_string()),
        ("IDCHECK_LIMITS__RATE_PER_ORGANISATION", "1000000".to_owned()),
        ("IDCHECK_LIMITS__RATE_PER_ADDRESS", "1000000".to_owned()),
        ("IDCHECK_LIMITS__QUOTA", "1000000000".to_owned()),
    ]);
    let log = std::env::temp_dir().join(format!("idcheck-bench-{}.log", address.replace(':', "-")));
    let process = Process::start(Command::new(program("idcheck")).arg("serve").envs(environment), &log);
    wait_ready(&format!("http://{address}"), &log).await;
    let database = match site {
        Site::Sqlite(_) => None,
        Site::Postgres(nodes) => Some(nodes.query("SELECT current_database()")),
    };
    Variant { name, process, address, database, rounds: Vec::new() }
}

/// One line for each figure of each round of a variant.
fn print(variant: &Variant, variants: &[Variant]) {
    // Each batched variant is compared with the one after it: the same on the same database, one query a time.
    let base = variants.iter().find(|other| {
        other.name != variant.name
            && other.name.starts_with(variant.name)
            && other.database == variant.database
    });
    for round in &variant.rounds {
        let figures = [
            ("rate", "1/s", round.rate),
            ("p50", "ms", round.p50),
            ("p99", "ms", round.p99),
            ("server CPU a query", "µs", round.server),
            ("database CPU a query", "µs", round.database),
        ];
        for (figure, unit, value) in figures {
            let against = base.map(|base| format!("{}: {figure}", base.name));
            let name = format!("{}: {figure}", variant.name);
            println!("{}", json!({"name": name, "value": value, "unit": unit, "against": against}));
        }
    }
}

#[tokio::main]
async fn main() {
    let rounds = count_from("IDCHECK_BENCH_ROUNDS", 5);
    let seconds = count_from("IDCHECK_BENCH_SECONDS", 5);
    let mut sites = Vec::new();
    if let Some(site) = Site::postgres(1).await {
        sites.push(site);
    }
    sites.push(Site::sqlite().await);
    let (mut variants, mut callers) = (Vec::new(), Vec::new());
    for (place, site) in sites.iter_mut().enumerate() {
        let officer = site.reviewer(1).await;
        callers.push(site.admitted(0, &officer).await.1);
        // The process that the company was admitted by is not measured.
        site.kill(0);
        let names = match site {
            Site::Postgres(_) => ["PostgreSQL", "PostgreSQL, one transaction a query"],
            Site::Sqlite(_) => ["SQLite", "SQLite, one transaction a query"],
        };
        variants.push((place, serve(site, names[0], 256).await));
        variants.push((place, serve(site, names[1], 1).await));
    }
    let time = Duration::from_secs(seconds.try_into().unwrap());
    // A first round of each warms up, tells how many requests the next ones need, and is forgotten.
    let mut needed = vec![3000; variants.len()];
    for number in 0..=rounds {
        for ((place, variant), needed) in variants.iter_mut().zip(&mut needed) {
            round(variant, requests(&sites[*place], &callers[*place], *needed), time).await;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive count")]
            let half_more = (variant.rounds.last().unwrap().rate * 1.5) as usize * seconds;
            *needed = half_more;
            if number == 0 {
                variant.rounds.clear();
            }
        }
    }
    let variants: Vec<_> = variants.into_iter().map(|(_, variant)| variant).collect();
    for variant in &variants {
        print(variant, &variants);
    }
    drop(variants);
    sites.into_iter().for_each(Site::close);
}
