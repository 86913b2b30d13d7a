//! Load on the verification API of the real program, on both databases, beside the same program with a transaction for
//! each query and beside the floor: a server without a database (`crates/http/benches/floor.rs`). `cargo xtask bench verify` runs it; it prints one JSON object a line, for each
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
    reason = "a program for a terminal, which fails by panicking"
)]

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
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
/// How long an idle server is looked at.
const IDLE: Duration = Duration::from_secs(5);
/// What the server without a database is called.
const FLOOR: &str = "floor, no database";
const HALF_FLOOR: &str = "floor, no database at half of its rate";

/// The first part of a load at a pace, which is not counted.
const WARM_UP: Duration = Duration::from_secs(1);

/// A server under test: one process, or several on one database.
struct Server {
    processes: Vec<Process>,
    addresses: Vec<String>,
    /// Processes of the database have this in their command line; nothing for SQLite.
    database: Option<String>,
    /// Whose questions it answers: the place among the sites.
    site: usize,
    /// Milliseconds from its start until it was ready, and MiB that it held then; of a server that was not measured so nothing.
    start: Option<(f64, f64)>,
}

impl Server {
    fn used(&self) -> u64 {
        self.processes.iter().map(|process| used(process.id())).sum()
    }
}

/// MiB of memory that a process holds.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) as f64 / 1024.0
}

/// A load on a server.
struct Variant {
    name: String,
    /// The place among the servers.
    server: usize,
    /// How many ID numbers are asked about.
    persons: usize,
    /// Queries a second; as many as go where there is nothing.
    pace: Option<f64>,
    /// The names of the variants that its rate is held against; all other figures are held against the first.
    against: Vec<&'static str>,
    /// Whether it is loaded again, with half of the rate that it reached.
    halved: bool,
    rounds: Vec<Round>,
}

impl Variant {
    fn new(name: &str, server: usize, persons: usize) -> Self {
        let name = name.to_owned();
        Self { name, server, persons, pace: None, against: Vec::new(), halved: false, rounds: Vec::new() }
    }
}

/// What one round showed.
struct Round {
    rate: f64,
    /// Milliseconds at the median, at 99 of 100 and at 999 of 1,000.
    p50: f64,
    p99: f64,
    p999: f64,
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

/// The requests of a round, and when each is due.
struct Load {
    requests: Vec<String>,
    next: AtomicUsize,
    begun: Instant,
    until: Instant,
    interval: Option<Duration>,
}

impl Load {
    /// The next request, once it is due, and since when its answer is waited for. One that is sent late for want of
    /// a free connection waits since it was due.
    async fn next(&self) -> Option<(&str, Instant)> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let request = self.requests.get(place)?;
        let Some(interval) = self.interval else { return Some((request, Instant::now())) };
        let due = self.begun + interval * u32::try_from(place).unwrap();
        if due <= Instant::now() {
            return Some((request, due));
        }
        tokio::time::sleep_until(due.into()).await;
        Some((request, Instant::now()))
    }
}

/// Sends requests one after the other until the time is over or there are no more; the time that each took.
async fn connection(address: String, load: Arc<Load>) -> Vec<Duration> {
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut took = Vec::new();
    let mut answer = vec![0; 4096];
    while Instant::now() < load.until {
        let Some((request, since)) = load.next().await else { break };
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
        // At a pace, what queued up while the connections were made is not what is asked about.
        if load.interval.is_none() || since >= load.begun + WARM_UP {
            took.push(since.elapsed());
        }
        let answer = String::from_utf8_lossy(&answer[..read]);
        assert!(answer.contains(r#""checkIdCardApply":"1""#), "{answer}");
    }
    took
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
async fn round(server: &Server, variant: &mut Variant, requests: Vec<String>, time: Duration) {
    let used_now = || (server.used(), server.database.as_deref().map_or(0, used_by));
    let before = used_now();
    let begun = Instant::now();
    let interval = variant.pace.map(|pace| Duration::from_secs_f64(pace.recip()));
    let load = Arc::new(Load { requests, next: AtomicUsize::new(0), begun, until: begun + time, interval });
    let mut connections = JoinSet::new();
    for number in 0..CONNECTIONS {
        let address = server.addresses[number % server.addresses.len()].clone();
        connections.spawn(connection(address, Arc::clone(&load)));
    }
    let mut took: Vec<_> = connections.join_all().await.into_iter().flatten().collect();
    let elapsed = begun.elapsed().as_secs_f64();
    let after = used_now();
    took.sort_unstable();
    let count = took.len() as f64;
    let sent = load.next.load(Ordering::Relaxed).min(load.requests.len()) as f64;
    let elapsed = if variant.pace.is_some() { elapsed - WARM_UP.as_secs_f64() } else { elapsed };
    let at = |thousandth: usize| took[(took.len() - 1) * thousandth / 1000].as_secs_f64() * 1000.0;
    variant.rounds.push(Round {
        rate: count / elapsed,
        p50: at(500),
        p99: at(990),
        p999: at(999),
        server: after.0.saturating_sub(before.0) as f64 / sent,
        database: after.1.saturating_sub(before.1) as f64 / sent,
    });
    let last = variant.rounds.last().unwrap();
    eprintln!(
        "{:<40} {:>8.0}/s  p50 {:>6.2} ms  p99 {:>7.2} ms  p999 {:>7.2} ms  CPU {:>5.0} + {:>4.0} µs",
        variant.name, last.rate, last.p50, last.p99, last.p999, last.server, last.database
    );
}

/// Requests that are each sent once; signing them takes longer than answering them.
fn requests(site: &Site, caller: &Caller, persons: usize, count: usize) -> Vec<String> {
    let one = |number: usize| {
        let token = caller.token(&site.person(number % persons));
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

/// A register of so many made-up persons, as a file; those of the demo are the first of them.
fn register(folder: &Path, rows: usize) -> PathBuf {
    let file = folder.join("persons.csv");
    let mut command = Command::new(program("idcheck"));
    command.args(["registry", "generate", "--count", &rows.to_string()]).arg(&file).stdout(Stdio::null());
    assert!(command.status().unwrap().success());
    file
}

/// Makes it the site's.
fn import(site: &Site, persons: &Path) {
    let mut command = Command::new(program("idcheck"));
    command.args(["registry", "import", "--replace", "--force"]).arg(persons);
    assert!(command.envs(environment(site)).stdout(Stdio::null()).status().unwrap().success());
}

/// Where the site's database is, for a further process.
fn environment(site: &Site) -> Vec<(&str, String)> {
    match site {
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
    }
}

/// A further process on the site's database, with this many queries a transaction.
async fn serve(sites: &[Site], site: usize, batch: usize) -> Server {
    let mut environment = environment(&sites[site]);
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
    let begun = Instant::now();
    let process = Process::start(Command::new(program("idcheck")).arg("serve").envs(environment), &log);
    while TcpStream::connect(&address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    wait_ready(&format!("http://{address}"), &log).await;
    let ready = begun.elapsed().as_secs_f64() * 1000.0;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let start = Some((ready, resident(process.id())));
    let database = match &sites[site] {
        Site::Sqlite(_) => None,
        Site::Postgres(nodes) => Some(nodes.query("SELECT current_database()")),
    };
    Server { processes: vec![process], addresses: vec![address], database, site, start }
}

/// Several processes on the site's database.
async fn serve_all(sites: &[Site], site: usize, nodes: usize) -> Server {
    let mut all = serve(sites, site, 256).await;
    for _ in 1..nodes {
        let mut other = serve(sites, site, 256).await;
        all.processes.append(&mut other.processes);
        all.addresses.append(&mut other.addresses);
    }
    all.start = None;
    all
}

/// The server without a database, which knows one caller and its persons.
async fn floor(program: &str, sites: &[Site], callers: &[Caller], folder: &Path) -> Server {
    let address = format!("127.0.0.1:{}", free_port());
    let settings = json!({
        "listen": address, "publicKey": callers[0].signer.public_pem, "log": folder.join("floor.data"),
        "persons": (0..PERSONS).map(|number| sites[0].person(number)).collect::<Vec<_>>(),
    });
    let file = folder.join("floor.json");
    std::fs::write(&file, settings.to_string()).unwrap();
    let process = Process::start(Command::new(program).arg(file), &folder.join("floor.log"));
    while TcpStream::connect(&address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Server { processes: vec![process], addresses: vec![address], database: None, site: 0, start: None }
}

/// One line for each figure of each round of a variant.
fn print(variant: &Variant) {
    for round in &variant.rounds {
        let figures = [
            ("p50", "ms", round.p50),
            ("p99", "ms", round.p99),
            ("p999", "ms", round.p999),
            ("server CPU a query", "µs", round.server),
            ("database CPU a query", "µs", round.database),
        ];
        for (figure, unit, value) in figures {
            let against = variant.against.first().map(|other| format!("{other}: {figure}"));
            line(&format!("{}: {figure}", variant.name), unit, value, against.as_deref());
        }
        line(&format!("{}: rate", variant.name), "1/s", round.rate, None);
        // A pace is not a rate that was reached.
        for other in variant.against.iter().filter(|_| variant.pace.is_none()) {
            let name = format!("{}: rate, beside {other}", variant.name);
            line(&name, "1/s", round.rate, Some(&format!("{other}: rate")));
        }
    }
}

fn line(name: &str, unit: &str, value: f64, against: Option<&str>) {
    println!("{}", json!({"name": name, "value": value, "unit": unit, "against": against}));
}

/// What is loaded on the servers of a site: one with batches, after it one without, and on PostgreSQL after
/// them one whose disk is slow, and several.
fn variants(site: &Site, batched: usize, floor: bool, nodes: usize) -> Vec<Variant> {
    let (name, single, hot) = match site {
        Site::Postgres(_) => {
            ("PostgreSQL", "PostgreSQL, one transaction a query", "PostgreSQL, one ID number")
        }
        Site::Sqlite(_) => ("SQLite", "SQLite, one transaction a query", "SQLite, one ID number"),
    };
    let mut against = vec![single];
    against.extend(floor.then_some(FLOOR));
    let mut variants = vec![
        Variant { against, halved: true, ..Variant::new(name, batched, PERSONS) },
        Variant::new(single, batched + 1, PERSONS),
        Variant { against: vec![name], ..Variant::new(hot, batched, 1) },
    ];
    if matches!(site, Site::Postgres(_)) {
        let slow = format!("{name}, 1 ms more a flush");
        variants.push(Variant { against: vec![name], ..Variant::new(&slow, batched + 2, PERSONS) });
        let several = format!("{name}, {nodes} nodes");
        variants.push(Variant { against: vec![name], ..Variant::new(&several, batched + 3, PERSONS) });
    }
    variants
}

/// How many requests a round needs: half more than the one before showed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive count")]
fn needed(rate: f64, seconds: usize) -> usize {
    (rate * 1.5) as usize * seconds
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The databases, their servers, and what is loaded on them.
struct Bench {
    sites: Vec<Site>,
    callers: Vec<Caller>,
    servers: Vec<Server>,
    seconds: usize,
}

impl Bench {
    async fn start(folder: &Path, seconds: usize) -> (Self, Vec<Variant>) {
        let nodes = count_from("IDCHECK_TEST_BENCH_NODES", 1);
        let persons = register(folder, count_from("IDCHECK_TEST_BENCH_ROWS", 10_000));
        let persons = persons.as_path();
        let mut sites = Vec::new();
        sites.push(Site::postgres(1).await);
        sites.push(Site::sqlite().await);
        let mut callers = Vec::new();
        for site in &mut sites {
            let officer = site.reviewer(1).await;
            callers.push(site.admitted(0, &officer).await.1);
            import(site, persons);
            // The process that the company was admitted by is not measured.
            site.kill(0);
        }
        let (mut servers, mut loads) = (Vec::new(), Vec::new());
        let program = std::env::var("IDCHECK_TEST_BENCH_FLOOR").ok();
        if let Some(program) = &program {
            servers.push(floor(program, &sites, &callers, folder).await);
            loads.push(Variant { halved: true, ..Variant::new(FLOOR, 0, PERSONS) });
        }
        for (place, site) in sites.iter().enumerate() {
            let batched = servers.len();
            loads.extend(variants(site, batched, program.is_some(), nodes));
            servers.push(serve(&sites, place, 256).await);
            servers.push(serve(&sites, place, 1).await);
            if let Site::Postgres(database) = site {
                // As on a slow disk: each commit waits so long before it flushes. It counts for who connects from now on.
                let delay =
                    |set: &str| database.query(&format!("ALTER DATABASE {} {set}", database.database()));
                delay("SET commit_delay = 1000");
                delay("SET commit_siblings = 0");
                servers.push(serve(&sites, place, 256).await);
                delay("RESET ALL");
                servers.push(serve_all(&sites, place, nodes).await);
            }
        }
        if let Ok(only) = std::env::var("IDCHECK_TEST_BENCH_ONLY") {
            loads.retain(|variant| variant.name.contains(&only));
        }
        (Self { sites, callers, servers, seconds }, loads)
    }

    async fn round(&self, variant: &mut Variant, count: usize) {
        let server = &self.servers[variant.server];
        let (site, caller) = (&self.sites[server.site], &self.callers[server.site]);
        let questions = requests(site, caller, variant.persons, count);
        round(server, variant, questions, Duration::from_secs(self.seconds.try_into().unwrap())).await;
    }
}

#[tokio::main]
async fn main() {
    let rounds = count_from("IDCHECK_TEST_BENCH_ROUNDS", 5);
    let folder = tempfile::tempdir().unwrap();
    let (bench, mut loads) = Bench::start(folder.path(), count_from("IDCHECK_TEST_BENCH_SECONDS", 5)).await;
    // A first round of each warms up, tells how many requests the next ones need, and is forgotten.
    let mut counts = vec![3000; loads.len()];
    for number in 0..=rounds {
        for (variant, count) in loads.iter_mut().zip(&mut counts) {
            bench.round(variant, *count).await;
            *count = needed(variant.rounds.last().unwrap().rate, bench.seconds);
            if number == 0 {
                variant.rounds.clear();
            }
        }
    }
    let halved = loads.iter().filter(|variant| variant.halved);
    let mut halves: Vec<_> = halved
        .map(|variant| {
            let rate = median(variant.rounds.iter().map(|round| round.rate).collect()) / 2.0;
            let name = format!("{} at half of its rate", variant.name);
            // The generator's own part of a latency is the same in both.
            let against = if variant.name == FLOOR { Vec::new() } else { vec![HALF_FLOOR] };
            Variant { pace: Some(rate), against, ..Variant::new(&name, variant.server, variant.persons) }
        })
        .collect();
    // The background jobs come every second at the most: a round of half the rate is long enough for all of them.
    let half = Bench { seconds: count_from("IDCHECK_TEST_BENCH_HALF_SECONDS", 20), ..bench };
    for _ in 0..rounds.div_ceil(3) {
        for variant in &mut halves {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive count")]
            let count = variant.pace.unwrap_or_default() as usize * half.seconds;
            half.round(variant, count).await;
        }
    }
    let bench = half;
    loads.iter().chain(&halves).for_each(print);
    for variant in loads.iter().filter(|variant| variant.halved) {
        let server = &bench.servers[variant.server];
        if let Some((ready, held)) = server.start {
            let before = server.used();
            tokio::time::sleep(IDLE).await;
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            let busy = (server.used() - before) as f64 / 1000.0 / IDLE.as_secs_f64();
            line(&format!("{}: CPU of a second when idle", variant.name), "ms", busy, None);
            line(&format!("{}: from the start until it is ready", variant.name), "ms", ready, None);
            line(&format!("{}: memory held when idle", variant.name), "MiB", held, None);
        }
    }
    drop(bench.servers);
    bench.sites.into_iter().for_each(Site::close);
}
