//! Officers and their sessions.

pub(crate) mod entity;
mod passkey;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::officer::{OfficerId, Role};
use idcheck_usecases::ports::{
    AuditEntry, ListedOfficer, ListedSession, Officer, OfficerChange, OfficerCredential, OfficerRecord,
    OfficerSessions, Officers, SessionId, SessionOrigin, SessionToken, StoreError,
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

/// The columns of a credential. What there is not is empty: an empty hash matches no password.
#[derive(Default)]
struct CredentialColumns {
    subject: Option<String>,
    /// Of the password, or of an invitation's code.
    password_hash: String,
    totp_sealed: Vec<u8>,
    invited_until: Option<i64>,
}

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
        let totp_secret = secret.map_err(|_| corrupt(TABLE, "totp_sealed"))?.to_vec();
        let hash = row.password_hash.clone();
        Ok(match row.invited_until {
            Some(until) => {
                let until = instant(TABLE, "invited_until", until)?;
                OfficerCredential::Invited { code_hash: hash, totp_secret, until }
            }
            None => OfficerCredential::Local { password_hash: hash, totp_secret },
        })
    }

    fn columns_of(
        &self,
        id: OfficerId,
        credential: OfficerCredential,
    ) -> Result<CredentialColumns, StoreError> {
        let (password_hash, totp_secret, until) = match credential {
            OfficerCredential::Local { password_hash, totp_secret } => (password_hash, totp_secret, None),
            OfficerCredential::Invited { code_hash, totp_secret, until } => {
                (code_hash, totp_secret, Some(until))
            }
            OfficerCredential::Provider { subject } => {
                return Ok(CredentialColumns { subject: Some(subject), ..CredentialColumns::default() });
            }
        };
        let sealed = self.vault.seal(&totp_place(id), &totp_secret);
        let totp_sealed = sealed.map_err(|_| StoreError::Unavailable)?;
        Ok(CredentialColumns { subject: None, password_hash, totp_sealed, invited_until: until.map(micros) })
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
                invited_until: row.invited_until.map(|at| instant(TABLE, "invited_until", at)).transpose()?,
                locked_until: row.locked_until.map(|at| instant(TABLE, "locked_until", at)).transpose()?,
                signed_in_at: row.signed_in_at.map(|at| instant(TABLE, "signed_in_at", at)).transpose()?,
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
        let columns = self.columns_of(new.id, credential)?;
        let CredentialColumns { subject, password_hash, totp_sealed, invited_until } = columns;
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
            invited_until,
            signed_in_at: None,
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
        // A new way to sign in is the only one.
        let renewed = matches!(change, OfficerChange::Credential(_));
        let update = officer::Entity::update_many().filter(officer::Column::Id.eq(id.0));
        let update = match change {
            OfficerChange::Role(role) => {
                update.col_expr(officer::Column::Role, Expr::value(role.as_str().to_owned()))
            }
            OfficerChange::Closed(closed) => update.col_expr(officer::Column::Closed, Expr::value(closed)),
            OfficerChange::Credential(credential) => {
                let columns = self.columns_of(id, credential)?;
                let CredentialColumns { subject, password_hash, totp_sealed, invited_until } = columns;
                update
                    .col_expr(officer::Column::Subject, Expr::value(subject))
                    .col_expr(officer::Column::PasswordHash, Expr::value(password_hash))
                    .col_expr(officer::Column::TotpSealed, Expr::value(totp_sealed))
                    .col_expr(officer::Column::InvitedUntil, Expr::value(invited_until))
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
        if renewed {
            let passkeys = "DELETE FROM passkeys WHERE officer_id = $1";
            let delete = Statement::from_sql_and_values(tx.get_database_backend(), passkeys, [id.0.into()]);
            tx.execute_raw(delete).await.map_err(unavailable)?;
        }
        if ends_sessions {
            sessions_of(id).exec(&tx).await.map_err(unavailable)?;
        }
        self.audited(tx, entry).await.map(|()| true)
    }

    async fn accept(
        &self,
        id: OfficerId,
        code_hash: &str,
        password_hash: &str,
        totp_step: u64,
        at: DateTime<Utc>,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        let step = i64::try_from(totp_step).unwrap_or(i64::MAX);
        let update = officer::Entity::update_many()
            .col_expr(officer::Column::PasswordHash, Expr::value(password_hash))
            .col_expr(officer::Column::InvitedUntil, Expr::value(None::<i64>))
            .col_expr(officer::Column::TotpStep, Expr::value(step))
            .col_expr(officer::Column::Failures, Expr::value(0))
            .filter(officer::Column::Id.eq(id.0))
            .filter(officer::Column::PasswordHash.eq(code_hash))
            .filter(officer::Column::InvitedUntil.gt(micros(at)))
            .filter(officer::Column::Closed.eq(false))
            .filter(not_locked(at));
        let tx = self.begin().await.map_err(unavailable)?;
        if update.exec(&tx).await.map_err(unavailable)?.rows_affected != 1 {
            return Ok(false);
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
            .filter(not_locked(at))
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
        origin: &SessionOrigin,
        at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let SessionOrigin { address, browser } = origin;
        let row = officer_session::Model {
            token_hash: self.vault.session(token).to_vec(),
            officer_id: officer.0,
            opened_at: micros(at),
            used_at: micros(at),
            expires_at: micros(expires_at),
            address: address.chars().take(ADDRESS).collect(),
            browser: browser.chars().take(SessionOrigin::BROWSER).collect(),
        };
        let insert = officer_session::Entity::insert(row.into_active_model());
        let noted = officer::Entity::update_many()
            .col_expr(officer::Column::SignedInAt, Expr::value(micros(at)))
            .filter(officer::Column::Id.eq(officer.0));
        let opened = async {
            let tx = self.begin().await?;
            insert.exec_without_returning(&*tx).await?;
            noted.exec(&*tx).await?;
            tx.commit().await
        };
        opened.await.map_err(unavailable)
    }

    async fn list<'a>(
        &self,
        officer: OfficerId,
        current: Option<&'a SessionToken>,
        now: DateTime<Utc>,
        idle_since: DateTime<Utc>,
    ) -> Result<Vec<ListedSession>, StoreError> {
        let current = current.map(|token| self.vault.session(token));
        let rows = officer_session::Entity::find()
            .filter(officer_session::Column::OfficerId.eq(officer.0))
            .filter(officer_session::Column::ExpiresAt.gt(micros(now)))
            .filter(officer_session::Column::UsedAt.gt(micros(idle_since)))
            .order_by_desc(officer_session::Column::UsedAt)
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        let table = "officer_sessions";
        let listed = |row: officer_session::Model| {
            Ok(ListedSession {
                current: current.is_some_and(|current| current[..] == row.token_hash),
                id: SessionId(hex::encode(&row.token_hash)),
                opened_at: instant(table, "opened_at", row.opened_at)?,
                used_at: instant(table, "used_at", row.used_at)?,
                origin: SessionOrigin { address: row.address, browser: row.browser },
            })
        };
        rows.into_iter().map(listed).collect()
    }

    async fn end(&self, officer: OfficerId, id: &SessionId, entry: AuditEntry) -> Result<bool, StoreError> {
        let Ok(hash) = hex::decode(&id.0) else { return Ok(false) };
        let delete = sessions_of(officer).filter(officer_session::Column::TokenHash.eq(hash));
        let tx = self.begin().await.map_err(unavailable)?;
        if delete.exec(&tx).await.map_err(unavailable)?.rows_affected == 0 {
            return Ok(false);
        }
        self.audited(tx, entry).await.map(|()| true)
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

/// Longest address: IPv6 in full.
const ADDRESS: usize = 45;

fn not_locked(at: DateTime<Utc>) -> Condition {
    let locked = officer::Column::LockedUntil;
    Condition::any().add(locked.is_null()).add(locked.lte(micros(at)))
}

fn sessions_of(officer: OfficerId) -> DeleteMany<officer_session::Entity> {
    officer_session::Entity::delete_many().filter(officer_session::Column::OfficerId.eq(officer.0))
}
