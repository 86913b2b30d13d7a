//! What the audit log tells: who did what to what. Identities, states and words, never text that people typed.

use std::fmt;

use chrono::NaiveDate;
use idcheck_domain::{
    application::ApplicationId, key::KeyId, notice::NoticeId, officer::OfficerId, plan::PlanId,
    sweep::SweepId, template::TemplateId, value::UnifiedBusinessNumber,
};
use uuid::Uuid;

use crate::{acts::ActName, ports::Officer};

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditActor {
    /// An officer.
    Officer(OfficerId),
    /// An organisation, with its card.
    Organisation(UnifiedBusinessNumber),
    /// The operator, on the command line.
    Operator,
    /// The service by itself.
    System,
}

impl fmt::Display for AuditActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Officer(id) => write!(f, "officer:{id}"),
            Self::Organisation(ubn) => write!(f, "organisation:{ubn}"),
            Self::Operator => f.write_str("operator"),
            Self::System => f.write_str("system"),
        }
    }
}

impl From<&Officer> for AuditActor {
    fn from(officer: &Officer) -> Self {
        Self::Officer(officer.id)
    }
}

macro_rules! subjects {
    ($($(#[$doc:meta])* $name:ident($of:ty) = $word:literal;)*) => {
        /// What it was done to.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum AuditSubject {
            $($(#[$doc])* $name($of),)*
            /// A reminder by its key.
            Reminder(String),
            /// The audit log itself.
            Audit,
            /// The database as a whole.
            Database,
        }

        impl fmt::Display for AuditSubject {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name(of) => write!(f, concat!($word, ":{}"), of),)*
                    Self::Reminder(key) => f.write_str(key),
                    Self::Audit => f.write_str("audit"),
                    Self::Database => f.write_str("database"),
                }
            }
        }
    };
}

subjects! {
    /// A case.
    Application(ApplicationId) = "application";
    /// An organisation.
    Organisation(UnifiedBusinessNumber) = "organisation";
    /// A notice of abnormal use.
    Notice(NoticeId) = "notice";
    /// An improvement plan.
    Plan(PlanId) = "plan";
    /// A public key.
    Key(KeyId) = "key";
    /// An officer's account.
    Officer(OfficerId) = "officer";
    /// A template of reasons.
    Template(TemplateId) = "template";
    /// A sweep.
    Sweep(SweepId) = "sweep";
    /// A mail.
    Mail(Uuid) = "mail";
    /// A year of the working calendar.
    Calendar(i32) = "calendar";
    /// A day of the working calendar.
    Day(NaiveDate) = "day";
    /// A snapshot of the company register, by its SHA-256 in hexadecimal.
    Snapshot(String) = "snapshot";
}

macro_rules! identities {
    ($($name:ident($of:ty)),*) => {
        $(impl From<$of> for AuditSubject {
            fn from(of: $of) -> Self {
                Self::$name(of)
            }
        })*
    };
}
identities!(
    Application(ApplicationId),
    Organisation(UnifiedBusinessNumber),
    Notice(NoticeId),
    Plan(PlanId),
    Key(KeyId),
    Officer(OfficerId),
    Template(TemplateId),
    Sweep(SweepId)
);

macro_rules! actions {
    ($($name:ident = $word:literal, $meaning:literal;)*) => {
        /// What was done. A word, once written, keeps its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum AuditAction {
            $(#[doc = $meaning] $name,)*
            /// An applicant's act, signed with the card.
            Act(ActName),
        }

        impl AuditAction {
            /// Every word with what it means, those of the acts without.
            pub const MEANINGS: &[(&'static str, &'static str)] = &[$(($word, $meaning),)*];
        }

        impl fmt::Display for AuditAction {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name => f.write_str($word),)*
                    Self::Act(act) => write!(f, "act.{}", act.as_str()),
                }
            }
        }
    };
}

actions! {
    ApplicationRead = "application.read", "An officer opened a case.";
    ApplicationClaim = "application.claim", "An officer took a case on, or over.";
    ApplicationRelease = "application.release", "An officer let go of a case.";
    ApplicationRequestClarification = "application.requestClarification", "An officer asked the applicant.";
    ApplicationProposeApproval = "application.proposeApproval", "An officer proposed to approve a case, where that takes two.";
    ApplicationReturnToReview = "application.returnToReview", "An officer gave a proposed approval back to the review.";
    ApplicationApprove = "application.approve", "An officer approved a case.";
    ApplicationReject = "application.reject", "An officer rejected a case.";
    OrganisationRead = "organisation.read", "An officer opened an organisation's file.";
    OrganisationSuspend = "organisation.suspend", "An officer stopped an organisation's access.";
    OrganisationLift = "organisation.lift", "An officer opened the way back for a company that is registered again.";
    UsageRead = "usage.read", "An officer read an organisation's counts of use.";
    RevocationAsk = "revocation.ask", "An officer asked for a revocation.";
    RevocationConfirm = "revocation.confirm", "A supervisor confirmed a revocation.";
    RevocationDecline = "revocation.decline", "An officer declined a revocation, or took it back.";
    PlanApprove = "plan.approve", "An officer approved an improvement plan.";
    PlanReject = "plan.reject", "An officer rejected an improvement plan.";
    AttachmentRead = "attachment.read", "An officer opened a file of an answer or an explanation.";
    NoticeRead = "notice.read", "An officer opened a notice of abnormal use.";
    NoticeRaise = "notice.raise", "The service found abnormal use.";
    NoticeObserve = "notice.observe", "The service found more of it while its notice was open.";
    NoticeSend = "notice.send", "An officer asked the organisation to explain.";
    NoticeAccept = "notice.accept", "An officer accepted an explanation.";
    NoticeDismiss = "notice.dismiss", "An officer dismissed a notice.";
    UserSuspend = "user.suspend", "The service suspended an organisation's user (result 8).";
    UserLift = "user.lift", "An officer lifted a user's suspension.";
    SweepBegin = "sweep.begin", "The yearly comparison with the company register was begun.";
    SweepConfirm = "sweep.confirm", "A supervisor revoked access because of it.";
    SweepKeep = "sweep.keep", "An officer left access as it is in spite of it.";
    CompanyImport = "company.import", "The operator imported a snapshot of the company register.";
    CalendarImport = "calendar.import", "The operator imported a year of the working calendar.";
    CalendarDay = "calendar.day", "The operator changed one day of the working calendar.";
    ReminderSend = "reminder.send", "The service reminded an organisation of a deadline.";
    MailSendAgain = "mail.sendAgain", "An officer put a mail that was given up back into the outbox.";
    WebhookGivenUp = "webhook.givenUp", "The service gave up a call to an organisation, which took none for three days.";
    TemplateAdd = "template.add", "An admin added a template of reasons.";
    TemplateChange = "template.change", "An admin changed a template of reasons.";
    OfficerAdd = "officer.add", "An officer's account was added.";
    OfficerRole = "officer.role", "An officer got another role.";
    OfficerClose = "officer.close", "An officer's account was closed.";
    OfficerOpen = "officer.open", "A closed account was opened again.";
    OfficerReset = "officer.reset", "An officer got a new way to sign in.";
    OfficerAccept = "officer.accept", "An officer took up an invitation.";
    PasskeyAdd = "passkey.add", "An officer added a passkey to the own account.";
    PasskeyRemove = "passkey.remove", "An officer removed a passkey of the own account.";
    SessionEnd = "session.end", "A session of an officer was ended, by the officer or an admin.";
    SessionOpen = "session.open", "An officer signed in.";
    SessionCloseAll = "session.close-all", "An officer ended all sessions of the own account.";
    SessionRefused = "session.refused", "A sign-in with a known user name was refused.";
    AuditExport = "audit.export", "An auditor took a copy of the audit log.";
    RetentionRun = "retention.run", "What is past its time was removed.";
    DatabaseRestored = "database.restored", "The database was restored from a backup.";
}

/// One entry of the audit log, a link of the hash chain. Never holds personal data, a PIN or a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who.
    pub actor: AuditActor,
    /// What.
    pub action: AuditAction,
    /// On what.
    pub subject: AuditSubject,
    /// Further details: identities, states and words, such as `version:3`.
    pub detail: String,
}

impl AuditEntry {
    /// An entry that tells nothing else.
    pub fn new(actor: impl Into<AuditActor>, action: AuditAction, subject: impl Into<AuditSubject>) -> Self {
        Self { actor: actor.into(), action, subject: subject.into(), detail: String::new() }
    }

    /// The same with a detail.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }
}
