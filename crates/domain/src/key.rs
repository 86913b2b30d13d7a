//! An organisation's public keys: what is known of each, and how many there may be.

use chrono::{DateTime, Utc};

use crate::identity::identity;
use crate::value::KeyLabel;

/// Keys in force at one time in one environment, so that they can be rotated with overlap (**decided**).
pub const MAX_KEYS: usize = 5;

identity!(
    /// Identity of a registered key.
    KeyId
);

/// The wire format that a key signs for; a token of the other one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The Ministry's wire format: `GET /integration/rwv2c2`, RS256.
    Legacy,
    /// `POST /api/v1/verifications`.
    Strict,
}

impl Profile {
    /// The word used in the API and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Strict => "strict",
        }
    }

    /// The profile of that word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Legacy, Self::Strict].into_iter().find(|p| p.as_str() == text)
    }
}

/// Where a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Questions about real cards.
    Production,
    /// Questions about reserved numbers, under `/sandbox`.
    Sandbox,
}

impl Environment {
    /// The word used in the API and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        }
    }

    /// The environment of that word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Production, Self::Sandbox].into_iter().find(|e| e.as_str() == text)
    }
}

/// A public key as an organisation registered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredKey {
    /// Its identity; the `kid` of the strict profile.
    pub id: KeyId,
    /// SHA-256 of the DER `SubjectPublicKeyInfo`, 64 hexadecimal digits.
    pub fingerprint: String,
    /// PEM `SubjectPublicKeyInfo`.
    pub public_key_pem: String,
    /// The wire format it is bound to.
    pub profile: Profile,
    /// The environment it is bound to.
    pub environment: Environment,
    /// The organisation's name for it.
    pub label: KeyLabel,
    /// When it was registered.
    pub registered_at: DateTime<Utc>,
    /// When it was withdrawn, if it was.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl RegisteredKey {
    /// Whether tokens signed with it pass.
    pub fn in_force(&self) -> bool {
        self.revoked_at.is_none()
    }
}
