//! Sweeps and their worklists.

pub(crate) mod entity;
pub(crate) mod row;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    access::Access,
    sweep::{Sweep, SweepId, SweepItem},
    value::{CompanyName, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{CommitError, StoreError, Sweeps, Versioned, Write};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use crate::{
    kernel::{
        cell::{corrupt, micros},
        store::{Store, unavailable},
        versioned::{put, versions},
    },
    organisation::entity::organisation,
    sweep::{
        entity::{sweep, sweep_item},
        row::{sweep_item_model, sweep_item_of, sweep_model, sweep_of},
    },
};

versions!(sweep_item);

/// Rows of one statement; ten values each stay below what both databases take.
const ROWS: usize = 500;

pub(crate) async fn write_item(
    tx: &DatabaseTransaction,
    id: SweepId,
    write: &Write<SweepItem>,
) -> Result<(), CommitError> {
    put::<sweep_item::Entity, _>(tx, write, |item, version| sweep_item_model(id, item, version)).await
}

/// Organisations whose access a sweep could end.
async fn candidates<C: ConnectionTrait>(db: &C) -> Result<Vec<organisation::Model>, DbErr> {
    organisation::Entity::find()
        .filter(organisation::Column::Access.is_in(Access::REVOCABLE))
        .order_by_asc(organisation::Column::Ubn)
        .all(db)
        .await
}

fn unread(row: &organisation::Model) -> Result<SweepItem, StoreError> {
    let ubn = UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt("organisations", "ubn"))?;
    let name = CompanyName::parse(&row.name).map_err(|_| corrupt("organisations", "name"))?;
    Ok(SweepItem::unread(ubn, name))
}

#[async_trait]
impl Sweeps for Store {
    async fn begin(&self, begun: &Sweep) -> Result<Sweep, StoreError> {
        let row = sweep_model(begun);
        let tx = self.writer.begin().await.map_err(unavailable)?;
        let today = OnConflict::column(sweep::Column::Day).do_nothing().to_owned();
        let inserted = sweep::Entity::insert(row.clone().into_active_model())
            .on_conflict(today)
            .exec_without_returning(&tx)
            .await;
        inserted.map_err(unavailable)?;
        let query = sweep::Entity::find().filter(sweep::Column::Day.eq(row.day));
        let stands = query.one(&tx).await.map_err(unavailable)?.ok_or(StoreError::Unavailable)?;
        if stands.id == begun.id.0 {
            let rows = candidates(&tx).await.map_err(unavailable)?;
            let items: Result<Vec<_>, _> = rows.iter().map(unread).collect();
            for chunk in items?.chunks(ROWS) {
                let models = chunk.iter().map(|item| sweep_item_model(begun.id, item, 1).into_active_model());
                let written = sweep_item::Entity::insert_many(models).exec_without_returning(&tx).await;
                written.map_err(unavailable)?;
            }
        }
        tx.commit().await.map_err(unavailable)?;
        sweep_of(&stands)
    }

    async fn candidates(&self) -> Result<Vec<SweepItem>, StoreError> {
        candidates(&self.reader).await.map_err(unavailable)?.iter().map(unread).collect()
    }

    async fn find(&self, id: SweepId) -> Result<Option<Sweep>, StoreError> {
        let row = sweep::Entity::find_by_id(id.0).one(&self.reader).await.map_err(unavailable)?;
        row.as_ref().map(sweep_of).transpose()
    }

    async fn latest(&self, limit: u16) -> Result<Vec<Sweep>, StoreError> {
        let query = sweep::Entity::find().order_by_desc(sweep::Column::Day).limit(u64::from(limit));
        query.all(&self.reader).await.map_err(unavailable)?.iter().map(sweep_of).collect()
    }

    async fn items(&self, id: SweepId) -> Result<Vec<Versioned<SweepItem>>, StoreError> {
        let query = sweep_item::Entity::find()
            .filter(sweep_item::Column::SweepId.eq(id.0))
            .order_by_asc(sweep_item::Column::Ubn);
        query.all(&self.reader).await.map_err(unavailable)?.into_iter().map(sweep_item_of).collect()
    }

    async fn unread(&self, limit: u16, now: DateTime<Utc>) -> Result<Vec<(SweepId, SweepItem)>, StoreError> {
        let again = Expr::col("retry_at");
        let query = sweep_item::Entity::find()
            .filter(sweep_item::Column::Finding.is_null())
            .filter(again.clone().is_null().or(again.lte(micros(now))))
            .order_by_asc(sweep_item::Column::SweepId)
            .order_by_asc(sweep_item::Column::Ubn)
            .limit(u64::from(limit));
        let rows = query.all(&self.reader).await.map_err(unavailable)?;
        let item = |row: sweep_item::Model| Ok((SweepId(row.sweep_id), sweep_item_of(row)?.value));
        rows.into_iter().map(item).collect()
    }

    async fn unanswered(
        &self,
        id: SweepId,
        ubn: UnifiedBusinessNumber,
        again_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sweep_item::Entity::update_many()
            .col_expr("retry_at", Expr::value(micros(again_at)))
            .filter(sweep_item::Column::SweepId.eq(id.0))
            .filter(sweep_item::Column::Ubn.eq(ubn.as_str()))
            .exec(&self.writer)
            .await
            .map(drop)
            .map_err(unavailable)
    }

    async fn found(&self, id: SweepId, item: &SweepItem) -> Result<(), StoreError> {
        let row = sweep_item_model(id, item, 1);
        sweep_item::Entity::update_many()
            .col_expr(sweep_item::Column::Finding, Expr::value(row.finding))
            .col_expr(sweep_item::Column::Detail, Expr::value(row.detail))
            .col_expr(sweep_item::Column::Version, Expr::col(sweep_item::Column::Version).add(1))
            .filter(sweep_item::Column::SweepId.eq(id.0))
            .filter(sweep_item::Column::Ubn.eq(item.ubn.as_str()))
            .filter(sweep_item::Column::Finding.is_null())
            .exec(&self.writer)
            .await
            .map(drop)
            .map_err(unavailable)
    }
}
