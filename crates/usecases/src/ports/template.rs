//! Templates of reasons; they are written as part of a [`Change`](super::Change).

use async_trait::async_trait;
use idcheck_domain::template::ReasonTemplate;

use crate::ports::{StoreError, Versioned};

/// Templates of reasons.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait ReasonTemplates: Send + Sync {
    /// All, by use, then in the order in which they were added; those out of use too.
    async fn all(&self) -> Result<Vec<Versioned<ReasonTemplate>>, StoreError>;
}
