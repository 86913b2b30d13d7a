//! Mail: what is said, the outbox it waits in, the transport it leaves by.

use std::collections::HashSet;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use idcheck_domain::{
    abuse::AbuseRule, access::Ground, application::Kind, calendar::DueDate, reason::RecordedReason,
    value::EmailAddress,
};
use uuid::Uuid;

use crate::ports::StoreError;

/// What a mail says; the text is made when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailMessage {
    /// A case was received.
    Received {
        /// Its number.
        case_number: String,
        /// Its kind.
        kind: Kind,
        /// The company.
        company: String,
        /// When the decision is due.
        due: DueDate,
    },
    /// A clarification is asked for.
    ClarificationRequested {
        /// The case's number.
        case_number: String,
        /// The company.
        company: String,
        /// The question.
        question: String,
        /// When the answer is due.
        due: DueDate,
    },
    /// A case was approved.
    Approved {
        /// Its number.
        case_number: String,
        /// Its kind.
        kind: Kind,
        /// The company.
        company: String,
        /// The officer's note.
        note: Option<String>,
    },
    /// A case was rejected.
    Rejected {
        /// Its number.
        case_number: String,
        /// Its kind.
        kind: Kind,
        /// The company.
        company: String,
        /// Why.
        reason: String,
    },
    /// A case was settled because access ended, which closes it whatever it asks for.
    Settled {
        /// Its number.
        case_number: String,
        /// Its kind.
        kind: Kind,
        /// The company.
        company: String,
    },
    /// A deadline of a case moved with the calendar.
    DeadlineMoved {
        /// The case's number.
        case_number: String,
        /// The company.
        company: String,
        /// Whether it is the applicant's, to answer, or the decision's.
        answer: bool,
        /// When it was due before.
        before: NaiveDate,
        /// When it is due now.
        due: DueDate,
    },
    /// The deadline of a notice of abnormal use moved with the calendar.
    NoticeDeadlineMoved {
        /// The company.
        company: String,
        /// The rule that found it.
        rule: AbuseRule,
        /// When it was due before.
        before: NaiveDate,
        /// When it is due now.
        due: DueDate,
    },
    /// A case was withdrawn.
    Withdrawn {
        /// Its number.
        case_number: String,
        /// Its kind.
        kind: Kind,
        /// The company.
        company: String,
    },
    /// A public key was registered.
    KeyRegistered {
        /// The company.
        company: String,
        /// The key's label.
        label: String,
        /// The key's fingerprint.
        fingerprint: String,
    },
    /// A public key was withdrawn.
    KeyRevoked {
        /// The company.
        company: String,
        /// The key's label.
        label: String,
        /// The key's fingerprint.
        fingerprint: String,
    },
    /// A public key ends by itself.
    KeyEnds {
        /// The company.
        company: String,
        /// The key's label.
        label: String,
        /// The key's fingerprint.
        fingerprint: String,
        /// The last day on which it is good.
        last_day: NaiveDate,
    },
    /// The Iss Key was replaced.
    IssKeyRotated {
        /// The company.
        company: String,
    },
    /// An address that is called was set.
    WebhookSet {
        /// The company.
        company: String,
        /// Its host.
        host: String,
    },
    /// The address that was called was removed.
    WebhookRemoved {
        /// The company.
        company: String,
        /// Its host.
        host: String,
    },
    /// Calls to the address were given up.
    WebhookGivenUp {
        /// The company.
        company: String,
    },
    /// The contact was changed; goes to the old and the new address.
    ContactChanged {
        /// The company.
        company: String,
    },
    /// A case that names another contact was filed; goes to the contact held.
    ContactAsked {
        /// The case's number.
        case_number: String,
        /// The company.
        company: String,
    },
    /// A user of the organisation is suspended for abnormal use: its queries get result 8.
    UserSuspended {
        /// The company.
        company: String,
        /// The organisation's own name for the user.
        user_id: String,
        /// The rule that found it.
        rule: AbuseRule,
    },
    /// A suspended user may ask again.
    UserLifted {
        /// The company.
        company: String,
        /// The organisation's own name for the user.
        user_id: String,
    },
    /// Access was revoked; tells the way back of its ground.
    AccessRevoked {
        /// The company.
        company: String,
        /// On what ground.
        ground: Ground,
        /// Why.
        reason: RecordedReason,
    },
    /// Access was stopped by an officer on a documented request.
    AccessSuspended {
        /// The company.
        company: String,
        /// Why.
        reason: String,
    },
    /// Abnormal use is to be explained.
    NoticeSent {
        /// The company.
        company: String,
        /// The rule that found it.
        rule: AbuseRule,
        /// What is to be explained.
        message: String,
        /// Until when.
        due: DueDate,
    },
    /// An explanation was not enough: more is to be explained.
    NoticeAskedAgain {
        /// The company.
        company: String,
        /// The rule that found it.
        rule: AbuseRule,
        /// What is to be explained.
        message: String,
        /// Until when.
        due: DueDate,
    },
    /// A notice was taken back: nothing is to be explained any more.
    NoticeWithdrawn {
        /// The company.
        company: String,
        /// The rule that found it.
        rule: AbuseRule,
        /// Why.
        reason: String,
    },
    /// The explanation of a notice was accepted.
    NoticeAccepted {
        /// The company.
        company: String,
        /// The rule that found it.
        rule: AbuseRule,
        /// The officer's note.
        note: Option<String>,
    },
    /// The answer to a clarification is due tomorrow, or today.
    ClarificationDue {
        /// The case's number.
        case_number: String,
        /// The company.
        company: String,
        /// Until when.
        due: NaiveDate,
    },
    /// The answer to a clarification is overdue.
    ClarificationOverdue {
        /// The case's number.
        case_number: String,
        /// The company.
        company: String,
        /// Until when it was due.
        due: NaiveDate,
    },
    /// The explanation of a notice is due tomorrow, or today.
    NoticeDue {
        /// The company.
        company: String,
        /// The rule that found it.
        rule: AbuseRule,
        /// Until when.
        due: NaiveDate,
    },
    /// The explanation of a notice is overdue.
    NoticeOverdue {
        /// The company.
        company: String,
        /// The rule that found it.
        rule: AbuseRule,
        /// Until when it was due.
        due: NaiveDate,
    },
    /// Access was not used for a year.
    Dormant {
        /// The company.
        company: String,
        /// The day since when.
        since: NaiveDate,
    },
    /// An improvement plan was received.
    PlanReceived {
        /// The company.
        company: String,
    },
    /// An improvement plan was rejected.
    PlanRejected {
        /// The company.
        company: String,
        /// Why.
        reason: String,
    },
    /// The way back is open: a plan was approved, or the company is registered again.
    ReturnOpened {
        /// The company.
        company: String,
        /// The officer's note.
        note: Option<String>,
    },
}

/// A mail on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMail {
    /// Its identity.
    pub id: Uuid,
    /// To whom.
    pub to: EmailAddress,
    /// What it says.
    pub message: MailMessage,
    /// When it was put in the outbox; its date.
    pub queued_at: DateTime<Utc>,
    /// How often sending failed.
    pub attempts: u32,
    /// Why it failed last.
    pub failure: Option<MailError>,
}

/// The outbox.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Takes mails that are due, oldest first, and hides them from every other worker until `lease_until`: a worker
    /// that dies loses nothing.
    async fn take(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u16,
    ) -> Result<Vec<QueuedMail>, StoreError>;

    /// Notes that a mail was sent.
    async fn sent(&self, id: Uuid, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// The mails that were given up, newest first.
    async fn given_up(&self, limit: u16) -> Result<Vec<QueuedMail>, StoreError>;

    /// Makes a mail due again that was given up, with its failures forgotten; `false` for any other.
    async fn revive(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Notes a failure: to be tried again at `retry_at`, or given up when there is none.
    async fn failed(
        &self,
        id: Uuid,
        error: MailError,
        retry_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError>;
}

/// A mail in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailText {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub plain: String,
    /// The same as HTML.
    pub html: String,
}

/// Puts mails into words, for a transport or for whoever wants to see one.
#[cfg_attr(test, mockall::automock)]
pub trait MailComposer: Send + Sync {
    /// The mail.
    fn compose(&self, message: &MailMessage) -> MailText;
}

/// What was sent as a reminder.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Reminders: Send + Sync {
    /// Those of `keys` that were sent.
    async fn sent(&self, keys: &[String]) -> Result<HashSet<String>, StoreError>;
}

impl MailError {
    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::Permanent => "permanent",
        }
    }

    /// The error of that identifier.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Temporary, Self::Permanent].into_iter().find(|error| error.as_str() == text)
    }
}

/// Why a mail did not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// May pass later.
    #[error("the mail server does not take mail now")]
    Temporary,
    /// Never will.
    #[error("the mail server refuses this mail")]
    Permanent,
}

/// The transport.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends one mail; its Message-ID MUST depend on its identity only.
    async fn send(&self, mail: &QueuedMail) -> Result<(), MailError>;
}
