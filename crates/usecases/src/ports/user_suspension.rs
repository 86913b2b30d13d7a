//! Users of organisations that may not ask (check 11).

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{abuse::AbuseRule, value::UnifiedBusinessNumber};

use crate::ports::StoreError;

/// A `userId` that gets result 8 until its suspension is lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspendedUser {
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// Its user.
    pub user_id: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// By which rule; none for suspensions from before it was kept.
    pub rule: Option<AbuseRule>,
}

/// Reads suspensions. They are made and lifted by a [`Change`](super::Change), with its mail and audit entry, and MUST
/// be in force, on every node, for each query recorded after its commit: the ledger reads them in its transaction.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait UserSuspensions: Send + Sync {
    /// The suspended users of one organisation, or of all, longest suspended first.
    async fn suspended(&self, ubn: Option<UnifiedBusinessNumber>) -> Result<Vec<SuspendedUser>, StoreError>;
}
