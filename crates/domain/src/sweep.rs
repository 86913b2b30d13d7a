//! The yearly sweep by which organisations are compared with the company register (注意事項 十一).

use chrono::{DateTime, Utc};

use crate::{
    company::Finding,
    identity::identity,
    officer::{OfficerId, Permission, Role, permits},
    reason::RecordedReason,
    ruling::{RefusedRuling, Ruling},
    value::{CompanyName, Reason, UnifiedBusinessNumber},
};

identity!(
    /// Identity of a sweep.
    SweepId
);

/// One comparison of all organisations with the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// Its identity.
    pub id: SweepId,
    /// Who began it; none where the operator did, on the command line.
    pub begun_by: Option<OfficerId>,
    /// When.
    pub begun_at: DateTime<Utc>,
    /// The register's state that is compared with; none for one that answers with what is so now.
    pub register_of: Option<DateTime<Utc>>,
}

impl Sweep {
    /// Whether this officer can confirm revocations because of it: a second person.
    pub fn may_be_confirmed(&self, officer: OfficerId, role: Role) -> bool {
        self.begun_by != Some(officer) && permits(role, Permission::Confirm)
    }
}

/// What became of an organisation on the worklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Waiting,
    /// Its access was revoked. Final.
    Revoked(Ruling),
    /// Its access was left as it is. Final.
    Kept(Ruling),
}

impl Outcome {
    /// Stable identifier, in the API and the store.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Revoked(_) => "revoked",
            Self::Kept(_) => "kept",
        }
    }

    /// The ruling, once there is one.
    pub const fn ruling(&self) -> Option<&Ruling> {
        match self {
            Self::Waiting => None,
            Self::Revoked(ruling) | Self::Kept(ruling) => Some(ruling),
        }
    }
}

/// An organisation on the worklist of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepItem {
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// Its name when the sweep began.
    pub name: CompanyName,
    /// How it compares; none until the register has answered.
    pub finding: Option<Finding>,
    /// What became of it.
    pub outcome: Outcome,
}

impl SweepItem {
    /// An organisation about which the register is to be asked.
    pub const fn unread(ubn: UnifiedBusinessNumber, name: CompanyName) -> Self {
        Self { ubn, name, finding: None, outcome: Outcome::Waiting }
    }

    /// Whether a person is to look at it.
    pub fn waits(&self) -> bool {
        self.outcome == Outcome::Waiting
            && self.finding.as_ref().is_some_and(|finding| *finding != Finding::Matches)
    }

    /// Confirms that its access is to be revoked, and gives the reason; what follows for the organisation is
    /// [`Organisation::revoke`](crate::organisation::Organisation::revoke).
    ///
    /// # Errors
    /// Refused to who began the sweep, where the register gives no ground, and after a ruling.
    pub fn confirm(
        mut self,
        sweep: &Sweep,
        by: OfficerId,
        at: DateTime<Utc>,
    ) -> Result<(Self, RecordedReason), RefusedRuling> {
        self.is_waiting()?;
        if sweep.begun_by == Some(by) {
            return Err(RefusedRuling::SamePerson);
        }
        let reason = self.finding.as_ref().and_then(Finding::reason).ok_or(RefusedRuling::NoGround)?;
        self.outcome = Outcome::Revoked(Ruling { by, at, note: None });
        Ok((self, reason))
    }

    /// Leaves access as it is.
    ///
    /// # Errors
    /// Refused while the register has not answered, and after a ruling.
    pub fn keep(mut self, by: OfficerId, note: Reason, at: DateTime<Utc>) -> Result<Self, RefusedRuling> {
        self.is_waiting()?;
        if self.finding.is_none() {
            return Err(RefusedRuling::NoGround);
        }
        self.outcome = Outcome::Kept(Ruling { by, at, note: Some(note) });
        Ok(self)
    }

    fn is_waiting(&self) -> Result<(), RefusedRuling> {
        if self.outcome == Outcome::Waiting { Ok(()) } else { Err(RefusedRuling::Decided) }
    }
}
