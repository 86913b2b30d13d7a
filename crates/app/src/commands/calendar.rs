//! `calendar import`, `calendar day` and `calendar list`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::bail;
use chrono::{Datelike, NaiveDate};
use clap::Subcommand;
use idcheck_open_data::calendar;
use idcheck_usecases::ports::{CalendarEdit, CalendarStore};

use super::shared::{ConfigArguments, store};
use crate::{config::Config, wiring::office};

#[derive(Subcommand)]
pub(super) enum Command {
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
pub(super) enum DayState {
    /// Offices are closed.
    Off,
    /// Offices work.
    Working,
}

/// Runs it.
pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Import { file, config } => import(&config.read()?, &file).await,
        Command::Day { day, state, config } => set_day(&config.read()?, day, state == DayState::Off).await,
        Command::List(config) => list(&config.read()?).await,
    }
}

/// Takes a year's file; a calendar of the year that was known is replaced, and every day that differs is told, so
/// that a typhoon day declared since does not go unseen.
#[expect(clippy::print_stdout, reason = "the command's output")]
async fn import(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    let read = calendar::read(file)?;
    let store = store(config).await?;
    let before: Option<BTreeSet<NaiveDate>> =
        store.load().await?.days_off(read.year).map(std::iter::Iterator::collect);
    let now: BTreeSet<NaiveDate> = read.days_off.iter().copied().collect();
    let edit = CalendarEdit::Year { year: read.year, days_off: read.days_off };
    let moved = office::calendar(&Arc::new(store)).change(&edit).await?.unwrap_or_default();
    println!("{}: {} days off", read.year, now.len());
    tell(moved);
    if let Some(before) = before {
        for day in before.symmetric_difference(&now) {
            let (was, is) = if now.contains(day) { ("working", "off") } else { ("off", "working") };
            println!("  {day} was {was}, is {is} now");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Declares one day off or working, as for a typhoon; running deadlines follow.
#[expect(clippy::print_stdout, reason = "the command's output")]
async fn set_day(config: &Config, day: NaiveDate, off: bool) -> anyhow::Result<ExitCode> {
    let store = Arc::new(store(config).await?);
    let edit = CalendarEdit::Day { day, off };
    let Some(moved) = office::calendar(&store).change(&edit).await? else {
        bail!("the calendar of {} is not known; import it first", day.year());
    };
    println!("{day} is {}", if off { "off" } else { "working" });
    tell(moved);
    Ok(ExitCode::SUCCESS)
}

/// What became of what runs.
#[expect(clippy::print_stdout, reason = "the command's output")]
fn tell(moved: usize) {
    if moved > 0 {
        println!(
            "{moved} running deadlines were counted again; who was told a date that moved is written to"
        );
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn list(config: &Config) -> anyhow::Result<ExitCode> {
    let calendar = store(config).await?.load().await?;
    for year in calendar.years() {
        println!("{year}: {} days off", calendar.days_off(year).into_iter().flatten().count());
    }
    Ok(ExitCode::SUCCESS)
}
