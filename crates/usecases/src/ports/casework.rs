//! Reading what is done about access: requests to revoke, improvement plans.

use async_trait::async_trait;
use idcheck_domain::{
    plan::{ImprovementPlan, PlanId},
    revocation::{Revocation, RevocationId},
    value::UnifiedBusinessNumber,
};

use super::{StoreError, Versioned};

/// Requests to revoke.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Revocations: Send + Sync {
    /// The request.
    async fn find(&self, id: RevocationId) -> Result<Option<Versioned<Revocation>>, StoreError>;

    /// All requests about an organisation, newest first.
    async fn of_organisation(
        &self,
        ubn: UnifiedBusinessNumber,
    ) -> Result<Vec<Versioned<Revocation>>, StoreError>;

    /// Those that wait for the second person, oldest first.
    async fn waiting(&self) -> Result<Vec<Versioned<Revocation>>, StoreError>;
}

/// Improvement plans.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait ImprovementPlans: Send + Sync {
    /// The plan.
    async fn find(&self, id: PlanId) -> Result<Option<Versioned<ImprovementPlan>>, StoreError>;

    /// All plans of an organisation, newest first.
    async fn of_organisation(
        &self,
        ubn: UnifiedBusinessNumber,
    ) -> Result<Vec<Versioned<ImprovementPlan>>, StoreError>;

    /// Those that wait for an officer, oldest first.
    async fn waiting(&self) -> Result<Vec<Versioned<ImprovementPlan>>, StoreError>;
}
