//! The ports: what the use cases need from the world, each documented as a contract that every adapter passes.

#![cfg_attr(test, allow(unused_parens, reason = "mockall repeats the signature of `&(dyn Trait + 'static)`"))]

mod audit;
mod audit_entry;
mod callers;
mod card;
mod cases;
mod casework;
mod change;
mod company;
mod identity;
mod ledger;
mod mail;
mod officers;
mod own_session;
mod public_register;
mod register;
mod system;
mod templates;
mod token;
mod usage;
mod users;

pub use audit::{AuditFilter, AuditLine, AuditLog, ChainStatus, RecordedEntry};
pub use audit_entry::{AuditAction, AuditActor, AuditEntry, AuditSubject};
pub use callers::{
    CallerKey, CallerRecord, CallerSource, Door, Exceeded, KeyMaterial, KeyReader, LimitName, LoadedCallers,
    ParsedKey, RateLimiter, Standing,
};
pub use card::{CardFacts, CardRefusal, CardVerifier};
pub use cases::{
    ApplicationFilter, Applications, Assigned, CaseSummary, Challenges, HistoryLine, Organisations, Page,
    QueuePlace, StoredChallenge, Versioned,
};
pub use casework::{
    Dormancy, DormantOrganisation, FoundUser, ImprovementPlans, NoticeKey, Notices, Revocations, Suspend,
    Suspensions, UsageTally,
};
pub use change::{
    Change, Changes, CommitError, GivenIssKey, OutgoingMail, Requirement, StoreError, UserChange, Waiting,
    Write,
};
pub use company::{CompanyRegister, CompanySnapshots, RegisterError, Sweeps};
pub use identity::{IdentityProvider, ProviderError, SignInAttempt};
pub use ledger::{Ask, CardQuestion, Ledger, LedgerAnswer, LedgerEntry, LedgerError, Limits, RefusalCode};
pub use mail::{MailComposer, MailError, MailMessage, MailText, Mailer, Outbox, QueuedMail, Reminders};
pub use officers::{
    Credentials, ListedOfficer, Officer, OfficerChange, OfficerCredential, OfficerRecord, OfficerSessions,
    Officers, SessionToken,
};
pub use own_session::{OwnSession, OwnSessions};
pub use public_register::{PublicRegister, Publisher, RegisteredOrganisation};
pub use register::{
    CalendarEdit, CalendarStore, HouseholdRegister, Redate, Redated, RegisterRow, RunningDeadlines,
};
pub use system::{Clock, Entropy};
pub use templates::ReasonTemplates;
pub use token::{Condition, LegacyClaims, ReadToken, StrictClaims, TextMembers, TokenReader, TokenRefusal};
pub use usage::{LatencyKey, OrganisationUsage, UsageCounts};
pub use users::{SuspendedUser, UserSuspensions};

#[cfg(test)]
pub(crate) use {
    audit::MockAuditLog,
    callers::{MockCallerSource, MockKeyReader, MockRateLimiter},
    card::MockCardVerifier,
    cases::{MockApplications, MockChallenges, MockOrganisations},
    casework::{MockDormancy, MockImprovementPlans, MockNotices, MockRevocations, MockUsageTally},
    change::MockChanges,
    company::{MockCompanyRegister, MockSweeps},
    identity::MockIdentityProvider,
    ledger::MockLedger,
    mail::{MockMailComposer, MockReminders},
    officers::{MockCredentials, MockOfficerSessions, MockOfficers},
    own_session::MockOwnSessions,
    register::MockCalendarStore,
    system::{MockClock, MockEntropy},
    templates::MockReasonTemplates,
    usage::MockUsageCounts,
    users::MockUserSuspensions,
};
