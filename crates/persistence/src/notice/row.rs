//! Notices of abnormal use and what was sent and explained.

use chrono::NaiveDate;
use idcheck_domain::{
    abuse::{AbuseRule, Evidence, Measure},
    calendar::DueDate,
    notice::{DayCounts, Notice, NoticeId, NoticeState, Sending},
    officer::OfficerId,
    value::{Narrative, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{StoreError, Versioned};

use crate::{
    kernel::{
        cell::{corrupt, date, instant, micros},
        json::{read, text},
    },
    notice::entity::{notice, notice_sending},
    revocation::{ruling_columns, ruling_of},
};

const TABLE: &str = "notices";

/// The row of a notice at a version.
pub(crate) fn notice_model(value: &Notice, version: i64) -> notice::Model {
    let due = value.state.due();
    let (ruled_by, ruled_at, ruling_note) = ruling_columns(value.state.ruling());
    let ended_at = match &value.state {
        NoticeState::Ended { at } => Some(micros(*at)),
        _ => None,
    };
    let counts = words(&value.evidence.counts);
    let later: Vec<_> = value.later.iter().map(|later| (later.day, words(&later.counts))).collect();
    notice::Model {
        id: value.id.0,
        version,
        ubn: value.ubn.to_string(),
        rule: value.rule.as_str().to_owned(),
        user_id: value.evidence.user_id.clone().unwrap_or_default(),
        day: value.evidence.day.to_string(),
        counts: text(&counts),
        later: (!value.later.is_empty()).then(|| text(&later)),
        raised_at: micros(value.raised_at),
        state: value.state.as_str().to_owned(),
        due_date: due.map(|due| due.date.to_string()),
        due_provisional: due.is_some_and(|due| due.provisional),
        ruled_by,
        ruled_at,
        ruling_note,
        ended_at,
    }
}

fn state_of(row: &notice::Model) -> Result<NoticeState, StoreError> {
    let ruling = || ruling_of(TABLE, &(row.ruled_by, row.ruled_at, row.ruling_note.clone()));
    Ok(match row.state.as_str() {
        "raised" => NoticeState::Raised,
        "sent" => {
            let due = row.due_date.as_deref().ok_or_else(|| corrupt(TABLE, "due_date"))?;
            let date = date(TABLE, "due_date", due)?;
            NoticeState::Sent { due: DueDate { date, provisional: row.due_provisional } }
        }
        "explained" => NoticeState::Explained,
        "accepted" => NoticeState::Accepted(ruling()?),
        "dismissed" => NoticeState::Dismissed(ruling()?),
        "ended" => {
            let at = row.ended_at.ok_or_else(|| corrupt(TABLE, "ended_at"))?;
            NoticeState::Ended { at: instant(TABLE, "ended_at", at)? }
        }
        _ => return Err(corrupt(TABLE, "state")),
    })
}

fn words(counts: &[(Measure, u64)]) -> Vec<(&'static str, u64)> {
    counts.iter().map(|(measure, count)| (measure.as_str(), *count)).collect()
}

fn measured(counts: Vec<(String, u64)>) -> Option<Vec<(Measure, u64)>> {
    counts.into_iter().map(|(word, count)| Some((Measure::parse(&word)?, count))).collect()
}

fn counts_of(json: &str) -> Option<Vec<(Measure, u64)>> {
    measured(read(json)?)
}

fn later_of(json: &str) -> Option<Vec<DayCounts>> {
    let later: Vec<(NaiveDate, Vec<(String, u64)>)> = read(json)?;
    later.into_iter().map(|(day, counts)| Some(DayCounts { day, counts: measured(counts)? })).collect()
}

fn sending_of(row: &notice_sending::Model) -> Result<Sending, StoreError> {
    const TABLE: &str = "notice_sendings";
    let explanation = match (&row.explanation, row.explained_at) {
        (Some(text), Some(at)) => {
            let text = Narrative::parse(text).map_err(|_| corrupt(TABLE, "explanation"))?;
            Some((text, instant(TABLE, "explained_at", at)?))
        }
        (None, None) => None,
        _ => return Err(corrupt(TABLE, "explained_at")),
    };
    Ok(Sending {
        message: Narrative::parse(&row.message).map_err(|_| corrupt(TABLE, "message"))?,
        sent_by: OfficerId(row.sent_by),
        sent_at: instant(TABLE, "sent_at", row.sent_at)?,
        due: DueDate { date: date(TABLE, "due_date", &row.due_date)?, provisional: row.due_provisional },
        days: row.days.and_then(|days| u32::try_from(days).ok()),
        explanation,
    })
}

/// The notice of a row and the rows of its sendings, in order.
pub(crate) fn notice_of(
    row: &notice::Model,
    sendings: &[notice_sending::Model],
) -> Result<Versioned<Notice>, StoreError> {
    let value = Notice {
        id: NoticeId(row.id),
        ubn: UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt(TABLE, "ubn"))?,
        rule: AbuseRule::parse(&row.rule).ok_or_else(|| corrupt(TABLE, "rule"))?,
        evidence: Evidence {
            day: date(TABLE, "day", &row.day)?,
            user_id: Some(row.user_id.clone()).filter(|user| !user.is_empty()),
            counts: counts_of(&row.counts).ok_or_else(|| corrupt(TABLE, "counts"))?,
        },
        later: match &row.later {
            None => Vec::new(),
            Some(json) => later_of(json).ok_or_else(|| corrupt(TABLE, "later"))?,
        },
        raised_at: instant(TABLE, "raised_at", row.raised_at)?,
        state: state_of(row)?,
        sendings: sendings.iter().map(sending_of).collect::<Result<_, _>>()?,
    };
    Ok(Versioned { value, version: row.version })
}

/// The rows of a notice's sendings.
pub(crate) fn sending_models(value: &Notice) -> Vec<notice_sending::Model> {
    let row = |(number, sending): (i32, &Sending)| notice_sending::Model {
        notice_id: value.id.0,
        number,
        message: sending.message.as_str().to_owned(),
        sent_by: sending.sent_by.0,
        sent_at: micros(sending.sent_at),
        due_date: sending.due.date.to_string(),
        due_provisional: sending.due.provisional,
        explanation: sending.explanation.as_ref().map(|(text, _)| text.as_str().to_owned()),
        explained_at: sending.explanation.as_ref().map(|(_, at)| micros(*at)),
        days: sending.days.map(|days| i32::try_from(days).unwrap_or(i32::MAX)),
    };
    (1..).zip(&value.sendings).map(row).collect()
}
