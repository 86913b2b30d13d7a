//! `retention run`.

use std::process::ExitCode;

use chrono::TimeDelta;
use clap::Subcommand;
use idcheck_domain::taipei;
use idcheck_persistence::Keep;
use idcheck_usecases::ports::Clock;

use super::shared::{ConfigArguments, store};
use crate::{config::Config, system::SystemClock};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Delete what is older than `[retention]` allows; the deletion is recorded in the audit log, which stays verifiable.
    Run(ConfigArguments),
}

/// Runs it.
pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(config) => retain(&config.read()?).await,
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn retain(config: &Config) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let before = |days: u32| now - TimeDelta::days(i64::from(days));
    let kept = &config.retention;
    let keep = Keep {
        records_before: before(kept.records),
        mails_before: before(kept.mails),
        organisations_before: before(kept.organisations),
    };
    let removed = store(config).await?.retain(&keep).await?;
    println!(
        "removed: {} records of queries before {}, {} mails before {}, {} organisations that ended before {}",
        removed.records,
        taipei::day(keep.records_before),
        removed.mails,
        taipei::day(keep.mails_before),
        removed.organisations,
        taipei::day(keep.organisations_before),
    );
    Ok(ExitCode::SUCCESS)
}
