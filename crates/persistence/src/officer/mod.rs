//! Officers and their sessions.

pub(crate) mod entity;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::officer::{OfficerId, Role};
use idcheck_usecases::ports::{
    AuditEntry, ListedOfficer, Officer, OfficerChange, OfficerCredential, OfficerRecord, OfficerSessions,
    Officers, SessionToken, StoreError,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, DeleteMany, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, SqlErr, Statement, sea_query::Expr,
};

use crate::{
    change::tell,
    kernel::{
        cell::{corrupt, instant, micros},
        store::{Store, unavailable},
        writer::Transaction,
    },
    officer::entity::{officer, officer_session},
};

const TABLE: &str = "officers";

fn officer_of(row: &officer::Model) -> Result<Officer, StoreError> {
    let role = Role::parse(&row.role).ok_or_else(|| corrupt(TABLE, "role"))?;
    Ok(Officer { id: OfficerId(row.id), username: row.username.clone(), role })
}

fn totp_place(id: OfficerId) -> String {
    format!("officers/{id}/totp")
}

/// The columns of a credential: subject, password hash, sealed second factor. What there is not is empty: an empty hash
/// matches no password.
type CredentialColumns = (Option<String>, String, Vec<u8>);

impl Store {
    /// Ends a transaction with its entry of the audit log.
    async fn audited(&self, tx: Transaction, entry: AuditEntry) -> Result<(), StoreError> {
        let entries = [entry];
        self.audit(&tx, &entries).await.map_err(unavailable)?;
        tx.commit().await.map_err(unavailable)?;
        tell(&entries);
        Ok(())
    }

    fn credential_of(&self, row: &officer::Model) -> Result<OfficerCredential, StoreError> {
        if let Some(subject) = &row.subject {
            return Ok(OfficerCredential::Provider { subject: subject.clone() });
        }
        let secret = self.vault.open(&totp_place(OfficerId(row.id)), &row.totp_sealed);
        Ok(OfficerCredential::Local {
            password_hash: row.password_hash.clone(),
            totp_secret: secret.map_err(|_| corrupt(TABLE, "totp_sealed"))?.to_vec(),
        })
    }

    fn columns_of(
        &self,
        id: OfficerId,
        credential: OfficerCredential,
    ) -> Result<CredentialColumns, StoreError> {
        match credential {
            OfficerCredential::Local { password_hash, totp_secret } => {
                let sealed = self.vault.seal(&totp_place(id), &totp_secret);
                Ok((None, password_hash, sealed.map_err(|_| StoreError::Unavailable)?))
            }
            OfficerCredential::Provider { subject } => Ok((Some(subject), String::new(), Vec::new())),
        }
    }
}

/// Whether a row was written; `false` where a value that must be one officer's is another's.
fn written<T>(result: Result<T, DbErr>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(written) => Ok(Some(written)),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(None),
        Err(error) => Err(unavailable(error)),
    }
}

#[async_trait]
impl Officers for Store {
    async fn find_by_username(&self, username: &str) -> Result<Option<OfficerRecord>, StoreError> {
        let query = officer::Entity::find().filter(officer::Column::Username.eq(username));
        let Some(row) = query.one(&self.reader).await.map_err(unavailable)? else { return Ok(None) };
        Ok(Some(OfficerRecord {
            officer: officer_of(&row)?,
            credential: self.credential_of(&row)?,
            closed: row.closed,
            failures: u32::try_from(row.failures).map_err(|_| corrupt(TABLE, "failures"))?,
            locked_until: row.locked_until.map(|at| instant(TABLE, "locked_until", at)).transpose()?,
        }))
    }

    async fn find_by_subject(&self, subject: &str) -> Result<Option<Officer>, StoreError> {
        let query = officer::Entity::find()
            .filter(officer::Column::Subject.eq(subject))
            .filter(officer::Column::Closed.eq(false));
        query.one(&self.reader).await.map_err(unavailable)?.as_ref().map(officer_of).transpose()
    }

    async fn list(&self) -> Result<Vec<ListedOfficer>, StoreError> {
        let query = officer::Entity::find().order_by_asc(officer::Column::Username);
        let listed = |row: &officer::Model| {
            Ok(ListedOfficer {
                officer: officer_of(row)?,
                by_provider: row.subject.is_some(),
                closed: row.closed,
            })
        };
        query.all(&self.reader).await.map_err(unavailable)?.iter().map(listed).collect()
    }

    async fn add(
        &self,
        new: Officer,
        credential: OfficerCredential,
        at: DateTime<Utc>,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        let (subject, password_hash, totp_sealed) = self.columns_of(new.id, credential)?;
        let row = officer::Model {
            id: new.id.0,
            username: new.username,
            role: new.role.as_str().to_owned(),
            password_hash,
            totp_sealed,
            totp_step: 0,
            failures: 0,
            locked_until: None,
            added_at: micros(at),
            subject,
            closed: false,
        };
        let insert = officer::Entity::insert(row.into_active_model());
        let tx = self.begin().await.map_err(unavailable)?;
        if written(insert.exec_without_returning(&tx).await)?.is_none() {
            return Ok(false);
        }
        self.audited(tx, entry).await.map(|()| true)
    }

    async fn change(
        &self,
        id: OfficerId,
        change: OfficerChange,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        let ends_sessions = !matches!(change, OfficerChange::Role(_) | OfficerChange::Closed(false));
        let update = officer::Entity::update_many().filter(officer::Column::Id.eq(id.0));
        let update = match change {
            OfficerChange::Role(role) => {
                update.col_expr(officer::Column::Role, Expr::value(role.as_str().to_owned()))
            }
            OfficerChange::Closed(closed) => update.col_expr(officer::Column::Closed, Expr::value(closed)),
            OfficerChange::Credential(credential) => {
                let (subject, password_hash, totp_sealed) = self.columns_of(id, credential)?;
                update
                    .col_expr(officer::Column::Subject, Expr::value(subject))
                    .col_expr(officer::Column::PasswordHash, Expr::value(password_hash))
                    .col_expr(officer::Column::TotpSealed, Expr::value(totp_sealed))
                    .col_expr(officer::Column::TotpStep, Expr::value(0_i64))
                    .col_expr(officer::Column::Failures, Expr::value(0))
                    .col_expr(officer::Column::LockedUntil, Expr::value(None::<i64>))
            }
        };
        let tx = self.begin().await.map_err(unavailable)?;
        let Some(updated) = written(update.exec(&tx).await)? else { return Ok(false) };
        if updated.rows_affected != 1 {
            return Ok(false);
        }
        if ends_sessions {
            sessions_of(id).exec(&tx).await.map_err(unavailable)?;
        }
        self.audited(tx, entry).await.map(|()| true)
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
        let row = officer::Entity::find_by_id(session.officer_id)
            .filter(officer::Column::Closed.eq(false))
            .one(&self.reader)
            .await
            .map_err(unavailable)?;
        row.as_ref().map(officer_of).transpose()
    }

    async fn close(&self, token: &SessionToken) -> Result<(), StoreError> {
        let hash = self.vault.session(token).to_vec();
        let delete = officer_session::Entity::delete_by_id(hash);
        delete.exec(&self.writer).await.map(drop).map_err(unavailable)
    }

    async fn close_all(&self, officer: OfficerId) -> Result<(), StoreError> {
        sessions_of(officer).exec(&self.writer).await.map(drop).map_err(unavailable)
    }
}

fn sessions_of(officer: OfficerId) -> DeleteMany<officer_session::Entity> {
    officer_session::Entity::delete_many().filter(officer_session::Column::OfficerId.eq(officer.0))
}
