//! Reading the audit log.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::ports::StoreError;

/// What of the log is asked for. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who: `officer:<id>`, `organisation:<UBN>`, `operator` or `system`.
    pub actor: Option<String>,
    /// What: how the action's word begins, such as `application` or `application.read`.
    pub action: Option<String>,
    /// On what: an identity such as `application:<id>`.
    pub subject: Option<String>,
    /// From this instant on.
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
    /// Only entries with a smaller number.
    pub before: Option<i64>,
    /// Greatest number of entries.
    pub limit: u32,
}

/// An [`AuditEntry`](super::AuditEntry) as it was written, by whatever version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEntry {
    /// Who: `officer:<id>`, `organisation:<UBN>`, `operator` or `system`.
    pub actor: String,
    /// What: a stable word such as `application.approve`.
    pub action: String,
    /// On what: an identity such as `application:<id>`.
    pub subject: String,
    /// What else it tells.
    pub detail: String,
}

/// An entry with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number, from 1.
    pub seq: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What it tells.
    pub entry: RecordedEntry,
}

/// The state of the hash chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainStatus {
    /// The number of the last entry.
    pub head: i64,
    /// The first entry that was walked; the one before is taken as right.
    pub walked_from: i64,
    /// The first bad entry among those walked.
    pub first_bad: Option<i64>,
}

/// The audit log.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Entries of acts, decisions and looks, newest first.
    async fn search(&self, filter: &AuditFilter) -> Result<Vec<AuditLine>, StoreError>;

    /// Walks the last `entries` of the chain.
    async fn status(&self, entries: u32) -> Result<ChainStatus, StoreError>;
}
