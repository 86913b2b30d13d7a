//! An officer's work: the queue, a case, and the steps of a review (審核).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use idcheck_domain::{
    application::{Application, ApplicationId, Approvers, ClarificationId, Kind, Request, StateName, Step},
    contact::Contact,
    key::Environment,
    officer::Permission,
    organisation::{Effect, Organisation},
    precondition::Precondition,
    value::{Account, EmailAddress, IssKey, Narrative, Reason, UnifiedBusinessNumber},
};

use crate::{
    application::{close_open_cases, outcome_mail},
    kernel::{OfficePorts, Refusal, permit, retry},
    ports::{
        AuditAction, AuditEntry, CardVerifier, Change, GivenIssKey, MailMessage, MailText, Officer,
        OutgoingMail, Requirement, StoreError, Versioned, Write,
    },
};

/// A step of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReviewCommand {
    /// Take the case on, or over.
    Claim,
    /// Let go of it.
    Release,
    /// Ask the applicant.
    RequestClarification {
        /// What.
        question: Narrative,
    },
    /// Propose to approve it, where that takes two officers.
    ProposeApproval {
        /// A note for the applicant.
        note: Option<Reason>,
    },
    /// Give a proposal back to the review.
    ReturnToReview {
        /// Why.
        reason: Option<Reason>,
    },
    /// Approve it; of a proposal, as the second officer.
    Approve {
        /// A note for the applicant.
        note: Option<Reason>,
    },
    /// Reject it.
    Reject {
        /// Why.
        reason: Reason,
    },
}

impl ReviewCommand {
    const fn action(&self) -> AuditAction {
        match self {
            Self::Claim => AuditAction::ApplicationClaim,
            Self::Release => AuditAction::ApplicationRelease,
            Self::RequestClarification { .. } => AuditAction::ApplicationRequestClarification,
            Self::ProposeApproval { .. } => AuditAction::ApplicationProposeApproval,
            Self::ReturnToReview { .. } => AuditAction::ApplicationReturnToReview,
            Self::Approve { .. } => AuditAction::ApplicationApprove,
            Self::Reject { .. } => AuditAction::ApplicationReject,
        }
    }
}

/// A mail that a step would send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// To whom.
    pub to: EmailAddress,
    /// In words.
    pub text: MailText,
}

/// Takes one step of a review.
#[derive(Clone)]
pub struct ReviewApplication {
    ports: OfficePorts,
    cards: Arc<dyn CardVerifier>,
    approvers: Approvers,
}

impl ReviewApplication {
    /// With these ports, what judges the cards that signed, and how many officers approve.
    pub fn new(ports: OfficePorts, cards: Arc<dyn CardVerifier>, approvers: Approvers) -> Self {
        Self { ports, cards, approvers }
    }

    /// Takes the step on the case as the officer read it; without `version` as it is now (`Approve` and `Reject`
    /// always name one).
    ///
    /// # Errors
    /// [`Refusal`]; nothing was changed.
    pub async fn execute(
        &self,
        officer: &Officer,
        id: ApplicationId,
        version: Option<i64>,
        command: &ReviewCommand,
    ) -> Result<Versioned<Application>, Refusal> {
        permit(officer, Permission::ReviewCases)?;
        retry(|| async {
            let case = self.ports.applications.find(id).await?.ok_or(Refusal::Unknown)?;
            if version.is_some_and(|read| read != case.version) {
                return Err(Refusal::Stale);
            }
            let version = case.version + 1;
            let (value, mut change) = self.change(officer, case, command).await?;
            let entry = AuditEntry::new(officer, command.action(), id);
            change.audit.push(entry.detail(format!("version:{version}")));
            self.ports.changes.commit(change).await?;
            Ok(Versioned { value, version })
        })
        .await
    }

    /// The mail that the step would send on the case as it was read; of a proposal, the mail of its approval. Nothing is changed; whether card and access allow an
    /// approval is looked at when it is made.
    ///
    /// # Errors
    /// [`Refusal`]; [`Refusal::Unknown`] for a step that sends none.
    pub async fn preview(
        &self,
        officer: &Officer,
        id: ApplicationId,
        version: i64,
        command: &ReviewCommand,
    ) -> Result<Preview, Refusal> {
        permit(officer, Permission::ReviewCases)?;
        let now = self.ports.clock.now();
        let case = self.ports.applications.find(id).await?.ok_or(Refusal::Unknown)?;
        if case.version != version {
            return Err(Refusal::Stale);
        }
        let (after, step, _) = self.step(officer, case.value, command, now).await?;
        let held = self.ports.organisations.find(after.ubn).await?.ok_or(Refusal::Unknown)?;
        let to = told(&after, &held.value, command);
        let proposed = matches!(command, ReviewCommand::ProposeApproval { .. });
        let step = if proposed { Step { to: StateName::Approved, ..step } } else { step };
        let mail = outcome_mail(&self.ports.entropy, (&after, to.email()), &step, now);
        let mail = mail.ok_or(Refusal::Unknown)?;
        Ok(Preview { text: self.ports.composer.compose(&mail.message), to: mail.to })
    }

    async fn change(
        &self,
        officer: &Officer,
        case: Versioned<Application>,
        command: &ReviewCommand,
    ) -> Result<(Application, Change), Refusal> {
        let now = self.ports.clock.now();
        let Versioned { value: application, version } = case;
        let mut change = Change::default();
        let (after, step, requires) = self.step(officer, application, command, now).await?;
        change.requires.extend(requires);
        let held = self.ports.organisations.find(after.ubn).await?.ok_or(Precondition::NothingHeld)?;
        let (before, mail_to) = (held.value.contact.clone(), told(&after, &held.value, command));
        if matches!(command, ReviewCommand::ProposeApproval { .. }) {
            // Nobody is asked to confirm what can't be approved.
            self.card_still_good(&after, now).await?;
        }
        if matches!(command, ReviewCommand::Approve { .. }) {
            self.card_still_good(&after, now).await?;
            self.carry_out(&after, held, now, &mut change).await?;
            if mail_to != before {
                let company = after.company_name.as_str().to_owned();
                let message = MailMessage::ContactChanged { company };
                let id = self.ports.entropy.uuid(now);
                change.mail.push(OutgoingMail { id, about: after.ubn, to: before.email().clone(), message });
            }
        }
        change.mail.extend(outcome_mail(&self.ports.entropy, (&after, mail_to.email()), &step, now));
        change.history.insert(0, (after.id, step));
        change.applications.insert(0, Write::Update { value: after.clone(), expected: version });
        Ok((after, change))
    }

    /// The case after the step, the line of its history, and what must still hold when it is written.
    async fn step(
        &self,
        officer: &Officer,
        application: Application,
        command: &ReviewCommand,
        now: DateTime<Utc>,
    ) -> Result<(Application, Step, Option<Requirement>), Refusal> {
        let by = officer.id;
        let mut requires = None;
        let (after, step) = match command {
            ReviewCommand::Claim => application.claim(by, now)?,
            ReviewCommand::Release => application.release(by, now)?,
            ReviewCommand::RequestClarification { question } => {
                let id = ClarificationId(self.ports.entropy.uuid(now));
                let calendar = self.ports.calendar.load().await?;
                requires = Some(Requirement::CalendarEdition(calendar.edition()));
                application.request_clarification(id, question.clone(), by, now, &calendar)?
            }
            ReviewCommand::ProposeApproval { note } => {
                application.propose_approval(by, note.clone(), now, self.approvers)?
            }
            ReviewCommand::ReturnToReview { reason } => {
                application.return_to_review(by, reason.as_ref(), now)?
            }
            ReviewCommand::Approve { note } => application.approve(by, note.clone(), now, self.approvers)?,
            ReviewCommand::Reject { reason } => application.reject(by, reason.clone(), now)?,
        };
        Ok((after, step, requires))
    }

    /// Whether the card that signed may still give something to its company. A suspension only takes: it was signed by
    /// a card that was good, and stopping must not fail because the card was handed in since (**decided**).
    async fn card_still_good(&self, application: &Application, now: DateTime<Utc>) -> Result<(), Refusal> {
        match application.kind() {
            Kind::Apply | Kind::ChangeAddress => Ok(self.cards.recheck(&application.card, now).await?),
            Kind::Suspend => Ok(()),
        }
    }

    /// What an approval gives or takes, in the same transaction as the decision.
    async fn carry_out(
        &self,
        application: &Application,
        held: Versioned<Organisation>,
        now: DateTime<Utc>,
        change: &mut Change,
    ) -> Result<(), Refusal> {
        if let Request::Apply { former_ubn, .. } = &application.request {
            self.one_of_two_numbers(application.ubn, *former_ubn, change).await?;
        }
        let last = self.ports.organisations.last_account().await?;
        let fresh = last.map_or(Some(Account::FIRST), Account::next).ok_or(Refusal::AccountsExhausted)?;
        let (organisation, effect) = held.value.approve(application, fresh, now)?;
        match effect {
            Effect::Granted => change.iss_key = Some(self.fresh_iss_key(&organisation)?),
            Effect::AddressesReplaced => {}
            Effect::Ended => {
                let OfficePorts { applications, entropy, .. } = &self.ports;
                let but = Some(application.id);
                let told = (application.ubn, organisation.contact.email());
                close_open_cases(applications, entropy, told, but, now, change).await?;
            }
        }
        change.organisation = Some(Write::Update { value: organisation, expected: held.version });
        Ok(())
    }

    /// 注意事項 八(三): of an old and a new number one at most has access. Looked at here for the officer, and again in the write.
    async fn one_of_two_numbers(
        &self,
        ubn: UnifiedBusinessNumber,
        former: Option<UnifiedBusinessNumber>,
        change: &mut Change,
    ) -> Result<(), Refusal> {
        if let Some(former) = former {
            let held = self.ports.organisations.find(former).await?;
            if held.is_some_and(|held| held.value.access.is_active()) {
                return Err(Precondition::FormerNumberActive.into());
            }
            change.requires.push(Requirement::NotActive(former));
        }
        if self.ports.organisations.active_successor(ubn).await?.is_some() {
            return Err(Precondition::SuccessorActive.into());
        }
        change.requires.push(Requirement::NoActiveSuccessor(ubn));
        Ok(())
    }

    fn fresh_iss_key(&self, organisation: &Organisation) -> Result<GivenIssKey, Refusal> {
        let iss_key = IssKey::draw(self.ports.entropy.bytes::<128>()).ok_or(StoreError::Unavailable)?;
        Ok(GivenIssKey { ubn: organisation.ubn, environment: Environment::Production, iss_key })
    }
}

/// Where mail about a step goes to: the contact held, and after an approval that takes a new one over, the new one.
fn told(case: &Application, held: &Organisation, command: &ReviewCommand) -> Contact {
    let approves = matches!(command, ReviewCommand::Approve { .. } | ReviewCommand::ProposeApproval { .. });
    let taken_over = approves && case.replaces.as_ref() == Some(&held.contact);
    if taken_over { case.contact.clone() } else { held.contact.clone() }
}
