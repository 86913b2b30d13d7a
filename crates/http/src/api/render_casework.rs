//! What the API tells of casework: requests to revoke, improvement plans, an organisation's file.

use chrono::{DateTime, FixedOffset, Utc};
use idcheck_domain::{officer::OfficerId, plan, revocation, taipei};
use idcheck_usecases::{
    casework::{OfficerNames, OrganisationFile},
    ports::Versioned,
};
use poem_openapi::Object;
use uuid::Uuid;

use super::render::{Application, Organisation, Reader, application_of, organisation_of};

type Time = DateTime<FixedOffset>;

/// What was decided about a request or a plan.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Ruling {
    /// The officer's user name; for officers only.
    officer: Option<String>,
    at: Time,
    note: Option<String>,
}

fn name(names: Option<&OfficerNames>, id: OfficerId) -> Option<String> {
    names.and_then(|names| names.get(&id).cloned())
}

fn ruling_of(ruling: &revocation::Ruling, names: Option<&OfficerNames>) -> Ruling {
    Ruling {
        officer: name(names, ruling.by),
        at: taipei::local(ruling.at),
        note: ruling.note.as_ref().map(|note| note.as_str().to_owned()),
    }
}

/// A request to revoke.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct Revocation {
    id: Uuid,
    /// To be named by a ruling.
    version: i64,
    /// `asked`, `confirmed` or `declined`.
    state: String,
    unified_business_number: String,
    /// `abuse`, `conduct` or `notRegistered`.
    ground: String,
    reason: String,
    /// The user name of who asked.
    asked_by: Option<String>,
    asked_at: Time,
    ruling: Option<Ruling>,
}

/// A request, for officers.
pub(super) fn revocation_of(read: &Versioned<revocation::Revocation>, names: &OfficerNames) -> Revocation {
    let value = &read.value;
    Revocation {
        id: value.id.0,
        version: read.version,
        state: value.state.as_str().to_owned(),
        unified_business_number: value.ubn.to_string(),
        ground: value.ground.as_str().to_owned(),
        reason: value.reason.as_str().to_owned(),
        asked_by: name(Some(names), value.asked_by),
        asked_at: taipei::local(value.asked_at),
        ruling: value.state.ruling().map(|ruling| ruling_of(ruling, Some(names))),
    }
}

/// An improvement plan.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct ImprovementPlan {
    id: Uuid,
    /// To be named by a ruling; for officers only.
    version: Option<i64>,
    /// `filed`, `approved` or `rejected`.
    state: String,
    unified_business_number: String,
    plan: String,
    filed_at: Time,
    ruling: Option<Ruling>,
}

/// A plan, as its owner sees it.
pub(super) fn own_plan(value: &plan::ImprovementPlan) -> ImprovementPlan {
    ImprovementPlan {
        id: value.id.0,
        version: None,
        state: value.state.as_str().to_owned(),
        unified_business_number: value.ubn.to_string(),
        plan: value.plan.as_str().to_owned(),
        filed_at: taipei::local(value.filed_at),
        ruling: value.state.ruling().map(|ruling| ruling_of(ruling, None)),
    }
}

/// A plan, for officers.
pub(super) fn plan_of(read: &Versioned<plan::ImprovementPlan>, names: &OfficerNames) -> ImprovementPlan {
    let ruling = read.value.state.ruling().map(|ruling| ruling_of(ruling, Some(names)));
    ImprovementPlan { version: Some(read.version), ruling, ..own_plan(&read.value) }
}

/// An organisation with all that was done about it.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub(super) struct File {
    organisation: Organisation,
    /// Newest first.
    applications: Vec<Application>,
    /// Requests to revoke, newest first.
    revocations: Vec<Revocation>,
    /// Newest first.
    improvement_plans: Vec<ImprovementPlan>,
}

/// An organisation's file.
pub(super) fn file_of(file: &OrganisationFile, now: DateTime<Utc>) -> File {
    let names = &file.officers;
    File {
        organisation: organisation_of(&file.organisation, now),
        applications: file.cases.iter().map(|case| application_of(case, &[], Reader::Officer)).collect(),
        revocations: file.revocations.iter().map(|read| revocation_of(read, names)).collect(),
        improvement_plans: file.plans.iter().map(|read| plan_of(read, names)).collect(),
    }
}
