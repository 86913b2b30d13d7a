//! Passkeys: added beside password and second factor, and signed in with instead of both.
//!
//! A passkey is bound to this service's host by the browser, so that no look-alike page gets anything of use; its authenticator asks for
//! a finger, a face or a PIN. Guessing at it is out of reach, so that a wrong one counts towards no lock.

use chrono::TimeDelta;
use idcheck_domain::value::PasskeyName;

use crate::ports::{
    AuditAction, AuditEntry, Officer, Passkey, PasskeyChallenge, PasskeyMade, PasskeyUsed, SessionOrigin,
    StoreError,
};

use super::{OpenedSession, PasskeyPorts, SignIn, SignInRefusal, sign_in::unspaced};
use crate::ports::OfficerCredential;

/// How long a challenge can be answered.
const LIFE: TimeDelta = TimeDelta::minutes(5);

/// The most passkeys of one officer.
pub const MAX_PASSKEYS: u32 = 10;

/// Why a passkey was not added or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyRefusal {
    /// None can be used here: the service has no host name of its own, or the identity provider alone vouches.
    #[error("passkeys are not offered here")]
    NotOffered,
    /// The second factor's code is wrong, was used before, or the account is locked.
    #[error("the code is not that of this moment")]
    Code,
    /// What the browser sent is no passkey for this service, or for another moment.
    #[error("the browser's answer is no passkey")]
    NotMade,
    /// It is known already, or there are as many as there may be.
    #[error("it is known already, or there are too many")]
    NotAdded,
    /// There is no such passkey.
    #[error("there is no such passkey")]
    Unknown,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SignIn {
    fn passkeys(&self) -> Option<&PasskeyPorts> {
        self.ports.passkeys.as_ref().filter(|_| self.ports.methods.local())
    }

    /// A challenge for a browser session, with the host that passkeys are for; none where they are not offered.
    pub fn passkey_challenge(&self, session: [u8; 32]) -> Option<(String, PasskeyChallenge)> {
        let ports = self.passkeys()?;
        let expires_at = self.ports.clock.now() + LIFE;
        let challenge = ports.store.issue(session, self.ports.entropy.bytes(), expires_at);
        Some((ports.verifier.host().to_owned(), challenge))
    }

    /// The challenge that an answer is for, if this browser session may still answer it.
    fn answered(
        &self,
        ports: &PasskeyPorts,
        client_data: &[u8],
        wanted: &str,
        session: [u8; 32],
    ) -> Option<PasskeyChallenge> {
        let bytes = ports.verifier.challenge(client_data, wanted)?;
        let challenge = ports.store.issued(&bytes, session)?;
        Some(challenge).filter(|challenge| self.ports.clock.now() < challenge.expires_at)
    }

    /// Opens a session with a passkey.
    ///
    /// # Errors
    /// [`SignInRefusal`].
    pub async fn open_with_passkey(
        &self,
        used: &PasskeyUsed,
        session: [u8; 32],
        origin: &SessionOrigin,
    ) -> Result<OpenedSession, SignInRefusal> {
        let ports = self.passkeys().ok_or(SignInRefusal::NotOffered)?;
        let challenge = self.answered(ports, &used.client_data, "webauthn.get", session);
        let challenge = challenge.ok_or(SignInRefusal::Refused)?;
        let holder = ports.store.holder(&used.credential).await?;
        let (officer, passkey) = holder.ok_or(SignInRefusal::Refused)?;
        let Some(counter) = ports.verifier.used(&passkey.half, used) else {
            self.note(officer.id, AuditAction::SessionRefused).await?;
            return Err(SignInRefusal::Refused);
        };
        let now = self.ports.clock.now();
        if !ports.store.passkey_used(&passkey.half, counter, &challenge, now).await? {
            return Err(SignInRefusal::Refused);
        }
        self.opened(officer, origin, now).await
    }

    /// The officer's own passkeys, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn own_passkeys(&self, officer: &Officer) -> Result<Vec<Passkey>, StoreError> {
        match self.passkeys() {
            Some(ports) => ports.store.of_officer(officer.id).await,
            None => Ok(Vec::new()),
        }
    }

    /// Adds a passkey to the officer's own account. Whoever has only the session can't: the second factor's code is asked for.
    ///
    /// # Errors
    /// [`PasskeyRefusal`].
    pub async fn add_passkey(
        &self,
        officer: &Officer,
        name: PasskeyName,
        code: &str,
        made: &PasskeyMade,
        session: [u8; 32],
    ) -> Result<(), PasskeyRefusal> {
        let ports = self.passkeys().ok_or(PasskeyRefusal::NotOffered)?;
        let challenge = self.answered(ports, &made.client_data, "webauthn.create", session);
        let challenge = challenge.ok_or(PasskeyRefusal::NotMade)?;
        let half = ports.verifier.made(made).ok_or(PasskeyRefusal::NotMade)?;
        let now = self.ports.clock.now();
        let record = self.ports.officers.find_by_username(&officer.username).await?;
        let Some(OfficerCredential::Local { totp_secret, .. }) = record.map(|record| record.credential)
        else {
            return Err(PasskeyRefusal::NotOffered);
        };
        let Some(step) = self.ports.credentials.totp_step(&totp_secret, &unspaced(code), now) else {
            self.failed(officer.id, now).await?;
            return Err(PasskeyRefusal::Code);
        };
        if !self.ports.officers.succeeded(officer.id, step, now).await? {
            return Err(PasskeyRefusal::Code);
        }
        let passkey = Passkey { half, name, added_at: now, used_at: None };
        let entry = AuditEntry::new(officer, AuditAction::PasskeyAdd, officer.id);
        let added = ports.store.add_passkey(officer.id, &passkey, &challenge, MAX_PASSKEYS, entry).await?;
        if added { Ok(()) } else { Err(PasskeyRefusal::NotAdded) }
    }

    /// Removes one of the officer's own passkeys.
    ///
    /// # Errors
    /// [`PasskeyRefusal`].
    pub async fn remove_passkey(&self, officer: &Officer, credential: &[u8]) -> Result<(), PasskeyRefusal> {
        let ports = self.passkeys().ok_or(PasskeyRefusal::NotOffered)?;
        let entry = AuditEntry::new(officer, AuditAction::PasskeyRemove, officer.id);
        let removed = ports.store.remove_passkey(officer.id, credential, entry).await?;
        if removed { Ok(()) } else { Err(PasskeyRefusal::Unknown) }
    }
}
