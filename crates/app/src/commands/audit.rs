//! `audit verify`.

use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat};
use clap::Subcommand;
use idcheck_domain::taipei;
use idcheck_persistence::Fault;

use super::shared::{ConfigArguments, store};
use crate::config::Config;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Verify the hash chain; exits with 0 if it is intact and with 1 if it is broken.
    Verify {
        /// The first entry to verify.
        #[arg(long, default_value_t = 1)]
        from: i64,
        #[command(flatten)]
        config: ConfigArguments,
    },
}

/// Runs it.
pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Verify { from, config } => verify(&config.read()?, from).await,
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn verify(config: &Config, from: i64) -> anyhow::Result<ExitCode> {
    let store = store(config).await?;
    let end = store.chain_end().await?;
    if from < 1 || from > end.max(1) {
        anyhow::bail!("--from must be from 1 to {}: the chain's last entry", end.max(1));
    }
    let report = store.verify_chain(from).await?;
    match report.first_bad {
        None => {
            println!("intact: {} entries, {} verification records", report.entries, report.records);
            if report.removed > 0 {
                println!(
                    "the records of {} batches were removed after the time for which they are kept",
                    report.removed
                );
            }
            for gap in report.gaps {
                println!(
                    "entry {}: went on from a backup; what happened from {} to {} is lost",
                    gap.seq,
                    shown(gap.from),
                    shown(gap.until)
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        Some((seq, fault)) => {
            let what = match fault {
                Fault::Hash => "its content or place was changed",
                Fault::Missing => "it is missing",
                Fault::Records => "its verification records were changed",
                Fault::Head => "the chain does not end where it should",
            };
            println!("broken at entry {seq}: {what} ({} entries before it are intact)", report.entries);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Microseconds since 1970 as a Taipei time.
pub(super) fn shown(at: i64) -> String {
    let at = taipei::local(DateTime::from_timestamp_micros(at).unwrap_or_default());
    at.to_rfc3339_opts(SecondsFormat::Secs, false)
}
