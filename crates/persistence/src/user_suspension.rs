//! Suspended users (check 11). The ledger reads the same rows in its transaction.

use async_trait::async_trait;
use idcheck_domain::{abuse::AbuseRule, value::UnifiedBusinessNumber};
use idcheck_usecases::ports::{StoreError, SuspendedUser, UserChange, UserSuspensions};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, Statement, sea_query::OnConflict,
};

use crate::{
    kernel::{
        cell::{corrupt, instant, micros},
        store::{Store, unavailable},
    },
    user_suspension::entity::{ActiveModel, Column, Entity, Model},
};

const TABLE: &str = "suspended_users";

/// Suspends a user, who stays suspended since the first time, or lets one in again; false where there is nobody to let in.
pub(crate) async fn write(tx: &DatabaseTransaction, change: &UserChange) -> Result<bool, DbErr> {
    let (ubn, user_id) = (change.ubn.to_string(), change.user_id.clone());
    if let Some((since, rule)) = change.suspended {
        let rule = Some(rule.as_str().to_owned());
        let row: ActiveModel = Model { ubn, user_id, since: micros(since), rule }.into_active_model();
        let known = OnConflict::columns([Column::Ubn, Column::UserId]).do_nothing().to_owned();
        Entity::insert(row).on_conflict(known).exec_without_returning(tx).await?;
        return Ok(true);
    }
    let forgiven = "UPDATE usage_users SET forgiven = wrong WHERE ubn = $1 AND user_id = $2";
    let values = [ubn.clone().into(), user_id.clone().into()];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), forgiven, values);
    tx.execute_raw(statement).await?;
    Ok(Entity::delete_by_id((ubn, user_id)).exec(tx).await?.rows_affected == 1)
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
                rule: row.rule.as_deref().and_then(AbuseRule::parse),
            })
        };
        rows.into_iter().map(read).collect()
    }
}

#[allow(unreachable_pub, reason = "sea-orm's derives ask for pub")]
pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suspended_users")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub ubn: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: String,
        pub since: i64,
        pub rule: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
