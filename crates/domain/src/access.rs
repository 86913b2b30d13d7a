//! Access (查驗權限): what an organisation holds, and the way back to it.

use chrono::{DateTime, Utc};

use crate::{
    officer::{Permission, Role, permits},
    precondition::Precondition,
    reason::RecordedReason,
    value::Reason,
    words::words,
};

words! {
    /// Why access was revoked.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Ground(as_str) {
        /// Abnormal use not explained, or the explanation not accepted (注意事項 九).
        Abuse = "abuse",
        /// A rule of conduct broken (管理規範 五).
        Conduct = "conduct",
        /// No longer a registered company (注意事項 十一).
        NotRegistered = "notRegistered",
    }
}

words! {
    /// What an officer can do to an organisation's access.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum AccessStep(as_str) {
        /// Ask for a revocation.
        Revoke = "revoke",
        /// Stop it on a documented request.
        Suspend = "suspend",
        /// Open the way back for a company that is registered again.
        Lift = "lift",
    }
}

/// What an organisation holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Nothing yet.
    None,
    /// It may ask.
    Active {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// 停用: given up, or stopped for it after a change of number (注意事項 八).
    Suspended {
        /// Since when.
        since: DateTime<Utc>,
        /// The reason of the approved case.
        reason: Reason,
    },
    /// 註銷: taken away (注意事項 九, 十一; 管理規範 五).
    Revoked {
        /// Since when.
        since: DateTime<Utc>,
        /// On what ground.
        ground: Ground,
        /// The reason, as it is reported to the organisation.
        reason: RecordedReason,
        /// Whether the way back is open: an approved improvement plan, or a current registration (注意事項 十).
        may_return: bool,
    },
}

impl Access {
    /// Whether queries are answered.
    pub const fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }

    /// Stable identifier, in the API and the store.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Active { .. } => "active",
            Self::Suspended { .. } => "suspended",
            Self::Revoked { .. } => "revoked",
        }
    }

    /// Since when it is so; none where nothing was held yet.
    pub const fn since(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::None => None,
            Self::Active { since } | Self::Suspended { since, .. } | Self::Revoked { since, .. } => {
                Some(*since)
            }
        }
    }

    /// What an officer of this role can do to it.
    pub const fn possible_steps(&self, role: Role) -> &'static [AccessStep] {
        if !permits(role, Permission::GovernAccess) {
            return &[];
        }
        match self {
            Self::Active { .. } => &[AccessStep::Revoke, AccessStep::Suspend],
            Self::Suspended { .. } => &[AccessStep::Revoke],
            Self::Revoked { ground: Ground::NotRegistered, may_return: false, .. } => &[AccessStep::Lift],
            Self::None | Self::Revoked { .. } => &[],
        }
    }

    /// Whether a new `Apply` may be filed (注意事項 七–十).
    ///
    /// # Errors
    /// [`Precondition::AlreadyActive`] or what the ground of the revocation asks for.
    pub const fn may_apply(&self) -> Result<(), Precondition> {
        match self {
            Self::None | Self::Suspended { .. } | Self::Revoked { may_return: true, .. } => Ok(()),
            Self::Active { .. } => Err(Precondition::AlreadyActive),
            Self::Revoked { may_return: false, ground, .. } => Err(match ground {
                Ground::Abuse | Ground::Conduct => Precondition::ImprovementPlanNeeded,
                Ground::NotRegistered => Precondition::RegistrationNotCurrent,
            }),
        }
    }

    /// Whether an improvement plan may be filed (注意事項 十).
    ///
    /// # Errors
    /// [`Precondition::NoPlanNeeded`] unless access was revoked for abuse or conduct and the way back is closed.
    pub const fn may_file_plan(&self) -> Result<(), Precondition> {
        match self {
            Self::Revoked { ground: Ground::Abuse | Ground::Conduct, may_return: false, .. } => Ok(()),
            Self::None
            | Self::Active { .. }
            | Self::Suspended { .. }
            | Self::Revoked { may_return: true, .. }
            | Self::Revoked { ground: Ground::NotRegistered, .. } => Err(Precondition::NoPlanNeeded),
        }
    }

    /// Identifiers of the states in which it can be revoked.
    pub const REVOCABLE: [&str; 2] = ["active", "suspended"];

    /// Whether access can be revoked: while it is active, and also once it is suspended, so that giving it up does not
    /// lead around the improvement plan (**decided**).
    ///
    /// # Errors
    /// [`Precondition::NothingHeld`] or [`Precondition::AlreadyRevoked`].
    pub const fn may_be_revoked(&self) -> Result<(), Precondition> {
        match self {
            Self::Active { .. } | Self::Suspended { .. } => Ok(()),
            Self::None => Err(Precondition::NothingHeld),
            Self::Revoked { .. } => Err(Precondition::AlreadyRevoked),
        }
    }

    /// Opens the way back from a revocation on one of `grounds`.
    ///
    /// # Errors
    /// [`Precondition::NotRevoked`] when there is no such way to open.
    fn reopened(self, grounds: &[Ground]) -> Result<Self, Precondition> {
        match self {
            Self::Revoked { since, ground, reason, may_return: false } if grounds.contains(&ground) => {
                Ok(Self::Revoked { since, ground, reason, may_return: true })
            }
            Self::None | Self::Active { .. } | Self::Suspended { .. } | Self::Revoked { .. } => {
                Err(Precondition::NotRevoked)
            }
        }
    }

    /// After an approved improvement plan (注意事項 十).
    ///
    /// # Errors
    /// [`Precondition::NotRevoked`] unless access was revoked for abuse or conduct and the way back is closed.
    pub fn improved(self) -> Result<Self, Precondition> {
        self.reopened(&[Ground::Abuse, Ground::Conduct])
    }

    /// After the company was found registered again (注意事項 十一).
    ///
    /// # Errors
    /// [`Precondition::NotRevoked`] unless access was revoked as not registered and the way back is closed.
    pub fn registered_again(self) -> Result<Self, Precondition> {
        self.reopened(&[Ground::NotRegistered])
    }
}
