//! Cells and the values that they hold.

use chrono::{DateTime, NaiveDate, Utc};
use idcheck_domain::{reason::RecordedReason, verification::CardStatus};
use idcheck_usecases::ports::StoreError;

/// The text of a reason as it is kept: never empty, since a program of the version before reads it alone.
pub(crate) fn kept_text(reason: &RecordedReason) -> String {
    reason.text().or_else(|| reason.code()).unwrap_or_default().to_owned()
}

pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// A cell that can't be read.
pub(crate) fn corrupt(table: &'static str, column: &'static str) -> StoreError {
    tracing::error!(table, column, "a row can't be read");
    StoreError::Corrupt { table, column }
}

pub(crate) fn instant(
    table: &'static str,
    column: &'static str,
    micros: i64,
) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| corrupt(table, column))
}

pub(crate) fn date(table: &'static str, column: &'static str, text: &str) -> Result<NaiveDate, StoreError> {
    text.parse().map_err(|_| corrupt(table, column))
}

/// The word of a status in the store.
pub(crate) const fn status_word(status: CardStatus) -> &'static str {
    match status {
        CardStatus::Normal => "normal",
        CardStatus::OutOfUse => "outOfUse",
        CardStatus::ReportedLost => "reportedLost",
    }
}

/// The status of a word.
pub(crate) fn status_of(word: &str) -> Option<CardStatus> {
    [CardStatus::Normal, CardStatus::OutOfUse, CardStatus::ReportedLost]
        .into_iter()
        .find(|status| status_word(*status) == word)
}
