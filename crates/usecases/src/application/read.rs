//! Reading the queue and single cases; every look at a case is in the audit log.

use std::sync::Arc;

use idcheck_domain::{
    access::Access,
    application::{Action, Application, ApplicationId, Approvers, Request},
    calendar::WorkingCalendar,
    company::CompanyRecord,
    notice::Notice,
    officer::Permission,
    organisation::Organisation,
    plan::ImprovementPlan,
    taipei,
    template::ReasonTemplate,
    value::CaseNumber,
};

use crate::{
    kernel::{OfficePorts, OfficerNames, Refusal, permit},
    ports::{
        ApplicationFilter, AuditAction, AuditEntry, CardRefusal, CardVerifier, CaseSummary, HistoryLine,
        Officer, Page, RegisterError, Versioned,
    },
    usage::UsageReport,
};

/// Everything that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFile {
    /// The case.
    pub application: Application,
    /// Its version; a decision names it.
    pub version: i64,
    /// What this officer can do to it now.
    pub steps: &'static [Action],
    /// Working days left for the decision or the answer, while one is awaited.
    pub days_left: Option<u32>,
    /// What the company register says about the number; the case can be decided without.
    pub registered: Result<Option<CompanyRecord>, RegisterError>,
    /// The organisation's use of the last 30 days.
    pub usage: UsageReport,
    /// Texts to begin a step with.
    pub templates: Vec<Versioned<ReasonTemplate>>,
    /// The current status of the card that signed; not asked for a case that is closed.
    pub card_today: Option<Result<(), CardRefusal>>,
    /// What the organisation holds now.
    pub organisation: Option<Organisation>,
    /// Its improvement plans, newest first.
    pub plans: Vec<Versioned<ImprovementPlan>>,
    /// The access of the number that the case says the company had before; none where that number is not known.
    pub former_access: Option<Access>,
    /// Its other cases, newest first.
    pub former: Vec<Application>,
    /// Notices of abnormal use by the organisation, newest first.
    pub notices: Vec<Versioned<Notice>>,
    /// The history of this case, oldest first.
    pub history: Vec<HistoryLine>,
}

/// A page of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The cases.
    pub cases: Page<CaseSummary>,
    /// The working calendar; a page warns when the coming days need a year that it lacks.
    pub calendar: WorkingCalendar,
    /// The user names of all officers.
    pub officers: OfficerNames,
}

/// Reads the queue and single cases; every look at a case is in the audit log.
#[derive(Clone)]
pub struct ReadCases {
    ports: OfficePorts,
    cards: Arc<dyn CardVerifier>,
    approvers: Approvers,
}

impl ReadCases {
    /// With these ports, what judges the cards that signed, and how many officers approve.
    pub fn new(ports: OfficePorts, cards: Arc<dyn CardVerifier>, approvers: Approvers) -> Self {
        Self { ports, cards, approvers }
    }

    /// A page of the queue.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] or the store's.
    pub async fn queue(&self, officer: &Officer, filter: &ApplicationFilter) -> Result<Queue, Refusal> {
        permit(officer, Permission::ReadCases)?;
        Ok(Queue {
            cases: self.ports.applications.queue(filter).await?,
            calendar: self.ports.calendar.load().await?,
            officers: self.ports.names().await?,
        })
    }

    /// One case with everything that a decision needs.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::Unknown`] or the store's.
    pub async fn case(&self, officer: &Officer, id: ApplicationId) -> Result<CaseFile, Refusal> {
        permit(officer, Permission::ReadCases)?;
        let Versioned { value, version } = self.ports.applications.find(id).await?.ok_or(Refusal::Unknown)?;
        let entry = AuditEntry::new(officer, AuditAction::ApplicationRead, id);
        let entry = entry.detail(value.state.name().as_str());
        self.ports.changes.note(entry).await?;
        let now = self.ports.clock.now();
        let usage = self.ports.usage();
        let calendar = self.ports.calendar.load().await?;
        let due = value.state.due();
        let others = self.ports.applications.of_organisation(value.ubn).await?;
        let card_today =
            if value.is_open() { Some(self.cards.recheck(&value.card, now).await) } else { None };
        let former_access = match &value.request {
            Request::Apply { former_ubn: Some(former), .. } => {
                self.ports.organisations.find(*former).await?.map(|held| held.value.access)
            }
            _ => None,
        };
        Ok(CaseFile {
            plans: self.ports.plans.of_organisation(value.ubn).await?,
            former_access,
            steps: value.possible_steps((officer.id, officer.role), self.approvers, now),
            days_left: due.map(|due| calendar.working_days_between(taipei::day(now), due.date)),
            registered: self.ports.company_register.company(value.ubn).await,
            usage: usage.own(value.ubn, usage.latest()).await?,
            templates: self.ports.templates.all().await?,
            card_today,
            organisation: self.ports.organisations.find(value.ubn).await?.map(|o| o.value),
            former: others.into_iter().map(|a| a.value).filter(|a| a.id != id).collect(),
            notices: self.ports.notices.of_organisation(value.ubn).await?,
            history: self.ports.applications.history(id).await?,
            application: value,
            version,
        })
    }

    /// The identity of the case with this number.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] or the store's.
    pub async fn by_number(
        &self,
        officer: &Officer,
        number: &CaseNumber,
    ) -> Result<Option<ApplicationId>, Refusal> {
        permit(officer, Permission::ReadCases)?;
        Ok(self.ports.applications.find_by_case_number(number).await?.map(|a| a.value.id))
    }
}
