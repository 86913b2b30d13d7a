//! An organisation's public keys: what is known of each, and how many there may be.

use chrono::{DateTime, Months, Utc};

use crate::identity::identity;
use crate::taipei;
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

words! {
    /// How long a key is good for, chosen when it is registered (ISO 8601 durations, **decided**).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Validity(as_str) {
        /// Two years: the usual choice.
        TwoYears = "P2Y",
        /// One year.
        OneYear = "P1Y",
        /// Three years.
        ThreeYears = "P3Y",
        /// Until it is withdrawn.
        Unlimited = "unlimited",
    }
}

impl Validity {
    /// When a key ends that is registered at a moment: with the Taipei day of the same date; none without an end.
    pub fn end(self, registered_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let months = match self {
            Self::OneYear => 12,
            Self::TwoYears => 24,
            Self::ThreeYears => 36,
            Self::Unlimited => return None,
        };
        taipei::day(registered_at).checked_add_months(Months::new(months)).map(taipei::end_of)
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
    /// When it ends by itself, if it does.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was withdrawn, if it was.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl RegisteredKey {
    /// Whether tokens signed with it pass at `now`.
    pub fn in_force(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && !self.has_ended(now)
    }

    /// Whether its time is over.
    pub fn has_ended(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }
}
