//! Suspended users of organisations (result 8): officers see them and let them in again.

use std::sync::Arc;

use idcheck_domain::{officer::Permission, value::UnifiedBusinessNumber};

use super::{CaseworkPorts, CaseworkRefusal, audit, permit};
use crate::ports::{Change, MailMessage, Officer, SuspendedUser, UserChange, UserSuspensions};

/// Lists suspended users and lifts suspensions.
#[derive(Clone)]
pub struct GovernUsers {
    ports: CaseworkPorts,
    users: Arc<dyn UserSuspensions>,
}

impl GovernUsers {
    /// With these ports.
    pub fn new(ports: CaseworkPorts, users: Arc<dyn UserSuspensions>) -> Self {
        Self { ports, users }
    }

    /// The suspended users of one organisation, or of all, longest suspended first.
    ///
    /// # Errors
    /// [`CaseworkRefusal::Forbidden`] or the store's.
    pub async fn suspended(
        &self,
        officer: &Officer,
        ubn: Option<UnifiedBusinessNumber>,
    ) -> Result<Vec<SuspendedUser>, CaseworkRefusal> {
        permit(officer, Permission::ReadCases)?;
        Ok(self.users.suspended(ubn).await?)
    }

    /// Lets a user in again: in force for every query recorded afterwards. What the user did until now counts no more towards
    /// another suspension.
    ///
    /// # Errors
    /// [`CaseworkRefusal::Unknown`] for a user who is not suspended, and the others.
    pub async fn lift(
        &self,
        officer: &Officer,
        ubn: UnifiedBusinessNumber,
        user_id: &str,
    ) -> Result<(), CaseworkRefusal> {
        permit(officer, Permission::GovernAccess)?;
        let held = self.ports.organisation(ubn).await?.value;
        let suspended = self.users.suspended(Some(ubn)).await?;
        if !suspended.iter().any(|user| user.user_id == user_id) {
            return Err(CaseworkRefusal::Unknown);
        }
        let message =
            MailMessage::UserLifted { company: held.name.as_str().to_owned(), user_id: user_id.to_owned() };
        let change = Change {
            users: vec![UserChange { ubn, user_id: user_id.to_owned(), suspended: None }],
            mail: vec![self.ports.mail(&held, message, self.ports.clock.now())],
            audit: vec![audit(officer, "user.lift", format!("organisation:{ubn}"), String::new())],
            ..Change::default()
        };
        self.ports.commit(change).await
    }
}
