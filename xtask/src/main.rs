//! Commands of the repository: `cargo xtask …`. One module a command.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a tool for a terminal"
)]

mod api;
mod bench;
mod browser;
mod circles;
mod configuration;
mod demo;
mod fuzz;
mod layers;
mod openapi;
mod performance;
mod postgres;
mod shell;
mod soak;
mod test;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Commands of the repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build in release and run `idcheck demo`.
    Demo {
        /// Passed on, such as `--listen 127.0.0.1:9000`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Every check and test there is, installing or starting what it needs.
    Test {
        /// Leave out the suites that start the program.
        #[arg(long, conflicts_with = "part")]
        fast: bool,
        /// One part only, as a job of CI.
        #[arg(long)]
        part: Option<test::Part>,
    },
    /// Look for advisories about what is built in; the only command that asks the network each time.
    Advisories,
    /// The long campaigns: `kills`, `database-kills`, `ledger-state`, `oracle`, `races`; all of them without a name.
    Soak {
        /// Which.
        name: Option<String>,
        /// How many, instead of the campaign's own count.
        #[arg(long)]
        count: Option<u32>,
        /// Against the programs as they are released.
        #[arg(long)]
        release: bool,
    },
    /// The benchmarks, in release: `certificate`, `pages`, `rules`, `tokens`, `verify`; all of them without a name. Writes
    /// `target/bench/report.json`.
    Bench {
        /// Which.
        name: Option<String>,
        #[command(flatten)]
        effort: bench::Effort,
    },
    /// Change encoded input again and again: `ber`, `certificate`, `cms`, `crl`, `ocsp`; all of them without a name.
    Fuzz {
        /// Which.
        target: Option<String>,
        /// How long; one turn at least.
        #[arg(long, default_value_t = 60)]
        minutes: u64,
        /// Changes for each seed in one turn, instead of the usual count.
        #[arg(long)]
        rounds: Option<u32>,
    },
    /// The crates' edges against the golden list, and where versions stand.
    Layers,
    /// Write what the crates for embedders promise, `crates/*/public-api.txt`.
    Api {
        /// Compare it instead; exit status 1 when it differs.
        #[arg(long)]
        check: bool,
    },
    /// Write the reference of the configuration, `docs/configuration.md`.
    Configuration {
        /// Compare it instead; exit status 1 when it differs.
        #[arg(long)]
        check: bool,
    },
    /// Write the tables of `docs/performance.md` from the report of `bench verify`.
    Performance,
    /// Write the OpenAPI document.
    Openapi {
        /// Compare it instead; exit status 1 when it differs.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Demo { arguments } => demo::run(&arguments),
        Command::Test { fast, part } => test::run(fast, part),
        Command::Advisories => test::advisories(),
        Command::Soak { name, count, release } => soak::soak(name.as_deref(), count, release),
        Command::Bench { name, effort } => bench::bench(name.as_deref(), effort),
        Command::Fuzz { target, minutes, rounds } => fuzz::fuzz(target.as_deref(), minutes, rounds),
        Command::Layers => layers::run(),
        Command::Api { check } => api::run(check),
        Command::Configuration { check } => configuration::run(check),
        Command::Performance => performance::run(),
        Command::Openapi { check } => openapi::run(check),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
