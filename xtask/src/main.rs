//! Commands of the repository: `cargo xtask …`. One module a command.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a tool for a terminal"
)]

mod bench_verify;
mod browser;
mod demo;
mod layers;
mod openapi;
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
        #[arg(long)]
        fast: bool,
    },
    /// The long campaigns: `kills`, `oracle`, `races`; all of them without a name.
    Soak {
        /// Which.
        name: Option<String>,
        /// How many, instead of the campaign's own count.
        #[arg(long)]
        count: Option<u32>,
    },
    /// Benchmarks in release; rows go to `target/bench/report.json`.
    Bench {
        /// Which.
        #[command(subcommand)]
        name: Bench,
    },
    /// The crates' edges against the golden list, and where versions stand.
    Layers,
    /// Write the OpenAPI document.
    Openapi {
        /// Compare it instead; exit status 1 when it differs.
        #[arg(long)]
        check: bool,
    },
}

#[derive(Subcommand)]
enum Bench {
    /// Load on the verification API, on both databases, beside one transaction a query.
    Verify {
        /// How many rounds of each variant count.
        #[arg(long, default_value_t = 5)]
        rounds: u32,
        /// How long a round lasts.
        #[arg(long, default_value_t = 5)]
        seconds: u32,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Demo { arguments } => demo::run(&arguments),
        Command::Test { fast } => test::run(fast),
        Command::Soak { name, count } => soak::soak(name.as_deref(), count),
        Command::Bench { name: Bench::Verify { rounds, seconds } } => {
            bench_verify::run_rounds(rounds, seconds)
        }
        Command::Layers => layers::run(),
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
