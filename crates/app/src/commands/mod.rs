//! The command line.

mod audit;
mod calendar;
mod cert;
mod company;
mod doctor;
mod officer;
mod registry;
mod serve;
mod upkeep;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand};
use idcheck_domain::officer::Role;
use idcheck_persistence::Store;

use crate::{
    config::{self, Config},
    demo::{self, DemoArguments},
    keyfile, logs, wiring,
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
        roles: Option<Vec<config::Role>>,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Bring the database schema up to this version.
    Migrate {
        #[command(subcommand)]
        step: MigrateCommand,
    },
    /// The household register.
    Registry {
        #[command(subcommand)]
        command: RegistryCommand,
    },
    /// The government's working calendar, by which deadlines are counted.
    Calendar {
        #[command(subcommand)]
        command: CalendarCommand,
    },
    /// The company register (open data of businesses).
    Company {
        #[command(subcommand)]
        command: CompanyCommand,
    },
    /// Compare every organisation with the company register; a dry run unless `--apply` is given.
    Sweep {
        /// Write the findings to the worklist that supervisors confirm.
        #[arg(long)]
        apply: bool,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Officers' accounts.
    Officer {
        #[command(subcommand)]
        command: OfficerCommand,
    },
    /// The audit log.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Card signatures.
    Cert {
        #[command(subcommand)]
        command: CertCommand,
    },
    /// Data that is kept for a limited time.
    Retention {
        #[command(subcommand)]
        command: RetentionCommand,
    },
    /// Backups of the database.
    Backup {
        #[command(subcommand)]
        command: BackupCommand,
    },
    /// Check that the service can run with this configuration; exits with 1 if a check fails.
    Doctor(ConfigArguments),
    /// The configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print the OpenAPI document.
    Openapi,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Check the configuration and report every error; exits with 1 if it can't be used.
    Check(ConfigArguments),
    /// Print the default values, as TOML.
    Default,
    /// Print every setting with its type, default and meaning.
    Reference,
}

/// Where the configuration is.
#[derive(Args)]
pub(crate) struct ConfigArguments {
    /// Path of the configuration file (TOML); every value can also be set in the environment as `IDCHECK_…`.
    #[arg(long)]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum MigrateCommand {
    /// Apply every pending migration.
    Up(ConfigArguments),
    /// List the migrations and whether each was applied.
    Status(ConfigArguments),
}

#[derive(Subcommand)]
enum RegistryCommand {
    /// Import persons from CSV: personId, applyCode, applyYyymmdd, issueSiteId, status.
    Import {
        /// The CSV file.
        file: PathBuf,
        /// Stop at the first batch that contains a bad row; nothing of that batch is written.
        #[arg(long)]
        stop_on_error: bool,
        /// The file is the complete register: a person who is not in it is unknown from then on. Queries are answered from
        /// the old register until the new one is complete; if a row is refused, the old one stays in force.
        #[arg(long)]
        replace: bool,
        /// Replace even if rows were refused or more than a tenth of the persons is missing.
        #[arg(long, alias = "despite-doubts", requires = "replace")]
        force: bool,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Write a CSV file of made-up persons.
    Generate {
        /// Number of rows.
        #[arg(long, default_value_t = 100_000)]
        count: usize,
        /// The file to write.
        file: PathBuf,
    },
}

#[derive(Subcommand)]
enum CompanyCommand {
    /// Import a snapshot in the format BGMOPEN1 (CSV, UTF-8); an interrupted import is resumed.
    Import {
        /// The CSV file.
        file: PathBuf,
        /// Put the snapshot in force even if rows were refused; those companies count as not registered.
        #[arg(long, alias = "despite-refused")]
        allow_refused: bool,
        /// Put it in force even if more than a tenth of the previous companies is missing.
        #[arg(long, alias = "despite-missing")]
        allow_missing: bool,
        /// Both `--allow-refused` and `--allow-missing`.
        #[arg(long, alias = "despite-doubts")]
        force: bool,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Write a CSV file of made-up companies in the same format.
    Generate {
        /// Number of rows.
        #[arg(long, default_value_t = 100_000)]
        count: usize,
        /// The file to write.
        file: PathBuf,
    },
}

#[derive(Subcommand)]
enum CalendarCommand {
    /// Import a year from the government's file (CSV or JSON), completely or not at all.
    Import {
        /// The CSV or JSON file.
        file: PathBuf,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Declare one day a day off, for example for a typhoon, or a working day.
    Day {
        /// The day, for example 2026-07-10.
        day: chrono::NaiveDate,
        /// Off or working.
        state: DayState,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// List the imported years.
    List(ConfigArguments),
}

/// What a day is declared to be.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum DayState {
    /// Offices are closed.
    Off,
    /// Offices work.
    Working,
}

#[derive(Subcommand)]
enum OfficerCommand {
    /// Add an officer; the password is read from standard input, the second factor's secret is printed once.
    Add {
        /// 3 to 32 lower-case letters, digits, '.' or '-'.
        username: String,
        /// reviewer, supervisor, auditor or admin.
        #[arg(long, value_parser = role)]
        role: Role,
        /// The officer's subject at the identity provider (`sub`); the officer then has no password and second factor here.
        #[arg(long)]
        subject: Option<String>,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// List the officers with role, sign-in method and whether the account is closed.
    List(ConfigArguments),
    /// Change an officer's role, effective from the officer's next request.
    Role {
        /// The officer's user name.
        username: String,
        /// reviewer, supervisor, auditor or admin.
        #[arg(value_parser = role)]
        role: Role,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Close an account and sign the officer out everywhere; the officer's history is kept.
    Close {
        /// The officer's user name.
        username: String,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Reopen a closed account.
    Open {
        /// The officer's user name.
        username: String,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Set a new password and second factor, or another subject; signs the officer out everywhere and unlocks the account.
    Reset {
        /// The officer's user name.
        username: String,
        /// The officer's subject at the identity provider (`sub`); the officer then has no password and second factor here.
        #[arg(long)]
        subject: Option<String>,
        #[command(flatten)]
        config: ConfigArguments,
    },
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Verify the hash chain; exits with 0 if it is intact and with 1 if it is broken.
    Verify {
        /// The first entry to verify.
        #[arg(long, default_value_t = 1)]
        from: i64,
        #[command(flatten)]
        config: ConfigArguments,
    },
}

#[derive(Subcommand)]
enum RetentionCommand {
    /// Delete what is older than `[retention]` allows; the deletion is recorded in the audit log, which stays verifiable.
    Run(ConfigArguments),
}

#[derive(Subcommand)]
enum BackupCommand {
    /// Write a consistent copy of a SQLite database while the service runs.
    Make {
        /// The file to write; it must not exist.
        file: PathBuf,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Replace a lost SQLite database with a copy. The service must not be running; the replaced file is kept next to the
    /// new one.
    Restore {
        /// The copy that `backup make` wrote.
        file: PathBuf,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Declare, before the service starts, that the database was restored by other means: sessions and challenges issued before become invalid.
    Restored(ConfigArguments),
}

#[derive(Subcommand)]
enum CertCommand {
    /// Verify a card signature; exits with 0 if it is accepted, 1 if refused, 2 if unreadable.
    Verify(cert::VerifyArguments),
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "reviewer, supervisor, auditor or admin".to_owned())
}

/// Parses an RFC 3339 time of the command line.
fn time(text: &str) -> Result<DateTime<Utc>, String> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(time.with_timezone(&Utc)),
        Err(_) => Err("a time such as 2026-12-01T09:00:00+08:00".to_owned()),
    }
}

/// Opens the store of a configuration, with the schema that this version works with.
async fn store(config: &Config) -> anyhow::Result<Store> {
    let store = store_of_any_schema(config).await?;
    let missing = store.migration_status().await?.iter().filter(|step| !step.applied).count();
    if missing > 0 {
        anyhow::bail!("the database's schema lacks {missing} steps; run `idcheck migrate up` first");
    }
    Ok(store)
}

/// Opens the store of a configuration, which is there; its schema need not be.
async fn store_of_any_schema(config: &Config) -> anyhow::Result<Store> {
    logs::set_up_for_commands();
    let key = keyfile::read(&config.key_file)?;
    wiring::open_store(&config.database_url, &key).await
}

/// The same where there may be no database yet: for `migrate up` only.
async fn store_to_migrate(config: &Config) -> anyhow::Result<Store> {
    logs::set_up_for_commands();
    let key = keyfile::read(&config.key_file)?;
    wiring::create_store(&config.database_url, &key).await
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
    match command {
        // These need no runtime.
        Command::Openapi => Ok(print_openapi()),
        Command::Config { command } => configuration(command),
        Command::Cert { command: CertCommand::Verify(arguments) } => cert::verify(&arguments),
        Command::Registry { command: RegistryCommand::Generate { count, file } } => {
            registry::generate(count, &file)
        }
        Command::Company { command: CompanyCommand::Generate { count, file } } => {
            company::generate(count, &file)
        }
        command => {
            tokio::runtime::Runtime::new().context("no runtime")?.block_on(Box::pin(execute_async(command)))
        }
    }
}

async fn execute_async(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(arguments) => Box::pin(demo::run(arguments)).await,
        Command::Serve { roles, config } => {
            let mut config = read(&config)?;
            config.roles = roles.unwrap_or(config.roles);
            Box::pin(serve::run(&config)).await
        }
        Command::Migrate { step: MigrateCommand::Up(arguments) } => {
            serve::migrate_up(&read(&arguments)?).await
        }
        Command::Migrate { step: MigrateCommand::Status(arguments) } => {
            serve::migration_status(&read(&arguments)?).await
        }
        Command::Registry {
            command: RegistryCommand::Import { file, stop_on_error, replace, force, config },
        } => {
            let options = registry::ImportOptions { stop_on_error, replace, force };
            Box::pin(registry::import(&read(&config)?, &file, options)).await
        }
        Command::Company {
            command: CompanyCommand::Import { file, allow_refused, allow_missing, force, config },
        } => {
            let allowed =
                company::Allowed { refused: allow_refused || force, missing: allow_missing || force };
            Box::pin(company::import(&read(&config)?, &file, allowed)).await
        }
        Command::Sweep { apply, config } => Box::pin(company::sweep(&read(&config)?, apply)).await,
        Command::Calendar { command } => Box::pin(execute_calendar(command)).await,
        Command::Officer { command } => officers(command).await,
        Command::Audit { command: AuditCommand::Verify { from, config } } => {
            audit::verify(&read(&config)?, from).await
        }
        Command::Retention { command: RetentionCommand::Run(config) } => {
            upkeep::retain(&read(&config)?).await
        }
        Command::Backup { command: BackupCommand::Make { file, config } } => {
            upkeep::back_up(&read(&config)?, &file).await
        }
        Command::Backup { command: BackupCommand::Restore { file, config } } => {
            upkeep::restore(&read(&config)?, &file).await
        }
        Command::Backup { command: BackupCommand::Restored(config) } => {
            upkeep::restored(&read(&config)?).await
        }
        Command::Doctor(arguments) => Ok(Box::pin(doctor::run(&arguments)).await),
        Command::Openapi
        | Command::Config { .. }
        | Command::Cert { .. }
        | Command::Company { command: CompanyCommand::Generate { .. } }
        | Command::Registry { command: RegistryCommand::Generate { .. } } => Ok(ExitCode::SUCCESS),
    }
}

async fn execute_calendar(command: CalendarCommand) -> anyhow::Result<ExitCode> {
    match command {
        CalendarCommand::Import { file, config } => calendar::import(&read(&config)?, &file).await,
        CalendarCommand::Day { day, state, config } => {
            calendar::set_day(&read(&config)?, day, state == DayState::Off).await
        }
        CalendarCommand::List(config) => calendar::list(&read(&config)?).await,
    }
}

fn read(arguments: &ConfigArguments) -> anyhow::Result<Config> {
    config::read(arguments.config.as_deref())
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn configuration(command: ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Check(arguments) => return Ok(doctor::check_config(&arguments)),
        ConfigCommand::Default => print!("{}", toml::to_string(&Config::default())?),
        ConfigCommand::Reference => print!("{}", include_str!("../../../../docs/configuration.md")),
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn print_openapi() -> ExitCode {
    println!("{}", idcheck_http::openapi_document());
    ExitCode::SUCCESS
}

async fn officers(command: OfficerCommand) -> anyhow::Result<ExitCode> {
    match command {
        OfficerCommand::Add { username, role, subject, config } => {
            officer::add(&read(&config)?, &username, role, subject.as_deref()).await
        }
        OfficerCommand::List(config) => officer::list(&read(&config)?).await,
        OfficerCommand::Role { username, role, config } => {
            officer::set_role(&read(&config)?, &username, role).await
        }
        OfficerCommand::Close { username, config } => {
            officer::set_closed(&read(&config)?, &username, true).await
        }
        OfficerCommand::Open { username, config } => {
            officer::set_closed(&read(&config)?, &username, false).await
        }
        OfficerCommand::Reset { username, subject, config } => {
            officer::reset(&read(&config)?, &username, subject.as_deref()).await
        }
    }
}
