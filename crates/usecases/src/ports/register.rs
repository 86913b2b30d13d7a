//! The household register and the working calendar.

use async_trait::async_trait;
use idcheck_domain::{
    calendar::WorkingCalendar,
    value::PersonId,
    verification::{CardData, CardStatus},
};

use super::StoreError;

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
    /// All years that are known.
    async fn load(&self) -> Result<WorkingCalendar, StoreError>;

    /// Replaces a year: its days off.
    async fn set_year(&self, year: i32, days_off: &[chrono::NaiveDate]) -> Result<(), StoreError>;
}
