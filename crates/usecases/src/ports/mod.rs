//! The ports: what the use cases need from the world, each documented as a contract that every adapter passes.

#![cfg_attr(test, allow(unused_parens, reason = "mockall repeats the signature of `&(dyn Trait + 'static)`"))]

mod application;
mod attachment;
mod audit;
mod audit_entry;
mod callers;
mod card;
mod change;
mod company_register;
mod draft;
mod household_register;
mod identity;
mod last_use;
mod ledger;
mod mail;
mod officer;
mod organisation;
mod own_session;
mod passkey;
mod public_register;
mod system;
mod template;
mod token;
mod usage;
mod user_suspension;
mod webhook;
mod worklist;

pub use application::{
    ApplicationFilter, Applications, Assigned, CaseSummary, Challenges, HistoryLine, Organisations, Page,
    QueuePlace, StoredChallenge, Versioned,
};
pub use attachment::{Attachments, FileRoom, FileSender, OwnedFile, SentFile};
pub use audit::{
    AuditEntryFound, AuditFilter, AuditLine, AuditLog, ChainStatus, KnownSubject, RecordedEntry,
};
pub use audit_entry::{AuditAction, AuditActor, AuditEntry, AuditSubject};
pub use callers::{
    CallerKey, CallerKeyRecord, CallerRecord, CallerSource, Door, Exceeded, KeyMaterial, KeyReader,
    LimitName, LoadedCallers, ParsedKey, RateLimiter, Standing,
};
pub use card::{CardFacts, CardRefusal, CardVerifier};
pub use change::{
    AttachFile, Change, Changes, CommitError, GivenIssKey, OutgoingMail, Requirement, StoreError, UserChange,
    Waiting, Write,
};
pub use company_register::{CompanyRegister, CompanySnapshots, RegisterError, Sweeps};
pub use draft::{DraftRoom, Drafts, Entries, StoredDraft};
pub use household_register::{
    CalendarEdit, CalendarStore, HouseholdRegister, Redate, Redated, RegisterRow, RunningDeadlines,
};
pub use identity::{IdentityProvider, ProviderError, SignInAttempt};
pub use last_use::{KeptUse, LastUse, LastUses, Used};
pub use ledger::{Ask, CardQuestion, Ledger, LedgerAnswer, LedgerEntry, LedgerError, Limits};
pub use mail::{MailComposer, MailError, MailMessage, MailText, Mailer, Outbox, QueuedMail, Reminders};
pub use officer::{
    Credentials, ListedOfficer, ListedSession, Officer, OfficerChange, OfficerCredential, OfficerRecord,
    OfficerSessions, Officers, SessionId, SessionOrigin, SessionToken,
};
pub use organisation::{
    Dormancy, DormantOrganisation, FoundUser, ImprovementPlans, NoticeKey, Notices, Revocations, Suspend,
    Suspensions, UsageTally,
};
pub use own_session::{OwnSession, OwnSessions};
pub use passkey::{
    Passkey, PasskeyChallenge, PasskeyHalf, PasskeyMade, PasskeyUsed, PasskeyVerifier, Passkeys,
};
pub use public_register::{PublicRegister, Publisher, RegisteredOrganisation};
pub use system::{Clock, Entropy};
pub use template::ReasonTemplates;
pub use token::{Condition, LegacyClaims, ReadToken, StrictClaims, TextMembers, TokenReader, TokenRefusal};
pub use usage::{LatencyKey, OrganisationUsage, RefusedQueries, UsageCounts};
pub use user_suspension::{SuspendedUser, UserSuspensions};
pub use webhook::{CallFailure, ListedCall, QueuedCall, Webhook, WebhookCaller, WebhookChange, Webhooks};
pub use worklist::{Task, WaitsFor, WorkCounts, WorkItem, Worklists};

#[cfg(test)]
pub(crate) use {
    application::{MockApplications, MockChallenges, MockOrganisations},
    attachment::MockAttachments,
    audit::MockAuditLog,
    callers::{MockCallerSource, MockKeyReader, MockRateLimiter},
    card::MockCardVerifier,
    change::MockChanges,
    company_register::{MockCompanyRegister, MockSweeps},
    draft::MockDrafts,
    household_register::MockCalendarStore,
    identity::MockIdentityProvider,
    last_use::MockLastUses,
    ledger::MockLedger,
    mail::{MockMailComposer, MockReminders},
    officer::{MockCredentials, MockOfficerSessions, MockOfficers},
    organisation::{MockDormancy, MockImprovementPlans, MockNotices, MockRevocations, MockUsageTally},
    own_session::MockOwnSessions,
    passkey::{MockPasskeyVerifier, MockPasskeys},
    system::{MockClock, MockEntropy},
    template::MockReasonTemplates,
    usage::MockUsageCounts,
    user_suspension::MockUserSuspensions,
    webhook::{MockWebhookCaller, MockWebhooks},
    worklist::MockWorklists,
};
