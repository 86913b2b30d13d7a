//! Filing a case: what `apply`, `changeAddress` and `suspend` have in common.

use idcheck_domain::{
    application::{Application, ApplicationId, Filing, Request},
    calendar::DueDate,
    consent::Consent,
    contact::Contact,
    organisation::Organisation,
    precondition::Precondition,
    taipei,
    value::{CaseNumber, CompanyName, EmailAddress, HostAddresses, UnifiedBusinessNumber},
};

use crate::{
    acts::prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
    kernel::retry,
    ports::{MailMessage, OutgoingMail, Requirement, Versioned, Write},
};

/// The content of a case to be filed. Absent parts are taken from what the organisation holds.
#[derive(Debug)]
pub(crate) struct CaseContent {
    pub(crate) request: Request,
    /// `Apply` only.
    pub(crate) company_name: Option<CompanyName>,
    /// Not for `Suspend`.
    pub(crate) host_addresses: Option<HostAddresses>,
    /// Always for `Apply`.
    pub(crate) contact: Option<Contact>,
    pub(crate) consent: Consent,
}

impl ProveChallenge {
    pub(crate) async fn file(
        &self,
        signed: &Signed,
        content: &CaseContent,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| self.file_once(signed, content)).await
    }

    async fn file_once(&self, signed: &Signed, content: &CaseContent) -> Result<ActResult, ProofRefusal> {
        let kind = content.request.kind();
        let mut requires = Vec::new();
        if let Request::Apply { former_ubn, .. } = &content.request {
            if let Some(former) = former_ubn {
                self.former_number_given_up(*former).await?;
                requires.push(Requirement::NotActive(*former));
            }
            if self.ports.organisations.active_successor(signed.ubn).await?.is_some() {
                return Err(Precondition::SuccessorActive.into());
            }
        }
        let held = self.ports.organisations.find(signed.ubn).await?;
        let filing = filing(signed, content, held.as_ref().map(|h| &h.value))?;
        let told = held.as_ref().map(|held| held.value.contact.email().clone());
        let organisation = if let Some(Versioned { value, version }) = held {
            value.admits_case(kind)?;
            // Written back unchanged: a decision on another case that comes between is a conflict.
            Write::Update { value, expected: version }
        } else {
            let new = Organisation::new(signed.ubn, filing.company_name.clone(), filing.contact.clone());
            new.admits_case(kind)?;
            Write::Insert(new)
        };
        let calendar = self.ports.calendar.load().await?;
        requires.push(Requirement::CalendarEdition(calendar.edition()));
        let id = ApplicationId(self.ports.entropy.uuid(signed.now));
        let random = u64::from_le_bytes(self.ports.entropy.bytes());
        let number = CaseNumber::new(taipei::day(signed.now), random);
        let (application, step) = Application::receive(id, number, filing, signed.now, &calendar);
        let mut change = signed.change(id);
        change.requires = requires;
        change.mail.push(self.received_mail(&application, signed));
        if let Some(held) = told.filter(|_| application.replaces.is_some()) {
            change.mail.push(self.contact_asked_mail(&application, held, signed));
        }
        change.organisation = Some(organisation);
        change.history.push((id, step));
        change.applications.push(Write::Insert(application.clone()));
        self.ports.changes.commit(change).await?;
        Ok(ActResult::Application(Box::new(application)))
    }

    /// 注意事項 八(三): the old number must have been suspended before the new one applies.
    async fn former_number_given_up(&self, former: UnifiedBusinessNumber) -> Result<(), ProofRefusal> {
        match self.ports.organisations.find(former).await? {
            Some(old) if old.value.access.is_active() => Err(Precondition::FormerNumberActive.into()),
            Some(_) | None => Ok(()),
        }
    }

    /// The current contact is notified that another one was asked for.
    fn contact_asked_mail(
        &self,
        application: &Application,
        to: EmailAddress,
        signed: &Signed,
    ) -> OutgoingMail {
        let case_number = application.case_number.to_string();
        let company = application.company_name.as_str().to_owned();
        let message = MailMessage::ContactAsked { case_number, company };
        OutgoingMail { id: self.ports.entropy.uuid(signed.now), about: signed.ubn, to, message }
    }

    fn received_mail(&self, application: &Application, signed: &Signed) -> OutgoingMail {
        OutgoingMail {
            id: self.ports.entropy.uuid(signed.now),
            about: signed.ubn,
            to: application.contact.email().clone(),
            message: MailMessage::Received {
                case_number: application.case_number.to_string(),
                kind: application.kind(),
                company: application.company_name.as_str().to_owned(),
                due: application
                    .state
                    .due()
                    .unwrap_or(DueDate { date: taipei::day(signed.now), provisional: false }),
            },
        }
    }
}

/// The case's own copy of everything; what a later kind leaves out comes from what the organisation holds.
fn filing(
    signed: &Signed,
    content: &CaseContent,
    held: Option<&Organisation>,
) -> Result<Filing, Precondition> {
    let replaces = held
        .map(|held| &held.contact)
        .filter(|contact| content.contact.as_ref().is_some_and(|named| named != *contact));
    let addresses = || held.and_then(|o| o.addresses.as_ref()).map(|plan| plan.shown(signed.now).clone());
    Ok(Filing {
        ubn: signed.ubn,
        company_name: content
            .company_name
            .clone()
            .or_else(|| held.map(|o| o.name.clone()))
            .ok_or(Precondition::NotActive)?,
        card: signed.card.clone(),
        contact: content
            .contact
            .clone()
            .or_else(|| held.map(|o| o.contact.clone()))
            .ok_or(Precondition::NotActive)?,
        replaces: replaces.cloned(),
        host_addresses: content.host_addresses.clone().or_else(addresses).ok_or(Precondition::NotActive)?,
        request: content.request.clone(),
        consent: content.consent.clone(),
    })
}
