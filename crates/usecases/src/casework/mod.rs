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
use idcheck_domain::{organisation::Organisation, value::UnifiedBusinessNumber};

use crate::kernel::Refusal;
use crate::ports::{
    Applications, CalendarStore, Change, Changes, Clock, Dormancy, Entropy, ImprovementPlans, MailMessage,
    Notices, Officers, Organisations, OutgoingMail, Revocations, Versioned,
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

impl CaseworkPorts {
    async fn organisation(&self, ubn: UnifiedBusinessNumber) -> Result<Versioned<Organisation>, Refusal> {
        self.organisations.find(ubn).await?.ok_or(Refusal::Unknown)
    }

    /// A mail to the organisation's contact.
    fn mail(&self, to: &Organisation, message: MailMessage, now: DateTime<Utc>) -> OutgoingMail {
        OutgoingMail { id: self.entropy.uuid(now), to: to.contact.email().clone(), message }
    }

    async fn commit(&self, change: Change) -> Result<(), Refusal> {
        Ok(self.changes.commit(change).await?)
    }
}
