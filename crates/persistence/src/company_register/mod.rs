//! The company register as snapshots of the open data.

pub(crate) mod entity;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{company::CompanyRecord, value::UnifiedBusinessNumber};
use idcheck_usecases::ports::{CompanyRegister, CompanySnapshots, RegisterError, StoreError};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Statement,
    sea_query::{Expr, OnConflict},
};

use crate::{
    company_register::entity::{company_record, snapshot},
    kernel::{
        cell::{instant, micros},
        store::{Store, unavailable},
    },
};

/// Rows of one statement; three values each stay below what both databases take.
const ROWS: usize = 1000;
/// Rows removed in one transaction, so that nobody else waits long.
const REMOVED: i64 = 20_000;

/// In one statement, so that a snapshot that is replaced meanwhile is never taken for an empty one.
const COMPANY: &str = "SELECT r.name AS name FROM company_snapshots s \
    LEFT JOIN company_records r ON r.snapshot = s.id AND r.ubn = $1 \
    WHERE s.id = (SELECT max(id) FROM company_snapshots WHERE completed_at IS NOT NULL)";

const IN_FORCE: &str = "SELECT count(*) AS companies FROM company_records WHERE snapshot = \
    (SELECT max(id) FROM company_snapshots WHERE completed_at IS NOT NULL)";

#[async_trait]
impl CompanyRegister for Store {
    async fn company(&self, ubn: UnifiedBusinessNumber) -> Result<Option<CompanyRecord>, RegisterError> {
        let backend = self.reader.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, COMPANY, [ubn.as_str().into()]);
        let unreadable = |error: DbErr| {
            let _logged = unavailable(error);
            RegisterError::Unreadable
        };
        let row = self.reader.query_one_raw(statement).await.map_err(unreadable)?;
        let row = row.ok_or(RegisterError::NoSnapshot)?;
        let name: Option<String> = row.try_get("", "name").map_err(unreadable)?;
        Ok(name.map(|name| CompanyRecord { ubn, name, status: None }))
    }

    async fn state_of(&self) -> Result<Option<DateTime<Utc>>, RegisterError> {
        let query = snapshot::Entity::find().filter(snapshot::Column::CompletedAt.is_not_null());
        let found = query.order_by_desc(snapshot::Column::Id).one(&self.reader).await.map_err(unavailable);
        let found = found.map_err(|_| RegisterError::Unreadable)?.ok_or(RegisterError::NoSnapshot)?;
        let at = instant("company_snapshots", "id", found.id).map_err(|_| RegisterError::Unreadable)?;
        Ok(Some(at))
    }
}

impl Store {
    async fn snapshot(&self, digest: &[u8; 32]) -> Result<Option<snapshot::Model>, StoreError> {
        let query = snapshot::Entity::find().filter(snapshot::Column::Digest.eq(hex::encode(digest)));
        query.one(&self.writer).await.map_err(unavailable)
    }

    async fn begun(&self, digest: &[u8; 32]) -> Result<snapshot::Model, StoreError> {
        self.snapshot(digest).await?.ok_or(StoreError::Unavailable)
    }

    /// Removes a snapshot, its records first and some at a time.
    async fn remove_snapshot(&self, id: i64) -> Result<(), StoreError> {
        let sql = "DELETE FROM company_records WHERE snapshot = $1 AND ubn IN \
                   (SELECT ubn FROM company_records WHERE snapshot = $1 ORDER BY ubn LIMIT $2)";
        let backend = self.writer.get_database_backend();
        loop {
            let statement = Statement::from_sql_and_values(backend, sql, [id.into(), REMOVED.into()]);
            if self.writer.execute_raw(statement).await.map_err(unavailable)?.rows_affected() == 0 {
                break;
            }
        }
        snapshot::Entity::delete_by_id(id).exec(&self.writer).await.map(drop).map_err(unavailable)
    }
}

#[async_trait]
impl CompanySnapshots for Store {
    async fn begin(&self, digest: &[u8; 32], at: DateTime<Utc>) -> Result<Option<u64>, StoreError> {
        let row =
            snapshot::Model { id: micros(at), digest: hex::encode(digest), rows_done: 0, completed_at: None };
        snapshot::Entity::insert(row.into_active_model())
            .on_conflict(OnConflict::column(snapshot::Column::Digest).do_nothing().to_owned())
            .exec_without_returning(&self.writer)
            .await
            .map(drop)
            .map_err(unavailable)?;
        let begun = self.begun(digest).await?;
        Ok(begun.completed_at.is_none().then(|| u64::try_from(begun.rows_done).unwrap_or_default()))
    }

    async fn append(&self, digest: &[u8; 32], batch: &[CompanyRecord], rows: u64) -> Result<(), StoreError> {
        let snapshot = self.begun(digest).await?.id;
        let models: Vec<_> = batch
            .iter()
            .map(|record| {
                let (ubn, name) = (record.ubn.to_string(), record.name.clone());
                company_record::Model { snapshot, ubn, name }.into_active_model()
            })
            .collect();
        let written = async {
            let tx = self.writer.begin().await?;
            for chunk in models.chunks(ROWS) {
                company_record::Entity::insert_many(chunk.to_vec()).exec_without_returning(&tx).await?;
            }
            let done = i64::try_from(rows).unwrap_or(i64::MAX);
            snapshot::Entity::update_many()
                .col_expr(snapshot::Column::RowsDone, Expr::value(done))
                .filter(snapshot::Column::Id.eq(snapshot))
                .exec(&tx)
                .await?;
            tx.commit().await
        };
        written.await.map_err(unavailable)
    }

    async fn complete(&self, digest: &[u8; 32], at: DateTime<Utc>) -> Result<u64, StoreError> {
        let begun = self.begun(digest).await?;
        snapshot::Entity::update_many()
            .col_expr(snapshot::Column::CompletedAt, Expr::value(micros(at)))
            .filter(snapshot::Column::Id.eq(begun.id))
            .exec(&self.writer)
            .await
            .map_err(unavailable)?;
        let former = snapshot::Entity::find().filter(snapshot::Column::Id.lt(begun.id));
        for former in former.all(&self.writer).await.map_err(unavailable)? {
            self.remove_snapshot(former.id).await?;
        }
        self.in_force().await
    }

    async fn in_force(&self) -> Result<u64, StoreError> {
        let counted = Statement::from_string(self.writer.get_database_backend(), IN_FORCE);
        let row = self.writer.query_one_raw(counted).await.map_err(unavailable)?;
        let row = row.ok_or(StoreError::Unavailable)?;
        let companies: i64 = row.try_get("", "companies").map_err(unavailable)?;
        Ok(u64::try_from(companies).unwrap_or_default())
    }

    async fn abandon(&self, digest: &[u8; 32]) -> Result<(), StoreError> {
        match self.snapshot(digest).await? {
            Some(begun) if begun.completed_at.is_none() => self.remove_snapshot(begun.id).await,
            Some(_) | None => Ok(()),
        }
    }
}
