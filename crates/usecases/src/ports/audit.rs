//! Reading the audit log.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use idcheck_domain::{
    application::ApplicationId,
    value::{CaseNumber, CompanyName, UnifiedBusinessNumber},
};

use crate::ports::StoreError;

/// What of the log is asked for. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who: `officer:<id>`, `organisation:<UBN>`, `operator` or `system`.
    pub actor: Option<String>,
    /// What: how the action's word begins, such as `application` or `application.read`.
    pub action: Option<String>,
    /// About what: any of these identities, such as `application:<id>`, and what an organisation among them did itself. Nothing asked
    /// for where there are none.
    pub about: Vec<String>,
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

/// What an identity of the log stands for, as far as it is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownSubject {
    /// A case.
    Application {
        /// Which.
        id: ApplicationId,
        /// Its number for people.
        number: CaseNumber,
        /// Whose.
        ubn: UnifiedBusinessNumber,
    },
    /// An organisation.
    Organisation {
        /// Which.
        ubn: UnifiedBusinessNumber,
        /// Its name.
        name: CompanyName,
    },
    /// A notice, a plan or a key of an organisation.
    Of {
        /// Which.
        ubn: UnifiedBusinessNumber,
    },
    /// An officer, by user name.
    Officer(String),
    /// A template, by its title.
    Template(String),
    /// A sweep, by its day.
    Sweep(NaiveDate),
}

/// One entry with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntryFound {
    /// The entry.
    pub line: AuditLine,
    /// SHA-256 over it and the one before.
    pub hash: Vec<u8>,
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

    /// The entry with this number; none for a batch of queries.
    async fn entry(&self, seq: i64) -> Result<Option<AuditEntryFound>, StoreError>;

    /// What the identities stand for; one that is not known is left out.
    async fn known(&self, identities: &[String]) -> Result<HashMap<String, KnownSubject>, StoreError>;

    /// The identities of an organisation and of everything that is its own: cases, notices, plans, keys.
    async fn identities_of(&self, ubn: UnifiedBusinessNumber) -> Result<Vec<String>, StoreError>;

    /// Walks the last `entries` of the chain.
    async fn status(&self, entries: u32) -> Result<ChainStatus, StoreError>;
}
