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
    /// Not yet: by an invitation, which the officer takes up with a password and the second factor that was made for it.
    Invited {
        /// The hash of the invitation's code (PHC string).
        code_hash: String,
        /// The TOTP secret (RFC 6238), unsealed.
        totp_secret: Vec<u8>,
        /// Until when it can be taken up.
        until: DateTime<Utc>,
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
    /// Until when the invitation can be taken up, where it was not yet.
    pub invited_until: Option<DateTime<Utc>>,
    /// Until when no sign-in is tried.
    pub locked_until: Option<DateTime<Utc>>,
    /// When the officer signed in last; none since before that was noted.
    pub signed_in_at: Option<DateTime<Utc>>,
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

    /// Takes up an invitation: the password counts instead of the code, whose hash is `code_hash`. `false`, and nothing written,
    /// where that is no longer the account's invitation, it ended before `at`, or the account is closed or locked. The entry
    /// of the audit log MUST be committed with it, and all MUST be decided in one statement.
    async fn accept(
        &self,
        id: OfficerId,
        code_hash: &str,
        password_hash: &str,
        totp_step: u64,
        at: DateTime<Utc>,
        entry: AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Counts a failure; from the `limit`th on, sign-in is locked until `lock_until`. MUST be exact under
    /// concurrency.
    async fn failed(&self, id: OfficerId, limit: u32, lock_until: DateTime<Utc>) -> Result<(), StoreError>;

    /// Notes a success with the TOTP time step used and clears the failures; `false`, and nothing noted, when that
    /// step or a later one was used before or sign-in is locked at `at`. MUST be decided in one statement.
    async fn succeeded(&self, id: OfficerId, totp_step: u64, at: DateTime<Utc>) -> Result<bool, StoreError>;
}

/// From where a session is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionOrigin {
    /// The address that the sign-in came from.
    pub address: String,
    /// What the browser says it is, at most [`SessionOrigin::BROWSER`] characters.
    pub browser: String,
}

impl SessionOrigin {
    /// Longest name of a browser that is kept.
    pub const BROWSER: usize = 60;
}

/// By which a session is known to who may end it; nobody can sign in with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionId(pub String);

/// A session in the list of an officer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    /// Which.
    pub id: SessionId,
    /// From where.
    pub origin: SessionOrigin,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it was used last, to the minute.
    pub used_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    pub current: bool,
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

#[cfg_attr(test, allow(clippy::ref_option_ref, reason = "code made by mockall"))]
/// Sessions of officers, kept on the server.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait OfficerSessions: Send + Sync {
    /// Opens a session, and notes that the officer signed in.
    async fn open(
        &self,
        token: &SessionToken,
        officer: OfficerId,
        origin: &SessionOrigin,
        at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// The sessions of an officer that are neither over at `now` nor idle since `idle_since`, last used first; `current` is
    /// marked.
    async fn list<'a>(
        &self,
        officer: OfficerId,
        current: Option<&'a SessionToken>,
        now: DateTime<Utc>,
        idle_since: DateTime<Utc>,
    ) -> Result<Vec<ListedSession>, StoreError>;

    /// Ends one session of this officer, with the entry of the audit log in the same transaction; `false`, and no entry, where
    /// there is none.
    async fn end(&self, officer: OfficerId, id: &SessionId, entry: AuditEntry) -> Result<bool, StoreError>;

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
