//! Making the calls that wait.
//!
//! A call is made before it is noted as taken: a crash between the two can repeat it, with the same identity, and can never lose it.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::join_all;
use idcheck_domain::{taipei, value::UnifiedBusinessNumber};

use crate::ports::{
    AuditAction, AuditActor, AuditEntry, CallFailure, Change, Changes, Clock, CommitError, Entropy,
    MailMessage, Organisations, OutgoingMail, QueuedCall, StoreError, WebhookCaller, Webhooks,
};

/// Calls made at one time.
const BATCH: u16 = 20;
/// How long a worker may keep a call before another may make it; longer than a call takes.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// Seconds until a call that failed is made again, as Standard Webhooks 1.0 proposes it: three days in all. After the last it is given
/// up.
pub const RETRIES: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// Makes due calls.
#[derive(Clone)]
pub struct CallWebhooks {
    /// What it needs.
    pub ports: CallPorts,
}

/// What calls need.
#[derive(Clone)]
pub struct CallPorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The queue.
    pub webhooks: Arc<dyn Webhooks>,
    /// Who makes them.
    pub caller: Arc<dyn WebhookCaller>,
    /// Whom to write to when calls are given up.
    pub organisations: Arc<dyn Organisations>,
    /// Where that is written.
    pub changes: Arc<dyn Changes>,
}

impl CallWebhooks {
    /// Creates it with these ports.
    pub fn new(ports: CallPorts) -> Self {
        Self { ports }
    }

    /// Makes one batch of calls, side by side, and tells how many it took.
    ///
    /// # Errors
    /// The store's; calls not noted as taken are made again after their lease.
    pub async fn execute(&self) -> Result<usize, StoreError> {
        let now = self.ports.clock.now();
        let calls = self.ports.webhooks.take_calls(now, now + LEASE, BATCH).await?;
        let outcomes = join_all(calls.iter().map(|call| self.ports.caller.call(call))).await;
        for (call, outcome) in calls.iter().zip(outcomes) {
            match outcome {
                Ok(()) => self.ports.webhooks.delivered(call.id, self.ports.clock.now()).await?,
                Err(failure) => self.failed(call, failure).await?,
            }
        }
        Ok(calls.len())
    }

    async fn failed(&self, call: &QueuedCall, failure: CallFailure) -> Result<(), StoreError> {
        tracing::info!(call = %call.id, ubn = %call.webhook.ubn, attempts = call.attempts + 1, %failure, "a call was not taken");
        let wait = usize::try_from(call.attempts).ok().and_then(|attempt| RETRIES.get(attempt));
        let wait = wait.filter(|_| failure != CallFailure::GONE);
        let retry_at = wait.map(|seconds| self.ports.clock.now() + TimeDelta::seconds(*seconds));
        self.ports.webhooks.call_failed(call.id, failure, retry_at).await?;
        if retry_at.is_none() { self.given_up(call.webhook.ubn).await } else { Ok(()) }
    }

    /// The contact is told once a day.
    async fn given_up(&self, ubn: UnifiedBusinessNumber) -> Result<(), StoreError> {
        let now = self.ports.clock.now();
        let Some(held) = self.ports.organisations.find(ubn).await? else { return Ok(()) };
        let company = held.value.name.as_str().to_owned();
        let mail = OutgoingMail {
            id: self.ports.entropy.uuid(now),
            about: ubn,
            to: held.value.contact.email().clone(),
            message: MailMessage::WebhookGivenUp { company },
        };
        let entry = AuditEntry::new(AuditActor::System, AuditAction::WebhookGivenUp, ubn);
        let change = Change {
            reminder: Some(format!("webhook-given-up:{ubn}:{}", taipei::day(now))),
            mail: vec![mail],
            audit: vec![entry],
            ..Change::default()
        };
        match self.ports.changes.commit(change).await {
            Err(CommitError::Store(error)) => Err(error),
            // Told today already.
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
