//! Who may ask: organisations with what a query is checked against.

use std::{net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
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
    /// Reads a PEM public key for a profile: RS256 with RSA of 2048 to 8192 bits for the legacy profile.
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

/// An organisation as the store holds it for the snapshot; suspended and revoked ones too, so that they are told
/// why they are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerRecord {
    /// The Iss Key, unsealed.
    pub iss_key: IssKey,
    /// For which environment.
    pub environment: Environment,
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// Its account.
    pub account: Account,
    /// Whether its access is active.
    pub active: bool,
    /// Where it may ask from.
    pub addresses: AddressPlan,
    /// Its keys in force in this environment: identity, profile, PEM.
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
}

/// Rates, local to a process: not exact over nodes, on purpose.
#[cfg_attr(test, mockall::automock)]
pub trait RateLimiter: Send + Sync {
    /// Counts one query of an organisation from an address.
    ///
    /// # Errors
    /// How long to wait when the rate is exceeded.
    fn admit(&self, ubn: UnifiedBusinessNumber, address: IpAddr) -> Result<(), Duration>;
}
