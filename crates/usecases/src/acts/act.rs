//! The acts and their contents.

use chrono::{DateTime, Utc};
use idcheck_domain::{
    Violation,
    application::{ApplicationId, ClarificationId, Request},
    consent::Consent,
    contact::Contact,
    key::{Environment, KeyId, Profile},
    notice::NoticeId,
    value::{
        AddressPolicy, Authority, CompanyName, ContactName, Description, EmailAddress, HostAddress,
        HostAddresses, KeyLabel, Landline, Mobile, Narrative, Purpose, Reason, Rule, UnifiedBusinessNumber,
    },
};
use uuid::Uuid;

use super::name::ActName;
use crate::kernel::content::{Content, FieldViolation, Fields};

/// The content of a case to be filed. Absent parts are taken from what the organisation holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseContent {
    /// What is asked for.
    pub request: Request,
    /// The company name; `Apply` only.
    pub company_name: Option<CompanyName>,
    /// The host addresses; not for `Suspend`.
    pub host_addresses: Option<HostAddresses>,
    /// The contact; always for `Apply`.
    pub contact: Option<Contact>,
    /// Consent to notices and rules of conduct.
    pub consent: Consent,
}

/// An act with its validated content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// `apply`, `changeAddress`, `suspend`.
    File(Box<CaseContent>),
    /// `progress`.
    Progress,
    /// `revealIssKey`.
    RevealIssKey,
    /// `rotateIssKey`.
    RotateIssKey,
    /// `registerKey`.
    RegisterKey {
        /// PEM.
        public_key_pem: String,
        /// The wire format it is for.
        profile: Profile,
        /// The environment it is for.
        environment: Environment,
        /// The organisation's name for it.
        label: KeyLabel,
    },
    /// `revokeKey`.
    RevokeKey(KeyId),
    /// `changeContact`.
    ChangeContact(Contact),
    /// `answerClarification`.
    AnswerClarification {
        /// The case.
        application: ApplicationId,
        /// The clarification.
        clarification: ClarificationId,
        /// The answer.
        answer: Narrative,
    },
    /// `explain`.
    Explain {
        /// The notice.
        notice: NoticeId,
        /// The explanation.
        explanation: Narrative,
    },
    /// `submitImprovementPlan`.
    SubmitImprovementPlan(Narrative),
    /// `withdraw`.
    Withdraw {
        /// The case.
        application: ApplicationId,
        /// Why.
        reason: Option<Reason>,
    },
}

/// What a content is read against.
pub(crate) struct Reading {
    pub(crate) ubn: UnifiedBusinessNumber,
    pub(crate) now: DateTime<Utc>,
    pub(crate) addresses: AddressPolicy,
}

impl Act {
    /// Reads the content of an act.
    ///
    /// # Errors
    /// Every violation, each with its pointer.
    pub(crate) fn read(
        name: ActName,
        content: &Content,
        with: &Reading,
    ) -> Result<Self, Vec<FieldViolation>> {
        let mut fields = Fields::of(content);
        let act = match name {
            ActName::Apply => apply(&mut fields, with),
            ActName::ChangeAddress => change_address(&mut fields, with),
            ActName::Suspend => suspend(&mut fields, with),
            ActName::Progress => Some(Self::Progress),
            ActName::RevealIssKey => Some(Self::RevealIssKey),
            ActName::RotateIssKey => Some(Self::RotateIssKey),
            ActName::RegisterKey => register_key(&mut fields),
            ActName::RevokeKey => fields.required("/keyId", uuid).map(|id| Self::RevokeKey(KeyId(id))),
            ActName::ChangeContact => contact(&mut fields).map(Self::ChangeContact),
            ActName::AnswerClarification => answer_clarification(&mut fields),
            ActName::Explain => explain(&mut fields),
            ActName::SubmitImprovementPlan => {
                fields.required("/plan", Narrative::parse).map(Self::SubmitImprovementPlan)
            }
            ActName::Withdraw => withdraw(&mut fields),
        };
        fields.finish(act)
    }
}

fn uuid(text: &str) -> Result<Uuid, Violation> {
    Uuid::try_parse(text).map_err(|_| Violation::IdFormat)
}

fn contact(fields: &mut Fields<'_>) -> Option<Contact> {
    let name = fields.required("/contact/name", ContactName::parse);
    let landline = fields.optional("/contact/landline", Landline::parse);
    let mobile = fields.optional("/contact/mobile", Mobile::parse);
    let email = fields.required("/contact/email", EmailAddress::parse);
    if !fields.given("/contact/landline") && !fields.given("/contact/mobile") {
        fields.refuse("/contact/landline", Violation::PhoneRequired);
        return None;
    }
    Contact::new(name?, landline, mobile, email?).ok()
}

fn host_addresses(fields: &mut Fields<'_>, policy: AddressPolicy) -> Option<HostAddresses> {
    let texts = fields.list("/hostAddresses");
    let mut parsed = Vec::with_capacity(texts.len());
    for (pointer, text) in &texts {
        if let Some(address) = fields.check(pointer, HostAddress::parse(text, policy)) {
            if parsed.contains(&address) {
                fields.refuse(pointer, Violation::Duplicate);
            }
            parsed.push(address);
        }
    }
    if parsed.len() < texts.len() {
        return None;
    }
    match HostAddresses::new(parsed) {
        // Told at its own place already.
        Err(Violation::Duplicate) => None,
        result => fields.check("/hostAddresses", result),
    }
}

fn consent(fields: &mut Fields<'_>, now: DateTime<Utc>) -> Option<Consent> {
    let notice = fields.required("/consent/noticeVersion", |text| Ok(text.to_owned()));
    let conduct = fields.required("/consent/conductVersion", |text| Ok(text.to_owned()));
    let (notice, conduct) = (notice?, conduct?);
    match Consent::given(&notice, &conduct, now) {
        Ok(consent) => Some(consent),
        Err(violation) => {
            let pointer = match violation {
                Violation::ConductVersionOutdated => "/consent/conductVersion",
                _ => "/consent/noticeVersion",
            };
            fields.refuse(pointer, violation);
            None
        }
    }
}

fn apply(fields: &mut Fields<'_>, with: &Reading) -> Option<Act> {
    let company_name = fields.required("/companyName", CompanyName::parse);
    let host_addresses = host_addresses(fields, with.addresses);
    let contact = contact(fields);
    let authority = fields.required("/purpose/authority", Authority::parse);
    let rule = fields.required("/purpose/rule", Rule::parse);
    let description = fields.required("/purpose/description", Description::parse);
    let former = fields.optional("/formerUnifiedBusinessNumber", UnifiedBusinessNumber::parse);
    if former == Some(with.ubn) {
        fields.refuse("/formerUnifiedBusinessNumber", Violation::FormerUbnSame);
    }
    let consent = consent(fields, with.now);
    let purpose = Purpose { authority: authority?, rule: rule?, description: description? };
    Some(Act::File(Box::new(CaseContent {
        request: Request::apply(purpose, with.ubn, former).ok()?,
        company_name: Some(company_name?),
        host_addresses: Some(host_addresses?),
        contact: Some(contact?),
        consent: consent?,
    })))
}

/// A contact that is given is refused.
struct ContactRefused;

/// The contact of a later kind, which may leave it out.
fn later_contact(fields: &mut Fields<'_>) -> Result<Option<Contact>, ContactRefused> {
    if fields.has("/contact") { contact(fields).map(Some).ok_or(ContactRefused) } else { Ok(None) }
}

fn time(text: &str) -> Result<DateTime<Utc>, Violation> {
    DateTime::parse_from_rfc3339(text).map(|t| t.with_timezone(&Utc)).map_err(|_| Violation::TimeFormat)
}

fn change_address(fields: &mut Fields<'_>, with: &Reading) -> Option<Act> {
    let host_addresses = host_addresses(fields, with.addresses);
    let reason = fields.required("/reason", Reason::parse);
    let contact = later_contact(fields);
    let consent = consent(fields, with.now);
    let cut_over_at = fields.optional("/cutOverAt", time);
    let overlap_days = match fields.integer("/overlapDays") {
        None => Some(0),
        Some(days) => fields.check("/overlapDays", u8::try_from(days).map_err(|_| Violation::OverlapDays)),
    };
    let request = match Request::change_address(reason?, cut_over_at, overlap_days?, with.now) {
        Ok(request) => request,
        Err(violation) => {
            let pointer = if violation == Violation::CutOverTime { "/cutOverAt" } else { "/overlapDays" };
            fields.refuse(pointer, violation);
            return None;
        }
    };
    Some(Act::File(Box::new(CaseContent {
        request,
        company_name: None,
        host_addresses: Some(host_addresses?),
        contact: contact.ok()?,
        consent: consent?,
    })))
}

fn suspend(fields: &mut Fields<'_>, with: &Reading) -> Option<Act> {
    let reason = fields.required("/reason", Reason::parse);
    let contact = later_contact(fields);
    let consent = consent(fields, with.now);
    Some(Act::File(Box::new(CaseContent {
        request: Request::Suspend { reason: reason? },
        company_name: None,
        host_addresses: None,
        contact: contact.ok()?,
        consent: consent?,
    })))
}

/// Longest PEM taken: RSA-8192 takes less than 1,600 characters.
const MAX_PEM: usize = 4096;

fn pem(text: &str) -> Result<String, Violation> {
    if text.len() > MAX_PEM { Err(Violation::TooLong { max: MAX_PEM }) } else { Ok(text.to_owned()) }
}

fn register_key(fields: &mut Fields<'_>) -> Option<Act> {
    let public_key_pem = fields.required("/publicKeyPem", pem);
    let profile = fields.required("/profile", |text| Profile::parse(text).ok_or(Violation::ValueUnknown));
    let environment = if fields.given("/environment") {
        fields.required("/environment", |text| Environment::parse(text).ok_or(Violation::ValueUnknown))
    } else {
        Some(Environment::Production)
    };
    let label = fields.required("/label", KeyLabel::parse);
    Some(Act::RegisterKey {
        public_key_pem: public_key_pem?,
        profile: profile?,
        environment: environment?,
        label: label?,
    })
}

fn answer_clarification(fields: &mut Fields<'_>) -> Option<Act> {
    let application = fields.required("/applicationId", uuid);
    let clarification = fields.required("/clarificationId", uuid);
    let answer = fields.required("/answer", Narrative::parse);
    Some(Act::AnswerClarification {
        application: ApplicationId(application?),
        clarification: ClarificationId(clarification?),
        answer: answer?,
    })
}

fn explain(fields: &mut Fields<'_>) -> Option<Act> {
    let notice = fields.required("/noticeId", uuid);
    let explanation = fields.required("/explanation", Narrative::parse);
    Some(Act::Explain { notice: NoticeId(notice?), explanation: explanation? })
}

fn withdraw(fields: &mut Fields<'_>) -> Option<Act> {
    let application = fields.required("/applicationId", uuid);
    let reason = fields.optional("/reason", Reason::parse);
    Some(Act::Withdraw { application: ApplicationId(application?), reason })
}
