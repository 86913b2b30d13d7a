//! Mails that were given up: seen by officers, and sent again by them.

use std::sync::Arc;

use idcheck_domain::officer::Permission;
use uuid::Uuid;

use crate::{
    kernel::{Refusal, permit},
    ports::{AuditAction, AuditEntry, AuditSubject, Changes, Clock, Officer, Outbox, QueuedMail},
};

/// Dead letters shown at one time.
const SHOWN: u16 = 200;

/// Lists dead letters and sends them again.
#[derive(Clone)]
pub struct DeadLetters {
    clock: Arc<dyn Clock>,
    outbox: Arc<dyn Outbox>,
    changes: Arc<dyn Changes>,
}

impl DeadLetters {
    /// With these ports.
    pub fn new(clock: Arc<dyn Clock>, outbox: Arc<dyn Outbox>, changes: Arc<dyn Changes>) -> Self {
        Self { clock, outbox, changes }
    }

    /// The mails that were given up, newest first.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn list(&self, officer: &Officer) -> Result<Vec<QueuedMail>, Refusal> {
        permit(officer, Permission::ReadCases)?;
        Ok(self.outbox.given_up(SHOWN).await?)
    }

    /// Puts a mail back into the outbox. It keeps its identity, and so its Message-ID.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn send_again(&self, officer: &Officer, id: Uuid) -> Result<(), Refusal> {
        permit(officer, Permission::ReviewCases)?;
        if !self.outbox.revive(id, self.clock.now()).await? {
            return Err(Refusal::Unknown);
        }
        let entry = AuditEntry::new(officer, AuditAction::MailSendAgain, AuditSubject::Mail(id));
        Ok(self.changes.note(entry).await?)
    }
}
