//! The day as Taipei counts it. UTC+8 the year round: daylight saving time was last kept in 1979.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, TimeDelta, Utc};

const OFFSET_SECONDS: i32 = 8 * 3600;

/// The calendar day in Taipei at `at`; the day boundary of 注意事項 六 and of every deadline.
///
/// ```
/// let evening = "2026-11-23T23:59:59+08:00".parse()?;
/// let in_utc: chrono::DateTime<chrono::Utc> = "2026-11-23T16:00:00Z".parse()?;
/// assert_eq!(idcheck_domain::taipei::day(evening).to_string(), "2026-11-23");
/// assert_eq!(idcheck_domain::taipei::day(in_utc).to_string(), "2026-11-24");
/// # Ok::<(), chrono::ParseError>(())
/// ```
pub fn day(at: DateTime<Utc>) -> NaiveDate {
    (at.naive_utc() + TimeDelta::seconds(i64::from(OFFSET_SECONDS))).date()
}

/// A day as people type it, `2026-11-23`, of the years 1912 to 2911, the first thousand of the Republic: later and earlier
/// ones are slips of the finger, and some have no instant.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    let day: NaiveDate = text.trim().parse().ok()?;
    (1912..=2911).contains(&day.year()).then_some(day)
}

/// The instant at which `day` begins in Taipei.
pub fn start_of(day: NaiveDate) -> DateTime<Utc> {
    (day.and_time(NaiveTime::MIN) - TimeDelta::seconds(i64::from(OFFSET_SECONDS))).and_utc()
}

/// The instant at which `day` ends in Taipei (24:00), which is the start of the next day.
pub fn end_of(day: NaiveDate) -> DateTime<Utc> {
    start_of(day) + TimeDelta::days(1)
}

/// `at` with Taipei's offset, for showing it.
pub fn local(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    match FixedOffset::east_opt(OFFSET_SECONDS) {
        Some(offset) => at.with_timezone(&offset),
        None => at.fixed_offset(),
    }
}
