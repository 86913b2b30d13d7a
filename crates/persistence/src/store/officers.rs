//! Officers and their sessions.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::officer::{OfficerId, Role};
use idcheck_usecases::ports::{
    NewOfficer, Officer, OfficerRecord, OfficerSessions, Officers, SessionToken, StoreError,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, SqlErr,
    Statement, sea_query::Expr,
};

use super::{Store, unavailable};
use crate::{
    entity::{officer, officer_session},
    rows::{corrupt, instant, micros},
};

const TABLE: &str = "officers";

fn officer_of(row: &officer::Model) -> Result<Officer, StoreError> {
    let role = Role::parse(&row.role).ok_or_else(|| corrupt(TABLE, "role"))?;
    Ok(Officer { id: OfficerId(row.id), username: row.username.clone(), role })
}

fn totp_place(id: OfficerId) -> String {
    format!("officers/{id}/totp")
}

#[async_trait]
impl Officers for Store {
    async fn find_by_username(&self, username: &str) -> Result<Option<OfficerRecord>, StoreError> {
        let query = officer::Entity::find().filter(officer::Column::Username.eq(username));
        let Some(row) = query.one(&self.reader).await.map_err(unavailable)? else { return Ok(None) };
        let officer = officer_of(&row)?;
        let secret = self.vault.open(&totp_place(officer.id), &row.totp_sealed);
        Ok(Some(OfficerRecord {
            officer,
            password_hash: row.password_hash,
            totp_secret: secret.map_err(|_| corrupt(TABLE, "totp_sealed"))?.to_vec(),
            failures: u32::try_from(row.failures).map_err(|_| corrupt(TABLE, "failures"))?,
            locked_until: row.locked_until.map(|at| instant(TABLE, "locked_until", at)).transpose()?,
        }))
    }

    async fn list(&self) -> Result<Vec<Officer>, StoreError> {
        let query = officer::Entity::find().order_by_asc(officer::Column::Username);
        query.all(&self.reader).await.map_err(unavailable)?.iter().map(officer_of).collect()
    }

    async fn add(&self, new: NewOfficer, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let id = new.officer.id;
        let sealed =
            self.vault.seal(&totp_place(id), &new.totp_secret).map_err(|_| StoreError::Unavailable)?;
        let row = officer::Model {
            id: id.0,
            username: new.officer.username,
            role: new.officer.role.as_str().to_owned(),
            password_hash: new.password_hash,
            totp_sealed: sealed,
            totp_step: 0,
            failures: 0,
            locked_until: None,
            added_at: micros(at),
        };
        let inserted =
            officer::Entity::insert(row.into_active_model()).exec_without_returning(&self.writer).await;
        match inserted {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn failed(&self, id: OfficerId, limit: u32, lock_until: DateTime<Utc>) -> Result<(), StoreError> {
        // One statement, so that guesses sent at once are all counted. The count starts again with the lock.
        let sql = "UPDATE officers SET
                locked_until = CASE WHEN failures + 1 >= $2 THEN $3 ELSE locked_until END,
                failures = CASE WHEN failures + 1 >= $2 THEN 0 ELSE failures + 1 END
            WHERE id = $1";
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        let values = [id.0.into(), limit.into(), micros(lock_until).into()];
        let statement = Statement::from_sql_and_values(self.writer.get_database_backend(), sql, values);
        self.writer.execute_raw(statement).await.map(drop).map_err(unavailable)
    }

    async fn succeeded(&self, id: OfficerId, totp_step: u64, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let step = i64::try_from(totp_step).unwrap_or(i64::MAX);
        let updated = officer::Entity::update_many()
            .col_expr(officer::Column::TotpStep, Expr::value(step))
            .col_expr(officer::Column::Failures, Expr::value(0))
            .filter(officer::Column::Id.eq(id.0))
            .filter(officer::Column::TotpStep.lt(step))
            .filter(
                Condition::any()
                    .add(officer::Column::LockedUntil.is_null())
                    .add(officer::Column::LockedUntil.lte(micros(at))),
            )
            .exec(&self.writer)
            .await
            .map_err(unavailable)?;
        Ok(updated.rows_affected == 1)
    }
}

#[async_trait]
impl OfficerSessions for Store {
    async fn open(
        &self,
        token: &SessionToken,
        officer: OfficerId,
        at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let row = officer_session::Model {
            token_hash: self.vault.session(token).to_vec(),
            officer_id: officer.0,
            opened_at: micros(at),
            used_at: micros(at),
            expires_at: micros(expires_at),
        };
        let insert = officer_session::Entity::insert(row.into_active_model());
        insert.exec_without_returning(&self.writer).await.map(drop).map_err(unavailable)
    }

    async fn resume(
        &self,
        token: &SessionToken,
        now: DateTime<Utc>,
        idle_since: DateTime<Utc>,
    ) -> Result<Option<Officer>, StoreError> {
        let hash = self.vault.session(token).to_vec();
        let session = officer_session::Entity::find_by_id(hash.clone())
            .filter(officer_session::Column::ExpiresAt.gt(micros(now)))
            .filter(officer_session::Column::UsedAt.gt(micros(idle_since)))
            .one(&self.reader)
            .await
            .map_err(unavailable)?;
        let Some(session) = session else { return Ok(None) };
        // Noted once a minute: a page's requests need not all write.
        if micros(now) - session.used_at > 60_000_000 {
            officer_session::Entity::update_many()
                .col_expr(officer_session::Column::UsedAt, Expr::value(micros(now)))
                .filter(officer_session::Column::TokenHash.eq(hash))
                .exec(&self.writer)
                .await
                .map_err(unavailable)?;
        }
        let row =
            officer::Entity::find_by_id(session.officer_id).one(&self.reader).await.map_err(unavailable)?;
        row.as_ref().map(officer_of).transpose()
    }

    async fn close(&self, token: &SessionToken) -> Result<(), StoreError> {
        let hash = self.vault.session(token).to_vec();
        let delete = officer_session::Entity::delete_by_id(hash);
        delete.exec(&self.writer).await.map(drop).map_err(unavailable)
    }
}
