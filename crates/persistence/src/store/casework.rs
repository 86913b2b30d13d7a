//! Requests to revoke and improvement plans: written as part of a change, read by officers and their owners.

use async_trait::async_trait;
use idcheck_domain::{
    plan::{ImprovementPlan, PlanId},
    revocation::{Revocation, RevocationId},
    value::UnifiedBusinessNumber,
};
use idcheck_usecases::ports::{CommitError, ImprovementPlans, Revocations, StoreError, Versioned, Write};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, Select};

use super::{Store, unavailable, versioned::put};
use crate::{
    entity::{improvement_plan, revocation},
    rows::{plan_model, plan_of, revocation_model, revocation_of},
};

pub(super) async fn write_revocation(
    tx: &DatabaseTransaction,
    write: &Write<Revocation>,
) -> Result<(), CommitError> {
    put::<revocation::Entity, _>(tx, write, revocation_model).await
}

pub(super) async fn write_plan(
    tx: &DatabaseTransaction,
    write: &Write<ImprovementPlan>,
) -> Result<(), CommitError> {
    put::<improvement_plan::Entity, _>(tx, write, plan_model).await
}

impl Store {
    async fn revocations(
        &self,
        query: Select<revocation::Entity>,
    ) -> Result<Vec<Versioned<Revocation>>, StoreError> {
        let rows = query.all(&self.reader).await.map_err(unavailable)?;
        rows.into_iter().map(revocation_of).collect()
    }

    async fn plans(
        &self,
        query: Select<improvement_plan::Entity>,
    ) -> Result<Vec<Versioned<ImprovementPlan>>, StoreError> {
        let rows = query.all(&self.reader).await.map_err(unavailable)?;
        rows.into_iter().map(plan_of).collect()
    }
}

#[async_trait]
impl Revocations for Store {
    async fn find(&self, id: RevocationId) -> Result<Option<Versioned<Revocation>>, StoreError> {
        Ok(self.revocations(revocation::Entity::find_by_id(id.0)).await?.pop())
    }

    async fn of_organisation(
        &self,
        ubn: UnifiedBusinessNumber,
    ) -> Result<Vec<Versioned<Revocation>>, StoreError> {
        let query = revocation::Entity::find()
            .filter(revocation::Column::Ubn.eq(ubn.as_str()))
            .order_by_desc(revocation::Column::AskedAt)
            .order_by_desc(revocation::Column::Id);
        self.revocations(query).await
    }

    async fn waiting(&self) -> Result<Vec<Versioned<Revocation>>, StoreError> {
        let query = revocation::Entity::find()
            .filter(revocation::Column::State.eq("asked"))
            .order_by_asc(revocation::Column::AskedAt)
            .order_by_asc(revocation::Column::Id);
        self.revocations(query).await
    }
}

#[async_trait]
impl ImprovementPlans for Store {
    async fn find(&self, id: PlanId) -> Result<Option<Versioned<ImprovementPlan>>, StoreError> {
        Ok(self.plans(improvement_plan::Entity::find_by_id(id.0)).await?.pop())
    }

    async fn of_organisation(
        &self,
        ubn: UnifiedBusinessNumber,
    ) -> Result<Vec<Versioned<ImprovementPlan>>, StoreError> {
        let query = improvement_plan::Entity::find()
            .filter(improvement_plan::Column::Ubn.eq(ubn.as_str()))
            .order_by_desc(improvement_plan::Column::FiledAt)
            .order_by_desc(improvement_plan::Column::Id);
        self.plans(query).await
    }

    async fn waiting(&self) -> Result<Vec<Versioned<ImprovementPlan>>, StoreError> {
        let query = improvement_plan::Entity::find()
            .filter(improvement_plan::Column::State.eq("filed"))
            .order_by_asc(improvement_plan::Column::FiledAt)
            .order_by_asc(improvement_plan::Column::Id);
        self.plans(query).await
    }
}
