//! Sending what the outbox holds.
//!
//! A mail is sent before it is noted as sent: a crash between the two can repeat it, with the same Message-ID, and
//! can never lose it.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::ports::{Clock, MailError, Mailer, Outbox, StoreError};

/// Mails taken at one time.
const BATCH: u16 = 20;
/// How long a worker may keep a mail before another may send it, in minutes.
const LEASE_MINUTES: i64 = 5;
/// Failures after which a mail is given up: [`backoff`] gives them more than nine days, which is longer than offices are closed
/// at New Year.
pub const MAX_ATTEMPTS: u32 = 46;

/// Sends due mail.
#[derive(Clone)]
pub struct DeliverMail {
    clock: Arc<dyn Clock>,
    outbox: Arc<dyn Outbox>,
    mailer: Arc<dyn Mailer>,
}

impl DeliverMail {
    /// Creates it with these ports.
    pub fn new(clock: Arc<dyn Clock>, outbox: Arc<dyn Outbox>, mailer: Arc<dyn Mailer>) -> Self {
        Self { clock, outbox, mailer }
    }

    /// Sends one batch and tells how many mails it took.
    ///
    /// # Errors
    /// The store's; mails not noted as sent are taken again after their lease.
    pub async fn execute(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mails = self.outbox.take(now, now + TimeDelta::minutes(LEASE_MINUTES), BATCH).await?;
        for mail in &mails {
            match self.mailer.send(mail).await {
                Ok(()) => self.outbox.sent(mail.id, self.clock.now()).await?,
                Err(error) => {
                    tracing::warn!(mail = %mail.id, attempts = mail.attempts + 1, %error, "mail not sent");
                    let give_up = error == MailError::Permanent || mail.attempts + 1 >= MAX_ATTEMPTS;
                    let retry_at = (!give_up).then(|| self.clock.now() + backoff(mail.attempts));
                    self.outbox.failed(mail.id, error, retry_at).await?;
                }
            }
        }
        Ok(mails.len())
    }
}

/// One minute, doubled with every failure, at most six hours.
fn backoff(attempts: u32) -> TimeDelta {
    let minutes = 1_i64.checked_shl(attempts.min(16)).unwrap_or(i64::MAX).min(360);
    TimeDelta::minutes(minutes)
}
