//! `cargo xtask bench`: the benchmarks, as a table and as `target/bench/report.json`. A benchmark is a function that
//! gives rows; what is measured is measured several times, and a row tells the median.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::{
    browser,
    demo::target_directory,
    postgres::Postgres,
    shell::{cargo, output, run},
};

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    name: String,
    value: f64,
    unit: String,
    /// The name of the row that this one is held against, and how many times that it is.
    against: Option<(String, f64)>,
    rounds: usize,
}

/// How often, and how long where it is a matter of time.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Effort {
    /// How often each is measured.
    #[arg(long, default_value_t = 5, value_parser = positive)]
    rounds: usize,
    /// Seconds of load in a round of `verify`.
    #[arg(long, default_value_t = 5, value_parser = positive)]
    seconds: usize,
    /// `pages` with 1,000,000 applications too.
    #[arg(long)]
    large: bool,
    /// Processes on one database that `verify` measures beside one.
    #[arg(long, default_value_t = 3, value_parser = positive)]
    nodes: usize,
    /// Persons in the register of `verify`.
    #[arg(long, default_value_t = 2_000_000, value_parser = positive)]
    rows: usize,
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "a number from 1 on".to_owned())
}

/// A benchmark: its name, and what runs it.
type Benchmark = (&'static str, fn(Effort) -> anyhow::Result<Vec<Row>>);

const BENCHMARKS: [Benchmark; 5] = [
    ("certificate", certificate),
    ("pages", pages),
    ("rules", rules),
    ("tokens", tokens),
    ("verify", verify),
];

/// Runs one benchmark, or all. Rows of the same name replace those in the report, the others stay.
pub(crate) fn bench(name: Option<&str>, effort: Effort) -> anyhow::Result<()> {
    let chosen: Vec<_> =
        BENCHMARKS.iter().filter(|(known, _)| name.is_none_or(|name| name == *known)).collect();
    if chosen.is_empty() {
        bail!("there is no such benchmark; there are {}", BENCHMARKS.map(|(name, _)| name).join(", "));
    }
    let mut rows = Vec::new();
    for (name, run) in chosen {
        rows.extend(run(effort).with_context(|| format!("benchmark {name}"))?);
    }
    for row in &rows {
        let against =
            row.against.as_ref().map_or(String::new(), |(name, ratio)| format!("  {ratio:.2} × {name}"));
        println!("{:<52} {:>12.1} {:<5}{against}", row.name, row.value, row.unit);
    }
    let folder = target_directory()?.join("bench");
    fs::create_dir_all(&folder)?;
    let file = folder.join("report.json");
    let known: Option<Value> = fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    fs::write(&file, serde_json::to_vec_pretty(&merged(known, report(&rows)))?)?;
    println!("{}", file.display());
    Ok(())
}

/// The rows of an earlier report whose names are not among the new ones, and the new ones.
fn merged(known: Option<Value>, new: Vec<Value>) -> Value {
    let known =
        known.and_then(|mut report| report["rows"].as_array_mut().map(std::mem::take)).unwrap_or_default();
    let kept = known.into_iter().filter(|old| new.iter().all(|row| row["name"] != old["name"]));
    let mut rows: Vec<_> = kept.collect();
    rows.extend(new);
    json!({ "rows": rows })
}

fn report(rows: &[Row]) -> Vec<Value> {
    let rows = rows.iter().map(|row| {
        json!({
            "name": row.name, "value": row.value, "unit": row.unit, "rounds": row.rounds,
            "ratioTo": row.against.as_ref().map(|(name, _)| name),
            "ratio": row.against.as_ref().map(|(_, ratio)| ratio),
        })
    });
    rows.collect()
}

/// Full verification on one core beside OpenSSL's `CMS_verify`, on the same input in the same run.
fn certificate(effort: Effort) -> anyhow::Result<Vec<Row>> {
    let bench = ["bench", "--quiet", "-p", "idcheck-certificate", "--bench", "verification"];
    let printed =
        (0..effort.rounds).map(|_| output(&mut cargo(&bench))).collect::<anyhow::Result<Vec<_>>>()?;
    medians(&printed.concat())
}

/// One token of each kind on one core.
fn tokens(_: Effort) -> anyhow::Result<Vec<Row>> {
    criterion("idcheck-token", "tokens", "token")
}

/// The rules of a query, one by one, on one core.
fn rules(_: Effort) -> anyhow::Result<Vec<Row>> {
    criterion("idcheck-domain", "rules", "rule")
}

/// What criterion measures in a benchmark, by its own medians.
fn criterion(package: &str, bench: &str, what: &str) -> anyhow::Result<Vec<Row>> {
    let folder = target_directory()?.join("criterion").join(bench);
    run(cargo(&["bench", "--quiet", "-p", package, "--bench", bench]).env("CRITERION_HOME", &folder))?;
    let mut rows = Vec::new();
    for entry in fs::read_dir(folder)? {
        let folder = entry?.path().join("new");
        let (Ok(estimates), Ok(benchmark), Ok(sample)) = (
            fs::read(folder.join("estimates.json")),
            fs::read(folder.join("benchmark.json")),
            fs::read(folder.join("sample.json")),
        ) else {
            continue;
        };
        let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes);
        let (estimates, benchmark, sample) = (read(&estimates)?, read(&benchmark)?, read(&sample)?);
        let nanoseconds = estimates["median"]["point_estimate"].as_f64().context("no median")?;
        rows.push(Row {
            name: format!("{what}: {}", benchmark["full_id"].as_str().context("no name")?),
            value: nanoseconds / 1000.0,
            unit: "µs".to_owned(),
            against: None,
            rounds: sample["times"].as_array().map_or(0, Vec::len),
        });
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}

/// Pages of the officer console of the release program on a database full of cases, on both databases, and a visit to the portal.
fn pages(effort: Effort) -> anyhow::Result<Vec<Row>> {
    run(&mut cargo(&["build", "--quiet", "--release", "-p", "idcheck", "-p", "idcheck-softcard", "--bins"]))?;
    let postgres = Postgres::start()?;
    let printed = output(
        cargo(&["bench", "--quiet", "-p", "idcheck-tests", "--bench", "pages"])
            .env("IDCHECK_TEST_POSTGRES", &postgres.url)
            .env("IDCHECK_TEST_BENCH_ROUNDS", effort.rounds.to_string())
            .env("IDCHECK_TEST_BENCH_LARGE", u8::from(effort.large).to_string()),
    )?;
    medians(&(printed + &browser::visit(effort.rounds)?))
}

/// Load on the verification API of the release program, on both databases, beside one transaction a query
/// and a server without a database.
fn verify(effort: Effort) -> anyhow::Result<Vec<Row>> {
    run(&mut cargo(&["build", "--quiet", "--release", "-p", "idcheck", "-p", "idcheck-softcard", "--bins"]))?;
    let postgres = Postgres::start()?;
    let printed = output(
        cargo(&["bench", "--quiet", "-p", "idcheck-tests", "--bench", "verify"])
            .env("IDCHECK_TEST_POSTGRES", &postgres.url)
            .env("IDCHECK_TEST_BENCH_FLOOR", floor()?)
            .env("IDCHECK_TEST_BENCH_ROUNDS", effort.rounds.to_string())
            .env("IDCHECK_TEST_BENCH_SECONDS", effort.seconds.to_string())
            .env("IDCHECK_TEST_BENCH_NODES", effort.nodes.to_string())
            .env("IDCHECK_TEST_BENCH_ROWS", effort.rows.to_string()),
    )?;
    medians(&printed)
}

/// Builds the server without a database; where it is.
fn floor() -> anyhow::Result<String> {
    let bench = ["bench", "-p", "idcheck-http", "--bench", "floor", "--no-run", "--message-format", "json"];
    let printed = output(&mut cargo(&bench))?;
    let messages = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter(|message| message["target"]["name"] == "floor");
    let program = programs.find_map(|message| message["executable"].as_str().map(str::to_owned));
    program.context("cargo did not say where the floor is")
}

/// The rows of a program that prints one JSON object a line, once for each round: `{"name","value","unit"}`, and where
/// it is held against another row, that one's name as `"against"`.
fn medians(printed: &str) -> anyhow::Result<Vec<Row>> {
    let mut rows: Vec<(Row, Option<String>, Vec<f64>)> = Vec::new();
    for line in printed.lines().filter(|line| line.starts_with('{')) {
        let measured: Value = serde_json::from_str(line).context("a benchmark's line")?;
        let text = |member: &str| measured[member].as_str().map(str::to_owned);
        let name = text("name").context("a line without a name")?;
        let value = measured["value"].as_f64().context("a line without a value")?;
        if let Some((_, _, values)) = rows.iter_mut().find(|(row, _, _)| row.name == name) {
            values.push(value);
            continue;
        }
        let unit = text("unit").context("a line without a unit")?;
        rows.push((Row { name, value, unit, against: None, rounds: 0 }, text("against"), vec![value]));
    }
    if rows.is_empty() {
        bail!("nothing was measured");
    }
    for (row, _, values) in &mut rows {
        values.sort_by(f64::total_cmp);
        (row.value, row.rounds) = (values[values.len() / 2], values.len());
    }
    let values: BTreeMap<_, _> = rows.iter().map(|(row, ..)| (row.name.clone(), row.value)).collect();
    let held = |(row, against, _): (Row, Option<String>, _)| {
        let other = against.and_then(|name| Some((values.get(&name).copied()?, name)));
        let against = other.filter(|(value, _)| *value > 0.0).map(|(value, name)| (name, row.value / value));
        Row { against, ..row }
    };
    Ok(rows.into_iter().map(held).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_medians_held_against_each_other() {
        let run = |ours: f64, theirs: f64| {
            format!(
                "a line of the compiler\n{}\n{}\n",
                json!({"name": "ours", "value": ours, "unit": "1/s", "against": "theirs"}),
                json!({"name": "theirs", "value": theirs, "unit": "1/s"})
            )
        };
        let rows = medians(&[run(30.0, 10.0), run(20.0, 40.0), run(90.0, 5.0)].concat()).ok();
        let rows = rows.as_deref().map(report);
        let expected = vec![
            json!({"name": "ours", "value": 30.0, "unit": "1/s", "ratioTo": "theirs", "ratio": 3.0, "rounds": 3}),
            json!({"name": "theirs", "value": 10.0, "unit": "1/s", "ratioTo": null, "ratio": null, "rounds": 3}),
        ];
        assert_eq!(rows, Some(expected));
    }

    #[test]
    fn nothing_measured_is_an_error() {
        assert!(medians("skipped\n").is_err());
    }

    #[test]
    fn a_row_measured_anew_replaces_the_old_one() {
        let report = merged(
            Some(json!({"rows": [{"name": "a", "value": 1}, {"name": "b", "value": 2}]})),
            vec![json!({"name": "a", "value": 3})],
        );
        assert_eq!(report, json!({"rows": [{"name": "b", "value": 2}, {"name": "a", "value": 3}]}));
    }
}
