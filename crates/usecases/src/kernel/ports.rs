//! The ports of officers' work on cases and organisations.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use idcheck_domain::{organisation::Organisation, value::UnifiedBusinessNumber};

use crate::{
    kernel::{Named, OfficerNames, Refusal},
    ports::{
        Applications, CalendarStore, Change, Changes, Clock, CompanyRegister, Dormancy, Entropy,
        ImprovementPlans, MailComposer, MailMessage, Notices, Officers, Organisations, OutgoingMail,
        ReasonTemplates, Revocations, UsageCounts, UserSuspensions, Versioned,
    },
    usage::{ReadUsage, UsagePorts},
};

/// The ports of review, casework and sweeps.
#[derive(Clone)]
pub struct OfficePorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Cases.
    pub applications: Arc<dyn Applications>,
    /// Organisations.
    pub organisations: Arc<dyn Organisations>,
    /// The company register (商工登記).
    pub company_register: Arc<dyn CompanyRegister>,
    /// Requests to revoke.
    pub revocations: Arc<dyn Revocations>,
    /// Improvement plans.
    pub plans: Arc<dyn ImprovementPlans>,
    /// Notices of abnormal use.
    pub notices: Arc<dyn Notices>,
    /// Suspended users of organisations.
    pub users: Arc<dyn UserSuspensions>,
    /// Counts of use.
    pub counts: Arc<dyn UsageCounts>,
    /// Who does not use its access.
    pub dormancy: Arc<dyn Dormancy>,
    /// Templates of reasons.
    pub templates: Arc<dyn ReasonTemplates>,
    /// The working calendar.
    pub calendar: Arc<dyn CalendarStore>,
    /// Officers, for their names.
    pub officers: Arc<dyn Officers>,
    /// Mails in words, for a preview.
    pub composer: Arc<dyn MailComposer>,
    /// Changes.
    pub changes: Arc<dyn Changes>,
}

impl OfficePorts {
    pub(crate) async fn organisation(
        &self,
        ubn: UnifiedBusinessNumber,
    ) -> Result<Versioned<Organisation>, Refusal> {
        self.organisations.find(ubn).await?.ok_or(Refusal::Unknown)
    }

    /// A mail to the organisation's contact.
    pub(crate) fn mail(&self, to: &Organisation, message: MailMessage, now: DateTime<Utc>) -> OutgoingMail {
        OutgoingMail { id: self.entropy.uuid(now), about: to.ubn, to: to.contact.email().clone(), message }
    }

    pub(crate) async fn commit(&self, change: Change) -> Result<(), Refusal> {
        Ok(self.changes.commit(change).await?)
    }

    /// The user names of all officers.
    pub(crate) async fn names(&self) -> Result<OfficerNames, Refusal> {
        let officers = self.officers.list().await?;
        Ok(officers.into_iter().map(|listed| (listed.officer.id, listed.officer.username)).collect())
    }

    pub(crate) async fn named<T>(&self, value: T) -> Result<Named<T>, Refusal> {
        Ok(Named { value, officers: self.names().await? })
    }

    /// Counts of use, of these ports.
    pub fn usage(&self) -> ReadUsage {
        ReadUsage::new(UsagePorts {
            clock: Arc::clone(&self.clock),
            counts: Arc::clone(&self.counts),
            organisations: Arc::clone(&self.organisations),
            calendar: Arc::clone(&self.calendar),
            changes: Arc::clone(&self.changes),
        })
    }
}
