//! A question made ready: signed once, sent once or more. Holds personal data: never shown, never logged.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use crate::token::Token;

/// A token and, in the strict profile, the body that it is bound to.
pub(crate) struct Message {
    pub(crate) token: Token,
    pub(crate) body: Option<Zeroizing<Vec<u8>>>,
}

/// A question that was sent and whose answer did not arrive: the same token, to be sent again with
/// [`crate::Client::send_again`] until [`Unanswered::expires_at`].
///
/// The service takes a token once, so sending it again never counts twice.
pub struct Unanswered(pub(crate) Arc<Message>);

impl Unanswered {
    /// The `jti` of the token: what to name when asking the service's officers.
    pub fn jti(&self) -> &str {
        &self.0.token.jti
    }

    /// Until when the token may be sent again. After that the service refuses it without telling whether it was
    /// recorded.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.0.token.expires_at
    }
}

impl fmt::Debug for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unanswered").field("jti", &self.jti()).finish_non_exhaustive()
    }
}
