//! `cargo xtask bench verify`: load on the verification API, on both databases, beside one transaction a query.

use std::fs;

use anyhow::Context;
use serde_json::{Value, json};

use crate::{
    postgres::Postgres,
    shell::{cargo, output, root, run},
};

/// Where every benchmark leaves its rows.
const REPORT: &str = "target/bench/report.json";

/// Builds in release, runs the rounds, prints a table and puts the rows into the report.
pub(crate) fn run_rounds(rounds: u32, seconds: u32) -> anyhow::Result<()> {
    run(&mut cargo(&["build", "--quiet", "--release", "-p", "idcheck", "-p", "idcheck-softcard", "--bins"]))?;
    let postgres = Postgres::start()?;
    let printed = output(
        cargo(&["bench", "--quiet", "-p", "idcheck-tests", "--bench", "verify"])
            .env("IDCHECK_TEST_POSTGRES", &postgres.url)
            .env("IDCHECK_BENCH_ROUNDS", rounds.to_string())
            .env("IDCHECK_BENCH_SECONDS", seconds.to_string()),
    )?;
    let rows: Vec<Value> = serde_json::from_str(&printed).context("what the bench printed")?;
    for row in &rows {
        let ratio =
            row["ratio"].as_f64().map(|ratio| format!("{ratio:.2} × {}", row["ratioTo"])).unwrap_or_default();
        let value = row["value"].as_f64().unwrap_or_default();
        println!("{:<50} {value:>10.1} {:<4} {ratio}", row["name"].as_str().unwrap_or_default(), row["unit"]);
    }
    write(&rows)
}

/// Rows of the same name are replaced, those of other benchmarks stay.
fn write(rows: &[Value]) -> anyhow::Result<()> {
    let path = root().join(REPORT);
    let known: Option<Value> = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let known = known.and_then(|report| report["rows"].as_array().cloned()).unwrap_or_default();
    let kept = known.into_iter().filter(|old| rows.iter().all(|new| new["name"] != old["name"]));
    let all: Vec<_> = kept.chain(rows.iter().cloned()).collect();
    fs::create_dir_all(path.parent().context("no folder")?)?;
    fs::write(&path, serde_json::to_vec_pretty(&json!({"rows": all}))?)?;
    println!("{}", path.display());
    Ok(())
}
