//! Cases and organisations as templates take them. Values go one by one: the domain's types can't be serialised.

use chrono::{DateTime, Utc};
use idcheck_domain::{
    application::{Action, Application, Clarification, Request},
    card::{CardRole, SigningCard},
    company::{CompanyRecord, same_name},
    contact::Contact,
    key::RegisteredKey,
    organisation::Organisation,
    value::{CompanyName, Landline, Mobile, private_use},
};
use idcheck_usecases::ports::{CardRefusal, HistoryLine, RegisterError};
use minijinja::{Value, context};

use crate::view::{deadline, moment};

/// Whether officers are named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// They are not.
    Applicant,
    /// They are.
    Officer,
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

fn line(line: &HistoryLine, reader: Reader) -> Value {
    context! {
        at => moment(line.step.at),
        action => line.step.action.as_str(),
        officer => line.officer.as_deref().filter(|_| reader == Reader::Officer),
        text => line.step.text.as_deref(),
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
        fingerprint => &card.fingerprint,
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
pub(crate) fn case(case: &Application, history: &[HistoryLine], reader: Reader, now: DateTime<Utc>) -> Value {
    let purpose = match &case.request {
        Request::Apply { purpose, .. } => purpose.joined(),
        Request::ChangeAddress { reason, .. } | Request::Suspend { reason } => reason.as_str().to_owned(),
    };
    let former = match &case.request {
        Request::Apply { former_ubn, .. } => former_ubn.map(|ubn| ubn.to_string()),
        Request::ChangeAddress { .. } | Request::Suspend { .. } => None,
    };
    let closing = case.state.closing();
    let due = case.state.due();
    context! {
        id => case.id.to_string(),
        number => case.case_number.as_str(),
        company => case.company_name.as_str(),
        private_use => private_use(&format!("{}{}", case.company_name.as_str(), case.contact.name().as_str())),
        card => card(&case.card, &case.company_name),
        ubn => case.ubn.to_string(),
        contact => contact(&case.contact),
        kind => case.kind().as_str(),
        state => case.state.name().as_str(),
        open => case.is_open(),
        received_at => moment(case.received_at),
        addresses => case.host_addresses.as_slice().iter().map(ToString::to_string).collect::<Value>(),
        purpose,
        former,
        due => due.map(deadline),
        overdue => due.is_some_and(|due| due.is_over(now)),
        decided_at => closing.map(|closing| moment(closing.at)),
        reason => closing.and_then(|closing| Some(closing.reason.as_ref()?.as_str())),
        clarifications => case.clarifications.iter().map(clarification).collect::<Value>(),
        assignee => history.iter().rev().find(|l| l.step.action == Action::Claim).filter(|_| case.state.assignee().is_some() && reader == Reader::Officer).and_then(|l| l.officer.as_deref()),
        history => history.iter().map(|l| line(l, reader)).collect::<Value>(),
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

/// A registered public key.
pub(crate) fn key(key: &RegisteredKey) -> Value {
    context! {
        id => key.id.0.to_string(),
        label => key.label.as_str(),
        fingerprint => &key.fingerprint,
        registered_at => moment(key.registered_at),
        profile => key.profile.as_str(),
        environment => key.environment.as_str(),
        in_force => key.in_force(),
    }
}

/// An organisation.
pub(crate) fn organisation(organisation: &Organisation, now: DateTime<Utc>) -> Value {
    let addresses = organisation.addresses.as_ref().map(|plan| plan.shown(now));
    context! {
        name => organisation.name.as_str(),
        access => organisation.access.as_str(),
        account => organisation.account.map(|account| account.to_string()),
        addresses => addresses.map(|set| set.as_slice().iter().map(ToString::to_string).collect::<Value>()),
        keys => organisation.keys.iter().map(key).collect::<Value>(),
    }
}
