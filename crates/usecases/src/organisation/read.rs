//! Reading an organisation with all that was done about it.

use std::collections::HashMap;

use idcheck_domain::{
    access::AccessStep,
    application::Application,
    notice::Notice,
    officer::Permission,
    organisation::Organisation,
    plan::ImprovementPlan,
    revocation::Revocation,
    value::{CompanyName, UnifiedBusinessNumber},
};

use crate::{
    kernel::{OfficePorts, OfficerNames, Refusal, permit},
    ports::{AuditAction, AuditEntry, DormantOrganisation, Officer, StoreError, SuspendedUser, Versioned},
    reminder::dormant_since,
};

/// An organisation as an officer needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationFile {
    /// The organisation.
    pub organisation: Organisation,
    /// Its cases, newest first.
    pub cases: Vec<Application>,
    /// Requests to revoke, newest first.
    pub revocations: Vec<Versioned<Revocation>>,
    /// Its improvement plans, newest first.
    pub plans: Vec<Versioned<ImprovementPlan>>,
    /// Notices of abnormal use, newest first.
    pub notices: Vec<Versioned<Notice>>,
    /// Users who get result 8, longest suspended first.
    pub suspended_users: Vec<SuspendedUser>,
    /// What this officer can do to its access.
    pub steps: &'static [AccessStep],
    /// The names of those who acted.
    pub officers: OfficerNames,
}

/// What waits for someone, in addition to the cases of the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Requests to revoke, for the second person; oldest first.
    pub revocations: Vec<Versioned<Revocation>>,
    /// Improvement plans; oldest first.
    pub plans: Vec<Versioned<ImprovementPlan>>,
    /// Users who get result 8, of all organisations, longest suspended first.
    pub suspended_users: Vec<SuspendedUser>,
    /// Organisations that have not asked for 12 months, by number.
    pub dormant: Vec<DormantOrganisation>,
    /// The names of those who acted.
    pub officers: OfficerNames,
}

/// Reads organisations and what waits; every look at an organisation is in the audit log.
#[derive(Clone)]
pub struct ReadOrganisations {
    ports: OfficePorts,
}

impl ReadOrganisations {
    /// Creates it with these ports.
    pub fn new(ports: OfficePorts) -> Self {
        Self { ports }
    }

    /// The names of organisations that an officer is shown in a list.
    ///
    /// # Errors
    /// The store's.
    pub async fn names(
        &self,
        ubns: &[UnifiedBusinessNumber],
    ) -> Result<HashMap<UnifiedBusinessNumber, CompanyName>, StoreError> {
        self.ports.organisations.names(ubns).await
    }

    /// One organisation.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::Unknown`] or the store's.
    pub async fn organisation(
        &self,
        officer: &Officer,
        ubn: UnifiedBusinessNumber,
    ) -> Result<OrganisationFile, Refusal> {
        permit(officer, Permission::ReadCases)?;
        let organisation = self.ports.organisation(ubn).await?.value;
        let entry = AuditEntry::new(officer, AuditAction::OrganisationRead, ubn);
        let entry = entry.detail(organisation.access.as_str());
        self.ports.changes.note(entry).await?;
        let cases = self.ports.applications.of_organisation(ubn).await?;
        Ok(OrganisationFile {
            steps: organisation.access.possible_steps(officer.role),
            organisation,
            cases: cases.into_iter().map(|case| case.value).collect(),
            revocations: self.ports.revocations.of_organisation(ubn).await?,
            plans: self.ports.plans.of_organisation(ubn).await?,
            notices: self.ports.notices.of_organisation(ubn).await?,
            suspended_users: self.ports.users.suspended(Some(ubn)).await?,
            officers: self.ports.names().await?,
        })
    }

    /// What waits for someone.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] or the store's.
    pub async fn waiting(&self, officer: &Officer) -> Result<Waiting, Refusal> {
        permit(officer, Permission::ReadCases)?;
        Ok(Waiting {
            revocations: self.ports.revocations.waiting().await?,
            plans: self.ports.plans.waiting().await?,
            suspended_users: self.ports.users.suspended(None).await?,
            dormant: self.ports.dormancy.dormant(dormant_since(self.ports.clock.now())).await?,
            officers: self.ports.names().await?,
        })
    }
}
