//! The household register and the working calendar.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::NaiveDate;
use idcheck_domain::{
    application::{Application, Step},
    calendar::WorkingCalendar,
    notice::Notice,
    value::{CompanyName, EmailAddress, PersonId, UnifiedBusinessNumber},
    verification::{CardData, CardStatus},
};

use crate::ports::{AuditEntry, OutgoingMail, StoreError, Versioned};

/// One card of the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisterRow {
    /// Whose.
    pub person_id: PersonId,
    /// Its data.
    pub data: CardData,
    /// Its status.
    pub status: CardStatus,
}

/// The household register; one row a person.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait HouseholdRegister: Send + Sync {
    /// Writes a batch, all or nothing; a row of a person known already replaces the one before. The person is kept
    /// as a keyed hash only.
    async fn import(&self, rows: &[RegisterRow]) -> Result<(), StoreError>;

    /// Begins an edition that is to replace the whole register; one that was begun before and not put in force is gone.
    async fn begin_edition(&self) -> Result<(), StoreError>;

    /// Adds rows to the edition, as [`import`](Self::import) does to the register in force.
    async fn add_to_edition(&self, rows: &[RegisterRow]) -> Result<(), StoreError>;

    /// Makes the edition ready to be put in force; how many persons it has. Can take minutes.
    async fn complete_edition(&self) -> Result<u64, StoreError>;

    /// Puts the completed edition in force: every query sees the old register whole, or the new one.
    async fn put_edition_in_force(&self) -> Result<(), StoreError>;

    /// How many persons there are.
    async fn count(&self) -> Result<u64, StoreError>;
}

/// The working calendar.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait CalendarStore: Send + Sync {
    /// All years that are known, with the edition that they are.
    async fn load(&self) -> Result<WorkingCalendar, StoreError>;

    /// Makes a change of the calendar, and of every running deadline with it: `redate` is asked, with the new calendar and all
    /// that waits, what moves. One transaction, in which no deadline counted by the old calendar can be missed: a change
    /// that was counted by an older edition is refused afterwards ([`Requirement::CalendarEdition`](super::Requirement)).
    /// How many deadlines moved; none, and nothing changed, where a day is of a year that is not known.
    async fn change(
        &self,
        edit: &CalendarEdit,
        redate: &(dyn Redate + 'static),
    ) -> Result<Option<usize>, StoreError>;
}

/// A change of the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalendarEdit {
    /// A year from the government's calendar: its days off. It replaces what was known of the year.
    Year {
        /// Which.
        year: i32,
        /// Its days off.
        days_off: Vec<NaiveDate>,
    },
    /// One day off, as for a typhoon, or working after all.
    Day {
        /// Which.
        day: NaiveDate,
        /// Whether it is off.
        off: bool,
    },
}

/// Everything with a deadline that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunningDeadlines {
    /// Open cases.
    pub cases: Vec<Versioned<Application>>,
    /// Notices of abnormal use that wait for an explanation.
    pub notices: Vec<Versioned<Notice>>,
    /// The organisations that they are of: name, and where mail goes to.
    pub held: HashMap<UnifiedBusinessNumber, (CompanyName, EmailAddress)>,
}

/// What a change of the calendar moves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redated {
    /// Cases, with the version they were read at and the line of their history.
    pub cases: Vec<(Versioned<Application>, Step)>,
    /// Notices, with the version they were read at.
    pub notices: Vec<Versioned<Notice>>,
    /// Mail to those who were given a date that moved.
    pub mail: Vec<OutgoingMail>,
    /// Entries of the audit log.
    pub audit: Vec<AuditEntry>,
}

/// Says what a calendar moves. MUST be pure but for identities: it is asked inside a transaction.
pub trait Redate: Send + Sync {
    /// What moves.
    fn redate(&self, calendar: &WorkingCalendar, running: RunningDeadlines) -> Redated;
}
