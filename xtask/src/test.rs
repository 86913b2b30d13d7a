//! `cargo xtask test`: every check and test there is, in the order in which they fail soonest; or one part of them, as CI has it
//! in jobs of their own.

use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ValueEnum;

use crate::{
    api, browser, configuration, layers, openapi,
    postgres::Postgres,
    shell::{self, cargo, command},
    tools,
};

/// A part of the whole. All of them together are the whole; no test is in two.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Format, layers, lints, documentation, dependencies, generated files.
    Lint,
    /// Tests of single crates that need no PostgreSQL, and those in the documentation.
    Unit,
    /// Tests that start the program, on SQLite.
    Sqlite,
    /// Every test on PostgreSQL.
    Postgres,
    /// Generated clients, and what browsers see.
    Browser,
}

/// Which tests are whose, as `cargo-nextest` filters them: by the database in their names.
const UNIT: &str = "not package(idcheck-tests) and not test(postgres)";
const SQLITE: &str = "package(idcheck-tests) and not test(postgres)";
const POSTGRES: &str = "test(postgres)";

struct Steps(Vec<(&'static str, Duration)>);

impl Steps {
    fn take(&mut self, name: &'static str, step: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        println!("\n== {name}");
        let started = Instant::now();
        step().with_context(|| format!("{name} failed after {:.1} s", started.elapsed().as_secs_f64()))?;
        self.0.push((name, started.elapsed()));
        Ok(())
    }
}

/// Runs all of it, or a part; the first failure ends it.
pub(crate) fn run(fast: bool, part: Option<Part>) -> anyhow::Result<()> {
    let mut steps = Steps(Vec::new());
    let of = |one| part.is_none_or(|part| part == one);
    if of(Part::Lint) {
        lint(&mut steps)?;
    }
    steps.take("programs", || shell::run(&mut cargo(&["build", "--quiet", "--workspace", "--bins"])))?;
    if of(Part::Lint) {
        steps.take("configuration's reference", || configuration::run(true))?;
        steps.take("OpenAPI document", || openapi::run(true))?;
    }
    match part {
        None if fast => tests(&mut steps, "not package(idcheck-tests)")?,
        None => tests(&mut steps, "all()")?,
        Some(Part::Unit) => tests(&mut steps, UNIT)?,
        Some(Part::Sqlite) => tests(&mut steps, SQLITE)?,
        Some(Part::Postgres) => tests(&mut steps, POSTGRES)?,
        Some(Part::Lint | Part::Browser) => {}
    }
    if of(Part::Browser) && !fast {
        steps.take("generated clients", browser::clients)?;
        steps.take("browser", browser::walk)?;
    }
    if of(Part::Unit) {
        steps.take("doctests", || shell::run(&mut cargo(&["test", "--quiet", "--workspace", "--doc"])))?;
    }
    println!();
    for (name, took) in &steps.0 {
        println!("{:>7.1} s  {name}", took.as_secs_f64());
    }
    Ok(())
}

/// What needs no test to run.
fn lint(steps: &mut Steps) -> anyhow::Result<()> {
    steps.take("format", || shell::run(&mut cargo(&["fmt", "--all", "--check"])))?;
    steps.take("layers", layers::run)?;
    steps.take("typos", || {
        let typos = tools::python()?.with_file_name("typos");
        shell::run(&mut command(typos, &["--config", "typos.toml"]))
    })?;
    steps.take("clippy", || {
        shell::run(&mut cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    steps.take("documentation", || {
        shell::run(
            cargo(&["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    })?;
    steps.take("public API", || api::run(true))?;
    steps.take("packages", api::package)?;
    steps.take("dependencies", || deny(&["bans", "licenses", "sources"]))
}

/// The tests of a filter.
fn tests(steps: &mut Steps, filter: &str) -> anyhow::Result<()> {
    let (python, pkits, postgres) = (tools::python()?, tools::pkits()?, Postgres::start()?);
    steps.take("tests", || {
        shell::run(
            tools::nextest()?
                .args(["run", "--workspace", "--no-fail-fast", "--filterset", filter])
                .env("IDCHECK_TEST_POSTGRES", &postgres.url)
                .env("IDCHECK_TEST_PYTHON", &python)
                .env("IDCHECK_TEST_PKITS", &pkits)
                .env("INSTA_UPDATE", "no")
                .env("INSTA_WORKSPACE_ROOT", shell::root()),
        )
    })
}

/// Looks for advisories about what is built in; they come without a change of ours.
pub(crate) fn advisories() -> anyhow::Result<()> {
    deny(&["advisories"])
}

fn deny(checks: &[&str]) -> anyhow::Result<()> {
    shell::run(&mut command(tools::cargo_deny()?, &[&["check", "--hide-inclusion-graph"], checks].concat()))
}
