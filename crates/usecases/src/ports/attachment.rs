//! Files that are kept until an act is signed with them, and what became of them.

use std::net::IpAddr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    attachment::{Attachment, AttachmentId, FileReference, Owner},
    value::UnifiedBusinessNumber,
};

use crate::ports::StoreError;

/// Who sent a file: SHA-256 of a browser session; none is a program.
pub type FileSender = Option<[u8; 32]>;

/// A file that waits for its act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentFile {
    /// The file.
    pub attachment: Attachment,
    /// Who sent it.
    pub sender: FileSender,
    /// When it is removed unless an act was signed with it.
    pub expires_at: DateTime<Utc>,
}

/// From where a file is sent, and how many may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRoom {
    /// The address; of IPv6 the network of 64 bits.
    pub origin: IpAddr,
    /// Those sent from there.
    pub of_origin: u32,
    /// All of them.
    pub of_all: u32,
    /// When it is asked.
    pub now: DateTime<Utc>,
}

/// A file that an act was signed with, as its readers get it.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedFile {
    /// Whose act it was.
    pub ubn: UnifiedBusinessNumber,
    /// What it belongs to.
    pub owner: Owner,
    /// The file.
    pub attachment: Attachment,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A file's bytes stay out of logs.
impl std::fmt::Debug for OwnedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnedFile").field("attachment", &self.attachment).finish_non_exhaustive()
    }
}

/// Keeps files. Those that an act was signed with are given to it by [`Changes`](super::Changes).
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Attachments: Send + Sync {
    /// Keeps a file until its act or its end; says no, and keeps nothing, where as many wait as `room` allows. Some that come at
    /// the same moment MAY pass together. MUST NOT keep name or bytes readable without the master key.
    async fn keep(&self, file: &SentFile, bytes: &[u8], room: &FileRoom) -> Result<bool, StoreError>;

    /// Those of these that this sender sent, unchanged, and that still wait, in the order asked for.
    async fn waiting(
        &self,
        files: &[FileReference],
        sender: FileSender,
        now: DateTime<Utc>,
    ) -> Result<Vec<Attachment>, StoreError>;

    /// Removes one that this sender sent and that still waits; nothing happens to any other.
    async fn discard(&self, file: FileReference, sender: FileSender) -> Result<(), StoreError>;

    /// The files of each of these, in the order in which they were named by their act.
    async fn of_owners(&self, owners: &[Owner]) -> Result<Vec<(Owner, Attachment)>, StoreError>;

    /// A file that belongs to something, with its bytes, which MUST be those that were signed.
    async fn read(&self, id: AttachmentId) -> Result<Option<OwnedFile>, StoreError>;
}
