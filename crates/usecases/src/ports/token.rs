//! Tokens of the verification API, as far as they are syntax and signature.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::ports::CallerKey;

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
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LegacyClaims<'t> {
    /// `orgId`.
    pub org_id: Option<&'t str>,
    /// `apId`.
    pub ap_id: Option<&'t str>,
    /// `userId`.
    pub user_id: Option<&'t str>,
    /// `sub`.
    pub sub: Option<&'t str>,
    /// `jobId`.
    pub job_id: Option<&'t str>,
    /// `opType`.
    pub op_type: Option<&'t str>,
    /// `conditionMap`, a JSON object inside a string.
    pub condition_map: Option<&'t str>,
    /// `jti`.
    pub jti: &'t str,
    /// The first instant at which it could be taken: `iat` less what clocks may be off.
    pub valid_from: DateTime<Utc>,
    /// `exp`.
    pub expires_at: DateTime<Utc>,
}

/// The four members of `conditionMap` as they were sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Condition<'t> {
    /// `personId`.
    pub person_id: Cow<'t, str>,
    /// `applyCode`.
    pub apply_code: Cow<'t, str>,
    /// `applyYyymmdd`.
    pub apply_yyymmdd: Cow<'t, str>,
    /// `issueSiteId`.
    pub issue_site_id: Cow<'t, str>,
}

/// The claims of the strict profile after everything of check 5 was checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StrictClaims<'t> {
    /// `sub`: the organisation's user; `None` when it is absent or no string.
    pub user_id: Option<&'t str>,
    /// `jti`.
    pub jti: &'t str,
    /// The first instant at which it could be taken: `iat` less what clocks may be off.
    pub valid_from: DateTime<Utc>,
    /// `exp`.
    pub expires_at: DateTime<Utc>,
}

/// The members of a JSON object in their order; a value that is no text is `None`.
pub type TextMembers = Vec<(String, Option<String>)>;

/// A token that was taken apart once. Nothing in it is trusted before its signature is verified.
pub trait ReadToken: Send + Sync {
    /// `iss`, to look the caller up by (check 1).
    ///
    /// # Errors
    /// [`TokenRefusal::Malformed`] where the claims are no JSON object, hold one twice, or name no issuer.
    fn issuer(&self) -> Result<&str, TokenRefusal>;

    /// Checks 4 and 5: a signature by one of `keys` of the legacy profile, then `iat`, `exp` and `jti`.
    ///
    /// # Errors
    /// What is wrong with it.
    fn verify_legacy(&self, keys: &[CallerKey], now: DateTime<Utc>)
    -> Result<LegacyClaims<'_>, TokenRefusal>;

    /// Checks 4 and 5 of the strict profile: a signature by the key that `kid` names, or, without `kid`, by one of
    /// `keys` of the strict profile; `iat`, `exp`, `aud` and `jti`; `digest` over exactly the bytes of `body`.
    ///
    /// # Errors
    /// What is wrong with it.
    fn verify_strict(
        &self,
        body: &[u8],
        keys: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<StrictClaims<'_>, TokenRefusal>;
}

/// Reads tokens. Synchronous: about 15 µs of computation and no IO.
pub trait TokenReader: Send + Sync {
    /// Check 1: the token's form.
    ///
    /// # Errors
    /// [`TokenRefusal::Malformed`].
    fn read<'t>(&'t self, token: &'t str) -> Result<Box<dyn ReadToken + 't>, TokenRefusal>;

    /// The members of a JSON object, none of them twice; `None` when it is anything else.
    fn members(&self, json: &[u8]) -> Option<TextMembers>;

    /// The `conditionMap`: a JSON object with exactly the four members, each once, each a string; `None` otherwise.
    fn condition<'t>(&self, text: &'t str) -> Option<Condition<'t>>;
}
