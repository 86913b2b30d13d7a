//! What waits for an officer, whatever it is.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use idcheck_domain::{
    abuse::AbuseRule,
    access::Ground,
    application::{ApplicationId, Kind, StateName},
    calendar::DueDate,
    notice::NoticeId,
    officer::OfficerId,
    sweep::SweepId,
    value::{CaseNumber, CompanyName, UnifiedBusinessNumber},
};

use crate::ports::StoreError;

/// For whom things wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitsFor {
    /// What another officer works on, or what this one asked a second person for, does not wait.
    pub officer: OfficerId,
    /// Whether it may stand as second person.
    pub confirms: bool,
    /// A deadline before this day of Taipei is over.
    pub today: NaiveDate,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// A case: to be taken on, reviewed, confirmed, or ended because its applicant did not answer.
    Case {
        /// Which.
        id: ApplicationId,
        /// Its number for people.
        number: CaseNumber,
        /// Its kind.
        kind: Kind,
        /// Its state.
        state: StateName,
        /// Who works on it: this officer or nobody.
        assignee: Option<OfficerId>,
    },
    /// A notice of abnormal use: to be sent or dismissed, judged, or followed up because nobody explained.
    Notice {
        /// Which.
        id: NoticeId,
        /// What was found.
        rule: AbuseRule,
        /// Its state, as [`NoticeState::as_str`](idcheck_domain::notice::NoticeState::as_str) has it.
        state: String,
    },
    /// A revocation that another officer asked for.
    Revocation {
        /// On what ground.
        ground: Ground,
        /// Who asked.
        asked_by: OfficerId,
    },
    /// An improvement plan to be judged.
    Plan,
    /// Organisations that a sweep found something about.
    Sweep {
        /// Of which sweep.
        id: SweepId,
        /// How many.
        waiting: u64,
    },
    /// Mails that were given up.
    DeadLetters {
        /// How many.
        waiting: u64,
    },
}

/// A line of the worklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItem {
    /// What is to be done.
    pub task: Task,
    /// About which organisation; none where it is about several.
    pub about: Option<(UnifiedBusinessNumber, CompanyName)>,
    /// Until when; none for what has no deadline.
    pub due: Option<DueDate>,
    /// Since when it waits, as far as that is known.
    pub since: Option<DateTime<Utc>>,
}

/// How much waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkCounts {
    /// Cases.
    pub cases: u64,
    /// Notices of abnormal use.
    pub notices: u64,
    /// Revocations, plans and what sweeps found.
    pub access: u64,
    /// Mails that were given up.
    pub mails: u64,
}

impl WorkCounts {
    /// All of it.
    pub const fn total(self) -> u64 {
        self.cases + self.notices + self.access + self.mails
    }
}

/// Worklists.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Worklists: Send + Sync {
    /// What waits, of each kind so many at most: those whose deadline comes first.
    async fn work(&self, of: WaitsFor, limit: u16) -> Result<Vec<WorkItem>, StoreError>;

    /// How much waits. Of sweeps the organisations count, and each mail.
    async fn work_counts(&self, of: WaitsFor) -> Result<WorkCounts, StoreError>;
}
