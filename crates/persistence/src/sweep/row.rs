//! Sweeps and their worklists.

use idcheck_domain::{
    company::Finding,
    officer::OfficerId,
    sweep::{Outcome, Sweep, SweepId, SweepItem},
    taipei,
    value::{CompanyName, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{StoreError, Versioned};

use crate::{
    kernel::cell::{corrupt, instant, micros},
    revocation::{ruling_columns, ruling_of},
    sweep::entity::{sweep, sweep_item},
};

const ITEMS: &str = "sweep_items";

/// The row of a sweep.
pub(crate) fn sweep_model(value: &Sweep) -> sweep::Model {
    sweep::Model {
        id: value.id.0,
        day: taipei::day(value.begun_at).to_string(),
        begun_by: value.begun_by.map(|officer| officer.0),
        begun_at: micros(value.begun_at),
        register_of: value.register_of.map(micros),
    }
}

/// The sweep of a row.
pub(crate) fn sweep_of(row: &sweep::Model) -> Result<Sweep, StoreError> {
    let register_of = row.register_of.map(|at| instant("sweeps", "register_of", at)).transpose()?;
    Ok(Sweep {
        id: SweepId(row.id),
        begun_by: row.begun_by.map(OfficerId),
        begun_at: instant("sweeps", "begun_at", row.begun_at)?,
        register_of,
    })
}

/// The row of an item at a version.
pub(crate) fn sweep_item_model(id: SweepId, value: &SweepItem, version: i64) -> sweep_item::Model {
    let (ruled_by, ruled_at, ruling_note) = ruling_columns(value.outcome.ruling());
    sweep_item::Model {
        sweep_id: id.0,
        ubn: value.ubn.to_string(),
        version,
        name: value.name.as_str().to_owned(),
        finding: value.finding.as_ref().map(|finding| finding.as_str().to_owned()),
        detail: value.finding.as_ref().and_then(Finding::detail).map(str::to_owned),
        state: value.outcome.as_str().to_owned(),
        ruled_by,
        ruled_at,
        ruling_note,
    }
}

/// The item of a row.
pub(crate) fn sweep_item_of(row: sweep_item::Model) -> Result<Versioned<SweepItem>, StoreError> {
    let columns = (row.ruled_by, row.ruled_at, row.ruling_note);
    let outcome = match row.state.as_str() {
        "waiting" => Outcome::Waiting,
        "revoked" => Outcome::Revoked(ruling_of(ITEMS, &columns)?),
        "kept" => Outcome::Kept(ruling_of(ITEMS, &columns)?),
        _ => return Err(corrupt(ITEMS, "state")),
    };
    let finding = row
        .finding
        .map(|word| Finding::parse(&word, row.detail.as_deref()).ok_or_else(|| corrupt(ITEMS, "finding")));
    let value = SweepItem {
        ubn: UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt(ITEMS, "ubn"))?,
        name: CompanyName::parse(&row.name).map_err(|_| corrupt(ITEMS, "name"))?,
        finding: finding.transpose()?,
        outcome,
    };
    Ok(Versioned { value, version: row.version })
}
