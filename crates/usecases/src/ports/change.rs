//! One change, one transaction.

use async_trait::async_trait;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use idcheck_domain::{
    abuse::AbuseRule,
    application::{Application, ApplicationId, Step},
    attachment::{FileReference, Owner},
    key::Environment,
    notice::Notice,
    organisation::Organisation,
    plan::ImprovementPlan,
    revocation::Revocation,
    sweep::{SweepId, SweepItem},
    template::ReasonTemplate,
    value::{EmailAddress, IssKey, UnifiedBusinessNumber},
};
use uuid::Uuid;

use crate::ports::{AuditEntry, FileSender, MailMessage, StoredChallenge, WebhookChange};

/// A value to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write<T> {
    /// It is new.
    Insert(T),
    /// It was read at `expected`; another version in the store is a [`CommitError::Conflict`].
    Update {
        /// The new value.
        value: T,
        /// The version it was read at.
        expected: i64,
    },
}

impl<T> Write<T> {
    /// The value.
    pub const fn value(&self) -> &T {
        match self {
            Self::Insert(value) | Self::Update { value, .. } => value,
        }
    }
}

/// A fresh Iss Key for an organisation; it replaces the one before at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenIssKey {
    /// Whose.
    pub ubn: UnifiedBusinessNumber,
    /// For which environment.
    pub environment: Environment,
    /// The key.
    pub iss_key: IssKey,
}

/// A `userId` of an organisation is suspended or let in again (check 11, result 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserChange {
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// Its user.
    pub user_id: String,
    /// Since when it is suspended, and by which rule; `None` lifts the suspension, and what the user did until now counts no
    /// more towards the next one. Where there is nobody to let in, the change is a [`CommitError::Conflict`].
    pub suspended: Option<(DateTime<Utc>, AbuseRule)>,
}

/// A mail to be sent after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Its identity, from which its Message-ID is made: sent twice, it is still one mail.
    pub id: Uuid,
    /// Whom it is about: the organisation's own address is called with the same event.
    pub about: UnifiedBusinessNumber,
    /// To whom.
    pub to: EmailAddress,
    /// What it says.
    pub message: MailMessage,
}

/// A file that an act was signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachFile {
    /// The file, as it was signed.
    pub file: FileReference,
    /// Who must have sent it.
    pub sender: FileSender,
    /// Who acts.
    pub ubn: UnifiedBusinessNumber,
    /// What it belongs to from now on.
    pub owner: Owner,
    /// Its place among the files of the act, from 0.
    pub place: usize,
    /// When it was signed.
    pub at: DateTime<Utc>,
}

/// What must still hold when a change is made, in addition to the versions of what it writes. It is looked at when no other change can
/// come between any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// The calendar is of this edition: a deadline of the change was counted by it.
    CalendarEdition(i64),
    /// This number has no active access (注意事項 八(三)).
    NotActive(UnifiedBusinessNumber),
    /// No organisation with active access names this number as its former one (注意事項 八(三)).
    NoActiveSuccessor(UnifiedBusinessNumber),
}

/// Everything that one act or decision changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// What must still hold; else the change is a [`CommitError::Conflict`].
    pub requires: Vec<Requirement>,
    /// The challenge that this act spends, with the instant of spending.
    pub spends: Option<(Uuid, DateTime<Utc>)>,
    /// The organisation, its keys included.
    pub organisation: Option<Write<Organisation>>,
    /// Cases. A case inserted while one of its kind and organisation is open is [`CommitError::OpenCase`].
    pub applications: Vec<Write<Application>>,
    /// Lines of the cases' histories.
    pub history: Vec<(ApplicationId, Step)>,
    /// A request to revoke. One inserted while another about the organisation waits is [`CommitError::OpenCase`].
    pub revocation: Option<Write<Revocation>>,
    /// An improvement plan. One inserted while another of the organisation waits is [`CommitError::OpenCase`].
    pub plan: Option<Write<ImprovementPlan>>,
    /// Notices. One inserted while another of its organisation, rule and user is open or is of the same day is
    /// [`CommitError::OpenCase`].
    pub notices: Vec<Write<Notice>>,
    /// An organisation on the worklist of a sweep; it was put there by [`Sweeps`](super::Sweeps).
    pub sweep_item: Option<(SweepId, Write<SweepItem>)>,
    /// A template of reasons.
    pub template: Option<Write<ReasonTemplate>>,
    /// The key of a reminder that this sends; sent before, it is [`CommitError::Conflict`].
    pub reminder: Option<String>,
    /// A fresh Iss Key.
    pub iss_key: Option<GivenIssKey>,
    /// Users suspended or let in again.
    pub users: Vec<UserChange>,
    /// The address that is called.
    pub webhook: Option<WebhookChange>,
    /// Mail to send, and to be told by a call where the organisation has an address for it.
    pub mail: Vec<OutgoingMail>,
    /// Files that the act was signed with. One that is not there, or of another sender, is a [`CommitError::FileUnknown`].
    pub files: Vec<AttachFile>,
    /// Entries of the audit log, at least one.
    pub audit: Vec<AuditEntry>,
}

/// The store can't be read or written now. Carries no text of the database; that is logged where it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Not reachable, out of time or out of space.
    #[error("the store is unavailable")]
    Unavailable,
    /// A row that can't be read: damaged, or written by another version.
    #[error("a row of {table}, column {column}, can't be read")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

/// Why a change was not made. Nothing of it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A version was stale, or a new identity was taken.
    #[error("changed by someone else meanwhile")]
    Conflict,
    /// The challenge was spent already.
    #[error("the challenge is spent")]
    ChallengeSpent,
    /// A case of the kind is open already, or a request or plan waits.
    #[error("a case of this kind is open")]
    OpenCase,
    /// The account was given to another organisation meanwhile.
    #[error("the account is taken")]
    AccountTaken,
    /// The public key is in force already, here or with another organisation.
    #[error("the key is registered already")]
    KeyKnown,
    /// A file of the act is gone: it ended, was removed, or is another act's.
    #[error("a file of the act is not there")]
    FileUnknown,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// From where a challenge is asked for, and how many may wait for their signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The address; of IPv6 the network of 64 bits.
    pub origin: IpAddr,
    /// Of one organisation, from there.
    pub of_organisation: u32,
    /// Of all organisations, from there.
    pub of_origin: u32,
}

/// Commits changes.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Changes: Send + Sync {
    /// Makes the whole change durable, or none of it.
    ///
    /// MUST hold under concurrency, over processes: a challenge is spent once; a stale version is refused; one open
    /// case of a kind and organisation; an account belongs to one organisation for ever; a key in force is known
    /// once. MUST write history, mail and audit in the same transaction, and be in force for the callers of this
    /// process when it returns, for others within a second.
    ///
    /// # Errors
    /// The first rule that refused it.
    async fn commit(&self, change: Change) -> Result<(), CommitError>;

    /// Keeps a new challenge until it is spent or expired; says no, and keeps nothing, where as many wait for their
    /// signature as `waiting` allows. Some that come at the same moment MAY pass together.
    async fn issue_challenge(
        &self,
        challenge: StoredChallenge,
        waiting: &Waiting,
    ) -> Result<bool, StoreError>;

    /// Notes a look at a case, or another act that changes nothing else.
    async fn note(&self, entry: AuditEntry) -> Result<(), StoreError>;
}
