//! Working days and the deadlines counted in them (注意事項 五).
//!
//! The government publishes one calendar a year; its make-up Saturdays are working days. A year whose calendar is
//! not known is counted by weekends, and every date that needed it says so ([`DueDate::provisional`]): such a year
//! is never silently one without holidays.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc, Weekday};

use crate::taipei;

/// Working days that a decision and the answer to a clarification may take (注意事項 五).
pub const PROMISED_DAYS: u32 = 5;

/// The working calendar of the years that are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkingCalendar {
    years: BTreeMap<i32, BTreeSet<NaiveDate>>,
    edition: i64,
}

/// What a deadline is counted by: `days` working days after the day `from`, which itself is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The day before the first that counts.
    pub from: NaiveDate,
    /// Working days.
    pub days: u32,
}

impl WorkingCalendar {
    /// The same, numbered by a store that changes it: a deadline counted by an edition that is no longer in force is counted
    /// again.
    #[must_use]
    pub fn with_edition(self, edition: i64) -> Self {
        Self { edition, ..self }
    }

    /// Its number; 0 where nobody numbers it.
    pub const fn edition(&self) -> i64 {
        self.edition
    }

    /// Takes a whole year: the days off in it. Days of other years are ignored. An earlier calendar of the year is
    /// replaced, as when a day off is declared for a typhoon.
    pub fn set_year(&mut self, year: i32, days_off: impl IntoIterator<Item = NaiveDate>) {
        self.years.insert(year, days_off.into_iter().filter(|d| d.year() == year).collect());
    }

    /// Declares one day off, as for a typhoon, or a working day after all. `false`, and nothing changed, when the
    /// calendar of its year is not known.
    pub fn set_day(&mut self, day: NaiveDate, off: bool) -> bool {
        let Some(days_off) = self.years.get_mut(&day.year()) else { return false };
        if off {
            days_off.insert(day);
        } else {
            days_off.remove(&day);
        }
        true
    }

    /// The days off of a year, ascending; none when its calendar is not known.
    pub fn days_off(&self, year: i32) -> Option<impl Iterator<Item = NaiveDate>> {
        self.years.get(&year).map(|days| days.iter().copied())
    }

    /// The years whose calendar a deadline counted from `today` may need and that are not known: this year, and
    /// from December on the next one.
    pub fn missing_years(&self, today: NaiveDate) -> Vec<i32> {
        let last = today.checked_add_days(Days::new(31)).unwrap_or(today);
        (today.year()..=last.year()).filter(|year| !self.years.contains_key(year)).collect()
    }

    /// The years that are known, ascending.
    pub fn years(&self) -> impl Iterator<Item = i32> {
        self.years.keys().copied()
    }

    /// Whether offices work on `day`; in a year that is not known, whether it is a weekday.
    pub fn is_working_day(&self, day: NaiveDate) -> bool {
        match self.years.get(&day.year()) {
            Some(days_off) => !days_off.contains(&day),
            None => !matches!(day.weekday(), Weekday::Sat | Weekday::Sun),
        }
    }

    /// The day on which `days` working days have passed since `from`, which itself is not counted. Zero days is
    /// `from`.
    ///
    /// ```
    /// use chrono::{Datelike, NaiveDate, Weekday};
    /// use idcheck_domain::calendar::{PROMISED_DAYS, WorkingCalendar};
    ///
    /// let new_year = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    /// let weekends = new_year.iter_days().take(365).filter(|day| day.weekday().number_from_monday() > 5);
    /// let mut calendar = WorkingCalendar::default();
    /// calendar.set_year(2026, weekends.chain([new_year]));
    ///
    /// // Received on Monday, due on Monday; with a typhoon on Wednesday, on Tuesday.
    /// let monday = NaiveDate::from_ymd_opt(2026, 8, 3).unwrap();
    /// assert_eq!(calendar.due(monday, PROMISED_DAYS).date.to_string(), "2026-08-10");
    /// calendar.set_day(NaiveDate::from_ymd_opt(2026, 8, 5).unwrap(), true);
    /// let due = calendar.due(monday, PROMISED_DAYS);
    /// assert_eq!((due.date.weekday(), due.provisional), (Weekday::Tue, false));
    /// ```
    pub fn due(&self, from: NaiveDate, days: u32) -> DueDate {
        let mut date = from;
        let mut left = days;
        let mut provisional = false;
        while left > 0 {
            let Some(next) = date.checked_add_days(Days::new(1)) else { break };
            date = next;
            provisional |= !self.years.contains_key(&date.year());
            left -= u32::from(self.is_working_day(date));
        }
        DueDate { date, provisional }
    }

    /// The deadline of a count by this calendar, where it was `told` before: a day declared off or working since moves it. It
    /// is never moved to a day that is over on `today`.
    pub fn recount(&self, count: Count, told: DueDate, today: NaiveDate) -> DueDate {
        let due = self.due(count.from, count.days);
        if due.date < today { DueDate { date: told.date, ..due } } else { due }
    }

    /// The last working day before `day`; the day before in a calendar without one in a month.
    pub fn working_day_before(&self, day: NaiveDate) -> NaiveDate {
        let before = day.iter_days().rev().skip(1);
        let last = before.take(31).find(|day| self.is_working_day(*day));
        last.or_else(|| day.pred_opt()).unwrap_or(day)
    }

    /// Whole working days after `after` up to and with `until`; none when `until` is not later.
    pub fn working_days_between(&self, after: NaiveDate, until: NaiveDate) -> u32 {
        let days = after.iter_days().skip(1).take_while(|d| *d <= until).filter(|d| self.is_working_day(*d));
        u32::try_from(days.count()).unwrap_or(u32::MAX)
    }
}

/// A deadline: 24:00 in Taipei of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueDate {
    /// The last day.
    pub date: NaiveDate,
    /// Whether a year without a known calendar was counted through.
    pub provisional: bool,
}

impl DueDate {
    /// The instant at which the deadline is over.
    pub fn ends_at(self) -> DateTime<Utc> {
        taipei::end_of(self.date)
    }

    /// Whether it is over at `now`.
    pub fn is_over(self, now: DateTime<Utc>) -> bool {
        now >= self.ends_at()
    }
}
