//! Calls to organisations: what is told, the queue it waits in, who makes the call.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    value::UnifiedBusinessNumber,
    webhook::{WebhookSecret, WebhookUrl},
};
use uuid::Uuid;

use crate::ports::{MailMessage, StoreError};

/// Where an organisation is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// The address.
    pub url: WebhookUrl,
    /// What signs the calls.
    pub secret: WebhookSecret,
    /// When both were set.
    pub set_at: DateTime<Utc>,
}

/// What is done about an organisation's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookChange {
    /// It is set, in place of one that was there; what waits goes to the new one.
    Set(Webhook),
    /// It is removed, with everything that waits. Where there is none the change is a
    /// [`CommitError::Conflict`](super::CommitError::Conflict).
    Remove(UnifiedBusinessNumber),
}

/// A call to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedCall {
    /// Its identity: made twice, it is still one event.
    pub id: Uuid,
    /// Whom to call.
    pub webhook: Webhook,
    /// What is told.
    pub message: MailMessage,
    /// When it happened.
    pub queued_at: DateTime<Utc>,
    /// How often the call failed.
    pub attempts: u32,
}

/// Why a call was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// The host's name leads nowhere, or to no public address.
    #[error("the host has no public address")]
    Host,
    /// No connection, or none that TLS trusts.
    #[error("no connection")]
    Connection,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// An answer that is no success (2xx).
    #[error("answered {0}")]
    Status(u16),
}

impl CallFailure {
    /// The receiver says that it wants no such call any more (410 Gone).
    pub const GONE: Self = Self::Status(410);

    /// The word in the store and the API; of an answer the number of its status.
    pub fn code(self) -> String {
        match self {
            Self::Host => "host".to_owned(),
            Self::Connection => "connection".to_owned(),
            Self::Timeout => "timeout".to_owned(),
            Self::Status(status) => status.to_string(),
        }
    }

    /// The failure of that word.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "host" => Some(Self::Host),
            "connection" => Some(Self::Connection),
            "timeout" => Some(Self::Timeout),
            status => status.parse().ok().map(Self::Status),
        }
    }
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCall {
    /// Its identity.
    pub id: Uuid,
    /// What was told.
    pub message: MailMessage,
    /// When it happened.
    pub queued_at: DateTime<Utc>,
    /// How often the call failed.
    pub attempts: u32,
    /// When it was taken.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it is tried again; neither taken nor tried again, it was given up.
    pub due_at: Option<DateTime<Utc>>,
    /// Why it failed last.
    pub failure: Option<CallFailure>,
}

/// Addresses and calls. Both are written through [`Changes`](super::Changes): a call is queued in the transaction of what it tells.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// An organisation's address.
    async fn webhook(&self, ubn: UnifiedBusinessNumber) -> Result<Option<Webhook>, StoreError>;

    /// Its last calls, newest first.
    async fn calls(&self, ubn: UnifiedBusinessNumber, limit: u16) -> Result<Vec<ListedCall>, StoreError>;

    /// Makes a call of this organisation due again that was given up, with its failures forgotten; `false` for any other.
    async fn call_again(
        &self,
        ubn: UnifiedBusinessNumber,
        id: Uuid,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;

    /// Takes calls that are due, oldest first, and hides them from every other worker until `lease_until`: a worker that dies
    /// loses nothing.
    async fn take_calls(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u16,
    ) -> Result<Vec<QueuedCall>, StoreError>;

    /// Notes that a call was taken.
    async fn delivered(&self, id: Uuid, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Notes a failure: to be tried again at `retry_at`, or given up when there is none.
    async fn call_failed(
        &self,
        id: Uuid,
        failure: CallFailure,
        retry_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError>;
}

/// Makes calls.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait WebhookCaller: Send + Sync {
    /// Makes one call. It MUST be signed as Standard Webhooks 1.0 says, MUST look at each call where the host leads and go to no
    /// address that is not public, MUST follow no redirection, and ends within half a minute.
    async fn call(&self, call: &QueuedCall) -> Result<(), CallFailure>;
}
