//! Challenges: issued where there is room, spent once.

use async_trait::async_trait;
use idcheck_domain::value::UnifiedBusinessNumber;
use idcheck_usecases::{
    acts::ActName,
    ports::{Challenges, CommitError, StoreError, StoredChallenge, Waiting},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Statement, Value,
    sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    challenge::entity as challenge,
    kernel::{
        cell::{corrupt, instant, micros},
        json::{content_of, content_text},
        store::{Store, unavailable},
        versioned::failed,
        writer::Writer,
    },
};

/// A challenge, if there is room for it. Each parameter says its type, which PostgreSQL can't see in a SELECT.
const ISSUE: &str = "INSERT INTO challenges \
    (id, act, ubn, content, tbs, session, issued_at, expires_at, spent_at, origin) \
    SELECT $1, CAST($2 AS text), CAST($3 AS text), CAST($4 AS text), CAST($5 AS text), $6, CAST($7 AS bigint), \
    CAST($8 AS bigint), CAST($9 AS bigint), CAST($10 AS text) \
    WHERE (SELECT count(*) FROM challenges WHERE origin = $10 AND ubn = $3 AND spent_at IS NULL AND expires_at > $7) \
    < CAST($11 AS bigint) \
    AND (SELECT count(*) FROM challenges WHERE origin = $10 AND spent_at IS NULL AND expires_at > $7) \
    < CAST($12 AS bigint)";

/// Writes a challenge, if there is room for it.
pub(crate) async fn issue(
    writer: &Writer,
    stored: StoredChallenge,
    waiting: &Waiting,
) -> Result<bool, DbErr> {
    let values: [Value; 12] = [
        stored.id.into(),
        stored.act.as_str().into(),
        stored.ubn.to_string().into(),
        content_text(&stored.content).into(),
        stored.tbs.into(),
        stored.session.map(Vec::from).into(),
        micros(stored.issued_at).into(),
        micros(stored.expires_at).into(),
        stored.spent_at.map(micros).into(),
        waiting.origin.to_string().into(),
        i64::from(waiting.of_organisation).into(),
        i64::from(waiting.of_origin).into(),
    ];
    let statement = Statement::from_sql_and_values(writer.get_database_backend(), ISSUE, values);
    let written = writer.execute_raw(statement).await?;
    Ok(written.rows_affected() == 1)
}

#[async_trait]
impl Challenges for Store {
    async fn find(&self, id: Uuid) -> Result<Option<StoredChallenge>, StoreError> {
        const TABLE: &str = "challenges";
        let Some(row) = challenge::Entity::find_by_id(id).one(&self.reader).await.map_err(unavailable)?
        else {
            return Ok(None);
        };
        let session = match row.session {
            None => None,
            Some(bytes) => Some(bytes.try_into().map_err(|_| corrupt(TABLE, "session"))?),
        };
        Ok(Some(StoredChallenge {
            id: row.id,
            act: ActName::parse(&row.act).ok_or_else(|| corrupt(TABLE, "act"))?,
            ubn: UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt(TABLE, "ubn"))?,
            content: content_of(&row.content).ok_or_else(|| corrupt(TABLE, "content"))?,
            tbs: row.tbs,
            session,
            issued_at: instant(TABLE, "issued_at", row.issued_at)?,
            expires_at: instant(TABLE, "expires_at", row.expires_at)?,
            spent_at: row.spent_at.map(|at| instant(TABLE, "spent_at", at)).transpose()?,
        }))
    }
}

/// One row or none: whoever comes second finds it spent, whoever comes late finds it ended.
pub(crate) async fn spend(tx: &DatabaseTransaction, id: Uuid, at: i64) -> Result<(), CommitError> {
    let spent = challenge::Entity::update_many()
        .col_expr(challenge::Column::SpentAt, Expr::value(at))
        .filter(challenge::Column::Id.eq(id))
        .filter(challenge::Column::SpentAt.is_null())
        .filter(challenge::Column::ExpiresAt.gt(at))
        .exec(tx)
        .await
        .map_err(failed)?;
    if spent.rows_affected == 1 { Ok(()) } else { Err(CommitError::ChallengeSpent) }
}

#[allow(unreachable_pub, reason = "sea-orm's derives ask for pub")]
pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "challenges")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub act: String,
        pub ubn: String,
        pub content: String,
        pub tbs: String,
        pub session: Option<Vec<u8>>,
        pub issued_at: i64,
        pub expires_at: i64,
        pub spent_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
