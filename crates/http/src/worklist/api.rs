//! What waits for an officer, for programs.

use idcheck_usecases::{
    OfficerNames,
    ports::{Task, WorkItem},
    worklist::Worklist,
};
use poem_openapi::{Object, OpenApi, payload::Json};
use uuid::Uuid;

use crate::kernel::{
    failure::Failure,
    session::SignedIn,
    shape::{Time, time},
    tag::Tag,
};

pub(crate) struct WorklistApi;

/// A line of the worklist.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct WorklistItem {
    /// `case`, `notice`, `revocation`, `plan`, `sweep` or `deadLetters`.
    task: String,
    /// Of the case, the notice or the sweep.
    id: Option<Uuid>,
    case_number: Option<String>,
    /// Of a case.
    kind: Option<String>,
    /// Of a case or a notice.
    state: Option<String>,
    /// Of a notice: what was found.
    rule: Option<String>,
    /// Of a request to revoke.
    ground: Option<String>,
    /// Who works on the case, or asked for the revocation.
    officer: Option<String>,
    /// How many organisations of a sweep, or mails.
    waiting: Option<u64>,
    unified_business_number: Option<String>,
    company_name: Option<String>,
    due_at: Option<Time>,
    waiting_since: Option<Time>,
}

/// How much waits.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct WorklistCounts {
    cases: u64,
    notices: u64,
    /// Revocations for the second person, improvement plans, and organisations that a sweep found something about.
    access: u64,
    dead_letters: u64,
}

/// What waits for the officer, most urgent first: of each kind a hundred at most.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct Work {
    items: Vec<WorklistItem>,
    counts: WorklistCounts,
}

fn item_of(item: WorkItem, officers: &OfficerNames) -> WorklistItem {
    let mut told = WorklistItem {
        task: String::new(),
        id: None,
        case_number: None,
        kind: None,
        state: None,
        rule: None,
        ground: None,
        officer: None,
        waiting: None,
        unified_business_number: item.about.as_ref().map(|(ubn, _)| ubn.to_string()),
        company_name: item.about.map(|(_, company)| company.as_str().to_owned()),
        due_at: item.due.map(|due| time(due.ends_at())),
        waiting_since: item.since.map(time),
    };
    let task = match item.task {
        Task::Case { id, number, kind, state, assignee } => {
            (told.id, told.case_number) = (Some(id.0), Some(number.to_string()));
            (told.kind, told.state) = (Some(kind.as_str().to_owned()), Some(state.as_str().to_owned()));
            told.officer = assignee.and_then(|officer| officers.get(&officer).cloned());
            "case"
        }
        Task::Notice { id, rule, state } => {
            (told.id, told.rule, told.state) = (Some(id.0), Some(rule.as_str().to_owned()), Some(state));
            "notice"
        }
        Task::Revocation { ground, asked_by } => {
            told.ground = Some(ground.as_str().to_owned());
            told.officer = officers.get(&asked_by).cloned();
            "revocation"
        }
        Task::Plan => "plan",
        Task::Sweep { id, waiting } => {
            (told.id, told.waiting) = (Some(id.0), Some(waiting));
            "sweep"
        }
        Task::DeadLetters { waiting } => {
            told.waiting = Some(waiting);
            "deadLetters"
        }
    };
    WorklistItem { task: task.to_owned(), ..told }
}

#[OpenApi(tag = "Tag::Officer")]
impl WorklistApi {
    /// Everything that waits for the officer, most urgent first.
    #[oai(path = "/officer/worklist", method = "get", operation_id = "readWorklist")]
    async fn work(&self, signed_in: SignedIn) -> Result<Json<Work>, Failure> {
        let read = signed_in.app.services.worklist.execute(&signed_in.officer).await;
        let Worklist { items, officers, .. } = signed_in.or_failure(read)?;
        let counts = signed_in.app.services.worklist.counts(&signed_in.officer).await;
        let counts = signed_in.or_failure(counts)?.unwrap_or_default();
        Ok(Json(Work {
            items: items.into_iter().map(|item| item_of(item, &officers)).collect(),
            counts: WorklistCounts {
                cases: counts.cases,
                notices: counts.notices,
                access: counts.access,
                dead_letters: counts.mails,
            },
        }))
    }
}
