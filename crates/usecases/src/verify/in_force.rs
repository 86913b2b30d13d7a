//! Changes that hold for this process's queries when their commit returns.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    ports::{AuditEntry, Change, Changes, CommitError, StoreError, StoredChallenge, Waiting},
    verify::CallerSnapshot,
};

/// A store's changes, with the callers that this process holds in memory brought up to each of them.
pub struct InForce {
    changes: Arc<dyn Changes>,
    callers: Arc<CallerSnapshot>,
}

impl InForce {
    /// Commits to `changes`, for `callers`.
    pub fn new(changes: Arc<dyn Changes>, callers: Arc<CallerSnapshot>) -> Self {
        Self { changes, callers }
    }
}

#[async_trait]
impl Changes for InForce {
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        let of_callers = change.organisation.is_some() || change.iss_key.is_some();
        self.changes.commit(change).await?;
        if of_callers {
            // When it fails the next refresh tries again; the ledger compares the epoch in its own transaction.
            let _ = self.callers.refresh().await;
        }
        Ok(())
    }

    async fn issue_challenge(
        &self,
        challenge: StoredChallenge,
        waiting: &Waiting,
    ) -> Result<bool, StoreError> {
        self.changes.issue_challenge(challenge, waiting).await
    }

    async fn note(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.changes.note(entry).await
    }
}
