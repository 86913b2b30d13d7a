//! Taking access away (註銷): one officer asks, another one, a supervisor, confirms (four eyes, **decided**).

use chrono::{DateTime, Utc};

use crate::{
    access::Ground,
    identity::identity,
    officer::{OfficerId, Permission, Role, permits},
    ruling::{RefusedRuling, Ruling},
    value::{Reason, UnifiedBusinessNumber},
};

identity!(
    /// Identity of a request to revoke.
    RevocationId
);

/// The state of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationState {
    /// It waits for the second person. Access is as it was.
    Asked,
    /// Confirmed: access is revoked. Final.
    Confirmed(Ruling),
    /// Not to be done. Final.
    Declined(Ruling),
}

impl RevocationState {
    /// Stable identifier, in the API and the store.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Confirmed(_) => "confirmed",
            Self::Declined(_) => "declined",
        }
    }

    /// The ruling, once there is one.
    pub const fn ruling(&self) -> Option<&Ruling> {
        match self {
            Self::Asked => None,
            Self::Confirmed(ruling) | Self::Declined(ruling) => Some(ruling),
        }
    }
}

/// A request to revoke an organisation's access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Its identity.
    pub id: RevocationId,
    /// Whose access.
    pub ubn: UnifiedBusinessNumber,
    /// On what ground.
    pub ground: Ground,
    /// The reason; it is mailed to the organisation.
    pub reason: Reason,
    /// Who asks.
    pub asked_by: OfficerId,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// Its state.
    pub state: RevocationState,
}

impl Revocation {
    /// A request that waits for the second person.
    pub const fn ask(
        id: RevocationId,
        ubn: UnifiedBusinessNumber,
        ground: Ground,
        reason: Reason,
        by: OfficerId,
        at: DateTime<Utc>,
    ) -> Self {
        Self { id, ubn, ground, reason, asked_by: by, asked_at: at, state: RevocationState::Asked }
    }

    /// Whether this officer can confirm it: a second person, while it waits.
    pub fn may_be_confirmed(&self, officer: OfficerId, role: Role) -> bool {
        self.is_open().is_ok() && officer != self.asked_by && permits(role, Permission::Confirm)
    }

    /// Whether an officer of this role can decline it, or take the own one back, while it waits.
    pub const fn may_be_declined(&self, role: Role) -> bool {
        self.is_open().is_ok() && permits(role, Permission::GovernAccess)
    }

    /// Confirms it; what follows for the organisation is
    /// [`Organisation::revoke`](crate::organisation::Organisation::revoke).
    ///
    /// # Errors
    /// Refused to the person who asked, and after a ruling.
    pub fn confirm(mut self, by: OfficerId, at: DateTime<Utc>) -> Result<Self, RefusedRuling> {
        self.is_open()?;
        if by == self.asked_by {
            return Err(RefusedRuling::SamePerson);
        }
        self.state = RevocationState::Confirmed(Ruling { by, at, note: None });
        Ok(self)
    }

    /// Leaves access as it is; the person who asked may take the request back this way.
    ///
    /// # Errors
    /// Refused after a ruling.
    pub fn decline(mut self, by: OfficerId, note: Reason, at: DateTime<Utc>) -> Result<Self, RefusedRuling> {
        self.is_open()?;
        self.state = RevocationState::Declined(Ruling { by, at, note: Some(note) });
        Ok(self)
    }

    const fn is_open(&self) -> Result<(), RefusedRuling> {
        match self.state {
            RevocationState::Asked => Ok(()),
            RevocationState::Confirmed(_) | RevocationState::Declined(_) => Err(RefusedRuling::Decided),
        }
    }
}
