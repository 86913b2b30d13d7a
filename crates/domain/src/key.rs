//! An organisation's public keys: what is known of each, and how many there may be.

use chrono::{DateTime, Utc};

use crate::identity::identity;
use crate::value::KeyLabel;
use crate::words::words;

/// Keys in force at one time in one environment, so that they can be rotated with overlap (**decided**).
pub const MAX_KEYS: usize = 5;

identity!(
    /// Identity of a registered key.
    KeyId
);

words! {
    /// The wire format that a key signs for; a token of the other one is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Profile(as_str) {
        /// The Ministry's wire format: `GET /integration/rwv2c2`, RS256.
        Legacy = "legacy",
        /// `POST /api/v1/verifications`.
        Strict = "strict",
    }
}

words! {
    /// Where a key is good for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Environment(as_str) {
        /// Questions about real cards.
        Production = "production",
        /// Questions about reserved numbers, under `/sandbox`.
        Sandbox = "sandbox",
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
