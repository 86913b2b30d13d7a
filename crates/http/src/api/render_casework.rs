//! What the API tells of casework: requests to revoke, improvement plans, notices, an organisation's file.

use chrono::{DateTime, FixedOffset, Utc};
use idcheck_domain::{
    abuse::{AbuseRule, Measure},
    notice,
    officer::OfficerId,
    plan, revocation, taipei,
};
use idcheck_usecases::{
    OfficerNames,
    casework::OrganisationFile,
    ports::{SuspendedUser, Versioned},
};
use poem_openapi::Object;
use uuid::Uuid;

use super::render::{Application, Organisation, application_of, organisation_of};
use crate::{i18n::Lang, show::Audience};

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

/// What was sent, and what came back.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Sending {
    message: String,
    /// The officer's user name; for officers only.
    officer: Option<String>,
    sent_at: Time,
    due_at: Time,
    /// As of the notice.
    due_provisional: bool,
    explanation: Option<String>,
    explained_at: Option<Time>,
}

/// Something that was counted.
#[derive(Debug, Object)]
struct Count {
    measure: String,
    count: u64,
}

/// What a rule found; never an ID number.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Evidence {
    /// The Taipei day.
    day: chrono::NaiveDate,
    /// The organisation's user, where it is about one.
    user_id: Option<String>,
    counts: Vec<Count>,
    /// What it found on later days while the notice was open.
    later: Vec<LaterCounts>,
}

/// What a rule counted on one more day.
#[derive(Debug, Object)]
struct LaterCounts {
    /// The Taipei day.
    day: chrono::NaiveDate,
    counts: Vec<Count>,
}

fn counts_of(counts: &[(Measure, u64)]) -> Vec<Count> {
    counts.iter().map(|(m, n)| Count { measure: m.as_str().to_owned(), count: *n }).collect()
}

/// A notice of abnormal use.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct Notice {
    id: Uuid,
    /// To be named by a step; for officers only.
    version: Option<i64>,
    unified_business_number: String,
    /// `mismatchRatio`, `lockedNumbers`, `userBurst`, `replays`, `refusedAddresses`, `guessedNumber`, `machinePaced` or
    /// `userMistakes`.
    rule: String,
    evidence: Evidence,
    raised_at: Time,
    /// `raised`, `sent`, `explained`, `accepted`, `dismissed` or `ended`.
    state: String,
    due_at: Option<Time>,
    /// Whether the deadline was counted through a year whose working calendar is not published yet: it can move.
    due_provisional: Option<bool>,
    /// Whether the deadline is over.
    overdue: bool,
    /// `askForExplanation`, `lookAtUser` or `considerRevoking`; for officers only.
    suggestion: Option<String>,
    sendings: Vec<Sending>,
    ruling: Option<Ruling>,
}

fn notice_with(
    value: &notice::Notice,
    version: Option<i64>,
    names: Option<&OfficerNames>,
    now: DateTime<Utc>,
) -> Notice {
    let due = value.state.due();
    let later = value.later.iter();
    Notice {
        id: value.id.0,
        version,
        unified_business_number: value.ubn.to_string(),
        rule: value.rule.as_str().to_owned(),
        evidence: Evidence {
            day: value.evidence.day,
            user_id: value.evidence.user_id.clone(),
            counts: counts_of(&value.evidence.counts),
            later: later
                .map(|later| LaterCounts { day: later.day, counts: counts_of(&later.counts) })
                .collect(),
        },
        raised_at: taipei::local(value.raised_at),
        state: value.state.as_str().to_owned(),
        due_at: due.map(|due| taipei::local(due.ends_at())),
        due_provisional: due.map(|due| due.provisional),
        overdue: due.is_some_and(|due| due.is_over(now)),
        suggestion: names.map(|_| value.rule.suggestion().as_str().to_owned()),
        sendings: value.sendings.iter().map(|sending| sending_of(sending, names)).collect(),
        ruling: value.state.ruling().map(|ruling| ruling_of(ruling, names)),
    }
}

fn sending_of(sending: &notice::Sending, names: Option<&OfficerNames>) -> Sending {
    Sending {
        message: sending.message.as_str().to_owned(),
        officer: name(names, sending.sent_by),
        sent_at: taipei::local(sending.sent_at),
        due_at: taipei::local(sending.due.ends_at()),
        due_provisional: sending.due.provisional,
        explanation: sending.explanation.as_ref().map(|(text, _)| text.as_str().to_owned()),
        explained_at: sending.explanation.as_ref().map(|(_, at)| taipei::local(*at)),
    }
}

/// A notice, for officers.
pub(super) fn notice_of(
    read: &Versioned<notice::Notice>,
    names: Option<&OfficerNames>,
    now: DateTime<Utc>,
) -> Notice {
    notice_with(&read.value, Some(read.version), names, now)
}

/// A notice, as its organisation sees it.
pub(super) fn own_notice(value: &notice::Notice, now: DateTime<Utc>) -> Notice {
    notice_with(value, None, None, now)
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
    /// Notices of abnormal use, newest first.
    notices: Vec<Notice>,
    /// Its users who get result 8, longest suspended first.
    suspended_users: Vec<Suspended>,
}

/// A user of an organisation who gets result 8 until the suspension is lifted.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct Suspended {
    unified_business_number: String,
    /// As the organisation's queries name the user.
    user_id: String,
    since: Time,
    /// The rule of abnormal use that found it.
    rule: Option<String>,
}

/// A suspended user, for officers.
pub(super) fn suspended_of(user: &SuspendedUser) -> Suspended {
    Suspended {
        unified_business_number: user.ubn.to_string(),
        user_id: user.user_id.clone(),
        since: taipei::local(user.since),
        rule: user.rule.map(AbuseRule::as_str).map(str::to_owned),
    }
}

/// An organisation's file.
pub(super) fn file_of(lang: Lang, file: &OrganisationFile, now: DateTime<Utc>) -> File {
    let names = &file.officers;
    File {
        organisation: organisation_of(lang, &file.organisation, now),
        applications: file
            .cases
            .iter()
            .map(|case| application_of(case, &[], Audience::officer(lang)))
            .collect(),
        revocations: file.revocations.iter().map(|read| revocation_of(read, names)).collect(),
        improvement_plans: file.plans.iter().map(|read| plan_of(read, names)).collect(),
        notices: file.notices.iter().map(|read| notice_of(read, Some(names), now)).collect(),
        suspended_users: file.suspended_users.iter().map(suspended_of).collect(),
    }
}
