//! Officers' work on what an organisation holds: revoke and reopen, stop, judge plans and notices.
//!
//! A decision is made again from what the store holds when someone else's change came between; what its officer
//! decided on — a request, a plan — is checked by version and state each time.

mod access;
mod notices;
mod plans;
mod read;
mod sweep;
mod templates;
mod users;

pub use access::{GovernAccess, RevocationRuling};
pub use notices::{HandleNotices, NoticeStep, WatchUsage};
pub use plans::{JudgePlans, PlanRuling};
pub use read::{OfficerNames, OrganisationFile, ReadOrganisations, Waiting};
pub use sweep::{SweepCompanies, SweepFile, SweptBy};
pub use templates::{KeepTemplates, TemplateDraft};
pub use users::GovernUsers;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use idcheck_domain::{
    access::Precondition,
    application::RefusedTransition,
    notice::RefusedNotice,
    officer::{Permission, permits},
    organisation::Organisation,
    revocation::RefusedRuling,
    value::UnifiedBusinessNumber,
};

use crate::{
    ports::{
        Applications, AuditEntry, CalendarStore, Change, Changes, Clock, CommitError, Dormancy, Entropy,
        ImprovementPlans, MailMessage, Notices, Officer, Officers, Organisations, OutgoingMail,
        RegisterError, Revocations, StoreError, Versioned,
    },
    settlement::Unsettled,
};

/// What casework needs.
#[derive(Clone)]
pub struct CaseworkPorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Cases.
    pub applications: Arc<dyn Applications>,
    /// Organisations.
    pub organisations: Arc<dyn Organisations>,
    /// Requests to revoke.
    pub revocations: Arc<dyn Revocations>,
    /// Improvement plans.
    pub plans: Arc<dyn ImprovementPlans>,
    /// Notices of abnormal use.
    pub notices: Arc<dyn Notices>,
    /// Who does not use its access.
    pub dormancy: Arc<dyn Dormancy>,
    /// The working calendar.
    pub calendar: Arc<dyn CalendarStore>,
    /// Officers, for their names.
    pub officers: Arc<dyn Officers>,
    /// Changes.
    pub changes: Arc<dyn Changes>,
}

/// Why something was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseworkRefusal {
    /// The officer's role does not permit it.
    #[error("the role does not permit this")]
    Forbidden,
    /// No such organisation, request or plan.
    #[error("no such thing")]
    Unknown,
    /// Changed since the officer read it.
    #[error("changed by someone else meanwhile")]
    Stale,
    /// A request of the kind waits already.
    #[error("one is waiting already")]
    Waiting,
    /// The second person must be another one, or there is a ruling already.
    #[error(transparent)]
    Ruling(#[from] RefusedRuling),
    /// What the organisation holds refuses it.
    #[error(transparent)]
    Precondition(#[from] Precondition),
    /// The notice's state refuses it.
    #[error(transparent)]
    Notice(#[from] RefusedNotice),
    /// A case refuses to be settled.
    #[error(transparent)]
    Transition(#[from] RefusedTransition),
    /// The company register gave no answer.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unsettled> for CaseworkRefusal {
    fn from(unsettled: Unsettled) -> Self {
        match unsettled {
            Unsettled::Transition(refused) => refused.into(),
            Unsettled::Store(error) => error.into(),
        }
    }
}

impl From<CommitError> for CaseworkRefusal {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::OpenCase => Self::Waiting,
            CommitError::Store(error) => error.into(),
            CommitError::Conflict
            | CommitError::ChallengeSpent
            | CommitError::AccountTaken
            | CommitError::KeyKnown => Self::Stale,
        }
    }
}

/// How often a decision is made again when someone else's change came between.
const TRIES: u8 = 5;

impl CaseworkPorts {
    async fn organisation(
        &self,
        ubn: UnifiedBusinessNumber,
    ) -> Result<Versioned<Organisation>, CaseworkRefusal> {
        self.organisations.find(ubn).await?.ok_or(CaseworkRefusal::Unknown)
    }

    /// A mail to the organisation's contact.
    fn mail(&self, to: &Organisation, message: MailMessage, now: DateTime<Utc>) -> OutgoingMail {
        OutgoingMail { id: self.entropy.uuid(now), to: to.contact.email().clone(), message }
    }

    async fn commit(&self, change: Change) -> Result<(), CaseworkRefusal> {
        Ok(self.changes.commit(change).await?)
    }
}

/// Makes a change again from what the store holds now, until nobody comes between.
async fn settle<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, CaseworkRefusal>
where
    F: Future<Output = Result<T, CaseworkRefusal>> + Send,
{
    for _ in 1..TRIES {
        match attempt().await {
            Err(CaseworkRefusal::Stale) => {}
            outcome => return outcome,
        }
    }
    attempt().await
}

fn permit(officer: &Officer, permission: Permission) -> Result<(), CaseworkRefusal> {
    if permits(officer.role, permission) { Ok(()) } else { Err(CaseworkRefusal::Forbidden) }
}

fn audit(officer: &Officer, action: &str, subject: String, detail: String) -> AuditEntry {
    AuditEntry { actor: format!("officer:{}", officer.id), action: action.to_owned(), subject, detail }
}
