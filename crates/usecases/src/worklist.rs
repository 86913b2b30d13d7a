//! Everything that waits for an officer, most urgent first.

use std::sync::Arc;

use chrono::NaiveDate;
use idcheck_domain::{
    calendar::WorkingCalendar,
    officer::{Permission, permits},
    taipei,
};

use crate::{
    kernel::{OfficerNames, Refusal, permit},
    ports::{CalendarStore, Clock, Officer, Officers, StoreError, WaitsFor, WorkCounts, WorkItem, Worklists},
};

/// Lines of each kind on a page.
const SHOWN: u16 = 100;

/// A worklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worklist {
    /// Its lines, most urgent first.
    pub items: Vec<WorkItem>,
    /// The working calendar, by which days are counted.
    pub calendar: WorkingCalendar,
    /// The user names of all officers.
    pub officers: OfficerNames,
}

/// Reads worklists.
#[derive(Clone)]
pub struct ReadWorklist {
    clock: Arc<dyn Clock>,
    worklists: Arc<dyn Worklists>,
    calendar: Arc<dyn CalendarStore>,
    officers: Arc<dyn Officers>,
}

/// Deadlines first that come first; what has none is as urgent as it has waited.
fn urgency(item: &WorkItem) -> (Option<NaiveDate>, Option<chrono::DateTime<chrono::Utc>>) {
    let day = item.due.map(|due| due.date).or_else(|| item.since.map(taipei::day));
    (day, item.since)
}

impl ReadWorklist {
    /// With these ports.
    pub fn new(
        clock: Arc<dyn Clock>,
        worklists: Arc<dyn Worklists>,
        calendar: Arc<dyn CalendarStore>,
        officers: Arc<dyn Officers>,
    ) -> Self {
        Self { clock, worklists, calendar, officers }
    }

    fn waits_for(&self, officer: &Officer) -> WaitsFor {
        WaitsFor {
            officer: officer.id,
            confirms: permits(officer.role, Permission::Confirm),
            today: taipei::day(self.clock.now()),
        }
    }

    /// What waits for the officer.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a role for which nothing waits, or the store's.
    pub async fn execute(&self, officer: &Officer) -> Result<Worklist, Refusal> {
        permit(officer, Permission::ReviewCases)?;
        let of = self.waits_for(officer);
        let mut items = self.worklists.work(of, SHOWN).await?;
        items.sort_by_key(urgency);
        let officers = self.officers.list().await?.into_iter();
        Ok(Worklist {
            items,
            calendar: self.calendar.load().await?,
            officers: officers.map(|listed| (listed.officer.id, listed.officer.username)).collect(),
        })
    }

    /// How much waits; none for a role for which nothing waits.
    ///
    /// # Errors
    /// The store's.
    pub async fn counts(&self, officer: &Officer) -> Result<Option<WorkCounts>, StoreError> {
        if !permits(officer.role, Permission::ReviewCases) {
            return Ok(None);
        }
        self.worklists.work_counts(self.waits_for(officer)).await.map(Some)
    }
}
