//! Reading cases, organisations and challenges.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use idcheck_domain::{
    application::{Application, ApplicationId, Kind, StateName, Step},
    key::Environment,
    officer::OfficerId,
    organisation::Organisation,
    value::{Account, CaseNumber, CompanyName, IssKey, UnifiedBusinessNumber},
};
use uuid::Uuid;

use crate::{acts::ActName, kernel::content::Content, ports::StoreError};

/// A value with the version it was read at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// Its version, from 1.
    pub version: i64,
}

/// A challenge as it was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChallenge {
    /// Its identity.
    pub id: Uuid,
    /// What is to be done.
    pub act: ActName,
    /// By whom.
    pub ubn: UnifiedBusinessNumber,
    /// With what.
    pub content: Content,
    /// The text to be signed.
    pub tbs: String,
    /// SHA-256 of the browser session it was issued to; none for programs.
    pub session: Option<[u8; 32]>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was spent, if it was.
    pub spent_at: Option<DateTime<Utc>>,
}

/// Challenges.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Challenges: Send + Sync {
    /// The challenge, spent or not.
    async fn find(&self, id: Uuid) -> Result<Option<StoredChallenge>, StoreError>;
}

/// A line of a case's history as it is read: the step and the officer's name, where an officer took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// The step.
    pub step: Step,
    /// The officer's user name.
    pub officer: Option<String>,
}

/// Whose work a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assigned {
    /// This officer's.
    To(OfficerId),
    /// Nobody's.
    Nobody,
}

/// A case's place in the queue, written as text for links: `2026-11-30.1764000000000000.<id>`, `-` for no deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlace {
    /// The day of its deadline; none for a case that has ended.
    pub due: Option<NaiveDate>,
    /// When it came in.
    pub received_at: DateTime<Utc>,
    /// The case.
    pub id: ApplicationId,
}

impl QueuePlace {
    /// Where this case is in the queue.
    pub fn of(case: &Application) -> Self {
        Self { due: case.state.due().map(|due| due.date), received_at: case.received_at, id: case.id }
    }

    /// The place that the text tells.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let due = match parts.next()? {
            "-" => None,
            day => Some(day.parse().ok()?),
        };
        let received_at = DateTime::from_timestamp_micros(parts.next()?.parse().ok()?)?;
        Some(Self { due, received_at, id: ApplicationId(Uuid::try_parse(parts.next()?).ok()?) })
    }
}

impl std::fmt::Display for QueuePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.due {
            Some(due) => write!(f, "{due}")?,
            None => write!(f, "-")?,
        }
        write!(f, ".{}.{}", self.received_at.timestamp_micros(), self.id)
    }
}

/// What the queue asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplicationFilter {
    /// Only this state; all open states when neither state nor text is given.
    pub state: Option<StateName>,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only open cases that are this one's work.
    pub assigned: Option<Assigned>,
    /// Only cases whose deadline is over at this instant.
    pub overdue_at: Option<DateTime<Utc>>,
    /// Case number or UBN that equals this text; or cases of organisations whose name contains it, capitals or not: the
    /// organisation's own, or the one typed in the form of an open case.
    pub text: Option<String>,
    /// Only cases after this place.
    pub after: Option<QueuePlace>,
    /// Greatest number of cases, 1 to 100.
    pub limit: u16,
}

/// One line of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseSummary {
    /// The case.
    pub application: Application,
    /// Its version.
    pub version: i64,
    /// The assignee's user name.
    pub assignee_name: Option<String>,
}

/// One page of the queue and where it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The place of the last entry, after which the next page begins; none at the end.
    pub next: Option<QueuePlace>,
}

/// Cases.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Applications: Send + Sync {
    /// The case.
    async fn find(&self, id: ApplicationId) -> Result<Option<Versioned<Application>>, StoreError>;

    /// The case with this number.
    async fn find_by_case_number(
        &self,
        number: &CaseNumber,
    ) -> Result<Option<Versioned<Application>>, StoreError>;

    /// All cases of an organisation, newest first.
    async fn of_organisation(
        &self,
        ubn: UnifiedBusinessNumber,
    ) -> Result<Vec<Versioned<Application>>, StoreError>;

    /// The history of a case, oldest first.
    async fn history(&self, id: ApplicationId) -> Result<Vec<HistoryLine>, StoreError>;

    /// The queue: oldest due first, then oldest received; ended cases, which have no deadline, after the open ones,
    /// newest first. MUST miss and repeat no case that stays where it is while pages are turned.
    async fn queue(&self, filter: &ApplicationFilter) -> Result<Page<CaseSummary>, StoreError>;
}

/// Organisations.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Organisations: Send + Sync {
    /// The organisation with its keys.
    async fn find(&self, ubn: UnifiedBusinessNumber) -> Result<Option<Versioned<Organisation>>, StoreError>;

    /// The names of those of the organisations that there are.
    async fn names(
        &self,
        ubns: &[UnifiedBusinessNumber],
    ) -> Result<HashMap<UnifiedBusinessNumber, CompanyName>, StoreError>;

    /// An organisation with active access that names this number as its former one (注意事項 八(三)).
    async fn active_successor(
        &self,
        former: UnifiedBusinessNumber,
    ) -> Result<Option<UnifiedBusinessNumber>, StoreError>;

    /// Organisations with active access and a production key in force that ends from `from` on, but before `until`.
    async fn with_keys_ending(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<UnifiedBusinessNumber>, StoreError>;

    /// The account given last.
    async fn last_account(&self) -> Result<Option<Account>, StoreError>;

    /// The Iss Key, unsealed.
    async fn iss_key(
        &self,
        ubn: UnifiedBusinessNumber,
        environment: Environment,
    ) -> Result<Option<IssKey>, StoreError>;
}
