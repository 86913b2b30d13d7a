//! Improvement plans: written as part of a change, read by officers and their owners.

use async_trait::async_trait;
use idcheck_domain::{
    plan::{ImprovementPlan, PlanId, PlanState},
    value::{Narrative, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{CommitError, ImprovementPlans, StoreError, Versioned, Write};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, Select};

use crate::{
    kernel::{
        cell::{corrupt, instant, micros},
        store::{Store, unavailable},
        versioned::{put, versions},
    },
    plan::entity as improvement_plan,
    revocation::{ruling_columns, ruling_of},
};

versions!(improvement_plan);

/// The row of a plan at a version.
pub(crate) fn plan_model(value: &ImprovementPlan, version: i64) -> improvement_plan::Model {
    let (ruled_by, ruled_at, ruling_note) = ruling_columns(value.state.ruling());
    improvement_plan::Model {
        id: value.id.0,
        version,
        ubn: value.ubn.to_string(),
        plan: value.plan.as_str().to_owned(),
        filed_at: micros(value.filed_at),
        state: value.state.as_str().to_owned(),
        ruled_by,
        ruled_at,
        ruling_note,
    }
}

/// The plan of a row.
pub(crate) fn plan_of(row: improvement_plan::Model) -> Result<Versioned<ImprovementPlan>, StoreError> {
    const TABLE: &str = "improvement_plans";
    let columns = (row.ruled_by, row.ruled_at, row.ruling_note);
    let state = match row.state.as_str() {
        "filed" => PlanState::Filed,
        "approved" => PlanState::Approved(ruling_of(TABLE, &columns)?),
        "rejected" => PlanState::Rejected(ruling_of(TABLE, &columns)?),
        _ => return Err(corrupt(TABLE, "state")),
    };
    let value = ImprovementPlan {
        id: PlanId(row.id),
        ubn: UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt(TABLE, "ubn"))?,
        plan: Narrative::parse(&row.plan).map_err(|_| corrupt(TABLE, "plan"))?,
        filed_at: instant(TABLE, "filed_at", row.filed_at)?,
        state,
    };
    Ok(Versioned { value, version: row.version })
}

pub(crate) async fn write(
    tx: &DatabaseTransaction,
    write: &Write<ImprovementPlan>,
) -> Result<(), CommitError> {
    put::<improvement_plan::Entity, _>(tx, write, plan_model).await
}

impl Store {
    async fn plans(
        &self,
        query: Select<improvement_plan::Entity>,
    ) -> Result<Vec<Versioned<ImprovementPlan>>, StoreError> {
        let rows = query.all(&self.reader).await.map_err(unavailable)?;
        rows.into_iter().map(plan_of).collect()
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

#[allow(unreachable_pub, reason = "sea-orm's derives ask for pub")]
pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "improvement_plans")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub version: i64,
        pub ubn: String,
        pub plan: String,
        pub filed_at: i64,
        pub state: String,
        pub ruled_by: Option<Uuid>,
        pub ruled_at: Option<i64>,
        pub ruling_note: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
