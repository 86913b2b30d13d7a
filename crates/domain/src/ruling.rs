//! The ruling of a second person (four eyes, **decided**).

use chrono::{DateTime, Utc};

use crate::{officer::OfficerId, value::Reason};

/// What the second person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Who.
    pub by: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
    /// In their words; always there where it is a refusal.
    pub note: Option<Reason>,
}

/// Why a ruling was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RefusedRuling {
    /// Who asked can't be the second person.
    #[error("who asked can't confirm")]
    SamePerson,
    /// There is a ruling already.
    #[error("it was decided already")]
    Decided,
    /// What was found gives no ground for it.
    #[error("what was found gives no ground")]
    NoGround,
}
