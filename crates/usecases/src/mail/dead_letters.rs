//! Mails that were given up: seen by officers, and sent again by them.

use std::sync::Arc;

use idcheck_domain::officer::Permission;
use uuid::Uuid;

use crate::{
    kernel::{Refusal, permit},
    ports::{
        AuditAction, AuditEntry, AuditSubject, Changes, Clock, MailComposer, MailText, Officer, Outbox,
        QueuedMail,
    },
};

/// Dead letters shown at one time.
const SHOWN: u16 = 200;

/// A mail that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The mail.
    pub mail: QueuedMail,
    /// In words.
    pub text: MailText,
}

/// Lists dead letters and sends them again.
#[derive(Clone)]
pub struct DeadLetters {
    clock: Arc<dyn Clock>,
    outbox: Arc<dyn Outbox>,
    composer: Arc<dyn MailComposer>,
    changes: Arc<dyn Changes>,
}

impl DeadLetters {
    /// Creates it with these ports.
    pub fn new(
        clock: Arc<dyn Clock>,
        outbox: Arc<dyn Outbox>,
        composer: Arc<dyn MailComposer>,
        changes: Arc<dyn Changes>,
    ) -> Self {
        Self { clock, outbox, composer, changes }
    }

    /// The mails that were given up, newest first.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn list(&self, officer: &Officer) -> Result<Vec<DeadLetter>, Refusal> {
        permit(officer, Permission::ReadCases)?;
        let mails = self.outbox.given_up(SHOWN).await?.into_iter();
        Ok(mails.map(|mail| DeadLetter { text: self.composer.compose(&mail.message), mail }).collect())
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
