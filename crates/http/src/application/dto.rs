//! Cases as the API tells them.

use chrono::{DateTime, Utc};
use idcheck_domain::application::{self, Actor, Request};
use idcheck_usecases::ports::{CaseSummary, HistoryLine};
use poem_openapi::Object;
use uuid::Uuid;

use crate::{
    application::show::Audience,
    kernel::shape::{Contact, Purpose, Time, contact_of, time},
};

/// A question of the officer and its answer.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Clarification {
    id: Uuid,
    question: String,
    asked_at: Time,
    due_at: Time,
    /// Whether the deadline was counted through a year whose working calendar is not published yet: it can move.
    due_provisional: bool,
    answer: Option<String>,
    answered_at: Option<Time>,
}

/// A step of a case.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct HistoryEntry {
    action: String,
    from: Option<String>,
    to: String,
    /// `applicant`, `officer` or `system`.
    by: String,
    /// The officer's user name; for officers only.
    officer: Option<String>,
    at: Time,
    text: Option<String>,
}

/// A case.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct Application {
    id: Uuid,
    case_number: String,
    kind: String,
    state: String,
    unified_business_number: String,
    company_name: String,
    contact: Contact,
    host_addresses: Vec<String>,
    purpose: Option<Purpose>,
    /// Why addresses change or access is given up.
    request_reason: Option<String>,
    former_unified_business_number: Option<String>,
    cut_over_at: Option<Time>,
    overlap_days: Option<u8>,
    received_at: Time,
    /// When the running deadline ends.
    due_at: Option<Time>,
    /// Whether it was counted through a year whose working calendar is not published yet: it can move.
    due_provisional: Option<bool>,
    decided_at: Option<Time>,
    /// Why it was decided or withdrawn.
    reason: Option<String>,
    clarifications: Vec<Clarification>,
    history: Vec<HistoryEntry>,
}

fn clarification_of(c: &application::Clarification) -> Clarification {
    Clarification {
        id: c.id.0,
        question: c.question.as_str().to_owned(),
        asked_at: time(c.asked_at),
        due_at: time(c.due.ends_at()),
        due_provisional: c.due.provisional,
        answer: c.answer.as_ref().map(|(answer, _)| answer.as_str().to_owned()),
        answered_at: c.answer.as_ref().map(|(_, at)| time(*at)),
    }
}

fn history_of(line: &HistoryLine, audience: Audience) -> HistoryEntry {
    let by = match line.step.by {
        Actor::Applicant => "applicant",
        Actor::Officer(_) => "officer",
        Actor::System => "system",
    };
    HistoryEntry {
        action: line.step.action.as_str().to_owned(),
        from: line.step.from.map(|state| state.as_str().to_owned()),
        to: line.step.to.as_str().to_owned(),
        by: by.to_owned(),
        officer: audience.officer_name(line).map(str::to_owned),
        at: time(line.step.at),
        text: audience.text(&line.step),
    }
}

/// A case with its history.
pub(crate) fn application_of(
    case: &application::Application,
    history: &[HistoryLine],
    audience: Audience,
) -> Application {
    let (purpose, request_reason) = match &case.request {
        Request::Apply { purpose, .. } => {
            let purpose = Purpose {
                authority: purpose.authority.as_str().to_owned(),
                rule: purpose.rule.as_str().to_owned(),
                description: purpose.description.as_str().to_owned(),
            };
            (Some(purpose), None)
        }
        Request::ChangeAddress { reason, .. } | Request::Suspend { reason } => {
            (None, Some(reason.as_str().to_owned()))
        }
    };
    let (cut_over_at, overlap_days) = match &case.request {
        Request::ChangeAddress { cut_over_at, overlap_days, .. } => {
            (cut_over_at.map(time), Some(*overlap_days))
        }
        Request::Apply { .. } | Request::Suspend { .. } => (None, None),
    };
    let former = match &case.request {
        Request::Apply { former_ubn, .. } => former_ubn.map(|ubn| ubn.to_string()),
        Request::ChangeAddress { .. } | Request::Suspend { .. } => None,
    };
    let closing = case.state.closing();
    Application {
        id: case.id.0,
        case_number: case.case_number.to_string(),
        kind: case.kind().as_str().to_owned(),
        state: audience.state(case).to_owned(),
        unified_business_number: case.ubn.to_string(),
        company_name: case.company_name.as_str().to_owned(),
        contact: contact_of(&case.contact),
        host_addresses: case.host_addresses.as_slice().iter().map(ToString::to_string).collect(),
        purpose,
        request_reason,
        former_unified_business_number: former,
        cut_over_at,
        overlap_days,
        received_at: time(case.received_at),
        due_at: case.state.due().map(|due| time(due.ends_at())),
        due_provisional: case.state.due().map(|due| due.provisional),
        decided_at: closing.map(|closing| time(closing.at)),
        reason: audience.closing_reason(case),
        clarifications: case.clarifications.iter().map(clarification_of).collect(),
        history: audience.lines(history).map(|line| history_of(line, audience)).collect(),
    }
}

/// A line of the queue.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct QueueItem {
    id: Uuid,
    case_number: String,
    kind: String,
    state: String,
    version: i64,
    unified_business_number: String,
    company_name: String,
    received_at: Time,
    due_at: Option<Time>,
    /// Whether the deadline was counted through a year whose working calendar is not published yet: it can move.
    due_provisional: Option<bool>,
    /// Whether the deadline is over.
    overdue: bool,
    assignee: Option<String>,
}

/// A page of the queue.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct Queue {
    pub(crate) applications: Vec<QueueItem>,
    /// To be sent as `cursor` for the next page.
    pub(crate) next_cursor: Option<String>,
}

/// A line of the queue.
pub(crate) fn queue_item(item: &CaseSummary, now: DateTime<Utc>) -> QueueItem {
    let case = &item.application;
    let due = case.state.due();
    QueueItem {
        id: case.id.0,
        case_number: case.case_number.to_string(),
        kind: case.kind().as_str().to_owned(),
        state: case.state.name().as_str().to_owned(),
        version: item.version,
        unified_business_number: case.ubn.to_string(),
        company_name: case.company_name.as_str().to_owned(),
        received_at: time(case.received_at),
        due_at: due.map(|due| time(due.ends_at())),
        due_provisional: due.map(|due| due.provisional),
        overdue: due.is_some_and(|due| due.is_over(now)),
        assignee: item.assignee_name.clone(),
    }
}
