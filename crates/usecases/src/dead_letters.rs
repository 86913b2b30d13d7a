//! Mails that were given up: seen by officers, and sent again by them.

use std::sync::Arc;

use idcheck_domain::officer::{Permission, permits};
use uuid::Uuid;

use crate::ports::{AuditEntry, Changes, Clock, Officer, Outbox, QueuedMail, StoreError};

/// Dead letters shown at one time.
const SHOWN: u16 = 200;

/// Why it was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeadLetterRefusal {
    /// The officer's role does not permit it.
    #[error("the role does not permit this")]
    Forbidden,
    /// No such mail, or it is not given up.
    #[error("no such dead letter")]
    Unknown,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

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
    /// [`DeadLetterRefusal`].
    pub async fn list(&self, officer: &Officer) -> Result<Vec<QueuedMail>, DeadLetterRefusal> {
        if !permits(officer.role, Permission::ReadCases) {
            return Err(DeadLetterRefusal::Forbidden);
        }
        Ok(self.outbox.given_up(SHOWN).await?)
    }

    /// Puts a mail back into the outbox. It keeps its identity, and so its Message-ID.
    ///
    /// # Errors
    /// [`DeadLetterRefusal`].
    pub async fn send_again(&self, officer: &Officer, id: Uuid) -> Result<(), DeadLetterRefusal> {
        if !permits(officer.role, Permission::ReviewCases) {
            return Err(DeadLetterRefusal::Forbidden);
        }
        if !self.outbox.revive(id, self.clock.now()).await? {
            return Err(DeadLetterRefusal::Unknown);
        }
        let entry = AuditEntry {
            actor: format!("officer:{}", officer.id),
            action: "mail.sendAgain".to_owned(),
            subject: format!("mail:{id}"),
            detail: String::new(),
        };
        Ok(self.changes.note(entry).await?)
    }
}
