//! Suspended users of organisations (result 8): officers see them and let them in again.

use idcheck_domain::{officer::Permission, value::UnifiedBusinessNumber};

use crate::{
    kernel::{OfficePorts, Refusal, permit},
    ports::{AuditAction, AuditEntry, Change, MailMessage, Officer, SuspendedUser, UserChange},
};

/// Lists suspended users and lifts suspensions.
#[derive(Clone)]
pub struct GovernUsers {
    ports: OfficePorts,
}

impl GovernUsers {
    /// Creates it with these ports.
    pub fn new(ports: OfficePorts) -> Self {
        Self { ports }
    }

    /// The suspended users of one organisation, or of all, longest suspended first.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] or the store's.
    pub async fn suspended(
        &self,
        officer: &Officer,
        ubn: Option<UnifiedBusinessNumber>,
    ) -> Result<Vec<SuspendedUser>, Refusal> {
        permit(officer, Permission::ReadCases)?;
        Ok(self.ports.users.suspended(ubn).await?)
    }

    /// Lets a user in again: in force for every query recorded afterwards. What the user did until now counts no more towards
    /// another suspension.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] for a user who is not suspended, and the others.
    pub async fn lift(
        &self,
        officer: &Officer,
        ubn: UnifiedBusinessNumber,
        user_id: &str,
    ) -> Result<(), Refusal> {
        permit(officer, Permission::GovernAccess)?;
        let held = self.ports.organisation(ubn).await?.value;
        let suspended = self.ports.users.suspended(Some(ubn)).await?;
        if !suspended.iter().any(|user| user.user_id == user_id) {
            return Err(Refusal::Unknown);
        }
        let message =
            MailMessage::UserLifted { company: held.name.as_str().to_owned(), user_id: user_id.to_owned() };
        let change = Change {
            users: vec![UserChange { ubn, user_id: user_id.to_owned(), suspended: None }],
            mail: vec![self.ports.mail(&held, message, self.ports.clock.now())],
            audit: vec![AuditEntry::new(officer, AuditAction::UserLift, ubn)],
            ..Change::default()
        };
        self.ports.commit(change).await
    }
}
