//! `migrate up` and `migrate status`.

use std::process::ExitCode;

use clap::Subcommand;

use super::shared::{ConfigArguments, store_of_any_schema, store_to_migrate};
use crate::config::Config;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Apply every pending migration.
    Up(ConfigArguments),
    /// List the migrations and whether each was applied.
    Status(ConfigArguments),
}

/// Runs it.
pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(config) => up(&config.read()?).await,
        Command::Status(config) => status(&config.read()?).await,
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn up(config: &Config) -> anyhow::Result<ExitCode> {
    let store = store_to_migrate(config).await?;
    if let Some(step) = store.migration_status().await?.iter().find(|step| !step.known) {
        anyhow::bail!(
            "the database is of a newer version, which took step {}; use that version's idcheck",
            step.name
        );
    }
    store.migrate_up().await?;
    println!("the schema is up to date");
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn status(config: &Config) -> anyhow::Result<ExitCode> {
    for step in store_of_any_schema(config).await?.migration_status().await? {
        let state = match (step.applied, step.known) {
            (true, true) => "taken  ",
            (true, false) => "newer  ",
            (false, _) => "missing",
        };
        println!("{state} {}", step.name);
    }
    Ok(ExitCode::SUCCESS)
}
