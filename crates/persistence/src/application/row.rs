//! Cases, their clarifications and histories.

use chrono::{DateTime, Utc};
use idcheck_domain::{
    application::{
        Action, Actor, Application, ApplicationId, Clarification, ClarificationId, Closing, DecisionClock,
        Kind, OpenClarification, Proposal, Request, State, StateName, Step,
    },
    calendar::{Count, DueDate},
    company::folded,
    consent::Consent,
    officer::OfficerId,
    reason::RecordedReason,
    value::{CaseNumber, CompanyName, Narrative, Reason, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{HistoryLine, StoreError, Versioned};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    application::entity::{application, clarification, history},
    kernel::{
        cell::{corrupt, date, instant, kept_text, micros},
        json::{CardJson, ContactJson, PurposeJson, address_texts, addresses, read, text},
    },
};

const TABLE: &str = "applications";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestJson {
    purpose: Option<PurposeJson>,
    former_ubn: Option<String>,
    reason: Option<String>,
    cut_over_at: Option<i64>,
    overlap_days: Option<u8>,
}

impl RequestJson {
    fn of(request: &Request) -> Self {
        let mut json =
            Self { purpose: None, former_ubn: None, reason: None, cut_over_at: None, overlap_days: None };
        match request {
            Request::Apply { purpose, former_ubn } => {
                json.purpose = Some(PurposeJson::of(purpose));
                json.former_ubn = former_ubn.map(|ubn| ubn.to_string());
            }
            Request::ChangeAddress { reason, cut_over_at, overlap_days } => {
                json.reason = Some(reason.as_str().to_owned());
                json.cut_over_at = cut_over_at.map(micros);
                json.overlap_days = Some(*overlap_days);
            }
            Request::Suspend { reason } => json.reason = Some(reason.as_str().to_owned()),
        }
        json
    }

    fn value(&self, kind: Kind) -> Option<Request> {
        let reason = || Reason::parse(self.reason.as_deref()?).ok();
        Some(match kind {
            Kind::Apply => Request::Apply {
                purpose: self.purpose.as_ref()?.value()?,
                former_ubn: self.former_ubn.as_deref().map(UnifiedBusinessNumber::parse).transpose().ok()?,
            },
            Kind::ChangeAddress => Request::ChangeAddress {
                reason: reason()?,
                cut_over_at: self.cut_over_at.and_then(DateTime::from_timestamp_micros),
                overlap_days: self.overlap_days?,
            },
            Kind::Suspend => Request::Suspend { reason: reason()? },
        })
    }
}

fn actor_text(actor: Actor) -> String {
    match actor {
        Actor::Applicant => "applicant".to_owned(),
        Actor::Officer(id) => format!("officer:{id}"),
        Actor::System => "system".to_owned(),
    }
}

fn actor_of(text: &str) -> Option<Actor> {
    match text {
        "applicant" => Some(Actor::Applicant),
        "system" => Some(Actor::System),
        _ => Uuid::parse_str(text.strip_prefix("officer:")?).ok().map(|id| Actor::Officer(OfficerId(id))),
    }
}

/// The row of a case at a version.
pub(crate) fn application_model(case: &Application, version: i64) -> application::Model {
    let due = case.state.due();
    let closing = case.state.closing();
    let reason = closing.and_then(|closing| closing.reason.as_ref());
    let proposal = case.state.proposal();
    let open = match &case.state {
        State::ClarificationRequested { open, .. } => Some(open),
        _ => None,
    };
    let count = match &case.state {
        State::Received { clock }
        | State::UnderReview { clock, .. }
        | State::ApprovalProposed { clock, .. } => clock.count,
        State::ClarificationRequested { open, .. } => open.decision,
        State::Approved(_) | State::Rejected(_) | State::Withdrawn(_) => None,
    };
    application::Model {
        id: case.id.0,
        version,
        case_number: case.case_number.to_string(),
        ubn: case.ubn.to_string(),
        kind: case.kind().as_str().to_owned(),
        company_name: case.company_name.as_str().to_owned(),
        folded: Some(folded(case.company_name.as_str())),
        card: text(&CardJson::of(&case.card)),
        contact: text(&ContactJson::of(&case.contact)),
        host_addresses: text(&address_texts(&case.host_addresses)),
        request: text(&RequestJson::of(&case.request)),
        notice_version: case.consent.notice_version().to_owned(),
        conduct_version: case.consent.conduct_version().to_owned(),
        consented_at: micros(case.consent.given_at()),
        received_at: micros(case.received_at),
        state: case.state.name().as_str().to_owned(),
        due_date: due.map(|due| due.date.to_string()),
        due_provisional: due.is_some_and(|due| due.provisional),
        assignee: case.state.assignee().map(|officer| officer.0),
        clarification_id: open.map(|open| open.id.0),
        days_left: open.map(|open| i32::try_from(open.days_left).unwrap_or(i32::MAX)),
        closed_at: closing.map(|closing| micros(closing.at)),
        closed_by: closing.map(|closing| actor_text(closing.by)),
        closed_reason: reason.map(kept_text),
        closed_reason_code: reason.and_then(RecordedReason::code).map(str::to_owned),
        replaces: case.replaces.as_ref().map(|contact| text(&ContactJson::of(contact))),
        count_from: count.map(|count| count.from.to_string()),
        proposed_by: proposal.map(|proposal| proposal.by.0),
        proposed_at: proposal.map(|proposal| micros(proposal.at)),
        proposed_note: proposal
            .and_then(|proposal| proposal.note.as_ref())
            .map(|note| note.as_str().to_owned()),
        count_days: count.map(|count| i32::try_from(count.days).unwrap_or(i32::MAX)),
    }
}

fn state_of(row: &application::Model) -> Result<State, StoreError> {
    let name = StateName::parse(&row.state).ok_or_else(|| corrupt(TABLE, "state"))?;
    let assignee = row.assignee.map(OfficerId);
    let due = || {
        let text = row.due_date.as_deref().ok_or_else(|| corrupt(TABLE, "due_date"))?;
        Ok::<_, StoreError>(DueDate {
            date: date(TABLE, "due_date", text)?,
            provisional: row.due_provisional,
        })
    };
    let closing = || {
        let by = row.closed_by.as_deref().and_then(actor_of).ok_or_else(|| corrupt(TABLE, "closed_by"))?;
        let at = row.closed_at.ok_or_else(|| corrupt(TABLE, "closed_at"))?;
        let recorded = |text: &str| {
            RecordedReason::parse(row.closed_reason_code.as_deref(), text)
                .ok_or_else(|| corrupt(TABLE, "closed_reason"))
        };
        let reason = row.closed_reason.as_deref().map(recorded).transpose()?;
        Ok::<_, StoreError>(Closing { by, at: instant(TABLE, "closed_at", at)?, reason })
    };
    let count = match (row.count_from.as_deref(), row.count_days) {
        (Some(from), Some(days)) => {
            let days = u32::try_from(days).map_err(|_| corrupt(TABLE, "count_days"))?;
            Some(Count { from: date(TABLE, "count_from", from)?, days })
        }
        _ => None,
    };
    Ok(match name {
        StateName::Received => State::Received { clock: DecisionClock { due: due()?, count } },
        StateName::UnderReview => {
            State::UnderReview { assignee, clock: DecisionClock { due: due()?, count } }
        }
        StateName::ApprovalProposed => {
            let by = row.proposed_by.ok_or_else(|| corrupt(TABLE, "proposed_by"))?;
            let at = row.proposed_at.ok_or_else(|| corrupt(TABLE, "proposed_at"))?;
            let note = row.proposed_note.as_deref().map(Reason::parse).transpose();
            let proposal = Proposal {
                by: OfficerId(by),
                at: instant(TABLE, "proposed_at", at)?,
                note: note.map_err(|_| corrupt(TABLE, "proposed_note"))?,
            };
            State::ApprovalProposed { assignee, clock: DecisionClock { due: due()?, count }, proposal }
        }
        StateName::ClarificationRequested => {
            let id = row.clarification_id.ok_or_else(|| corrupt(TABLE, "clarification_id"))?;
            let days = row.days_left.and_then(|days| u32::try_from(days).ok());
            let days_left = days.ok_or_else(|| corrupt(TABLE, "days_left"))?;
            let open = OpenClarification { id: ClarificationId(id), due: due()?, days_left, decision: count };
            State::ClarificationRequested { assignee, open }
        }
        StateName::Approved => State::Approved(closing()?),
        StateName::Rejected => State::Rejected(closing()?),
        StateName::Withdrawn => State::Withdrawn(closing()?),
    })
}

fn clarification_of(row: &clarification::Model) -> Result<Clarification, StoreError> {
    const TABLE: &str = "clarifications";
    let answer = match (&row.answer, row.answered_at) {
        (Some(answer), Some(at)) => {
            let answer = Narrative::parse(answer).map_err(|_| corrupt(TABLE, "answer"))?;
            Some((answer, instant(TABLE, "answered_at", at)?))
        }
        (None, None) => None,
        _ => return Err(corrupt(TABLE, "answered_at")),
    };
    Ok(Clarification {
        id: ClarificationId(row.id),
        question: Narrative::parse(&row.question).map_err(|_| corrupt(TABLE, "question"))?,
        asked_by: OfficerId(row.asked_by),
        asked_at: instant(TABLE, "asked_at", row.asked_at)?,
        due: DueDate { date: date(TABLE, "due_date", &row.due_date)?, provisional: row.due_provisional },
        answer,
    })
}

/// The rows of a case's clarifications.
pub(crate) fn clarification_models(case: &Application) -> Vec<clarification::Model> {
    case.clarifications
        .iter()
        .map(|c| clarification::Model {
            id: c.id.0,
            application_id: case.id.0,
            question: c.question.as_str().to_owned(),
            asked_by: c.asked_by.0,
            asked_at: micros(c.asked_at),
            due_date: c.due.date.to_string(),
            due_provisional: c.due.provisional,
            answer: c.answer.as_ref().map(|(answer, _)| answer.as_str().to_owned()),
            answered_at: c.answer.as_ref().map(|(_, at)| micros(*at)),
        })
        .collect()
}

/// The case of a row and the rows of its clarifications, oldest first.
pub(crate) fn application_of(
    row: application::Model,
    clarifications: &[clarification::Model],
) -> Result<Versioned<Application>, StoreError> {
    let kind = Kind::parse(&row.kind).ok_or_else(|| corrupt(TABLE, "kind"))?;
    let request: Option<RequestJson> = read(&row.request);
    let card: Option<CardJson> = read(&row.card);
    let contact: Option<ContactJson> = read(&row.contact);
    let hosts: Option<Vec<String>> = read(&row.host_addresses);
    let at: DateTime<Utc> = instant(TABLE, "consented_at", row.consented_at)?;
    let state = state_of(&row)?;
    Ok(Versioned {
        version: row.version,
        value: Application {
            id: ApplicationId(row.id),
            case_number: CaseNumber::parse(&row.case_number).ok_or_else(|| corrupt(TABLE, "case_number"))?,
            ubn: UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt(TABLE, "ubn"))?,
            company_name: CompanyName::parse(&row.company_name)
                .map_err(|_| corrupt(TABLE, "company_name"))?,
            card: card.and_then(CardJson::value).ok_or_else(|| corrupt(TABLE, "card"))?,
            contact: contact.and_then(|json| json.value()).ok_or_else(|| corrupt(TABLE, "contact"))?,
            replaces: match &row.replaces {
                None => None,
                Some(json) => {
                    let contact: Option<ContactJson> = read(json);
                    let contact = contact.and_then(|json| json.value());
                    Some(contact.ok_or_else(|| corrupt(TABLE, "replaces"))?)
                }
            },
            host_addresses: hosts
                .and_then(|texts| addresses(&texts))
                .ok_or_else(|| corrupt(TABLE, "host_addresses"))?,
            request: request.and_then(|json| json.value(kind)).ok_or_else(|| corrupt(TABLE, "request"))?,
            consent: Consent::recorded(row.notice_version, row.conduct_version, at),
            received_at: instant(TABLE, "received_at", row.received_at)?,
            state,
            clarifications: clarifications.iter().map(clarification_of).collect::<Result<_, _>>()?,
        },
    })
}

/// The row of a step.
pub(crate) fn history_model(id: ApplicationId, version: i64, step: &Step) -> history::Model {
    history::Model {
        application_id: id.0,
        version,
        action: step.action.as_str().to_owned(),
        from_state: step.from.map(|state| state.as_str().to_owned()),
        to_state: step.to.as_str().to_owned(),
        actor: actor_text(step.by),
        at: micros(step.at),
        text: step.text.clone(),
    }
}

/// The step of a row, and the officer who took it.
pub(crate) fn history_line(
    row: &history::Model,
    name: impl Fn(OfficerId) -> Option<String>,
) -> Result<HistoryLine, StoreError> {
    const TABLE: &str = "application_history";
    let by = actor_of(&row.actor).ok_or_else(|| corrupt(TABLE, "actor"))?;
    let from = match &row.from_state {
        None => None,
        Some(text) => Some(StateName::parse(text).ok_or_else(|| corrupt(TABLE, "from_state"))?),
    };
    let step = Step {
        action: Action::parse(&row.action).ok_or_else(|| corrupt(TABLE, "action"))?,
        from,
        to: StateName::parse(&row.to_state).ok_or_else(|| corrupt(TABLE, "to_state"))?,
        by,
        at: instant(TABLE, "at", row.at)?,
        text: row.text.clone(),
    };
    let officer = match by {
        Actor::Officer(id) => name(id),
        Actor::Applicant | Actor::System => None,
    };
    Ok(HistoryLine { step, officer })
}
