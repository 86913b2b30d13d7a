//! Who may ask: organisations with what a query is checked against.

use idcheck_domain::outcome::QueryRefusal;
use std::{net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    Violation,
    key::{Environment, KeyId, Profile},
    organisation::AddressPlan,
    value::{Account, IssKey, UnifiedBusinessNumber},
};

use crate::ports::{LastUse, StoreError};

/// A parsed public key that can check signatures.
pub trait KeyMaterial: Send + Sync + std::fmt::Debug {
    /// Whether `signature` is this key's over `message`, by the JWS algorithm `algorithm` (RFC 7518 §3.1). An
    /// algorithm that the key is not pinned to is `false`.
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
    /// When it ends by itself, if it does.
    pub expires_at: Option<DateTime<Utc>>,
    /// When this process found a token signed with it last.
    pub used: Arc<LastUse>,
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

/// An Iss Key and what it opens; suspended and revoked organisations' too, so that they learn why they are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerRecord {
    /// The Iss Key, unsealed.
    pub iss_key: IssKey,
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// What the Iss Key opens.
    pub standing: Standing,
    /// The organisation's keys in this environment that were not withdrawn.
    pub keys: Vec<CallerKeyRecord>,
}

/// A key of a caller as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerKeyRecord {
    /// Its identity.
    pub id: KeyId,
    /// The wire format it is bound to.
    pub profile: Profile,
    /// PEM `SubjectPublicKeyInfo`.
    pub pem: String,
    /// When it ends by itself, if it does.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Who may ask, as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadedCallers {
    /// The callers.
    pub callers: Vec<CallerRecord>,
    /// Organisations that were left out because of a row that can't be read; logged where it was found.
    pub damaged: usize,
}

/// Where the snapshot of callers comes from.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait CallerSource: Send + Sync {
    /// A number that grows with every change that concerns callers. MUST be cheap: it is asked several times a
    /// second.
    async fn epoch(&self) -> Result<i64, StoreError>;

    /// All callers, not older than the epoch read before. An organisation of which a row can't be read is left out, and
    /// counted: its queries are refused, the others' are not.
    async fn load(&self) -> Result<LoadedCallers, StoreError>;

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
    /// Queries a minute from one address that are refused.
    Refused,
    /// Challenges a minute from one address.
    Challenges,
    /// Changes of drafts a minute from one address.
    DraftChanges,
    /// Signatures sent in a minute from one address.
    Proofs,
    /// Tries to sign in a minute from one address.
    SignIns,
    /// Challenges that wait for their signature.
    OpenChallenges,
}

impl LimitName {
    /// The name of the policy in the `RateLimit` headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrganisationRate => "organisation-rate",
            Self::AddressRate => "address-rate",
            Self::DailyQuota => "daily-quota",
            Self::WrongAnswers => "wrong-answers",
            Self::Refused => "refused-queries",
            Self::Challenges => "challenges",
            Self::DraftChanges => "draft-changes",
            Self::Proofs => "proofs",
            Self::SignIns => "sign-ins",
            Self::OpenChallenges => "open-challenges",
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

    /// Whether queries from an address are heard: not while too many from there were refused. Counts nothing.
    ///
    /// # Errors
    /// [`LimitName::Refused`].
    fn hear(&self, address: IpAddr) -> Result<(), Exceeded>;

    /// Counts a query from an address that is refused, by its code where it gets that far. One that only came too fast does
    /// not keep later ones from being [heard](Self::hear).
    ///
    /// # Errors
    /// [`LimitName::Refused`]: it is not to be recorded.
    fn refused(&self, address: IpAddr, code: Option<QueryRefusal>) -> Result<(), Exceeded>;

    /// Counts one request of somebody who need not be known.
    ///
    /// # Errors
    /// The rate that is exceeded.
    fn enter(&self, door: Door, address: IpAddr) -> Result<(), Exceeded>;
}

/// What anybody may ask for, and what costs the service work or space each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// A challenge: it is kept until it ends.
    Challenge,
    /// A change of a draft: it is written.
    Draft,
    /// The proof of one: certificates are checked.
    Proof,
    /// A try to sign in as an officer: a password is hashed.
    SignIn,
}
