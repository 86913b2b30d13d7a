//! Why an officer's command or question was refused.

use idcheck_domain::{
    application::RefusedTransition, notice::RefusedNotice, precondition::Precondition, ruling::RefusedRuling,
};

use crate::{
    kernel::Overtaken,
    ports::{CardRefusal, CommitError, RegisterError, StoreError},
};

/// Why it was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The officer's role does not permit it.
    #[error("the role does not permit this")]
    Forbidden,
    /// There is nothing with this identity.
    #[error("no such thing")]
    Unknown,
    /// Changed since the officer read it.
    #[error("changed by someone else meanwhile")]
    Stale,
    /// A request of the kind waits already.
    #[error("one is waiting already")]
    Waiting,
    /// The second person must be another one, or there is a ruling already.
    #[error(transparent)]
    Ruling(#[from] RefusedRuling),
    /// What the organisation holds refuses it; looked at again when it is written.
    #[error(transparent)]
    Precondition(#[from] Precondition),
    /// The notice's state refuses it.
    #[error(transparent)]
    Notice(#[from] RefusedNotice),
    /// The case's state refuses it.
    #[error(transparent)]
    Transition(#[from] RefusedTransition),
    /// The card that signed is no longer good, or whether it is can't be found out now; looked at again when a case is
    /// approved that gives something.
    #[error(transparent)]
    Card(#[from] CardRefusal),
    /// The company register gave no answer.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// All accounts are given.
    #[error("no account is left")]
    AccountsExhausted,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::OpenCase => Self::Waiting,
            CommitError::Store(error) => error.into(),
            CommitError::Conflict
            | CommitError::ChallengeSpent
            | CommitError::AccountTaken
            | CommitError::KeyKnown
            | CommitError::FileUnknown => Self::Stale,
        }
    }
}

impl Overtaken for Refusal {
    fn overtaken(&self) -> bool {
        *self == Self::Stale
    }
}
