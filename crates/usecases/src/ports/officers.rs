//! Officers, their secrets and their sessions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::officer::{OfficerId, Role};

use super::StoreError;

/// An officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    /// Identity.
    pub id: OfficerId,
    /// The name that is typed to sign in and shown in histories.
    pub username: String,
    /// What he or she may do.
    pub role: Role,
}

/// An officer with what sign-in needs.
#[derive(Clone, PartialEq, Eq)]
pub struct OfficerRecord {
    /// The officer.
    pub officer: Officer,
    /// The password's hash (PHC string).
    pub password_hash: String,
    /// The TOTP secret, unsealed.
    pub totp_secret: Vec<u8>,
    /// Failures since the last success.
    pub failures: u32,
    /// Until when no sign-in is tried.
    pub locked_until: Option<DateTime<Utc>>,
}

/// An officer to be added.
#[derive(Clone, PartialEq, Eq)]
pub struct NewOfficer {
    /// The officer.
    pub officer: Officer,
    /// The password's hash (PHC string).
    pub password_hash: String,
    /// The TOTP secret.
    pub totp_secret: Vec<u8>,
}

/// Officers.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Officers: Send + Sync {
    /// The officer with this user name.
    async fn find_by_username(&self, username: &str) -> Result<Option<OfficerRecord>, StoreError>;

    /// All officers by user name.
    async fn list(&self) -> Result<Vec<Officer>, StoreError>;

    /// Adds an officer; `false` when the user name is taken.
    async fn add(&self, officer: NewOfficer, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Counts a failure; from the `limit`th on, sign-in is locked until `lock_until`. MUST be exact under
    /// concurrency.
    async fn failed(&self, id: OfficerId, limit: u32, lock_until: DateTime<Utc>) -> Result<(), StoreError>;

    /// Notes a success with the TOTP time step used and clears the failures; `false`, and nothing noted, when that
    /// step or a later one was used before or sign-in is locked at `at`. MUST be decided in one statement.
    async fn succeeded(&self, id: OfficerId, totp_step: u64, at: DateTime<Utc>) -> Result<bool, StoreError>;
}

/// The token of a session: 32 random bytes in hexadecimal. Kept as a keyed hash only.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

impl SessionToken {
    /// A token from random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(hex::encode(bytes))
    }

    /// A token as it was sent; `None` for text that never is one.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The token, to be given to its owner or hashed.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// Sessions of officers, kept on the server.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait OfficerSessions: Send + Sync {
    /// Opens a session.
    async fn open(
        &self,
        token: &SessionToken,
        officer: OfficerId,
        at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// The officer of a session that is neither over at `now` nor idle since `idle_since`; notes its use.
    async fn resume(
        &self,
        token: &SessionToken,
        now: DateTime<Utc>,
        idle_since: DateTime<Utc>,
    ) -> Result<Option<Officer>, StoreError>;

    /// Closes a session.
    async fn close(&self, token: &SessionToken) -> Result<(), StoreError>;
}

#[cfg_attr(test, allow(clippy::ref_option_ref, reason = "code made by mockall"))]
/// Checks and makes officers' secrets; slow on purpose, so never on the reactor.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Whether `password` has this hash. With no hash the same work is done and the answer is `false`, so that an
    /// unknown user takes as long as a known one.
    async fn password_matches<'a>(&self, password: &'a str, hash: Option<&'a str>) -> bool;

    /// The time step of `code` for `secret` at `now`, one step of tolerance to either side; `None` if it is wrong.
    fn totp_step(&self, secret: &[u8], code: &str, now: DateTime<Utc>) -> Option<u64>;

    /// Hashes a new password (argon2id, PHC string).
    async fn hash_password(&self, password: &str) -> String;
}

/// What a new officer is told once.
#[derive(Clone, PartialEq, Eq)]
pub struct OfficerSecrets {
    /// The TOTP secret (RFC 6238), 20 bytes.
    pub totp_secret: Vec<u8>,
}
