//! `backup make`, `backup restore` and `backup restored`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, bail};
use clap::Subcommand;
use idcheck_persistence::{Store, shown_address};

use super::{
    audit::shown,
    shared::{ConfigArguments, store},
};
use crate::{config::Config, keyfile, logs, system::SystemClock, wiring};

#[derive(Subcommand)]
pub(super) enum Command {
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

/// Runs it.
pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Make { file, config } => back_up(&config.read()?, &file).await,
        Command::Restore { file, config } => restore(&config.read()?, &file).await,
        Command::Restored(config) => restored(&config.read()?).await,
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn back_up(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    if file.exists() {
        bail!("{} is there already; a backup is written to a new file", file.display());
    }
    let path = file.to_str().context("the file's name is not UTF-8")?;
    let done = store(config).await?.back_up(path).await;
    let done = done.with_context(|| format!("{} can't be written", file.display()))?;
    done.context("PostgreSQL has tools of its own: `pg_basebackup` with WAL archiving, or `pg_dump`")?;
    println!(
        "written: {}; keep the key file too, and apart from it: without the key the copy can't be used",
        file.display()
    );
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn restore(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    logs::set_up_for_commands();
    let vault = wiring::store::vault(&keyfile::read(&config.key_file)?)?;
    let aside = Store::put_back(&config.database_url, file, vault, Arc::new(SystemClock)).await?;
    println!("in place: {} of {}", shown_address(&config.database_url), file.display());
    for kept in aside {
        println!("kept: {}; remove it when it is needed no more", kept.display());
    }
    restored(config).await
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn restored(config: &Config) -> anyhow::Result<ExitCode> {
    let (seq, at) = store(config).await?.restored().await?;
    println!(
        "noted: the last entry of the chain that is there is {seq}, of {}\n\
         Challenges, officers' sessions and tokens from before now count no more.\n\
         Not known: revocations and lock-outs since then; docs/guides/runbooks.md tells what to do before queries are \
         answered.",
        shown(at)
    );
    Ok(ExitCode::SUCCESS)
}
