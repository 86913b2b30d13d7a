//! `cargo xtask performance`: the tables of `docs/performance.md`, written from the report of `cargo xtask bench verify`.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use anyhow::Context;
use serde_json::Value;

use crate::{demo::target_directory, shell::root};

const PAGE: &str = "docs/performance.md";
const BEGIN: &str = "<!-- written by `cargo xtask performance` -->\n";
const END: &str = "<!-- up to here -->\n";
const FLOOR: &str = "floor, no database";
/// Rows of the first table: a variant, and the one that its rate is held against beside the floor.
const VARIANTS: [(&str, &str); 9] = [
    (FLOOR, ""),
    ("PostgreSQL", "PostgreSQL, one transaction a query"),
    ("PostgreSQL, one ID number", "PostgreSQL"),
    ("PostgreSQL, 1 ms more a flush", "PostgreSQL"),
    ("PostgreSQL, 3 nodes", "PostgreSQL"),
    ("PostgreSQL, one transaction a query", ""),
    ("SQLite", "SQLite, one transaction a query"),
    ("SQLite, one ID number", "SQLite"),
    ("SQLite, one transaction a query", ""),
];

/// Figures by their names.
struct Report(BTreeMap<String, f64>);

impl Report {
    fn read() -> anyhow::Result<Self> {
        let file = target_directory()?.join("bench/report.json");
        let text =
            fs::read(&file).with_context(|| format!("{}: run `cargo xtask bench verify`", file.display()))?;
        let report: Value = serde_json::from_slice(&text)?;
        let rows = report["rows"].as_array().context("a report without rows")?.iter();
        let figure = |row: &Value| Some((row["name"].as_str()?.to_owned(), row["value"].as_f64()?));
        Ok(Self(rows.filter_map(figure).collect()))
    }

    fn figure(&self, variant: &str, what: &str) -> anyhow::Result<f64> {
        let name = format!("{variant}: {what}");
        self.0.get(&name).copied().with_context(|| format!("the report has no {name:?}"))
    }

    /// The full rate.
    fn rates(&self) -> anyhow::Result<String> {
        let mut table = String::from(
            "| variant | queries/s | to the floor | to another | p50, p99, p99.9 ms | CPU a query: server, database |\n\
             |---|---|---|---|---|---|\n",
        );
        let floor = self.figure(FLOOR, "rate")?;
        for (variant, other) in VARIANTS {
            let rate = self.figure(variant, "rate")?;
            let against = if other.is_empty() {
                String::new()
            } else {
                format!("{:.2} × {other}", rate / self.figure(other, "rate")?)
            };
            writeln!(
                table,
                "| {variant} | {rate:.0} | {:.2} | {against} | {} | {:.1} + {:.1} µs |",
                rate / floor,
                self.latencies(variant)?,
                self.figure(variant, "server CPU a query")?,
                self.figure(variant, "database CPU a query")?,
            )?;
        }
        Ok(table)
    }

    /// Half of it, and what a process costs that does nothing.
    fn halves(&self) -> anyhow::Result<String> {
        let mut table = String::from(
            "| at half of its rate | queries/s | p50, p99, p99.9 ms | CPU a query: server, database | start to ready \
             | memory, idle | CPU, idle |\n|---|---|---|---|---|---|---|\n",
        );
        for variant in [FLOOR, "PostgreSQL", "SQLite"] {
            let half = format!("{variant} at half of its rate");
            let idle = |what, unit| {
                self.figure(variant, what)
                    .map_or_else(|_| String::new(), |value| format!("{value:.0} {unit}"))
            };
            writeln!(
                table,
                "| {variant} | {:.0} | {} | {:.1} + {:.1} µs | {} | {} | {} |",
                self.figure(&half, "rate")?,
                self.latencies(&half)?,
                self.figure(&half, "server CPU a query")?,
                self.figure(&half, "database CPU a query")?,
                idle("from the start until it is ready", "ms"),
                idle("memory held when idle", "MiB"),
                idle("CPU of a second when idle", "ms a second"),
            )?;
        }
        Ok(table)
    }

    fn latencies(&self, variant: &str) -> anyhow::Result<String> {
        let [p50, p99, p999] = ["p50", "p99", "p999"].map(|what| self.figure(variant, what));
        Ok(format!("{:.1}, {:.1}, {:.1}", p50?, p99?, p999?))
    }
}

/// Writes the tables between their marks.
pub(crate) fn run() -> anyhow::Result<()> {
    let report = Report::read()?;
    let page = root().join(PAGE);
    let text = fs::read_to_string(&page)?;
    let written = between(&text, &format!("{}\n{}", report.rates()?, report.halves()?));
    fs::write(&page, written.with_context(|| format!("{PAGE} has no marks"))?)?;
    Ok(())
}

fn between(text: &str, tables: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_between_their_marks() {
        let text = format!("a\n{BEGIN}old\n{END}b\n");
        let once = between(&text, "new\n");
        assert_eq!(once, Some(format!("a\n{BEGIN}\nnew\n\n{END}b\n")));
        assert_eq!(once.as_deref().and_then(|once| between(once, "new\n")), once);
        assert_eq!(between("without", "new\n"), None);
    }

    #[test]
    fn every_variant_needs_its_figures() {
        let mut figures = BTreeMap::new();
        for (variant, _) in VARIANTS {
            for half in ["", " at half of its rate"] {
                for what in ["rate", "p50", "p99", "p999", "server CPU a query", "database CPU a query"] {
                    figures.insert(format!("{variant}{half}: {what}"), 2.0);
                }
            }
        }
        figures.insert("SQLite, one transaction a query: rate".to_owned(), 0.5);
        let mut report = Report(figures);
        let rates = report.rates().unwrap_or_default();
        assert!(
            rates.contains("| SQLite | 2 | 1.00 | 4.00 × SQLite, one transaction a query | 2.0, 2.0, 2.0 |"),
            "{rates}"
        );
        assert!(report.halves().is_ok());
        report.0.remove("SQLite: p99");
        assert!(report.rates().is_err());
    }
}
