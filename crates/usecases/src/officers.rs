//! Officers: sign in with password and second factor, sessions, new accounts.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::officer::{OfficerId, Permission, Role, permits};

use crate::ports::{
    AuditEntry, Changes, Clock, Credentials, Entropy, NewOfficer, Officer, OfficerSecrets, OfficerSessions,
    Officers, SessionToken, StoreError,
};

/// Failures after which sign-in is locked (threat 25).
pub const FAILURE_LIMIT: u32 = 5;
/// How long it stays locked, in minutes.
pub const LOCK_MINUTES: i64 = 15;
/// A session ends after this many hours, whatever happens.
pub const SESSION_HOURS: i64 = 10;
/// A session ends after this many minutes without use.
pub const IDLE_MINUTES: i64 = 30;

/// What officers' accounts need.
#[derive(Clone)]
pub struct OfficerPorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Accounts.
    pub officers: Arc<dyn Officers>,
    /// Sessions.
    pub sessions: Arc<dyn OfficerSessions>,
    /// Passwords and second factors.
    pub credentials: Arc<dyn Credentials>,
    /// The audit log.
    pub changes: Arc<dyn Changes>,
}

/// Why no session was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInRefusal {
    /// User name, password or code is wrong, the account is locked, or the code was used before: which of them is
    /// not told.
    #[error("sign-in refused")]
    Refused,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A session that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedSession {
    /// Its token, told once.
    pub token: SessionToken,
    /// The officer.
    pub officer: Officer,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// Opens, resumes and closes sessions.
#[derive(Clone)]
pub struct SignIn {
    ports: OfficerPorts,
}

impl SignIn {
    /// With these ports.
    pub fn new(ports: OfficerPorts) -> Self {
        Self { ports }
    }

    /// Opens a session.
    ///
    /// # Errors
    /// [`SignInRefusal`].
    pub async fn open(
        &self,
        username: &str,
        password: &str,
        totp: &str,
    ) -> Result<OpenedSession, SignInRefusal> {
        let now = self.ports.clock.now();
        let record = self.ports.officers.find_by_username(username).await?;
        let hash = record.as_ref().map(|r| r.password_hash.as_str());
        // Checked for unknown and locked accounts too, so that the time taken tells nothing.
        let password_right = self.ports.credentials.password_matches(password, hash).await;
        let record = record.ok_or(SignInRefusal::Refused)?;
        if record.locked_until.is_some_and(|until| now < until) {
            return Err(SignInRefusal::Refused);
        }
        let step = self.ports.credentials.totp_step(&record.totp_secret, totp, now);
        let Some(step) = step.filter(|_| password_right) else {
            let lock_until = now + TimeDelta::minutes(LOCK_MINUTES);
            self.ports.officers.failed(record.officer.id, FAILURE_LIMIT, lock_until).await?;
            self.note(record.officer.id, "session.refused").await?;
            return Err(SignInRefusal::Refused);
        };
        // A code is good once (RFC 6238 §5.2). Sent again with the right password it is a double click, no guess:
        // refused and not counted.
        if !self.ports.officers.succeeded(record.officer.id, step, now).await? {
            return Err(SignInRefusal::Refused);
        }
        let token = SessionToken::new(self.ports.entropy.bytes());
        let expires_at = now + TimeDelta::hours(SESSION_HOURS);
        self.ports.sessions.open(&token, record.officer.id, now, expires_at).await?;
        self.note(record.officer.id, "session.open").await?;
        Ok(OpenedSession { token, officer: record.officer, expires_at })
    }

    /// The officer of a session that still lives.
    ///
    /// # Errors
    /// The store's.
    pub async fn resume(&self, token: &SessionToken) -> Result<Option<Officer>, StoreError> {
        let now = self.ports.clock.now();
        self.ports.sessions.resume(token, now, now - TimeDelta::minutes(IDLE_MINUTES)).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The store's.
    pub async fn close(&self, token: &SessionToken) -> Result<(), StoreError> {
        self.ports.sessions.close(token).await
    }

    async fn note(&self, id: OfficerId, action: &str) -> Result<(), StoreError> {
        let entry = AuditEntry {
            actor: format!("officer:{id}"),
            action: action.to_owned(),
            subject: format!("officer:{id}"),
            detail: String::new(),
        };
        self.ports.changes.note(entry).await
    }
}

/// Who adds an officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddedBy {
    /// The operator, on the command line.
    Operator,
    /// An officer of the console.
    Officer(Officer),
}

/// Why no officer was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddOfficerRefusal {
    /// The role does not permit it.
    #[error("the role does not permit this")]
    Forbidden,
    /// 3 to 32 lower-case letters, digits, full stops, hyphens; a letter first.
    #[error("a user name is 3 to 32 lower-case letters, digits, '.' or '-', a letter first")]
    Username,
    /// Shorter than 12 characters or longer than 128.
    #[error("a password has 12 to 128 characters")]
    Password,
    /// The user name is taken.
    #[error("the user name is taken")]
    Taken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds and lists officers.
#[derive(Clone)]
pub struct AddOfficer {
    ports: OfficerPorts,
}

impl AddOfficer {
    /// With these ports.
    pub fn new(ports: OfficerPorts) -> Self {
        Self { ports }
    }

    /// Adds an officer and gives the second factor's secret, to be told once.
    ///
    /// # Errors
    /// [`AddOfficerRefusal`].
    pub async fn execute(
        &self,
        by: &AddedBy,
        username: &str,
        password: &str,
        role: Role,
    ) -> Result<(Officer, OfficerSecrets), AddOfficerRefusal> {
        if let AddedBy::Officer(officer) = by
            && !permits(officer.role, Permission::ManageOfficers)
        {
            return Err(AddOfficerRefusal::Forbidden);
        }
        if !username_well_formed(username) {
            return Err(AddOfficerRefusal::Username);
        }
        if !(12..=128).contains(&password.chars().count()) {
            return Err(AddOfficerRefusal::Password);
        }
        let now = self.ports.clock.now();
        let officer =
            Officer { id: OfficerId(self.ports.entropy.uuid(now)), username: username.to_owned(), role };
        let totp_secret = self.ports.entropy.bytes::<20>().to_vec();
        let new = NewOfficer {
            officer: officer.clone(),
            password_hash: self.ports.credentials.hash_password(password).await,
            totp_secret: totp_secret.clone(),
        };
        if !self.ports.officers.add(new, now).await? {
            return Err(AddOfficerRefusal::Taken);
        }
        self.note(by, &officer).await?;
        Ok((officer, OfficerSecrets { totp_secret }))
    }

    /// All officers by user name.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self) -> Result<Vec<Officer>, StoreError> {
        self.ports.officers.list().await
    }

    async fn note(&self, by: &AddedBy, officer: &Officer) -> Result<(), StoreError> {
        let actor = match by {
            AddedBy::Operator => "operator".to_owned(),
            AddedBy::Officer(by) => format!("officer:{}", by.id),
        };
        let entry = AuditEntry {
            actor,
            action: "officer.add".to_owned(),
            subject: format!("officer:{}", officer.id),
            detail: format!("role:{}", officer.role.as_str()),
        };
        self.ports.changes.note(entry).await
    }
}

fn username_well_formed(username: &str) -> bool {
    (3..=32).contains(&username.len())
        && username.starts_with(|c: char| c.is_ascii_lowercase())
        && username.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-')
}
