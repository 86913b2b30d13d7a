//! Requests to revoke and improvement plans.

use idcheck_domain::{
    access::Ground,
    officer::OfficerId,
    plan::{ImprovementPlan, PlanId, PlanState},
    revocation::{Revocation, RevocationId, RevocationState, Ruling},
    value::{Narrative, Reason, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{StoreError, Versioned};
use uuid::Uuid;

use super::{corrupt, instant, micros};
use crate::entity::{improvement_plan, revocation};

/// A ruling's three columns.
pub(super) type RulingColumns = (Option<Uuid>, Option<i64>, Option<String>);

pub(super) fn ruling_columns(ruling: Option<&Ruling>) -> RulingColumns {
    match ruling {
        None => (None, None, None),
        Some(ruling) => {
            let note = ruling.note.as_ref().map(|note| note.as_str().to_owned());
            (Some(ruling.by.0), Some(micros(ruling.at)), note)
        }
    }
}

pub(super) fn ruling_of(table: &'static str, columns: &RulingColumns) -> Result<Ruling, StoreError> {
    let (by, at, note) = columns;
    let note = note.as_deref().map(Reason::parse).transpose();
    Ok(Ruling {
        by: OfficerId(by.ok_or_else(|| corrupt(table, "ruled_by"))?),
        at: instant(table, "ruled_at", at.ok_or_else(|| corrupt(table, "ruled_at"))?)?,
        note: note.map_err(|_| corrupt(table, "ruling_note"))?,
    })
}

/// The row of a request at a version.
pub(crate) fn revocation_model(value: &Revocation, version: i64) -> revocation::Model {
    let (ruled_by, ruled_at, ruling_note) = ruling_columns(value.state.ruling());
    revocation::Model {
        id: value.id.0,
        version,
        ubn: value.ubn.to_string(),
        ground: value.ground.as_str().to_owned(),
        reason: value.reason.as_str().to_owned(),
        asked_by: value.asked_by.0,
        asked_at: micros(value.asked_at),
        state: value.state.as_str().to_owned(),
        ruled_by,
        ruled_at,
        ruling_note,
    }
}

/// The request of a row.
pub(crate) fn revocation_of(row: revocation::Model) -> Result<Versioned<Revocation>, StoreError> {
    const TABLE: &str = "revocations";
    let columns = (row.ruled_by, row.ruled_at, row.ruling_note);
    let state = match row.state.as_str() {
        "asked" => RevocationState::Asked,
        "confirmed" => RevocationState::Confirmed(ruling_of(TABLE, &columns)?),
        "declined" => RevocationState::Declined(ruling_of(TABLE, &columns)?),
        _ => return Err(corrupt(TABLE, "state")),
    };
    let value = Revocation {
        id: RevocationId(row.id),
        ubn: UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt(TABLE, "ubn"))?,
        ground: Ground::parse(&row.ground).ok_or_else(|| corrupt(TABLE, "ground"))?,
        reason: Reason::parse(&row.reason).map_err(|_| corrupt(TABLE, "reason"))?,
        asked_by: OfficerId(row.asked_by),
        asked_at: instant(TABLE, "asked_at", row.asked_at)?,
        state,
    };
    Ok(Versioned { value, version: row.version })
}

/// The row of a plan at a version.
pub(crate) fn plan_model(value: &ImprovementPlan, version: i64) -> improvement_plan::Model {
    let (ruled_by, ruled_at, ruling_note) = ruling_columns(value.state.ruling());
    improvement_plan::Model {
        id: value.id.0,
        version,
        ubn: value.ubn.to_string(),
        plan: value.plan.as_str().to_owned(),
        filed_at: micros(value.filed_at),
        state: value.state.as_str().to_owned(),
        ruled_by,
        ruled_at,
        ruling_note,
    }
}

/// The plan of a row.
pub(crate) fn plan_of(row: improvement_plan::Model) -> Result<Versioned<ImprovementPlan>, StoreError> {
    const TABLE: &str = "improvement_plans";
    let columns = (row.ruled_by, row.ruled_at, row.ruling_note);
    let state = match row.state.as_str() {
        "filed" => PlanState::Filed,
        "approved" => PlanState::Approved(ruling_of(TABLE, &columns)?),
        "rejected" => PlanState::Rejected(ruling_of(TABLE, &columns)?),
        _ => return Err(corrupt(TABLE, "state")),
    };
    let value = ImprovementPlan {
        id: PlanId(row.id),
        ubn: UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt(TABLE, "ubn"))?,
        plan: Narrative::parse(&row.plan).map_err(|_| corrupt(TABLE, "plan"))?,
        filed_at: instant(TABLE, "filed_at", row.filed_at)?,
        state,
    };
    Ok(Versioned { value, version: row.version })
}
