//! What a question can end in other than an answer, distinguished by what it means for asking again.

use std::time::Duration;

use crate::{message::Unanswered, question::QuestionError, refusal::Refusal};

/// Why nothing was sent. Nothing was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("not sent: {}", self.code())]
pub enum NotSent {
    /// The host's name was not found.
    Name,
    /// Nothing listens there.
    Refused,
    /// The connection was not made in time.
    Timeout,
    /// The TLS handshake failed: a certificate that is not trusted, another name, or no TLS there.
    Tls,
    /// Any other failure to connect.
    Unreachable,
}

impl NotSent {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Name, Self::Refused, Self::Timeout, Self::Tls, Self::Unreachable];

    /// A stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Name => "name-not-found",
            Self::Refused => "connection-refused",
            Self::Timeout => "connection-timed-out",
            Self::Tls => "tls-failed",
            Self::Unreachable => "unreachable",
        }
    }

    /// Whether another attempt may go better; a handshake that failed fails again.
    pub(crate) const fn may_pass(self) -> bool {
        !matches!(self, Self::Tls)
    }
}

/// Why it is not known whether a question was recorded.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// No whole reply in time.
    #[error("no reply in time")]
    Timeout,
    /// The connection broke after sending.
    #[error("the connection broke after sending")]
    Connection,
    /// A status that does not tell, of the service or of something between.
    #[error("status {0}")]
    Status(u16),
    /// A reply that can't be read.
    #[error("the reply can't be read")]
    Unreadable,
    /// The token was sent again, and how that ended does not tell what became of the first sending.
    #[error("sent again: {0}")]
    SentAgain(Box<Error>),
}

/// What a question ended in. No personal data, token or key is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value is malformed; nothing was sent.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// The key did not sign; nothing was sent.
    #[error("the key did not sign")]
    Signing,
    /// Nothing was sent.
    #[error(transparent)]
    NotSent(NotSent),
    /// The service refused before comparing.
    #[error(transparent)]
    Refused(Refusal),
    /// 429: a rate, the day's quota or the day's budget of wrong answers is used up. Nothing was compared.
    #[error("too many questions")]
    TooMany {
        /// How long to wait, when the service says so; up to midnight in Taipei.
        retry_after: Option<Duration>,
    },
    /// 503: the service can't answer now. It records nothing then, unless it could not learn how its own commit
    /// ended: so send the same token again instead of asking again.
    #[error("the service can't answer now")]
    Unavailable {
        /// How long to wait, when the service says so.
        retry_after: Option<Duration>,
        /// The token, for [`crate::Client::send_again`].
        unanswered: Unanswered,
    },
    /// The question was sent, and it is not known whether it was recorded. A new question may count twice.
    #[error("it is not known whether the question was recorded: {lost}")]
    OutcomeUnknown {
        /// Why.
        lost: Lost,
        /// The token, for [`crate::Client::send_again`].
        unanswered: Unanswered,
    },
    /// The service has recorded this token before: the question counted once and its answer is lost. A new question
    /// is another question.
    #[error("the question was recorded, and its answer is lost")]
    AlreadyRecorded,
}

impl Error {
    /// A stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Question(_) => "question-malformed",
            Self::Signing => "signing-failed",
            Self::NotSent(cause) => cause.code(),
            Self::Refused(refusal) => refusal.code(),
            Self::TooMany { .. } => "too-many-requests",
            Self::Unavailable { .. } => "unavailable",
            Self::OutcomeUnknown { .. } => "outcome-unknown",
            Self::AlreadyRecorded => "already-recorded",
        }
    }

    /// Whether a new question about the same card certainly does not count twice: nothing was recorded.
    pub const fn may_ask_again(&self) -> bool {
        match self {
            Self::Question(_)
            | Self::Signing
            | Self::NotSent(_)
            | Self::Refused(_)
            | Self::TooMany { .. } => true,
            Self::Unavailable { .. } | Self::OutcomeUnknown { .. } | Self::AlreadyRecorded => false,
        }
    }

    /// How long the service asks to wait.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany { retry_after } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
