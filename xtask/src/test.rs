//! `cargo xtask test`: every check and test there is, in the order in which they fail soonest.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::{
    api, browser, configuration, layers, openapi,
    postgres::Postgres,
    shell::{self, cargo, command},
    tools,
};

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

/// Runs all of it; the first failure ends it.
pub(crate) fn run(fast: bool) -> anyhow::Result<()> {
    let mut steps = Steps(Vec::new());
    steps.take("format", || shell::run(&mut cargo(&["fmt", "--all", "--check"])))?;
    steps.take("layers", layers::run)?;
    let python = tools::python()?;
    steps.take("typos", || {
        let typos = python.with_file_name("typos");
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
    steps.take("dependencies", || {
        shell::run(&mut command(
            tools::cargo_deny()?,
            &["check", "--hide-inclusion-graph", "bans", "licenses", "sources"],
        ))
    })?;
    steps.take("programs", || shell::run(&mut cargo(&["build", "--quiet", "--workspace", "--bins"])))?;
    steps.take("configuration's reference", || configuration::run(true))?;
    steps.take("OpenAPI document", || openapi::run(true))?;
    let pkits = tools::pkits()?;
    let postgres = Postgres::start()?;
    steps.take("tests", || {
        let mut tests = tools::nextest()?;
        tests.args(["run", "--workspace", "--no-fail-fast"]);
        if fast {
            tests.args(["--exclude", "idcheck-tests"]);
        }
        shell::run(
            tests
                .env("IDCHECK_TEST_POSTGRES", &postgres.url)
                .env("IDCHECK_TEST_PYTHON", &python)
                .env("IDCHECK_TEST_PKITS", &pkits)
                .env("INSTA_UPDATE", "no")
                .env("INSTA_WORKSPACE_ROOT", shell::root()),
        )
    })?;
    if !fast {
        steps.take("generated clients", browser::clients)?;
        steps.take("browser", browser::walk)?;
    }
    steps.take("doctests", || shell::run(&mut cargo(&["test", "--quiet", "--workspace", "--doc"])))?;
    println!();
    for (name, took) in &steps.0 {
        println!("{:>7.1} s  {name}", took.as_secs_f64());
    }
    Ok(())
}
