//! The session of an organisation that showed its card.

use chrono::{DateTime, Utc};
use idcheck_domain::value::UnifiedBusinessNumber;

/// Lets whoever holds it read the state of the organisation, for a short time and without the card. It changes nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// Whose.
    pub ubn: UnifiedBusinessNumber,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    token: String,
}

impl OwnSession {
    /// A session with its token.
    pub const fn new(ubn: UnifiedBusinessNumber, expires_at: DateTime<Utc>, token: String) -> Self {
        Self { ubn, expires_at, token }
    }

    /// The token, for its owner only.
    pub fn expose(&self) -> &str {
        &self.token
    }
}

impl std::fmt::Debug for OwnSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnSession")
            .field("ubn", &self.ubn)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Sessions of organisations. Nothing is kept: any node can read what another issued.
#[cfg_attr(test, mockall::automock)]
pub trait OwnSessions: Send + Sync {
    /// A session that ends at `expires_at`.
    fn issue(&self, ubn: UnifiedBusinessNumber, expires_at: DateTime<Utc>) -> OwnSession;

    /// The session of a token that [`issue`](Self::issue) made and that is not over at `now`. MUST NOT tell by its time
    /// how much of a wrong token is right.
    fn read(&self, token: &str, now: DateTime<Utc>) -> Option<OwnSession>;
}
