//! Signing in with password and second factor or through the identity provider; sessions.

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::officer::OfficerId;

use crate::ports::{
    AuditAction, AuditActor, AuditEntry, ListedSession, Officer, OfficerCredential, ProviderError, SessionId,
    SessionOrigin, SessionToken, SignInAttempt, StoreError,
};

use super::{OfficerPorts, SignInMethods};

/// Failures after which sign-in is locked (threat 25).
pub const FAILURE_LIMIT: u32 = 5;
/// How long it stays locked, in minutes.
pub const LOCK_MINUTES: i64 = 15;
/// A session ends after this many hours, whatever happens.
pub const SESSION_HOURS: i64 = 10;
/// A session ends after this many minutes without use.
pub const IDLE_MINUTES: i64 = 30;

/// Why no session was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInRefusal {
    /// User name, password or code is wrong, the account is locked, or the code was used before: which of them is
    /// not told.
    #[error("sign-in refused")]
    Refused,
    /// Too many sign in at this moment; nothing was looked at.
    #[error("too many sign in at this moment")]
    Busy,
    /// There is no such way to sign in here.
    #[error("there is no such way to sign in here")]
    NotOffered,
    /// The answer does not belong to a try that this browser began, or the provider's word does not hold.
    #[error("the identity provider's word does not hold")]
    NotVouched,
    /// The provider knows the person, we don't: no account has that subject, or it was closed.
    #[error("no officer's account belongs to this person")]
    NoAccount,
    /// The provider gives no answer.
    #[error("the identity provider gives no answer")]
    ProviderUnavailable,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A session that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedSession {
    /// Its token, shown once.
    pub token: SessionToken,
    /// The officer.
    pub officer: Officer,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

impl From<ProviderError> for SignInRefusal {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Unavailable => Self::ProviderUnavailable,
            ProviderError::Refused => Self::NotVouched,
        }
    }
}

/// What the identity provider sent the browser back with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderAnswer {
    /// `code`; none where the provider refused.
    pub code: Option<String>,
    /// `state`.
    pub state: String,
    /// `iss` (RFC 9207).
    pub issuer: Option<String>,
}

/// Opens, resumes and closes sessions.
#[derive(Clone)]
pub struct SignIn {
    pub(super) ports: OfficerPorts,
}

/// A secret that was compared, of an account that is open.
pub(super) struct Compared<T> {
    pub(super) officer: Officer,
    /// What it was compared with.
    pub(super) hash: String,
    pub(super) right: bool,
    /// What the credential has beside the hash.
    pub(super) beside: T,
}

/// A code as authenticators show it, `123 456`, without the blank.
pub(super) fn unspaced(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

impl SignIn {
    /// Creates it with these ports.
    pub fn new(ports: OfficerPorts) -> Self {
        Self { ports }
    }

    /// How officers sign in.
    pub const fn methods(&self) -> &SignInMethods {
        &self.ports.methods
    }

    /// Opens a session with password and second factor.
    ///
    /// # Errors
    /// [`SignInRefusal`].
    pub async fn open(
        &self,
        username: &str,
        password: &str,
        totp: &str,
        origin: &SessionOrigin,
    ) -> Result<OpenedSession, SignInRefusal> {
        let now = self.ports.clock.now();
        let compared = self.compared(username, password, now, |credential| match credential {
            OfficerCredential::Local { password_hash, totp_secret } => Some((password_hash, totp_secret)),
            OfficerCredential::Invited { .. } | OfficerCredential::Provider { .. } => None,
        });
        let Compared { officer, right: password_right, beside: secret, .. } = compared.await?;
        let step = self.ports.credentials.totp_step(&secret, &unspaced(totp), now);
        let Some(step) = step.filter(|_| password_right) else {
            self.failed(officer.id, now).await?;
            return Err(SignInRefusal::Refused);
        };
        // A code is good once (RFC 6238 §5.2). Sent again with the right password it is a double click, no guess:
        // refused and not counted.
        if !self.ports.officers.succeeded(officer.id, step, now).await? {
            return Err(SignInRefusal::Refused);
        }
        self.opened(officer, origin, now).await
    }

    /// Begins to sign in through the identity provider: what the browser keeps, and where it goes.
    ///
    /// # Errors
    /// [`SignInRefusal`].
    pub async fn begin(&self) -> Result<(SignInAttempt, String), SignInRefusal> {
        let provider = self.ports.methods.provider().ok_or(SignInRefusal::NotOffered)?;
        let attempt = SignInAttempt::new(self.ports.entropy.bytes());
        let url = provider.authorization_url(&attempt).await?;
        Ok((attempt, url))
    }

    /// Opens a session for whom the identity provider vouches.
    ///
    /// # Errors
    /// [`SignInRefusal`].
    pub async fn finish(
        &self,
        attempt: Option<&SignInAttempt>,
        answer: &ProviderAnswer,
        origin: &SessionOrigin,
    ) -> Result<OpenedSession, SignInRefusal> {
        let provider = self.ports.methods.provider().ok_or(SignInRefusal::NotOffered)?;
        // Another site could send a browser here with a code of its own (RFC 6749 §10.12): looked at before anything
        // else is believed.
        let attempt = attempt.filter(|attempt| attempt.is_state(&answer.state));
        let attempt = attempt.ok_or(SignInRefusal::NotVouched)?;
        let code = answer.code.as_deref().ok_or(SignInRefusal::NotVouched)?;
        let subject = provider.subject(attempt, code, answer.issuer.as_deref()).await?;
        let officer = self.ports.officers.find_by_subject(&subject).await?;
        self.opened(officer.ok_or(SignInRefusal::NoAccount)?, origin, self.ports.clock.now()).await
    }

    /// Compares a secret with the hash that `of` finds in the account's credential. Whose account is not there, closed, locked or of
    /// another kind is refused after the same work, so that the time taken tells nothing.
    pub(super) async fn compared<T: Send>(
        &self,
        username: &str,
        secret: &str,
        now: DateTime<Utc>,
        of: impl FnOnce(OfficerCredential) -> Option<(String, T)> + Send,
    ) -> Result<Compared<T>, SignInRefusal> {
        if !self.ports.methods.local() {
            return Err(SignInRefusal::NotOffered);
        }
        // No name holds U+0000, and not every database can be asked for it.
        let username = if username.contains('\0') { "" } else { username };
        let record = self.ports.officers.find_by_username(username).await?;
        let known = record.filter(|record| !record.closed).and_then(|record| {
            let (hash, beside) = of(record.credential)?;
            Some((record.officer, record.locked_until, hash, beside))
        });
        let hash = known.as_ref().map(|(_, _, hash, _)| hash.as_str());
        let matched = self.ports.credentials.password_matches(secret, hash).await;
        let right = matched.ok_or(SignInRefusal::Busy)?;
        let (officer, locked_until, hash, beside) = known.ok_or(SignInRefusal::Refused)?;
        if locked_until.is_some_and(|until| now < until) {
            return Err(SignInRefusal::Refused);
        }
        Ok(Compared { officer, hash, right, beside })
    }

    /// Counts a failure.
    pub(super) async fn failed(&self, id: OfficerId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let lock_until = now + TimeDelta::minutes(LOCK_MINUTES);
        self.ports.officers.failed(id, FAILURE_LIMIT, lock_until).await?;
        self.note(id, AuditAction::SessionRefused).await
    }

    pub(super) async fn opened(
        &self,
        officer: Officer,
        origin: &SessionOrigin,
        now: DateTime<Utc>,
    ) -> Result<OpenedSession, SignInRefusal> {
        let token = SessionToken::new(self.ports.entropy.bytes());
        let expires_at = now + TimeDelta::hours(SESSION_HOURS);
        self.ports.sessions.open(&token, officer.id, origin, now, expires_at).await?;
        self.note(officer.id, AuditAction::SessionOpen).await?;
        Ok(OpenedSession { token, officer, expires_at })
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

    /// The officer's own sessions that live, last used first.
    ///
    /// # Errors
    /// The store's.
    pub async fn sessions(
        &self,
        officer: &Officer,
        current: Option<&SessionToken>,
    ) -> Result<Vec<ListedSession>, StoreError> {
        let now = self.ports.clock.now();
        let idle_since = now - TimeDelta::minutes(IDLE_MINUTES);
        self.ports.sessions.list(officer.id, current, now, idle_since).await
    }

    /// Ends one of the officer's own sessions; `false` where there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_session(&self, officer: &Officer, id: &SessionId) -> Result<bool, StoreError> {
        let entry = AuditEntry::new(officer, AuditAction::SessionEnd, officer.id);
        self.ports.sessions.end(officer.id, id, entry).await
    }

    /// Ends all sessions of the officer, on whatever computer they are.
    ///
    /// # Errors
    /// The store's.
    pub async fn close_everywhere(&self, officer: &Officer) -> Result<(), StoreError> {
        self.ports.sessions.close_all(officer.id).await?;
        self.note(officer.id, AuditAction::SessionCloseAll).await
    }

    pub(super) async fn note(&self, id: OfficerId, action: AuditAction) -> Result<(), StoreError> {
        self.ports.changes.note(AuditEntry::new(AuditActor::Officer(id), action, id)).await
    }
}
