//! `calendar import`, `calendar day` and `calendar list`.

use std::{collections::BTreeSet, path::Path, process::ExitCode};

use anyhow::bail;
use chrono::{Datelike, NaiveDate};
use idcheck_usecases::ports::{AuditEntry, CalendarStore, Changes};

use crate::{calendar, config::Config};

fn note(action: &str, subject: String, detail: String) -> AuditEntry {
    AuditEntry { actor: "operator".to_owned(), action: action.to_owned(), subject, detail }
}

/// Takes a year's file; a calendar of the year that was known is replaced, and every day that differs is told, so
/// that a typhoon day declared since does not go unseen.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn import(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    let read = calendar::read(file)?;
    let store = super::store(config).await?;
    let before: Option<BTreeSet<NaiveDate>> =
        store.load().await?.days_off(read.year).map(std::iter::Iterator::collect);
    store.set_year(read.year, &read.days_off).await?;
    let days = read.days_off.len();
    let detail = format!("daysOff:{days}");
    store.note(note("calendar.import", format!("calendar:{}", read.year), detail)).await?;
    println!("{}: {days} days off", read.year);
    if let Some(before) = before {
        let now: BTreeSet<NaiveDate> = read.days_off.into_iter().collect();
        for day in before.symmetric_difference(&now) {
            let (was, is) = if now.contains(day) { ("working", "off") } else { ("off", "working") };
            println!("  {day} was {was}, is {is} now");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Declares one day off or working, as for a typhoon.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn set_day(config: &Config, day: NaiveDate, off: bool) -> anyhow::Result<ExitCode> {
    let store = super::store(config).await?;
    let mut calendar = store.load().await?;
    if !calendar.set_day(day, off) {
        bail!("the calendar of {} is not known; import it first", day.year());
    }
    let days: Vec<NaiveDate> = calendar.days_off(day.year()).into_iter().flatten().collect();
    store.set_year(day.year(), &days).await?;
    let word = if off { "off" } else { "working" };
    store.note(note("calendar.day", format!("day:{day}"), word.to_owned())).await?;
    println!("{day} is {word}");
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn list(config: &Config) -> anyhow::Result<ExitCode> {
    let calendar = super::store(config).await?.load().await?;
    for year in calendar.years() {
        println!("{year}: {} days off", calendar.days_off(year).into_iter().flatten().count());
    }
    Ok(ExitCode::SUCCESS)
}
