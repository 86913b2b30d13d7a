//! Suspended users (check 11). The ledger reads the same rows in its transaction.

use async_trait::async_trait;
use idcheck_domain::value::UnifiedBusinessNumber;
use idcheck_usecases::ports::{StoreError, SuspendedUser, UserChange, UserSuspensions};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    sea_query::OnConflict,
};

use super::{Store, unavailable};
use crate::{
    entity::suspended_user::{ActiveModel, Column, Entity, Model},
    rows::{corrupt, instant, micros},
};

const TABLE: &str = "suspended_users";

/// Suspends a user, who stays suspended since the first time, or lets one in again.
pub(super) async fn write(tx: &DatabaseTransaction, change: &UserChange) -> Result<(), DbErr> {
    let (ubn, user_id) = (change.ubn.to_string(), change.user_id.clone());
    match change.suspended_since {
        Some(since) => {
            let row: ActiveModel = Model { ubn, user_id, since: micros(since) }.into_active_model();
            let known = OnConflict::columns([Column::Ubn, Column::UserId]).do_nothing().to_owned();
            Entity::insert(row).on_conflict(known).exec_without_returning(tx).await.map(drop)
        }
        None => Entity::delete_by_id((ubn, user_id)).exec(tx).await.map(drop),
    }
}

#[async_trait]
impl UserSuspensions for Store {
    async fn suspended(&self, ubn: Option<UnifiedBusinessNumber>) -> Result<Vec<SuspendedUser>, StoreError> {
        let mut rows = Entity::find().order_by_asc(Column::Since).order_by_asc(Column::UserId);
        if let Some(ubn) = ubn {
            rows = rows.filter(Column::Ubn.eq(ubn.as_str()));
        }
        let rows = rows.all(&self.reader).await.map_err(unavailable)?;
        let read = |row: Model| {
            Ok(SuspendedUser {
                ubn: UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt(TABLE, "ubn"))?,
                user_id: row.user_id,
                since: instant(TABLE, "since", row.since)?,
            })
        };
        rows.into_iter().map(read).collect()
    }
}
