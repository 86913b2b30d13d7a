//! Access (查驗權限): what an organisation holds, and the way back to it.

use chrono::{DateTime, Utc};

use crate::{
    officer::{Permission, Role, permits},
    reason::RecordedReason,
    value::Reason,
};

/// Why access was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ground {
    /// Abnormal use not explained, or the explanation not accepted (注意事項 九).
    Abuse,
    /// A rule of conduct broken (管理規範 五).
    Conduct,
    /// No longer a registered company (注意事項 十一).
    NotRegistered,
}

impl Ground {
    /// The word used in the API and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Abuse => "abuse",
            Self::Conduct => "conduct",
            Self::NotRegistered => "notRegistered",
        }
    }

    /// The ground of that word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Abuse, Self::Conduct, Self::NotRegistered].into_iter().find(|g| g.as_str() == text)
    }
}

/// What an officer can do to an organisation's access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessStep {
    /// Ask for a revocation.
    Revoke,
    /// Stop it on a documented request.
    Suspend,
    /// Open the way back for a company that is registered again.
    Lift,
}

impl AccessStep {
    /// Stable identifier.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Suspend => "suspend",
            Self::Lift => "lift",
        }
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
        /// The reason told to the organisation.
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

    /// The word used in the API and the store.
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

/// What stands in the way of an act though every field of it is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.code())]
pub enum Precondition {
    /// `Apply` although access is active.
    AlreadyActive,
    /// `ChangeAddress`, `Suspend` or a production key without active access.
    NotActive,
    /// An open case of the same kind (one at a time).
    OpenCase,
    /// Access was revoked for abuse or conduct and no improvement plan is approved (注意事項 十).
    ImprovementPlanNeeded,
    /// Access was revoked because the company was not registered, and it still is not (注意事項 十一).
    RegistrationNotCurrent,
    /// The former number still holds access: it is to be suspended first (注意事項 八(三)).
    FormerNumberActive,
    /// Another number that names this one as its former number holds access (注意事項 八(三)).
    SuccessorActive,
    /// Five keys are in force already.
    TooManyKeys,
    /// The organisation registered the same key before, and it is in force or was withdrawn.
    KeyKnown,
    /// No such key in force.
    KeyUnknown,
    /// No case of this organisation with that number.
    ApplicationUnknown,
    /// No open clarification with that number.
    ClarificationUnknown,
    /// No approved case yet, so there is nothing to act on.
    NothingHeld,
    /// Access is revoked already.
    AlreadyRevoked,
    /// Access is not revoked on a ground whose way back could be opened.
    NotRevoked,
    /// No improvement plan is asked for.
    NoPlanNeeded,
    /// No notice of this organisation with that number that waits for an explanation.
    NoticeUnknown,
}

impl Precondition {
    /// One of each, for tables of texts.
    pub const ALL: [Self; 17] = [
        Self::AlreadyActive,
        Self::NotActive,
        Self::OpenCase,
        Self::ImprovementPlanNeeded,
        Self::RegistrationNotCurrent,
        Self::FormerNumberActive,
        Self::SuccessorActive,
        Self::TooManyKeys,
        Self::KeyKnown,
        Self::KeyUnknown,
        Self::ApplicationUnknown,
        Self::ClarificationUnknown,
        Self::NothingHeld,
        Self::AlreadyRevoked,
        Self::NotRevoked,
        Self::NoPlanNeeded,
        Self::NoticeUnknown,
    ];

    /// Stable name, the key of the message shown to people.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlreadyActive => "already-active",
            Self::NotActive => "not-active",
            Self::OpenCase => "open-case",
            Self::ImprovementPlanNeeded => "improvement-plan-needed",
            Self::RegistrationNotCurrent => "registration-not-current",
            Self::FormerNumberActive => "former-number-active",
            Self::SuccessorActive => "successor-active",
            Self::TooManyKeys => "too-many-keys",
            Self::KeyKnown => "key-known",
            Self::KeyUnknown => "no-such-key",
            Self::ApplicationUnknown => "application-unknown",
            Self::ClarificationUnknown => "clarification-unknown",
            Self::NothingHeld => "nothing-held",
            Self::AlreadyRevoked => "already-revoked",
            Self::NotRevoked => "not-revoked",
            Self::NoPlanNeeded => "no-plan-needed",
            Self::NoticeUnknown => "notice-unknown",
        }
    }
}
