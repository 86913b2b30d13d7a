//! `cargo xtask bench`: the benchmarks, as a table and as `target/bench/report.json`. A benchmark is a function that
//! gives rows; what is measured is measured several times, and a row tells the median.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::{
    demo::target_directory,
    shell::{cargo, output},
};

/// How often each is measured.
const ROUNDS: usize = 3;

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

/// A benchmark: its name, and what runs it.
type Benchmark = (&'static str, fn() -> anyhow::Result<Vec<Row>>);

const BENCHMARKS: [Benchmark; 1] = [("certificate", certificate)];

/// Runs one benchmark, or all.
pub(crate) fn bench(name: Option<&str>) -> anyhow::Result<()> {
    let chosen: Vec<_> =
        BENCHMARKS.iter().filter(|(known, _)| name.is_none_or(|name| name == *known)).collect();
    if chosen.is_empty() {
        bail!("there is no such benchmark; there are {}", BENCHMARKS.map(|(name, _)| name).join(", "));
    }
    let mut rows = Vec::new();
    for (name, run) in chosen {
        rows.extend(run().with_context(|| format!("benchmark {name}"))?);
    }
    for row in &rows {
        let against =
            row.against.as_ref().map_or(String::new(), |(name, ratio)| format!("  {ratio:.2} × {name}"));
        println!("{:<44} {:>12.1} {:<5}{against}", row.name, row.value, row.unit);
    }
    let folder = target_directory()?.join("bench");
    fs::create_dir_all(&folder)?;
    let file = folder.join("report.json");
    fs::write(&file, serde_json::to_vec_pretty(&report(&rows))?)?;
    println!("{}", file.display());
    Ok(())
}

fn report(rows: &[Row]) -> Value {
    let rows = rows.iter().map(|row| {
        json!({
            "name": row.name, "value": row.value, "unit": row.unit, "rounds": row.rounds,
            "ratioTo": row.against.as_ref().map(|(name, _)| name),
            "ratio": row.against.as_ref().map(|(_, ratio)| ratio),
        })
    });
    json!({ "rows": rows.collect::<Vec<_>>() })
}

/// Full verification on one core beside OpenSSL's `CMS_verify`, on the same input in the same run.
fn certificate() -> anyhow::Result<Vec<Row>> {
    const OURS: &str = "full verification, CRL of 100,000 entries";
    const THEIRS: &str = "the same by OpenSSL's CMS_verify";
    let bench = ["bench", "--quiet", "-p", "idcheck-certificate", "--bench", "verification"];
    let printed = (0..ROUNDS).map(|_| output(&mut cargo(&bench))).collect::<anyhow::Result<Vec<_>>>()?;
    medians(&printed, &[(OURS, THEIRS)])
}

/// The rows of runs that print one JSON object a line: `{"name","value","unit"}`. Of the `pairs`, the first is held
/// against the second.
fn medians(printed: &[String], pairs: &[(&str, &str)]) -> anyhow::Result<Vec<Row>> {
    let mut measured: BTreeMap<String, (String, Vec<f64>)> = BTreeMap::new();
    for line in printed.iter().flat_map(|run| run.lines()).filter(|line| line.starts_with('{')) {
        let row: Value = serde_json::from_str(line).context("a benchmark's line")?;
        let text =
            |member: &str| row[member].as_str().map(str::to_owned).context("a line without a name or unit");
        let value = row["value"].as_f64().context("a line without a value")?;
        measured.entry(text("name")?).or_insert((text("unit")?, Vec::new())).1.push(value);
    }
    if measured.is_empty() {
        bail!("nothing was measured");
    }
    for (_, values) in measured.values_mut() {
        values.sort_by(f64::total_cmp);
    }
    let median = |values: &[f64]| values[values.len() / 2];
    let against = |name: &str| {
        let (_, other) = pairs.iter().find(|(own, _)| *own == name)?;
        let own = median(&measured.get(name)?.1);
        Some(((*other).to_owned(), own / median(&measured.get(*other)?.1)))
    };
    Ok(measured
        .iter()
        .map(|(name, (unit, values))| Row {
            name: name.clone(),
            value: median(values),
            unit: unit.clone(),
            against: against(name),
            rounds: values.len(),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_medians_held_against_each_other() {
        let run = |ours: f64, theirs: f64| {
            format!(
                "a line of the compiler\n{}\n{}\n",
                json!({"name": "ours", "value": ours, "unit": "1/s"}),
                json!({"name": "theirs", "value": theirs, "unit": "1/s"})
            )
        };
        let rows = medians(&[run(30.0, 10.0), run(20.0, 40.0), run(90.0, 5.0)], &[("ours", "theirs")]).ok();
        let rows = rows.as_deref().map(report);
        let expected = json!({"rows": [
            {"name": "ours", "value": 30.0, "unit": "1/s", "ratioTo": "theirs", "ratio": 3.0, "rounds": 3},
            {"name": "theirs", "value": 10.0, "unit": "1/s", "ratioTo": null, "ratio": null, "rounds": 3},
        ]});
        assert_eq!(rows, Some(expected));
    }

    #[test]
    fn nothing_measured_is_an_error() {
        assert!(medians(&["skipped\n".to_owned()], &[]).is_err());
    }
}
