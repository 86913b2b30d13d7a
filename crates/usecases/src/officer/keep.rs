//! Officers' accounts: added, closed, given another role or another way to sign in.

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::officer::{OfficerId, Permission, Role, permits};

use crate::ports::{
    AuditAction, AuditActor, AuditEntry, ListedOfficer, ListedSession, Officer, OfficerChange,
    OfficerCredential, SessionId, StoreError,
};

use super::{IDLE_MINUTES, OfficerPorts};

/// How long an invitation can be taken up, in hours.
pub const INVITATION_HOURS: i64 = 72;

/// Who keeps the accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptBy {
    /// The operator, on the command line.
    Operator,
    /// An officer of the console.
    Officer(Officer),
}

/// How an officer is going to sign in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NewCredential<'c> {
    /// With this password and a second factor that is made now.
    Password(&'c str),
    /// With a password that the officer chooses on taking up an invitation.
    Invitation,
    /// Through the identity provider, which calls the officer so.
    Subject(&'c str),
}

/// What is shown once of a new way to sign in.
#[derive(Clone, PartialEq, Eq)]
pub enum ShownOnce {
    /// The second factor.
    Factor(SecondFactor),
    /// The code of an invitation.
    Invitation {
        /// Four groups of five letters and digits.
        code: String,
        /// Until when it can be taken up.
        until: DateTime<Utc>,
    },
}

/// The secret of a second factor (RFC 6238), 20 bytes, shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor(pub Vec<u8>);

/// Why an account was not added or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfficerRefusal {
    /// The role does not permit it.
    #[error("the role does not permit this")]
    Forbidden,
    /// 3 to 32 lower-case letters, digits, full stops, hyphens; a letter first.
    #[error("a user name is 3 to 32 lower-case letters, digits, '.' or '-', a letter first")]
    Username,
    /// Shorter than 12 characters or longer than 128.
    #[error("a password has 12 to 128 characters")]
    Password,
    /// OpenID Connect Core 1.0 §2: at most 255 ASCII characters.
    #[error("a subject has 1 to 255 ASCII characters without spaces")]
    Subject,
    /// The user name or the subject is taken.
    #[error("the user name, or the provider's subject, is taken")]
    Taken,
    /// There is no such officer, or no such session.
    #[error("there is no officer of this name")]
    Unknown,
    /// Nobody changes their own role, closes their own account or resets their own sign-in: another admin does.
    #[error("nobody changes their own account")]
    Oneself,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds, lists and changes officers' accounts.
#[derive(Clone)]
pub struct KeepOfficers {
    ports: OfficerPorts,
}

impl KeepOfficers {
    /// Creates it with these ports.
    pub fn new(ports: OfficerPorts) -> Self {
        Self { ports }
    }

    /// Adds an officer; gives the second factor where there is one.
    ///
    /// # Errors
    /// [`OfficerRefusal`].
    pub async fn add(
        &self,
        by: &KeptBy,
        username: &str,
        role: Role,
        new: NewCredential<'_>,
    ) -> Result<(Officer, Option<ShownOnce>), OfficerRefusal> {
        may_keep(by)?;
        if !username_well_formed(username) {
            return Err(OfficerRefusal::Username);
        }
        let now = self.ports.clock.now();
        let (credential, shown) = self.credential(new, now).await?;
        let officer =
            Officer { id: OfficerId(self.ports.entropy.uuid(now)), username: username.to_owned(), role };
        let entry = AuditEntry::new(by, AuditAction::OfficerAdd, officer.id);
        let entry = entry.detail(format!("role:{}", role.as_str()));
        if !self.ports.officers.add(officer.clone(), credential, now, entry).await? {
            return Err(OfficerRefusal::Taken);
        }
        Ok((officer, shown))
    }

    /// Another role, from the officer's next request on.
    ///
    /// # Errors
    /// [`OfficerRefusal`].
    pub async fn set_role(&self, by: &KeptBy, username: &str, role: Role) -> Result<(), OfficerRefusal> {
        let change = OfficerChange::Role(role);
        self.change(by, username, change, AuditAction::OfficerRole, format!("role:{}", role.as_str())).await
    }

    /// Closes an account, which ends its sessions, or opens it again.
    ///
    /// # Errors
    /// [`OfficerRefusal`].
    pub async fn set_closed(&self, by: &KeptBy, username: &str, closed: bool) -> Result<(), OfficerRefusal> {
        let action = if closed { AuditAction::OfficerClose } else { AuditAction::OfficerOpen };
        self.change(by, username, OfficerChange::Closed(closed), action, String::new()).await
    }

    /// A new way to sign in, for who lost the old one; ends all sessions and lifts the lock. Gives the second factor
    /// where there is one.
    ///
    /// # Errors
    /// [`OfficerRefusal`].
    pub async fn reset(
        &self,
        by: &KeptBy,
        username: &str,
        new: NewCredential<'_>,
    ) -> Result<Option<ShownOnce>, OfficerRefusal> {
        may_keep(by)?;
        let (credential, shown) = self.credential(new, self.ports.clock.now()).await?;
        let change = OfficerChange::Credential(credential);
        self.change(by, username, change, AuditAction::OfficerReset, String::new()).await?;
        Ok(shown)
    }

    /// All officers by user name.
    ///
    /// # Errors
    /// [`OfficerRefusal`].
    pub async fn list(&self, by: &KeptBy) -> Result<Vec<ListedOfficer>, OfficerRefusal> {
        may_keep(by)?;
        Ok(self.ports.officers.list().await?)
    }

    /// An officer with the sessions that live.
    ///
    /// # Errors
    /// [`OfficerRefusal`].
    pub async fn account(
        &self,
        by: &KeptBy,
        username: &str,
    ) -> Result<(ListedOfficer, Vec<ListedSession>), OfficerRefusal> {
        let listed = self.list(by).await?.into_iter().find(|listed| listed.officer.username == username);
        let listed = listed.ok_or(OfficerRefusal::Unknown)?;
        let now = self.ports.clock.now();
        let idle_since = now - TimeDelta::minutes(IDLE_MINUTES);
        let sessions = self.ports.sessions.list(listed.officer.id, None, now, idle_since).await?;
        Ok((listed, sessions))
    }

    /// Ends one session of an officer.
    ///
    /// # Errors
    /// [`OfficerRefusal`].
    pub async fn end_session(
        &self,
        by: &KeptBy,
        username: &str,
        id: &SessionId,
    ) -> Result<(), OfficerRefusal> {
        may_keep(by)?;
        let record = self.ports.officers.find_by_username(username).await?;
        let officer = record.ok_or(OfficerRefusal::Unknown)?.officer.id;
        let entry = AuditEntry::new(by, AuditAction::SessionEnd, officer);
        let ended = self.ports.sessions.end(officer, id, entry).await?;
        if ended { Ok(()) } else { Err(OfficerRefusal::Unknown) }
    }

    async fn credential(
        &self,
        new: NewCredential<'_>,
        now: DateTime<Utc>,
    ) -> Result<(OfficerCredential, Option<ShownOnce>), OfficerRefusal> {
        match new {
            NewCredential::Password(password) => {
                if !password_well_formed(password) {
                    return Err(OfficerRefusal::Password);
                }
                let password_hash = self.ports.credentials.hash_password(password).await;
                let totp_secret = self.ports.entropy.bytes::<20>().to_vec();
                let factor = SecondFactor(totp_secret.clone());
                Ok((OfficerCredential::Local { password_hash, totp_secret }, Some(ShownOnce::Factor(factor))))
            }
            // Nobody could take it up: the identity provider's subject is missing.
            NewCredential::Invitation if !self.ports.methods.local() => Err(OfficerRefusal::Subject),
            NewCredential::Invitation => {
                let code = invitation_code(self.ports.entropy.bytes());
                let code_hash = self.ports.credentials.hash_password(&code).await;
                let totp_secret = self.ports.entropy.bytes::<20>().to_vec();
                let until = now + TimeDelta::hours(INVITATION_HOURS);
                let credential = OfficerCredential::Invited { code_hash, totp_secret, until };
                Ok((credential, Some(ShownOnce::Invitation { code, until })))
            }
            NewCredential::Subject(subject) => {
                if !(1..=255).contains(&subject.len()) || !subject.bytes().all(|b| b.is_ascii_graphic()) {
                    return Err(OfficerRefusal::Subject);
                }
                Ok((OfficerCredential::Provider { subject: subject.to_owned() }, None))
            }
        }
    }

    async fn change(
        &self,
        by: &KeptBy,
        username: &str,
        change: OfficerChange,
        action: AuditAction,
        detail: String,
    ) -> Result<(), OfficerRefusal> {
        may_keep(by)?;
        let record = self.ports.officers.find_by_username(username).await?;
        let id = record.ok_or(OfficerRefusal::Unknown)?.officer.id;
        if matches!(by, KeptBy::Officer(officer) if officer.id == id) {
            return Err(OfficerRefusal::Oneself);
        }
        if !self.ports.officers.change(id, change, AuditEntry::new(by, action, id).detail(detail)).await? {
            return Err(OfficerRefusal::Taken);
        }
        Ok(())
    }
}

impl From<&KeptBy> for AuditActor {
    fn from(by: &KeptBy) -> Self {
        match by {
            KeptBy::Operator => Self::Operator,
            KeptBy::Officer(by) => by.into(),
        }
    }
}

fn may_keep(by: &KeptBy) -> Result<(), OfficerRefusal> {
    match by {
        KeptBy::Officer(officer) if !permits(officer.role, Permission::ManageOfficers) => {
            Err(OfficerRefusal::Forbidden)
        }
        _ => Ok(()),
    }
}

/// 12 to 128 characters.
pub(super) fn password_well_formed(password: &str) -> bool {
    (12..=128).contains(&password.chars().count())
}

/// Letters and digits that nobody mistakes for one another; each is five bits.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A hundred bits in four groups, to be read aloud and typed.
fn invitation_code(bytes: [u8; 20]) -> String {
    let mut code = String::with_capacity(23);
    for (place, byte) in bytes.into_iter().enumerate() {
        if place > 0 && place.is_multiple_of(5) {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    code
}

fn username_well_formed(username: &str) -> bool {
    (3..=32).contains(&username.len())
        && username.starts_with(|c: char| c.is_ascii_lowercase())
        && username.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-')
}
