//! Officers' accounts: added, closed, given another role or another way to sign in.

use idcheck_domain::officer::{OfficerId, Permission, Role, permits};

use crate::ports::{
    AuditAction, AuditActor, AuditEntry, ListedOfficer, Officer, OfficerChange, OfficerCredential, StoreError,
};

use super::OfficerPorts;

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
    /// Through the identity provider, which calls the officer so.
    Subject(&'c str),
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
    /// There is no such officer.
    #[error("there is no officer of this name")]
    Unknown,
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
    ) -> Result<(Officer, Option<SecondFactor>), OfficerRefusal> {
        may_keep(by)?;
        if !username_well_formed(username) {
            return Err(OfficerRefusal::Username);
        }
        let (credential, factor) = self.credential(new).await?;
        let now = self.ports.clock.now();
        let officer =
            Officer { id: OfficerId(self.ports.entropy.uuid(now)), username: username.to_owned(), role };
        let entry = AuditEntry::new(by, AuditAction::OfficerAdd, officer.id);
        let entry = entry.detail(format!("role:{}", role.as_str()));
        if !self.ports.officers.add(officer.clone(), credential, now, entry).await? {
            return Err(OfficerRefusal::Taken);
        }
        Ok((officer, factor))
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
    ) -> Result<Option<SecondFactor>, OfficerRefusal> {
        may_keep(by)?;
        let (credential, factor) = self.credential(new).await?;
        let change = OfficerChange::Credential(credential);
        self.change(by, username, change, AuditAction::OfficerReset, String::new()).await?;
        Ok(factor)
    }

    /// All officers by user name.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self) -> Result<Vec<ListedOfficer>, StoreError> {
        self.ports.officers.list().await
    }

    async fn credential(
        &self,
        new: NewCredential<'_>,
    ) -> Result<(OfficerCredential, Option<SecondFactor>), OfficerRefusal> {
        match new {
            NewCredential::Password(password) => {
                if !(12..=128).contains(&password.chars().count()) {
                    return Err(OfficerRefusal::Password);
                }
                let password_hash = self.ports.credentials.hash_password(password).await;
                let totp_secret = self.ports.entropy.bytes::<20>().to_vec();
                let factor = SecondFactor(totp_secret.clone());
                Ok((OfficerCredential::Local { password_hash, totp_secret }, Some(factor)))
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

fn username_well_formed(username: &str) -> bool {
    (3..=32).contains(&username.len())
        && username.starts_with(|c: char| c.is_ascii_lowercase())
        && username.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-')
}
