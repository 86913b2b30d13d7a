//! Pages of the officer console on a database full of cases, on both databases: the queue, a page far into it, the queue by
//! a company's name, and a case. `cargo xtask bench pages` runs it; it prints one JSON object a line, for each figure of each
//! round: the time at 95 of 100 from the request to the whole answer, over one connection of loopback.
//!
//! One application goes the whole way; the others are copies of its rows, with numbers and days of their own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for a terminal, which fails by panicking"
)]

use std::{
    fmt::Write as _,
    process::Command,
    time::{Duration, Instant},
};

use chrono::{DateTime, Days, NaiveDate};
use idcheck_tests::{Applicant, Console, Site, count_from};
use serde_json::json;

/// Cases of one organisation.
const EACH: usize = 50;
/// Requests of a round for each page.
const REQUESTS: usize = 100;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Whether eight digits are a business number, by the rule of the tax office as of 2023 without its exception for a
/// seventh digit 7.
fn is_ubn(digits: &str) -> bool {
    let products =
        digits.bytes().zip([1, 2, 1, 2, 1, 2, 4, 1]).map(|(digit, weight)| u32::from(digit - b'0') * weight);
    products.map(|product| product / 10 + product % 10).sum::<u32>().is_multiple_of(5)
}

/// A case number with `n` in it.
fn case_number(day: NaiveDate, n: usize) -> String {
    let roc = i32::from(day.format("%Y").to_string().parse::<i16>().unwrap()) - 1911;
    let tail: String = (0..7).map(|place| char::from(ALPHABET[(n >> (5 * place)) & 31])).collect();
    format!("{roc:03}{}-{tail}", day.format("%m%d"))
}

/// The cases as CSV: number, identity, UBN, case number, receipt, whether it is open, deadline. Each organisation has one
/// open case, among the last ones received.
fn cases(count: usize) -> String {
    let ubns = (20_000_000..99_999_999).map(|number| format!("{number:08}")).filter(|digits| is_ubn(digits));
    let ubns: Vec<_> = ubns.take(count.div_ceil(EACH)).collect();
    let start = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
    let mut csv = String::new();
    for n in 0..count {
        let open = n + ubns.len() >= count;
        let day = start + Days::new(u64::try_from(n * 2500 / count).unwrap());
        let received = DateTime::parse_from_rfc3339(&format!("{day}T10:00:00+08:00")).unwrap();
        let received = received.timestamp_micros() + i64::try_from(n % 1000).unwrap();
        let due = day + Days::new(7);
        let (ubn, number) = (&ubns[n % ubns.len()], case_number(day, n));
        let id = format!("01900000-0000-7000-9000-{n:012x}");
        writeln!(csv, "{n},{id},{ubn},{number},{received},{},{due}", i32::from(open)).unwrap();
    }
    csv
}

/// Copies the rows of the company `{seed}` for every line of `bench`. Read by both databases.
const COPIES: &str = "
INSERT INTO organisations (ubn, version, name, folded, access, access_since, may_return, addresses, contact, purpose)
  SELECT b.ubn, 1, o.name || ' ' || b.n, o.folded || b.n, 'active', o.access_since, o.may_return, o.addresses, o.contact,
    o.purpose
  FROM (SELECT ubn, min(n) AS n FROM bench GROUP BY ubn) b CROSS JOIN organisations o WHERE o.ubn = '{seed}';
INSERT INTO applications (id, version, case_number, ubn, kind, company_name, folded, card, contact, host_addresses, request,
    notice_version, conduct_version, consented_at, received_at, state, due_date, due_provisional, closed_at, closed_by,
    closed_reason)
  SELECT b.id, 1, b.case_number, b.ubn, a.kind, a.company_name, a.folded, a.card, a.contact, a.host_addresses, a.request,
    a.notice_version, a.conduct_version, a.consented_at, b.received_at,
    CASE WHEN b.open = 1 THEN 'received' ELSE a.state END, CASE WHEN b.open = 1 THEN b.due ELSE NULL END, FALSE,
    CASE WHEN b.open = 1 THEN NULL ELSE b.received_at END, CASE WHEN b.open = 1 THEN NULL ELSE a.closed_by END,
    CASE WHEN b.open = 1 THEN NULL ELSE a.closed_reason END
  FROM bench b CROSS JOIN applications a WHERE a.ubn = '{seed}';
INSERT INTO application_history (application_id, version, action, to_state, actor, at)
  SELECT id, 1, 'receive', 'received', 'applicant', received_at FROM bench;
DROP TABLE bench;
";

const SQLITE: &str = "
import csv, sqlite3, sys, uuid
db = sqlite3.connect(sys.argv[1], timeout=60)
db.execute('CREATE TABLE bench (n INTEGER, id BLOB, ubn TEXT, case_number TEXT, received_at BIGINT, open INTEGER, due TEXT)')
rows = ((int(r[0]), uuid.UUID(r[1]).bytes, r[2], r[3], int(r[4]), int(r[5]), r[6]) for r in csv.reader(open(sys.argv[2])))
db.executemany('INSERT INTO bench VALUES (?, ?, ?, ?, ?, ?, ?)', rows)
db.commit()
db.executescript(open(sys.argv[3]).read())
";

fn fill(site: &Site, seed: &str, count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let (rows, script) = (folder.path().join("cases.csv"), folder.path().join("copies.sql"));
    std::fs::write(&rows, cases(count)).unwrap();
    let copies = COPIES.replace("{seed}", seed);
    let mut command = match site {
        Site::Sqlite(demo) => {
            std::fs::write(&script, copies).unwrap();
            let mut command = Command::new("python3");
            command.args(["-c", SQLITE]).arg(demo.data_dir().join("idcheck.db")).arg(&rows).arg(&script);
            command
        }
        Site::Postgres(nodes) => {
            let table = "CREATE TABLE bench (n BIGINT, id UUID, ubn TEXT, case_number TEXT, received_at BIGINT, \
                         open INTEGER, due TEXT);";
            // What its housekeeping does of itself a minute later.
            let script_text =
                format!("{table}\n\\copy bench FROM '{}' CSV\n{copies}\nVACUUM ANALYZE;\n", rows.display());
            std::fs::write(&script, script_text).unwrap();
            let url = nodes.environment().iter().find(|(name, _)| *name == "IDCHECK_DATABASE_URL").unwrap();
            let mut command = Command::new("psql");
            command.args([url.1.as_str(), "-v", "ON_ERROR_STOP=1", "-q", "-f"]).arg(&script);
            command
        }
    };
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An officer's browser.
async fn console(site: &Site) -> Console {
    match site {
        Site::Sqlite(demo) => Console::of(demo, "reviewer2").await,
        Site::Postgres(nodes) => {
            let (name, password, secret) = &nodes.officers[1];
            Console::sign_in(&site.url(), name, password, secret).await
        }
    }
}

/// The addresses of the pages, with their names.
async fn pages(console: &Console, count: usize) -> Vec<(&'static str, String)> {
    let mut far = "/officer/applications".to_owned();
    // The text up to the end of the address that follows a mark.
    let after = |text: &str, mark: &str| {
        let (_, after) = text.split_once(mark).unwrap_or_else(|| panic!("no {mark} in {text}"));
        after.split('"').next().unwrap().replace("&amp;", "&").replace("&#x2f;", "/")
    };
    for _ in 0..(count / EACH / 100).min(20) {
        let shown = console.get(&far).await;
        far = after(&shown.text, "data-next href=\"");
    }
    let case = after(
        &console.get("/officer/applications").await.text,
        "<tr data-row><td><a class=\"mono nowrap\" href=\"",
    );
    vec![
        ("worklist page", "/officer".to_owned()),
        ("queue page", "/officer/applications".to_owned()),
        ("queue page far in", far),
        ("queue page by name", format!("/officer/applications?q=%20{}", count / EACH / 2)),
        ("queue page of ended cases", "/officer/applications?state=approved".to_owned()),
        ("case page", case),
    ]
}

/// Milliseconds at 95 of 100.
async fn p95(console: &Console, path: &str) -> f64 {
    let mut times = Vec::new();
    for _ in 0..REQUESTS {
        let begun = Instant::now();
        let shown = console.get(path).await;
        times.push(begun.elapsed());
        assert_eq!(shown.status, 200, "{path}: {}", shown.text);
    }
    times.sort_unstable();
    times.get(REQUESTS * 95 / 100).map_or(0.0, Duration::as_secs_f64) * 1000.0
}

async fn measure(site: &Site, database: &str, count: usize, rounds: usize) {
    let applicant = site.applicant(0);
    let filed = applicant.done("apply", &Applicant::application()).await;
    let reviewer = site.reviewer(1).await;
    reviewer.approve(filed["application"]["id"].as_str().unwrap()).await;
    fill(site, &applicant.ubn, count);
    let console = console(site).await;
    let pages = pages(&console, count).await;
    for _ in 0..rounds {
        for (page, path) in &pages {
            let value = p95(&console, path).await;
            let name = format!("{page}, {count} applications, {database}, p95");
            println!("{}", json!({"name": name, "value": value, "unit": "ms"}));
        }
    }
}

#[tokio::main]
async fn main() {
    let rounds = count_from("IDCHECK_TEST_BENCH_ROUNDS", 5);
    let large = count_from("IDCHECK_TEST_BENCH_LARGE", 0) > 0;
    let counts = if large { vec![10_000, 1_000_000] } else { vec![10_000] };
    for count in counts {
        let site = Site::sqlite().await;
        measure(&site, "SQLite", count, rounds).await;
        site.close();
        let site = Site::postgres(1).await;
        measure(&site, "PostgreSQL", count, rounds).await;
        site.close();
    }
}
