//! The improvement plan (改善做法): the way back after a revocation for abuse or conduct (注意事項 十).

use chrono::{DateTime, Utc};

use crate::{
    identity::identity,
    officer::OfficerId,
    ruling::{RefusedRuling, Ruling},
    value::{Narrative, Reason, UnifiedBusinessNumber},
};

identity!(
    /// Identity of a plan.
    PlanId
);

/// The state of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanState {
    /// It waits for an officer.
    Filed,
    /// A new `Apply` is possible. Final.
    Approved(Ruling),
    /// Not enough; another plan may be filed. Final.
    Rejected(Ruling),
}

impl PlanState {
    /// Stable identifier, in the API and the store.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Filed => "filed",
            Self::Approved(_) => "approved",
            Self::Rejected(_) => "rejected",
        }
    }

    /// The ruling, once there is one.
    pub const fn ruling(&self) -> Option<&Ruling> {
        match self {
            Self::Filed => None,
            Self::Approved(ruling) | Self::Rejected(ruling) => Some(ruling),
        }
    }
}

/// A plan as it was filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImprovementPlan {
    /// Its identity.
    pub id: PlanId,
    /// Whose.
    pub ubn: UnifiedBusinessNumber,
    /// What is done so that it does not happen again.
    pub plan: Narrative,
    /// When it was filed.
    pub filed_at: DateTime<Utc>,
    /// Its state.
    pub state: PlanState,
}

impl ImprovementPlan {
    /// A plan just filed. Whether one may be filed is
    /// [`Access::may_file_plan`](crate::access::Access::may_file_plan).
    pub const fn file(
        id: PlanId,
        ubn: UnifiedBusinessNumber,
        plan: Narrative,
        filed_at: DateTime<Utc>,
    ) -> Self {
        Self { id, ubn, plan, filed_at, state: PlanState::Filed }
    }

    /// Takes the plan as sufficient.
    ///
    /// # Errors
    /// Refused after a ruling.
    pub fn approve(
        mut self,
        by: OfficerId,
        note: Option<Reason>,
        at: DateTime<Utc>,
    ) -> Result<Self, RefusedRuling> {
        self.is_open()?;
        self.state = PlanState::Approved(Ruling { by, at, note });
        Ok(self)
    }

    /// Sends the plan back with a reason.
    ///
    /// # Errors
    /// Refused after a ruling.
    pub fn reject(mut self, by: OfficerId, reason: Reason, at: DateTime<Utc>) -> Result<Self, RefusedRuling> {
        self.is_open()?;
        self.state = PlanState::Rejected(Ruling { by, at, note: Some(reason) });
        Ok(self)
    }

    const fn is_open(&self) -> Result<(), RefusedRuling> {
        match self.state {
            PlanState::Filed => Ok(()),
            PlanState::Approved(_) | PlanState::Rejected(_) => Err(RefusedRuling::Decided),
        }
    }
}
