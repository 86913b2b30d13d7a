//! Who may ask: organisations with what a query is checked against.

use std::{net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    Violation,
    key::{Environment, KeyId, Profile},
    organisation::AddressPlan,
    value::{Account, IssKey, UnifiedBusinessNumber},
};

use super::StoreError;

/// A parsed public key that can check signatures.
pub trait KeyMaterial: Send + Sync + std::fmt::Debug {
    /// Whether `signature` is this key's over `message`, by the JWS algorithm `algorithm` (RFC 7518 §3.1). An
    /// algorithm other than the one pinned to the key is `false`.
    fn verify(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool;
}

/// A public key as it was read.
#[derive(Debug, Clone)]
pub struct ParsedKey {
    /// The key.
    pub material: Arc<dyn KeyMaterial>,
    /// SHA-256 of its DER `SubjectPublicKeyInfo`, lower-case hexadecimal.
    pub fingerprint: String,
}

/// Reads public keys.
#[cfg_attr(test, mockall::automock)]
pub trait KeyReader: Send + Sync {
    /// Reads a PEM public key for a profile: RSA of 2048 to 8192 bits (RS256) for the legacy profile; that (RS256 and
    /// PS256), P-256 (ES256) or Ed25519 (`EdDSA`) for the strict one. One key has one fingerprint, however it is
    /// written down.
    ///
    /// # Errors
    /// [`Violation::PublicKeyFormat`] or [`Violation::PublicKeyRefused`].
    fn read(&self, pem: &str, profile: Profile) -> Result<ParsedKey, Violation>;
}

/// A key of a caller.
#[derive(Debug, Clone)]
pub struct CallerKey {
    /// Its identity.
    pub id: KeyId,
    /// The wire format it is bound to.
    pub profile: Profile,
    /// The key.
    pub material: Arc<dyn KeyMaterial>,
}

/// What an Iss Key opens, and under which conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Questions about real cards.
    Production {
        /// The organisation's account (check 7).
        account: Account,
        /// Whether its access is active (check 6).
        active: bool,
        /// Where it may ask from (check 3).
        addresses: AddressPlan,
    },
    /// Questions about reserved numbers: from anywhere, before an approval and after access ended too.
    Sandbox,
}

impl Standing {
    /// The environment.
    pub const fn environment(&self) -> Environment {
        match self {
            Self::Production { .. } => Environment::Production,
            Self::Sandbox => Environment::Sandbox,
        }
    }
}

/// An Iss Key and what it opens; suspended and revoked organisations' too, so that they are told why they are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerRecord {
    /// The Iss Key, unsealed.
    pub iss_key: IssKey,
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// What the Iss Key opens.
    pub standing: Standing,
    /// The organisation's keys in force in this environment: identity, profile, PEM.
    pub keys: Vec<(KeyId, Profile, String)>,
}

/// Where the snapshot of callers comes from.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait CallerSource: Send + Sync {
    /// A number that grows with every change that concerns callers. MUST be cheap: it is asked several times a
    /// second.
    async fn epoch(&self) -> Result<i64, StoreError>;

    /// All callers, not older than the epoch read before.
    async fn load(&self) -> Result<Vec<CallerRecord>, StoreError>;

    /// When the store last went on from a restored backup, which does not know the tokens spent after it was made.
    async fn restored_at(&self) -> Result<Option<DateTime<Utc>>, StoreError>;
}

/// A limit of check 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitName {
    /// Queries a second of one organisation.
    OrganisationRate,
    /// Queries a second from one address.
    AddressRate,
    /// Queries of one organisation a day.
    DailyQuota,
    /// Wrong answers of one organisation a day.
    WrongAnswers,
}

impl LimitName {
    /// The name of the policy in the `RateLimit` headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrganisationRate => "organisation-rate",
            Self::AddressRate => "address-rate",
            Self::DailyQuota => "daily-quota",
            Self::WrongAnswers => "wrong-answers",
        }
    }
}

/// A limit that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Which.
    pub limit: LimitName,
    /// How much it allows in its window.
    pub allowed: u32,
    /// The window.
    pub window: Duration,
    /// When the next query may pass.
    pub retry_after: Duration,
}

/// Rates, local to a process: not exact over nodes, on purpose.
#[cfg_attr(test, mockall::automock)]
pub trait RateLimiter: Send + Sync {
    /// Counts one query of an organisation from an address; production and sandbox are counted apart.
    ///
    /// # Errors
    /// The rate that is exceeded.
    fn admit(
        &self,
        ubn: UnifiedBusinessNumber,
        environment: Environment,
        address: IpAddr,
    ) -> Result<(), Exceeded>;
}
