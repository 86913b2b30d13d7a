//! Notices of abnormal use as the API tells them.

use chrono::{DateTime, Utc};
use idcheck_domain::{abuse::Measure, notice, taipei};
use idcheck_usecases::{OfficerNames, ports::Versioned};
use poem_openapi::Object;
use uuid::Uuid;

use crate::{
    kernel::shape::Time,
    organisation::dto::{Ruling, name, ruling_of},
};

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
pub(crate) struct Notice {
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
pub(crate) fn notice_of(
    read: &Versioned<notice::Notice>,
    names: Option<&OfficerNames>,
    now: DateTime<Utc>,
) -> Notice {
    notice_with(&read.value, Some(read.version), names, now)
}

/// A notice, as its organisation sees it.
pub(crate) fn own_notice(value: &notice::Notice, now: DateTime<Utc>) -> Notice {
    notice_with(value, None, None, now)
}
