//! Rows and domain values: mapped here, both ways, and nowhere else.

mod application;
mod casework;
mod company;
mod json;
mod mail;
mod notice;
mod organisation;

use chrono::{DateTime, NaiveDate, Utc};
use idcheck_domain::reason::RecordedReason;
use idcheck_usecases::ports::StoreError;

pub(crate) use application::{
    application_model, application_of, clarification_models, history_line, history_model,
};
pub(crate) use casework::{plan_model, plan_of, revocation_model, revocation_of};
pub(crate) use company::{sweep_item_model, sweep_item_of, sweep_model, sweep_of};
pub(crate) use json::{content_of, content_text};
pub(crate) use mail::{message_of, message_text};
pub(crate) use notice::{notice_model, notice_of, sending_models};
pub(crate) use organisation::{key_model, key_of, organisation_model, organisation_of, purpose_of};

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
