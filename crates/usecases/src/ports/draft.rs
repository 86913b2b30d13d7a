//! Drafts: what a browser has typed and not signed yet.

use std::net::IpAddr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{acts::ActName, ports::StoreError};

/// Names and values, in the order of a form.
pub type Entries = Vec<(String, String)>;

/// A draft as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredDraft {
    /// Its identity.
    pub id: Uuid,
    /// SHA-256 of the browser session that it belongs to.
    pub session: [u8; 32],
    /// The act that it will be.
    pub act: ActName,
    /// What was typed, as it was typed.
    pub typed: Entries,
    /// What the act is about, as it was when the draft was opened; only what the holder of the card had been shown.
    pub about: Entries,
    /// The challenge that was issued for it last.
    pub challenge: Option<Uuid>,
    /// Grows with each change, from 1.
    pub version: i64,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// What was typed is personal and stays out of logs.
impl std::fmt::Debug for StoredDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredDraft").field("id", &self.id).field("act", &self.act).finish_non_exhaustive()
    }
}

/// From where a draft is opened, and how many that were opened from there may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraftRoom {
    /// The address; of IPv6 the network of 64 bits.
    pub origin: IpAddr,
    /// Drafts from there.
    pub of_origin: u32,
    /// Now: what ended before takes no room.
    pub now: DateTime<Utc>,
}

/// Drafts. What was typed MUST be sealed where it is kept. A draft MUST be gone once the challenge that was issued for it is
/// spent, in the same transaction ([`Changes::commit`](super::Changes::commit)).
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Drafts: Send + Sync {
    /// Keeps a new draft; says no, and keeps nothing, where there is no room. Some that come at the same moment MAY pass
    /// together.
    async fn open(&self, draft: &StoredDraft, room: &DraftRoom) -> Result<bool, StoreError>;

    /// The drafts of a session, newest first, ended ones among them.
    async fn of_session(&self, session: [u8; 32]) -> Result<Vec<StoredDraft>, StoreError>;

    /// Writes typed text and challenge of a draft that was read at its version; says no, and writes nothing, when it has
    /// another one by now or is gone.
    async fn save(&self, draft: &StoredDraft) -> Result<bool, StoreError>;

    /// Removes a draft.
    async fn end(&self, id: Uuid) -> Result<(), StoreError>;
}
