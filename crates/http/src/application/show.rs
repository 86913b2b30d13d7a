//! Cases and organisations as templates take them. Values go one by one: the domain's types can't be serialised.

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    access::Access,
    application::{Action, Application, Clarification, Request, StateName, Step},
    card::{CardRole, SigningCard},
    company::{CompanyRecord, same_name},
    contact::Contact,
    key::RegisteredKey,
    organisation::Organisation,
    reason::RecordedReason,
    taipei,
    value::{CompanyName, Landline, Mobile, private_use},
};
use idcheck_usecases::ports::{CardRefusal, HistoryLine, KeptUse, RegisterError, Used};
use minijinja::{Value, context};

use crate::kernel::{
    i18n::Lang,
    view::{deadline, moment, roc},
};

/// Who reads: the language, and whether officers are named.
#[derive(Clone, Copy)]
pub(crate) struct Audience {
    pub(crate) lang: Lang,
    officer: bool,
}

impl Audience {
    /// Officers are not named.
    pub(crate) const fn applicant(lang: Lang) -> Self {
        Self { lang, officer: false }
    }

    pub(crate) const fn officer(lang: Lang) -> Self {
        Self { lang, officer: true }
    }

    /// An officer's name, where this reader may know it.
    pub(crate) fn officer_name(self, line: &HistoryLine) -> Option<&str> {
        line.officer.as_deref().filter(|_| self.officer)
    }

    /// The state of a case; an applicant is told of a review until it is decided, whoever takes part in it.
    pub(crate) fn state(self, case: &Application) -> &'static str {
        match case.state.name() {
            StateName::ApprovalProposed if !self.officer => StateName::UnderReview.as_str(),
            state => state.as_str(),
        }
    }

    /// The lines of a history that this reader may know.
    pub(crate) fn lines(self, history: &[HistoryLine]) -> impl Iterator<Item = &HistoryLine> {
        let between_officers = |action| matches!(action, Action::ProposeApproval | Action::ReturnToReview);
        history.iter().filter(move |line| self.officer || !between_officers(line.step.action))
    }

    /// What a line of the history says: as it was typed, or why the case was closed with the end of access.
    pub(crate) fn text(self, step: &Step) -> Option<String> {
        match step.action {
            Action::Close => Some(self.lang.reason(&RecordedReason::AccessEnded)),
            _ => step.text.clone(),
        }
    }

    /// Why a case was decided or withdrawn.
    pub(crate) fn closing_reason(self, case: &Application) -> Option<String> {
        case.state.closing()?.reason.as_ref().map(|reason| self.lang.reason(reason))
    }
}

/// Why access is suspended or revoked.
pub(crate) fn access_reason(lang: Lang, access: &Access) -> Option<String> {
    match access {
        Access::None | Access::Active { .. } => None,
        Access::Suspended { reason, .. } => Some(reason.as_str().to_owned()),
        Access::Revoked { reason, .. } => Some(lang.reason(reason)),
    }
}

/// Whom the Ministry writes to.
pub(crate) fn contact(contact: &Contact) -> Value {
    context! {
        name => contact.name().as_str(),
        landline => contact.landline().map(Landline::as_str),
        mobile => contact.mobile().map(Mobile::as_str),
        email => contact.email().as_str(),
    }
}

fn clarification(asked: &Clarification) -> Value {
    context! {
        id => asked.id.0.to_string(),
        question => asked.question.as_str(),
        due => deadline(asked.due),
        answer => asked.answer.as_ref().map(|(answer, _)| answer.as_str()),
    }
}

fn line(line: &HistoryLine, audience: Audience) -> Value {
    context! {
        at => moment(line.step.at),
        action => line.step.action.as_str(),
        officer => audience.officer_name(line),
        text => audience.text(&line.step),
    }
}

/// The card that signed, and whether the name typed in the form is its own.
fn card(card: &SigningCard, typed: &CompanyName) -> Value {
    context! {
        company => &card.company_name,
        names_agree => card.bears(typed),
        role => card.role.map(CardRole::as_str),
        serial => &card.serial,
        issuer => &card.issuer,
        not_before => moment(card.not_before),
        not_after => moment(card.not_after),
        grouped => grouped(&card.fingerprint),
    }
}

/// How the card stands today: the end of the key of the words for it.
pub(crate) fn card_status(today: Result<(), CardRefusal>) -> &'static str {
    match today {
        Ok(()) => "good",
        Err(CardRefusal::Revoked) => "revoked",
        Err(CardRefusal::Expired) => "expired",
        Err(CardRefusal::StatusUnavailable) => "unavailable",
        Err(_) => "refused",
    }
}

/// A case with its history.
pub(crate) fn case(
    case: &Application,
    history: &[HistoryLine],
    audience: Audience,
    now: DateTime<Utc>,
) -> Value {
    let purpose = match &case.request {
        Request::Apply { purpose, .. } => audience.lang.purpose(purpose),
        Request::ChangeAddress { reason, .. } | Request::Suspend { reason } => reason.as_str().to_owned(),
    };
    let former = match &case.request {
        Request::Apply { former_ubn, .. } => former_ubn.map(|ubn| ubn.to_string()),
        Request::ChangeAddress { .. } | Request::Suspend { .. } => None,
    };
    let (cut_over, overlap) = match &case.request {
        Request::ChangeAddress { cut_over_at, overlap_days, .. } => (*cut_over_at, *overlap_days),
        Request::Apply { .. } | Request::Suspend { .. } => (None, 0),
    };
    let closing = case.state.closing();
    let due = case.state.due();
    let asked = case.clarifications.iter().rfind(|asked| asked.answer.is_none() && case.is_open());
    context! {
        id => case.id.to_string(),
        number => case.case_number.as_str(),
        company => case.company_name.as_str(),
        private_use => private_use(&format!("{}{}", case.company_name.as_str(), case.contact.name().as_str())),
        card => card(&case.card, &case.company_name),
        ubn => case.ubn.to_string(),
        contact => contact(&case.contact),
        kind => case.kind().as_str(),
        state => audience.state(case),
        open => case.is_open(),
        received_at => moment(case.received_at),
        addresses => case.host_addresses.as_slice().iter().map(ToString::to_string).collect::<Value>(),
        purpose,
        former,
        cut_over => cut_over.map(moment),
        overlap => (overlap > 0).then_some(overlap),
        answer_by => asked.map(|asked| deadline(asked.due)),
        due => due.map(deadline),
        overdue => due.is_some_and(|due| due.is_over(now)),
        decided_at => closing.map(|closing| moment(closing.at)),
        reason => audience.closing_reason(case),
        clarifications => case.clarifications.iter().map(clarification).collect::<Value>(),
        assignee => history.iter().rev().find(|l| l.step.action == Action::Claim).filter(|_| case.state.assignee().is_some()).and_then(|l| audience.officer_name(l)),
        history => audience.lines(history).map(|l| line(l, audience)).collect::<Value>(),
    }
}

/// The company register's answer about a case, beside the name typed in its form.
pub(crate) fn registered(
    answer: &Result<Option<CompanyRecord>, RegisterError>,
    typed: &CompanyName,
) -> Value {
    let (word, record) = match answer {
        Ok(Some(record)) => ("found", Some(record)),
        Ok(None) => ("notFound", None),
        Err(RegisterError::NoSnapshot) => ("no-snapshot", None),
        Err(RegisterError::Unreadable) => ("unreadable", None),
    };
    context! {
        word,
        name => record.map(|record| &record.name),
        status => record.and_then(|record| record.status.as_ref()),
        ended => record.is_some_and(|record| record.ended().is_some()),
        names_agree => record.is_some_and(|record| same_name(&record.name, typed.as_str())),
    }
}

/// A fingerprint in groups of four.
pub(crate) fn grouped(fingerprint: &str) -> String {
    let groups = fingerprint.as_bytes().chunks(4).map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(" ")
}

/// Enough of a fingerprint to tell it from others.
fn short(fingerprint: &str) -> String {
    let grouped = grouped(fingerprint);
    match (grouped.get(..9), grouped.get(grouped.len().saturating_sub(4)..)) {
        (Some(begin), Some(end)) => format!("{begin} … {end}"),
        _ => grouped,
    }
}

/// A registered public key of a company.
pub(crate) fn key(key: &RegisteredKey, ubn: &str, now: DateTime<Utc>, uses: &[KeptUse]) -> Value {
    let used = uses.iter().find(|kept| kept.used == Used::Key(key.id));
    let state = match (key.revoked_at, key.has_ended(now)) {
        (Some(_), _) => "revoked",
        (None, true) => "ended",
        (None, false) => "in-force",
    };
    context! {
        id => key.id.0.to_string(),
        label => key.label.as_str(),
        ubn,
        fingerprint => &key.fingerprint,
        short => short(&key.fingerprint),
        grouped => grouped(&key.fingerprint),
        registered_at => moment(key.registered_at),
        profile => key.profile.as_str(),
        environment => key.environment.as_str(),
        in_force => key.in_force(now),
        state,
        ends => key.expires_at.map(|end| roc(taipei::day(end - TimeDelta::seconds(1)))),
        used_at => used.map(|kept| moment(kept.at)),
    }
}

/// An organisation, with the last uses that its reader may know.
pub(crate) fn organisation(organisation: &Organisation, now: DateTime<Utc>, uses: &[KeptUse]) -> Value {
    let ubn = organisation.ubn.as_str();
    let addresses = organisation.addresses.as_ref().map(|plan| plan.shown(now));
    context! {
        name => organisation.name.as_str(),
        access => organisation.access.as_str(),
        account => organisation.account.map(|account| account.to_string()),
        addresses => addresses.map(|set| set.as_slice().iter().map(ToString::to_string).collect::<Value>()),
        keys => organisation.keys.iter().map(|held| key(held, ubn, now, uses)).collect::<Value>(),
    }
}
