//! The company register, its snapshots, and the sweeps that compare organisations with it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    company::CompanyRecord,
    sweep::{Sweep, SweepId, SweepItem},
    value::UnifiedBusinessNumber,
};

use crate::ports::{StoreError, Versioned};

/// Why the register gave no answer. It is never taken for "not registered".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// No snapshot was imported to its end.
    #[error("there is no snapshot of the company register; import one with `idcheck company import`")]
    NoSnapshot,
    /// It can't be reached, or what came is no answer.
    #[error("the company register can't be read now")]
    Unreadable,
}

/// The company register.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait CompanyRegister: Send + Sync {
    /// The company of this number; `None` only where the register says that there is none.
    async fn company(&self, ubn: UnifiedBusinessNumber) -> Result<Option<CompanyRecord>, RegisterError>;

    /// The moment whose state it tells; none for a register that answers with what is so now.
    async fn state_of(&self) -> Result<Option<DateTime<Utc>>, RegisterError>;
}

/// Snapshots of the register, imported in batches. The one before stays in force until the next is complete.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait CompanySnapshots: Send + Sync {
    /// Begins the snapshot of a file with this SHA-256, or goes on with it: how many of its rows are done. `None`
    /// where it is complete.
    async fn begin(&self, digest: &[u8; 32], at: DateTime<Utc>) -> Result<Option<u64>, StoreError>;

    /// Writes a batch, all or nothing, and notes that `rows` of the file's are done.
    async fn append(&self, digest: &[u8; 32], batch: &[CompanyRecord], rows: u64) -> Result<(), StoreError>;

    /// Puts the snapshot in force and removes those before; how many companies it holds.
    async fn complete(&self, digest: &[u8; 32], at: DateTime<Utc>) -> Result<u64, StoreError>;

    /// How many companies the snapshot in force holds.
    async fn in_force(&self) -> Result<u64, StoreError>;

    /// Removes a snapshot that is not complete.
    async fn abandon(&self, digest: &[u8; 32]) -> Result<(), StoreError>;
}

/// Sweeps. What becomes of an item is written as part of a [`Change`](super::Change).
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Sweeps: Send + Sync {
    /// Puts every organisation that holds or held access and did not lose it by revocation on the worklist of a new
    /// sweep. One of the same day in Taipei is gone on with instead. MUST be decided in one transaction.
    async fn begin(&self, sweep: &Sweep) -> Result<Sweep, StoreError>;

    /// Organisations as [`begin`](Self::begin) would list them.
    async fn candidates(&self) -> Result<Vec<SweepItem>, StoreError>;

    /// The sweep.
    async fn find(&self, id: SweepId) -> Result<Option<Sweep>, StoreError>;

    /// The latest sweeps, newest first, at most `limit`.
    async fn latest(&self, limit: u16) -> Result<Vec<Sweep>, StoreError>;

    /// The worklist, by number.
    async fn items(&self, id: SweepId) -> Result<Vec<Versioned<SweepItem>>, StoreError>;

    /// Items without an answer of the register that may be asked about at `now`, of all sweeps, at most `limit`.
    async fn unread(&self, limit: u16, now: DateTime<Utc>) -> Result<Vec<(SweepId, SweepItem)>, StoreError>;

    /// Notes that no answer came; it is not asked again before.
    async fn unanswered(
        &self,
        id: SweepId,
        ubn: UnifiedBusinessNumber,
        again_at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Writes what was found, where nothing was written yet.
    async fn found(&self, id: SweepId, item: &SweepItem) -> Result<(), StoreError>;
}
