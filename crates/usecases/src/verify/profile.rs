//! What the two profiles have in common: how token and question are read, and what a query comes to.

use idcheck_domain::outcome::QueryRefusal;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use idcheck_domain::verification::VerificationResult;

use crate::{
    FieldViolation,
    ports::{CallerKey, CardQuestion, Exceeded, ReadToken, TokenReader, TokenRefusal},
    verify::callers::Caller,
};

/// Longest `userId`.
const MAX_USER_ID: usize = 12;

/// What a query comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Answered: RS7009 with this result.
    Result(VerificationResult),
    /// Checks 1, 2, 4, 5, 10: 401.
    Token(TokenRefusal),
    /// Check 3: 403, with the address that was seen.
    AddressNotRegistered(IpAddr),
    /// Check 6: 403.
    AccessEnded,
    /// Check 7: RS3811.
    AccountMismatch,
    /// Check 8: RS3822; in the strict profile the broken rules by JSON pointer, none for a body that is no JSON object.
    ConditionMalformed(Vec<FieldViolation>),
    /// Check 9: 429.
    TooMany(Exceeded),
    /// Not recordable: 503 RS7007.
    Unavailable,
}

/// Why a query goes no further, and the word it is recorded with.
pub(crate) type Refused = (QueryRefusal, Verdict);

/// What is left of a token once its claims are read.
pub(crate) struct Spent<'t> {
    pub(crate) jti: &'t str,
    pub(crate) expires_at: DateTime<Utc>,
}

/// How a profile reads its token and its question.
pub(crate) trait Profile: Sync {
    /// The claims after checks 4 and 5.
    type Claims<'t>;

    /// Checks 4 and 5.
    fn verify<'t>(
        &self,
        token: &'t dyn ReadToken,
        keys: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<Self::Claims<'t>, TokenRefusal>;

    /// The first instant at which the token could be taken.
    fn valid_from(&self, claims: &Self::Claims<'_>) -> DateTime<Utc>;

    /// The organisation's user, as it was sent.
    fn user_id<'c>(&self, claims: &'c Self::Claims<'_>) -> Option<&'c str>;

    /// Checks 7 and 8.
    fn question(
        &self,
        tokens: &dyn TokenReader,
        claims: &Self::Claims<'_>,
        caller: &Caller,
        now: DateTime<Utc>,
    ) -> Result<CardQuestion, Refused>;

    /// The token's identity and end.
    fn spent<'c>(&self, claims: &'c Self::Claims<'_>) -> Spent<'c>;
}

/// 1 to 12 letters and digits.
pub(crate) fn user_id(text: &str) -> bool {
    (1..=MAX_USER_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}
