//! Officers, their secrets and their sessions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::officer::{OfficerId, Role};

use crate::ports::{AuditEntry, StoreError};

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

/// How an officer shows who he or she is.
#[derive(Clone, PartialEq, Eq)]
pub enum OfficerCredential {
    /// By a password and a second factor that are kept here.
    Local {
        /// The password's hash (PHC string).
        password_hash: String,
        /// The TOTP secret (RFC 6238), unsealed.
        totp_secret: Vec<u8>,
    },
    /// By the identity provider's word.
    Provider {
        /// The provider's name for the officer, never given to another (OpenID Connect Core 1.0 §2, `sub`).
        subject: String,
    },
}

/// An officer with what sign-in with a password needs.
#[derive(Clone, PartialEq, Eq)]
pub struct OfficerRecord {
    /// The officer.
    pub officer: Officer,
    /// How he or she signs in.
    pub credential: OfficerCredential,
    /// Whether the account was closed.
    pub closed: bool,
    /// Failures since the last success.
    pub failures: u32,
    /// Until when no sign-in is tried.
    pub locked_until: Option<DateTime<Utc>>,
}

/// An officer in the list of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedOfficer {
    /// The officer.
    pub officer: Officer,
    /// Whether the identity provider vouches for the officer.
    pub by_provider: bool,
    /// Whether the account was closed.
    pub closed: bool,
}

/// What of an officer's account is changed.
#[derive(Clone, PartialEq, Eq)]
pub enum OfficerChange {
    /// What the officer may do, from the next request on.
    Role(Role),
    /// The account is closed, or opened again; closing it ends all sessions.
    Closed(bool),
    /// A new password and second factor, or another subject: ends all sessions and lifts the lock.
    Credential(OfficerCredential),
}

/// Officers.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Officers: Send + Sync {
    /// The officer with this user name.
    async fn find_by_username(&self, username: &str) -> Result<Option<OfficerRecord>, StoreError>;

    /// The officer whom the identity provider calls `subject`; none whose account was closed.
    async fn find_by_subject(&self, subject: &str) -> Result<Option<Officer>, StoreError>;

    /// All officers by user name.
    async fn list(&self) -> Result<Vec<ListedOfficer>, StoreError>;

    /// Adds an officer, with the entry of the audit log in the same transaction; `false`, and no entry, when the user
    /// name or the subject is taken.
    async fn add(
        &self,
        officer: Officer,
        credential: OfficerCredential,
        at: DateTime<Utc>,
        entry: AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Changes an account; `false`, and no entry, when there is no such officer, or the subject is taken. The entry of the
    /// audit log and what the change says of sessions MUST be committed with it.
    async fn change(
        &self,
        id: OfficerId,
        change: OfficerChange,
        entry: AuditEntry,
    ) -> Result<bool, StoreError>;

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

    /// The officer of a session that is neither over at `now` nor idle since `idle_since`; notes its use. None where the
    /// account was closed.
    async fn resume(
        &self,
        token: &SessionToken,
        now: DateTime<Utc>,
        idle_since: DateTime<Utc>,
    ) -> Result<Option<Officer>, StoreError>;

    /// Closes a session.
    async fn close(&self, token: &SessionToken) -> Result<(), StoreError>;

    /// Closes all sessions of an officer.
    async fn close_all(&self, officer: OfficerId) -> Result<(), StoreError>;
}

#[cfg_attr(test, allow(clippy::ref_option_ref, reason = "code made by mockall"))]
/// Checks and makes officers' secrets; slow on purpose, so never on the reactor.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Whether `password` has this hash. With no hash the same work is done and the answer is `false`, so that an
    /// unknown user takes as long as a known one. None where too many wait for that work already.
    async fn password_matches<'a>(&self, password: &'a str, hash: Option<&'a str>) -> Option<bool>;

    /// The time step of `code` for `secret` at `now`, one step of tolerance to either side; `None` if it is wrong.
    fn totp_step(&self, secret: &[u8], code: &str, now: DateTime<Utc>) -> Option<u64>;

    /// Hashes a new password (argon2id, PHC string).
    async fn hash_password(&self, password: &str) -> String;
}
