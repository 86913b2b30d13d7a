//! `abuse replay`.

use std::{process::ExitCode, sync::Arc};

use anyhow::ensure;
use clap::Subcommand;
use idcheck_usecases::notice::{ReplayAbuse, Replayed};

use super::shared::{ConfigArguments, store};
use crate::{config::Config, system::SystemClock};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Tell what the thresholds in `[abuse]` would have found on past days; nothing is raised. To try another threshold, set it
    /// for this command only: `IDCHECK_ABUSE__NEIGHBOURS=8 idcheck abuse replay`.
    Replay {
        /// Days that end with today.
        #[arg(long, default_value_t = 30)]
        days: u32,
        #[command(flatten)]
        config: ConfigArguments,
    },
}

/// Runs it.
pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Replay { days, config } => replay(&config.read()?, days).await,
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn replay(config: &Config, days: u32) -> anyhow::Result<ExitCode> {
    let kept = config.retention.strikes;
    ensure!(
        (1..=kept).contains(&days),
        "--days must be 1 to {kept}: older counts are gone (retention.strikes)"
    );
    let store = Arc::new(store(config).await?);
    let replay = ReplayAbuse::new(Arc::new(SystemClock), Arc::clone(&store) as _, store);
    let found = replay.execute(&config.abuse.thresholds(), days).await?;
    for replayed in &found {
        println!("{}", line(replayed));
    }
    let new = found.iter().filter(|replayed| !replayed.raised).count();
    println!(
        "{days} days: {} notices by organisation and rule, {} that were raised, {new} that were not",
        found.len(),
        found.len() - new
    );
    Ok(ExitCode::SUCCESS)
}

fn line(Replayed { ubn, rule, first, days, counts, raised }: &Replayed) -> String {
    let counts: Vec<_> =
        counts.iter().map(|(measure, count)| format!("{}={count}", measure.as_str())).collect();
    let raised = if *raised { "raised" } else { "new" };
    format!("{ubn}  {raised:<6}  {:<17}  since {first}, {days} times  {}", rule.as_str(), counts.join(" "))
}
