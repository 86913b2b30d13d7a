//! The command line.

mod abuse;
mod audit;
mod backup;
mod calendar;
mod cert;
mod company;
mod config;
mod doctor;
mod migrate;
mod officer;
mod register_file;
mod registry;
mod retention;
mod serve;
mod shared;
mod sweep;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use self::shared::ConfigArguments;
use crate::{
    config::Role,
    demo::{self, DemoArguments},
};

/// Verification of national ID card data for companies: portal, officer console, APIs.
#[derive(Parser)]
#[command(name = "idcheck", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything on this computer, with made-up companies, cards and persons.
    Demo(DemoArguments),
    /// Run the service.
    Serve {
        /// The parts of the service that this process runs; all of them if not given.
        #[arg(long, value_delimiter = ',')]
        roles: Option<Vec<Role>>,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Bring the database schema up to this version.
    Migrate {
        #[command(subcommand)]
        command: migrate::Command,
    },
    /// The household register.
    Registry {
        #[command(subcommand)]
        command: registry::Command,
    },
    /// The government's working calendar, by which deadlines are counted.
    Calendar {
        #[command(subcommand)]
        command: calendar::Command,
    },
    /// The company register (open data of businesses).
    Company {
        #[command(subcommand)]
        command: company::Command,
    },
    /// Compare every organisation with the company register; a dry run unless `--apply` is given.
    Sweep {
        /// Write the findings to the worklist that supervisors confirm.
        #[arg(long)]
        apply: bool,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Rules of abnormal use.
    Abuse {
        #[command(subcommand)]
        command: abuse::Command,
    },
    /// Officers' accounts.
    Officer {
        #[command(subcommand)]
        command: officer::Command,
    },
    /// The audit log.
    Audit {
        #[command(subcommand)]
        command: audit::Command,
    },
    /// Card signatures.
    Cert {
        #[command(subcommand)]
        command: cert::Command,
    },
    /// Data that is kept for a limited time.
    Retention {
        #[command(subcommand)]
        command: retention::Command,
    },
    /// Backups of the database.
    Backup {
        #[command(subcommand)]
        command: backup::Command,
    },
    /// Check that the service can run with this configuration; exits with 1 if a check fails.
    Doctor(ConfigArguments),
    /// The configuration.
    Config {
        #[command(subcommand)]
        command: config::Command,
    },
    /// Print the OpenAPI document.
    Openapi,
}

/// Runs a command and turns its outcome into an exit status.
#[expect(clippy::print_stderr, reason = "the program's own errors")]
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    match execute(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("idcheck: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn execute(command: Command) -> anyhow::Result<ExitCode> {
    tokio::runtime::Runtime::new().context("no runtime")?.block_on(Box::pin(async {
        match command {
            Command::Demo(arguments) => Box::pin(demo::run(arguments)).await,
            Command::Serve { roles, config } => {
                let mut config = config.read()?;
                config.roles = roles.unwrap_or(config.roles);
                Box::pin(serve::run(&config)).await
            }
            Command::Migrate { command } => migrate::run(command).await,
            Command::Registry { command } => registry::run(command).await,
            Command::Calendar { command } => Box::pin(calendar::run(command)).await,
            Command::Company { command } => company::run(command).await,
            Command::Sweep { apply, config } => Box::pin(sweep::run(&config.read()?, apply)).await,
            Command::Abuse { command } => abuse::run(command).await,
            Command::Officer { command } => officer::run(command).await,
            Command::Audit { command } => audit::run(command).await,
            Command::Cert { command } => cert::run(&command),
            Command::Retention { command } => retention::run(command).await,
            Command::Backup { command } => backup::run(command).await,
            Command::Doctor(arguments) => Ok(Box::pin(doctor::run(&arguments)).await),
            Command::Config { command } => config::run(command),
            Command::Openapi => Ok(print_openapi()),
        }
    }))
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn print_openapi() -> ExitCode {
    println!("{}", idcheck_http::openapi_document());
    ExitCode::SUCCESS
}
