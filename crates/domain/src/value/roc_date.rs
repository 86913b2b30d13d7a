//! A day in the calendar of the Republic of China: year 1 is 1912.

use std::fmt;

use chrono::{Datelike, NaiveDate};

use crate::Violation;

const YEAR_OFFSET: i32 = 1911;

/// A real day, written `yyyMMdd` (`1080617` is 2019-06-17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RocDate(NaiveDate);

impl RocDate {
    /// Parses seven ASCII digits: ROC year of three digits, month, day.
    ///
    /// # Errors
    /// [`Violation::RocDateFormat`] or [`Violation::RocDateImpossible`].
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let bytes = text.as_bytes();
        if bytes.len() != 7 || !bytes.iter().all(u8::is_ascii_digit) {
            return Err(Violation::RocDateFormat);
        }
        let number = |range: std::ops::Range<usize>| {
            bytes[range].iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))
        };
        let year = i32::try_from(number(0..3)).map_err(|_| Violation::RocDateFormat)?;
        if year == 0 {
            return Err(Violation::RocDateImpossible);
        }
        NaiveDate::from_ymd_opt(year + YEAR_OFFSET, number(3..5), number(5..7))
            .map(Self)
            .ok_or(Violation::RocDateImpossible)
    }

    /// The same day in the ROC calendar.
    ///
    /// # Errors
    /// [`Violation::RocDateImpossible`] before 1912 or after ROC year 999.
    pub fn from_date(date: NaiveDate) -> Result<Self, Violation> {
        if (1..=999).contains(&(date.year() - YEAR_OFFSET)) {
            Ok(Self(date))
        } else {
            Err(Violation::RocDateImpossible)
        }
    }

    /// Refuses a day after `today`, the day in Taipei: a card is not issued tomorrow.
    ///
    /// # Errors
    /// [`Violation::DateInFuture`].
    pub fn not_after(self, today: NaiveDate) -> Result<Self, Violation> {
        if self.0 > today { Err(Violation::DateInFuture) } else { Ok(self) }
    }

    /// The Gregorian day.
    pub fn date(self) -> NaiveDate {
        self.0
    }
}

/// `yyyMMdd`, as on the wire.
impl fmt::Display for RocDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}{:02}{:02}", self.0.year() - YEAR_OFFSET, self.0.month(), self.0.day())
    }
}
