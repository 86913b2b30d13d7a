//! Drafts: what was typed is sealed, and gone when it was signed.

use async_trait::async_trait;
use idcheck_usecases::{
    acts::ActName,
    ports::{DraftRoom, Drafts, Entries, StoreError, StoredDraft},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    Statement, Value, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    draft::entity as draft,
    kernel::{
        cell::{corrupt, instant, micros},
        json,
        store::{Store, unavailable},
        vault::Vault,
    },
};

const TABLE: &str = "drafts";

/// A draft, if there is room for it. Each parameter says its type, which PostgreSQL can't see in a SELECT.
const OPEN: &str = "INSERT INTO drafts (id, session, act, sealed, challenge, version, origin, expires_at) \
    SELECT $1, $2, CAST($3 AS text), $4, NULL, CAST($5 AS bigint), CAST($6 AS text), CAST($7 AS bigint) \
    WHERE (SELECT count(*) FROM drafts WHERE origin = $6 AND expires_at > CAST($8 AS bigint)) < CAST($9 AS bigint)";

#[derive(Serialize, Deserialize)]
struct Sealed {
    typed: Entries,
    about: Entries,
}

/// Sealed to its draft: nothing of one can be put into another.
fn seal(vault: &Vault, stored: &StoredDraft) -> Result<Vec<u8>, StoreError> {
    let text = json::text(&Sealed { typed: stored.typed.clone(), about: stored.about.clone() });
    vault.seal(&place(stored.id), text.as_bytes()).map_err(|_| StoreError::Unavailable)
}

fn place(id: Uuid) -> String {
    format!("draft:{id}")
}

#[async_trait]
impl Drafts for Store {
    async fn open(&self, stored: &StoredDraft, room: &DraftRoom) -> Result<bool, StoreError> {
        let values: [Value; 9] = [
            stored.id.into(),
            Vec::from(stored.session).into(),
            stored.act.as_str().into(),
            seal(&self.vault, stored)?.into(),
            stored.version.into(),
            room.origin.to_string().into(),
            micros(stored.expires_at).into(),
            micros(room.now).into(),
            i64::from(room.of_origin).into(),
        ];
        let statement = Statement::from_sql_and_values(self.writer.get_database_backend(), OPEN, values);
        let written = self.writer.execute_raw(statement).await.map_err(unavailable)?;
        Ok(written.rows_affected() == 1)
    }

    async fn of_session(&self, session: [u8; 32]) -> Result<Vec<StoredDraft>, StoreError> {
        let rows = draft::Entity::find()
            .filter(draft::Column::Session.eq(session.to_vec()))
            .order_by_desc(draft::Column::Id)
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        rows.into_iter().map(|row| read(&self.vault, row)).collect()
    }

    async fn save(&self, stored: &StoredDraft) -> Result<bool, StoreError> {
        let saved = draft::Entity::update_many()
            .col_expr(draft::Column::Sealed, Expr::value(seal(&self.vault, stored)?))
            .col_expr(draft::Column::Challenge, Expr::value(stored.challenge))
            .col_expr(draft::Column::ExpiresAt, Expr::value(micros(stored.expires_at)))
            .col_expr(draft::Column::Version, Expr::value(stored.version + 1))
            .filter(draft::Column::Id.eq(stored.id))
            .filter(draft::Column::Version.eq(stored.version))
            .exec(&self.writer)
            .await
            .map_err(unavailable)?;
        Ok(saved.rows_affected == 1)
    }

    async fn end(&self, id: Uuid) -> Result<(), StoreError> {
        draft::Entity::delete_by_id(id).exec(&self.writer).await.map(drop).map_err(unavailable)
    }
}

fn read(vault: &Vault, row: draft::Model) -> Result<StoredDraft, StoreError> {
    let opened = vault.open(&place(row.id), &row.sealed).map_err(|_| corrupt(TABLE, "sealed"))?;
    let Sealed { typed, about } = serde_json::from_slice(&opened).map_err(|_| corrupt(TABLE, "sealed"))?;
    Ok(StoredDraft {
        id: row.id,
        session: row.session.try_into().map_err(|_| corrupt(TABLE, "session"))?,
        act: ActName::parse(&row.act).ok_or_else(|| corrupt(TABLE, "act"))?,
        typed,
        about,
        challenge: row.challenge,
        version: row.version,
        expires_at: instant(TABLE, "expires_at", row.expires_at)?,
    })
}

/// What was signed needs no draft any more.
pub(crate) async fn signed(tx: &DatabaseTransaction, challenge: Uuid) -> Result<(), DbErr> {
    draft::Entity::delete_many().filter(draft::Column::Challenge.eq(challenge)).exec(tx).await.map(drop)
}

#[allow(unreachable_pub, reason = "sea-orm's derives ask for pub")]
mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "drafts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub session: Vec<u8>,
        pub act: String,
        pub sealed: Vec<u8>,
        pub challenge: Option<Uuid>,
        pub version: i64,
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
