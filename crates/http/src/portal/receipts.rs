//! Cases just filed, so that their page can be shown, printed and reloaded by the browser that filed them.
//!
//! Kept in this process's memory for an hour: on another node, or later, the page leads to the progress query, which
//! needs the card.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::application::Application;

const KEPT: usize = 1000;
const HOUR: TimeDelta = TimeDelta::hours(1);

struct Receipt {
    session: [u8; 32],
    at: DateTime<Utc>,
    case: Application,
}

/// The cases filed in the last hour.
#[derive(Default)]
pub(super) struct Receipts(Mutex<Vec<Receipt>>);

impl Receipts {
    /// Keeps a case for the browser that filed it.
    pub(super) fn keep(&self, session: [u8; 32], case: Application, now: DateTime<Utc>) {
        let Ok(mut receipts) = self.0.lock() else { return };
        receipts.retain(|receipt| now - receipt.at < HOUR);
        if receipts.len() >= KEPT {
            receipts.remove(0);
        }
        receipts.push(Receipt { session, at: now, case });
    }

    /// The case with this number, if this browser filed it.
    pub(super) fn find(&self, session: [u8; 32], number: &str, now: DateTime<Utc>) -> Option<Application> {
        let receipts = self.0.lock().ok()?;
        let own =
            |r: &&Receipt| r.session == session && r.case.case_number.as_str() == number && now - r.at < HOUR;
        receipts.iter().find(own).map(|receipt| receipt.case.clone())
    }
}
