//! Passkeys. A challenge is a tag over its end and the browser session that it was issued to: nothing is kept of it before it is used.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{officer::OfficerId, value::PasskeyName};
use idcheck_usecases::ports::{
    AuditEntry, Officer, Passkey, PasskeyChallenge, PasskeyHalf, Passkeys, StoreError,
};
use sea_orm::{ConnectionTrait, EntityTrait, QueryResult, Statement, Value};
use uuid::Uuid;

use crate::{
    kernel::{
        cell::{corrupt, instant, micros},
        store::{Store, cell, unavailable},
        writer::Transaction,
    },
    officer::{entity::officer, officer_of, written},
};

const TABLE: &str = "passkeys";

const COLUMNS: &str = "credential, officer_id, public_key, counter, name, added_at, used_at";

const ADD: &str = "INSERT INTO passkeys (credential, officer_id, public_key, counter, name, added_at) \
    SELECT $1, $2, $3, CAST($4 AS bigint), CAST($5 AS text), CAST($6 AS bigint) \
    WHERE (SELECT count(*) FROM passkeys WHERE officer_id = $2) < CAST($7 AS bigint)";

/// Locks the account, if it still signs in as when its code was taken: a new way to sign in begins again without a code.
const STANDS: &str = "UPDATE officers SET failures = 0 WHERE id = $1 AND NOT closed AND invited_until IS NULL \
    AND subject IS NULL AND totp_step > 0";

/// One row or none: whoever was overtaken finds another counter, or none where the authenticator counts.
const USED: &str = "UPDATE passkeys SET counter = $1, used_at = $2 WHERE credential = $3 AND counter = $4 AND public_key = $5 \
     AND EXISTS (SELECT 1 FROM officers o WHERE o.id = passkeys.officer_id AND NOT o.closed)";

/// End and random bytes of a challenge; the tag follows.
const OPEN: usize = 8 + 32;

fn passkey_of(row: &QueryResult) -> Result<(OfficerId, Passkey), StoreError> {
    let (officer, counter, name): (Uuid, i64, String) =
        (cell(row, "officer_id")?, cell(row, "counter")?, cell(row, "name")?);
    let used_at: Option<i64> = cell(row, "used_at")?;
    let half = PasskeyHalf {
        credential: cell(row, "credential")?,
        public_key: cell(row, "public_key")?,
        counter: u32::try_from(counter).map_err(|_| corrupt(TABLE, "counter"))?,
    };
    let passkey = Passkey {
        half,
        name: PasskeyName::parse(&name).map_err(|_| corrupt(TABLE, "name"))?,
        added_at: instant(TABLE, "added_at", cell(row, "added_at")?)?,
        used_at: used_at.map(|at| instant(TABLE, "used_at", at)).transpose()?,
    };
    Ok((OfficerId(officer), passkey))
}

impl Store {
    /// Runs a statement, if the challenge was not used before; whether it wrote one row.
    async fn spending(
        &self,
        tx: &Transaction,
        challenge: &PasskeyChallenge,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<bool, StoreError> {
        let backend = self.writer.get_database_backend();
        let spend = "INSERT INTO passkey_challenges (challenge, expires_at) VALUES ($1, $2)";
        let spent: [Value; 2] = [challenge.bytes.clone().into(), micros(challenge.expires_at).into()];
        let spend = Statement::from_sql_and_values(backend, spend, spent);
        if written(tx.execute_raw(spend).await)?.is_none() {
            return Ok(false);
        }
        let statement = Statement::from_sql_and_values(backend, sql, values);
        Ok(written(tx.execute_raw(statement).await)?.is_some_and(|done| done.rows_affected() == 1))
    }
}

#[async_trait]
impl Passkeys for Store {
    fn issue(&self, session: [u8; 32], random: [u8; 32], expires_at: DateTime<Utc>) -> PasskeyChallenge {
        let mut bytes = micros(expires_at).to_be_bytes().to_vec();
        bytes.extend(random);
        bytes.extend(self.vault.passkey_challenge(&session, &bytes));
        PasskeyChallenge { bytes, expires_at }
    }

    fn issued(&self, bytes: &[u8], session: [u8; 32]) -> Option<PasskeyChallenge> {
        let (open, tag) = bytes.split_at_checked(OPEN)?;
        if !self.vault.is_passkey_challenge(&session, open, tag) {
            return None;
        }
        let end = i64::from_be_bytes(open.get(..8)?.try_into().ok()?);
        Some(PasskeyChallenge { bytes: bytes.to_vec(), expires_at: DateTime::from_timestamp_micros(end)? })
    }

    async fn of_officer(&self, officer: OfficerId) -> Result<Vec<Passkey>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM passkeys WHERE officer_id = $1 ORDER BY added_at, credential");
        let rows = self.rows(&sql, vec![officer.0.into()]).await?;
        rows.iter().map(|row| passkey_of(row).map(|(_, passkey)| passkey)).collect()
    }

    async fn holder(&self, credential: &[u8]) -> Result<Option<(Officer, Passkey)>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM passkeys WHERE credential = $1");
        let rows = self.rows(&sql, vec![credential.to_vec().into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (id, passkey) = passkey_of(row)?;
        let holder = officer::Entity::find_by_id(id.0).one(&self.reader).await.map_err(unavailable)?;
        let holder = holder.filter(|row| !row.closed && row.invited_until.is_none() && row.subject.is_none());
        holder.as_ref().map(|row| Ok((officer_of(row)?, passkey))).transpose()
    }

    async fn add_passkey(
        &self,
        officer: OfficerId,
        passkey: &Passkey,
        challenge: &PasskeyChallenge,
        most: u32,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        let values = vec![
            passkey.half.credential.clone().into(),
            officer.0.into(),
            passkey.half.public_key.clone().into(),
            i64::from(passkey.half.counter).into(),
            passkey.name.as_str().into(),
            micros(passkey.added_at).into(),
            i64::from(most).into(),
        ];
        let tx = self.begin().await.map_err(unavailable)?;
        // Before the passkey: whoever resets the account waits for it and removes it, or was first.
        let stands =
            Statement::from_sql_and_values(self.writer.get_database_backend(), STANDS, [officer.0.into()]);
        if tx.execute_raw(stands).await.map_err(unavailable)?.rows_affected() != 1 {
            return Ok(false);
        }
        if !self.spending(&tx, challenge, ADD, values).await? {
            return Ok(false);
        }
        self.audited(tx, entry).await.map(|()| true)
    }

    async fn remove_passkey(
        &self,
        officer: OfficerId,
        credential: &[u8],
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM passkeys WHERE officer_id = $1 AND credential = $2";
        let values: [Value; 2] = [officer.0.into(), credential.to_vec().into()];
        let tx = self.begin().await.map_err(unavailable)?;
        let delete = Statement::from_sql_and_values(self.writer.get_database_backend(), sql, values);
        if tx.execute_raw(delete).await.map_err(unavailable)?.rows_affected() != 1 {
            return Ok(false);
        }
        self.audited(tx, entry).await.map(|()| true)
    }

    async fn passkey_used(
        &self,
        half: &PasskeyHalf,
        counter: u32,
        challenge: &PasskeyChallenge,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let values = vec![
            i64::from(counter).into(),
            micros(at).into(),
            half.credential.clone().into(),
            i64::from(half.counter).into(),
            half.public_key.clone().into(),
        ];
        let tx = self.begin().await.map_err(unavailable)?;
        let used = self.spending(&tx, challenge, USED, values).await?;
        if used {
            tx.commit().await.map_err(unavailable)?;
        }
        Ok(used)
    }
}
