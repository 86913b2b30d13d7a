//! What is counted about the service's use: queries of a day by result, latency, and how long reviews took of the
//! five promised working days (注意事項 五). Counts only; who was asked about is not in them.

use chrono::{DateTime, NaiveDate, Utc};

use crate::{
    calendar::{PROMISED_DAYS, WorkingCalendar},
    taipei,
    verification::VerificationResult,
};

/// The longest period that is shown at once, in days.
pub const MAX_PERIOD_DAYS: i64 = 366;

/// Days (Taipei) from the first to the last, both counted; never backwards, never longer than [`MAX_PERIOD_DAYS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    first: NaiveDate,
    last: NaiveDate,
}

impl Period {
    /// The days from `first` to `last`; `None` when there are none or too many.
    pub fn new(first: NaiveDate, last: NaiveDate) -> Option<Self> {
        (0..MAX_PERIOD_DAYS).contains(&(last - first).num_days()).then_some(Self { first, last })
    }

    /// The 30 days up to and with `today`.
    pub fn latest(today: NaiveDate) -> Self {
        let first = today.checked_sub_days(chrono::Days::new(29)).unwrap_or(today);
        Self { first, last: today }
    }

    /// The first day.
    pub const fn first(self) -> NaiveDate {
        self.first
    }

    /// The last day.
    pub const fn last(self) -> NaiveDate {
        self.last
    }

    /// Its days, ascending.
    pub fn days(self) -> impl Iterator<Item = NaiveDate> {
        self.first.iter_days().take_while(move |day| *day <= self.last)
    }

    /// Whether the day is one of it.
    pub fn holds(self, day: NaiveDate) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

/// The queries of a day by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayCount {
    results: [u64; VerificationResult::ALL.len()],
    refused: u64,
}

impl DayCount {
    /// Counts `queries` more with this result; without one, as refused.
    pub fn add(&mut self, result: Option<VerificationResult>, queries: u64) {
        let place = match result {
            Some(result) => self.results.get_mut(usize::from(result.code()) - 1),
            None => Some(&mut self.refused),
        };
        if let Some(place) = place {
            *place += queries;
        }
    }

    /// Counts another day's queries too.
    pub fn add_all(&mut self, other: &Self) {
        for result in VerificationResult::ALL {
            self.add(Some(result), other.with(result));
        }
        self.add(None, other.refused);
    }

    /// Queries with this result.
    pub fn with(&self, result: VerificationResult) -> u64 {
        self.results.get(usize::from(result.code()) - 1).copied().unwrap_or_default()
    }

    /// Queries that were refused.
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Wrong answers (results 2, 3 and 4).
    pub fn wrong(&self) -> u64 {
        VerificationResult::ALL.into_iter().filter(|r| r.is_strike()).map(|r| self.with(r)).sum()
    }

    /// ID numbers that were locked (注意事項 六): each has its third wrong answer once a day.
    pub fn lock_outs(&self) -> u64 {
        self.with(VerificationResult::ThirdMismatch)
    }

    /// All queries.
    pub fn queries(&self) -> u64 {
        self.results.iter().sum::<u64>() + self.refused
    }
}

/// Upper bounds of the classes of [`Latency`], in milliseconds. What took longer is in the class after the last.
pub const LATENCY_BOUNDS: [u32; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/// How long answers took, in classes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    classes: [u64; LATENCY_BOUNDS.len() + 1],
}

impl Latency {
    /// The class of an answer that took `micros` microseconds.
    pub fn class(micros: u64) -> usize {
        LATENCY_BOUNDS.partition_point(|bound| u64::from(*bound) * 1000 < micros)
    }

    /// Counts `answers` more in a class; a class that there is not is the last.
    pub fn add(&mut self, class: usize, answers: u64) {
        let last = LATENCY_BOUNDS.len();
        if let Some(count) = self.classes.get_mut(class.min(last)) {
            *count += answers;
        }
    }

    /// Answers by class, the fastest first.
    pub const fn classes(&self) -> &[u64; LATENCY_BOUNDS.len() + 1] {
        &self.classes
    }

    /// All answers.
    pub fn answers(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// The bound in milliseconds that `percent` of 100 answers did not exceed; `None` where that is beyond the last
    /// bound, or nothing was answered.
    pub fn within(&self, percent: u64) -> Option<u32> {
        let needed = (self.answers() * percent).div_ceil(100);
        if needed == 0 {
            return None;
        }
        let mut seen = 0;
        for (bound, count) in LATENCY_BOUNDS.iter().zip(&self.classes) {
            seen += count;
            if seen >= needed {
                return Some(*bound);
            }
        }
        None
    }
}

/// The stretches in which the clock of a decided case ran: from its receipt, or from the answer to a clarification, to
/// the next clarification or the decision.
pub type Stretches = Vec<(DateTime<Utc>, DateTime<Utc>)>;

/// The working days that a decision took (注意事項 五): of each stretch its first day is not counted, as in the
/// deadline. Five or less is in time.
pub fn days_taken(stretches: &[(DateTime<Utc>, DateTime<Utc>)], calendar: &WorkingCalendar) -> u32 {
    let days = stretches
        .iter()
        .map(|(from, until)| calendar.working_days_between(taipei::day(*from), taipei::day(*until)));
    days.sum()
}

/// How many decisions took how many working days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReviewTimes {
    days: [u64; PROMISED_DAYS as usize + 2],
}

impl ReviewTimes {
    /// Counts a decision that took so many working days.
    pub fn add(&mut self, days: u32) {
        let late = PROMISED_DAYS + 1;
        if let Some(count) = self.days.get_mut(days.min(late) as usize) {
            *count += 1;
        }
    }

    /// Decisions by working days, from 0 to the five promised; the last of all are the late ones.
    pub const fn by_days(&self) -> &[u64; PROMISED_DAYS as usize + 2] {
        &self.days
    }

    /// All decisions.
    pub fn decisions(&self) -> u64 {
        self.days.iter().sum()
    }

    /// Decisions later than promised.
    pub fn late(&self) -> u64 {
        self.days.last().copied().unwrap_or_default()
    }
}
