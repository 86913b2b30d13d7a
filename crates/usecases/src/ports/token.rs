//! Tokens of the verification API, as far as they are syntax and signature.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::CallerKey;

/// What is wrong with a token (checks 1, 2, 4, 5 and 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenRefusal {
    /// No bearer token.
    #[error("token missing")]
    Missing,
    /// Not a JWT in compact form, or with a claim that is absent or of the wrong type.
    #[error("token malformed")]
    Malformed,
    /// No organisation with this Iss Key.
    #[error("key unknown")]
    KeyUnknown,
    /// No key in force verifies it with its own algorithm.
    #[error("signature invalid")]
    SignatureInvalid,
    /// Issued in the future, beyond the tolerance.
    #[error("not yet valid")]
    NotYetValid,
    /// Over, beyond the tolerance, or meant to live too long.
    #[error("expired")]
    Expired,
    /// Its `jti` was seen before.
    #[error("already used")]
    AlreadyUsed,
    /// Strict profile: `aud` is not this service.
    #[error("audience wrong")]
    WrongAudience,
    /// Strict profile: `digest` is not the body's.
    #[error("digest wrong")]
    WrongDigest,
}

impl TokenRefusal {
    /// One of each, for tables of texts.
    pub const ALL: [Self; 9] = [
        Self::Missing,
        Self::Malformed,
        Self::KeyUnknown,
        Self::SignatureInvalid,
        Self::NotYetValid,
        Self::Expired,
        Self::AlreadyUsed,
        Self::WrongAudience,
        Self::WrongDigest,
    ];

    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "token-missing",
            Self::Malformed => "token-malformed",
            Self::KeyUnknown => "key-unknown",
            Self::SignatureInvalid => "signature-invalid",
            Self::NotYetValid => "not-yet-valid",
            Self::Expired => "expired",
            Self::AlreadyUsed => "already-used",
            Self::WrongAudience => "audience-wrong",
            Self::WrongDigest => "digest-wrong",
        }
    }
}

/// The claims of the legacy profile after signature and times were checked. A claim that is absent or no string is
/// `None`: what that means is decided by checks 7 and 8.
#[derive(Clone, PartialEq, Eq)]
pub struct LegacyClaims {
    /// `orgId`.
    pub org_id: Option<String>,
    /// `apId`.
    pub ap_id: Option<String>,
    /// `userId`.
    pub user_id: Option<String>,
    /// `sub`.
    pub sub: Option<String>,
    /// `jobId`.
    pub job_id: Option<String>,
    /// `opType`.
    pub op_type: Option<String>,
    /// `conditionMap`, a JSON object inside a string.
    pub condition_map: Option<String>,
    /// `jti`.
    pub jti: String,
    /// The first instant at which it could be taken: `iat` less what clocks may be off.
    pub valid_from: DateTime<Utc>,
    /// `exp`.
    pub expires_at: DateTime<Utc>,
}

/// The four members of `conditionMap` as they were sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Condition {
    /// `personId`.
    pub person_id: String,
    /// `applyCode`.
    pub apply_code: String,
    /// `applyYyymmdd`.
    pub apply_yyymmdd: String,
    /// `issueSiteId`.
    pub issue_site_id: String,
}

/// The claims of the strict profile after everything of check 5 was checked.
#[derive(Clone, PartialEq, Eq)]
pub struct StrictClaims {
    /// `sub`: the organisation's user; `None` when it is absent or no string.
    pub user_id: Option<String>,
    /// `jti`.
    pub jti: String,
    /// The first instant at which it could be taken: `iat` less what clocks may be off.
    pub valid_from: DateTime<Utc>,
    /// `exp`.
    pub expires_at: DateTime<Utc>,
}

/// The members of a JSON object in their order; a value that is no text is `None`.
pub type TextMembers = Vec<(String, Option<String>)>;

/// Reads tokens. Synchronous: about 15 µs of computation and no IO.
pub trait TokenReader: Send + Sync {
    /// Check 1: the token's form; gives its `iss` to look the caller up by. Nothing in it is trusted yet.
    ///
    /// # Errors
    /// [`TokenRefusal::Malformed`].
    fn issuer<'t>(&self, token: &'t str) -> Result<Cow<'t, str>, TokenRefusal>;

    /// Checks 4 and 5: a signature by one of `keys` of the legacy profile, then `iat`, `exp` and `jti`.
    ///
    /// # Errors
    /// What is wrong with it.
    fn verify_legacy(
        &self,
        token: &str,
        keys: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<LegacyClaims, TokenRefusal>;

    /// Checks 4 and 5 of the strict profile: a signature by the key that `kid` names, or, without `kid`, by one of
    /// `keys` of the strict profile; `iat`, `exp`, `aud` and `jti`; `digest` over exactly the bytes of `body`.
    ///
    /// # Errors
    /// What is wrong with it.
    fn verify_strict(
        &self,
        token: &str,
        body: &[u8],
        keys: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<StrictClaims, TokenRefusal>;

    /// The members of a JSON object, none of them twice; `None` when it is anything else.
    fn members(&self, json: &[u8]) -> Option<TextMembers>;

    /// The `conditionMap`: a JSON object with exactly the four members, each once, each a string; `None` otherwise.
    fn condition(&self, text: &str) -> Option<Condition>;
}
