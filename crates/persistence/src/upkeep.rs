//! What an operator does to the whole database: removing what was kept for its time, and going on from a restored backup. Both
//! leave an entry in the hash chain, and the walk of the chain reads them: that records are missing, or an hour, is told by the
//! chain itself or it is a fault.
//!
//! It must never know how long anything is kept; that is configuration.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::taipei;
use idcheck_usecases::ports::{AuditAction, AuditActor, AuditEntry, AuditSubject, StoreError};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, Value};

use crate::{
    audit::member,
    chain,
    kernel::{
        cell::micros,
        store::{Store, unavailable},
    },
};

/// What stands before the number of the last entry whose records were removed.
const THROUGH: &str = "recordsThrough:";

/// Entries of the chain whose records are removed in one statement, and rows of other tables: nobody else waits long.
const STRIDE: i64 = 500;
/// Organisations that are removed in one transaction.
const ORGANISATIONS: i64 = 50;

/// Until when what is kept for a time may be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Records of queries before this instant.
    pub records_before: DateTime<Utc>,
    /// Mails that were sent or given up, queued before this instant.
    pub mails_before: DateTime<Utc>,
    /// Organisations whose access ended, and whose last case was closed, before this instant.
    pub organisations_before: DateTime<Utc>,
}

/// How much was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    pub records: u64,
    pub mails: u64,
    /// Organisations, with their cases, notices and keys.
    pub organisations: u64,
}

/// Mails that nothing more happens to.
const MAILS: &str = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE queued_at < $1 \
                     AND (sent_at IS NOT NULL OR due_at IS NULL) LIMIT $2)";
/// Organisations that nobody comes back to. The one with the last account stays: accounts are given out once.
const ENDED: &str = "SELECT o.ubn FROM organisations o WHERE o.access <> 'active' \
                     AND (o.access_since IS NULL OR o.access_since < $1) \
                     AND (o.account IS NULL OR o.account < (SELECT max(account) FROM organisations)) \
                     AND NOT EXISTS (SELECT 1 FROM applications a WHERE a.ubn = o.ubn \
                     AND (a.closed_at IS NULL OR a.closed_at >= $1)) ORDER BY o.ubn LIMIT $2";
/// What goes with an organisation, in the order of the references.
const OF_AN_ORGANISATION: [&str; 16] = [
    "DELETE FROM clarifications WHERE application_id IN (SELECT id FROM applications WHERE ubn = $1)",
    "DELETE FROM application_history WHERE application_id IN (SELECT id FROM applications WHERE ubn = $1)",
    "DELETE FROM attachments WHERE ubn = $1",
    "DELETE FROM applications WHERE ubn = $1",
    "DELETE FROM notice_sendings WHERE notice_id IN (SELECT id FROM notices WHERE ubn = $1)",
    "DELETE FROM notices WHERE ubn = $1",
    "DELETE FROM improvement_plans WHERE ubn = $1",
    "DELETE FROM revocations WHERE ubn = $1",
    "DELETE FROM suspended_users WHERE ubn = $1",
    "DELETE FROM organisation_days WHERE ubn = $1",
    "DELETE FROM iss_keys WHERE ubn = $1",
    "DELETE FROM last_uses WHERE ubn = $1",
    "DELETE FROM registered_keys WHERE ubn = $1",
    "DELETE FROM webhook_calls WHERE ubn = $1",
    "DELETE FROM webhooks WHERE ubn = $1",
    "DELETE FROM organisations WHERE ubn = $1",
];

/// How long calls are listed, longer than they are tried.
const CALLS_KEPT: TimeDelta = TimeDelta::days(30);

/// Rows that are deleted in one statement: on SQLite nobody else writes meanwhile.
const PURGED: u64 = 1_000;
/// After each of them others come first.
const PURGE_PAUSE: Duration = Duration::from_millis(5);

impl Store {
    /// Deletes what can have no effect any more: calls of a month ago; challenges, drafts, files that no act was signed with, officers' sessions and used tokens that ended an
    /// hour before `now` (a token is taken for some minutes after its end), and strikes and
    /// counts of users and ID numbers older than `strikes_kept`.
    ///
    /// # Errors
    /// The store's.
    pub async fn purge(&self, now: DateTime<Utc>, strikes_kept: TimeDelta) -> Result<(), StoreError> {
        let ended: sea_orm::Value = micros(now - TimeDelta::hours(1)).into();
        let told: sea_orm::Value = micros(now - CALLS_KEPT).into();
        let kept = taipei::day(now - strikes_kept).to_string();
        let kept: sea_orm::Value = kept.into();
        let mut ends = vec![
            ("challenges", "id", "expires_at", &ended),
            ("drafts", "id", "expires_at", &ended),
            ("attachments", "id", "expires_at", &ended),
            ("webhook_calls", "id", "queued_at", &told),
            ("officer_sessions", "token_hash", "expires_at", &ended),
            ("used_tokens", "token", "expires_at", &ended),
            ("passkey_challenges", "challenge", "expires_at", &ended),
            ("strikes", "person_hash, environment, day", "day", &kept),
            ("usage_users", "ubn, user_id, day", "day", &kept),
            ("usage_numbers", "person_hash, ubn, day", "day", &kept),
        ];
        if self.writer.get_database_backend() == DbBackend::Postgres {
            ends.push(("replay_entries", "ubn, jti", "expires_at", &ended));
        }
        for (table, key, end, before) in ends {
            let sql = format!(
                "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {end} < $1 LIMIT {PURGED})"
            );
            while self.purge_some(&sql, before.clone()).await.map_err(unavailable)? == PURGED {
                tokio::time::sleep(PURGE_PAUSE).await;
            }
        }
        Ok(())
    }

    async fn purge_some(&self, sql: &str, before: sea_orm::Value) -> Result<u64, DbErr> {
        let statement = Statement::from_sql_and_values(self.writer.get_database_backend(), sql, [before]);
        Ok(self.writer.execute_raw(statement).await?.rows_affected())
    }
}

impl Store {
    /// Removes what was kept for its time. The entry of the chain comes first: whatever interrupts the removal, the chain
    /// verifies, and the next run goes on. Records that the tally has not counted yet stay.
    ///
    /// # Errors
    /// The store's; what was removed until then is gone.
    pub async fn retain(&self, keep: &Keep) -> Result<Removed, StoreError> {
        let through =
            self.records_until(micros(keep.records_before)).await?.max(self.records_removed().await?);
        self.append_upkeep(AuditAction::RetentionRun, |_| {
            let (mails, organisations) =
                (keep.mails_before.to_rfc3339(), keep.organisations_before.to_rfc3339());
            format!("{THROUGH}{through} mailsBefore:{mails} organisationsBefore:{organisations}")
        })
        .await?;
        Ok(Removed {
            records: self.remove_records(through).await.map_err(unavailable)?,
            mails: self.remove_mails(micros(keep.mails_before)).await.map_err(unavailable)?,
            organisations: self
                .remove_organisations(micros(keep.organisations_before))
                .await
                .map_err(unavailable)?,
        })
    }

    /// Goes on from a restored backup (threat 26). What was issued before it does not count any more: challenges and sessions
    /// are removed, and tokens issued before now are refused, because the backup does not know which of them were spent.
    /// The number and time of the last entry that is there.
    ///
    /// # Errors
    /// The store's; nothing is changed then.
    pub async fn restored(&self) -> Result<(i64, i64), StoreError> {
        self.append_upkeep(AuditAction::DatabaseRestored, |(seq, at)| format!("lastEntry:{seq} lastAt:{at}"))
            .await
    }

    /// Time and detail of the last entry of an action.
    pub(crate) async fn last_entry(&self, action: AuditAction) -> Result<Option<(i64, String)>, StoreError> {
        let backend = self.reader.get_database_backend();
        let sql = format!(
            "SELECT at, body FROM audit_chain WHERE kind = 'audit' AND {} = $1 ORDER BY seq DESC LIMIT 1",
            member(backend, "action")
        );
        let statement = Statement::from_sql_and_values(backend, sql, [action.to_string().into()]);
        let row = self.reader.query_one_raw(statement).await.map_err(unavailable)?;
        let read = |row: sea_orm::QueryResult| -> Result<_, DbErr> {
            let body: String = row.try_get("", "body")?;
            Ok((
                row.try_get("", "at")?,
                chain::audit_entry(&body).map(|entry| entry.detail).unwrap_or_default(),
            ))
        };
        row.map(read).transpose().map_err(unavailable)
    }

    /// The last entry whose records were removed; 0 when none were.
    pub(crate) async fn records_removed(&self) -> Result<i64, StoreError> {
        let told = self.last_entry(AuditAction::RetentionRun).await?;
        let number = told.and_then(|(_, detail)| {
            detail.split(' ').find_map(|word| word.strip_prefix(THROUGH))?.parse().ok()
        });
        Ok(number.unwrap_or(0))
    }

    /// The last entry before an instant that the tally has counted. Entries are numbered without gaps and in the order of time
    /// (but for clocks of several nodes), so that it is found by halving.
    async fn records_until(&self, before: i64) -> Result<i64, StoreError> {
        let counted = self.number("SELECT seq AS number FROM tally_cursor WHERE id = $1", 1).await?;
        // The entry that the cursor stands on may be counted in part.
        let (mut old, mut young) = (0, counted.unwrap_or(0).max(1));
        while young - old > 1 {
            let middle = old + (young - old) / 2;
            match self.number("SELECT at AS number FROM audit_chain WHERE seq = $1", middle).await? {
                Some(at) if at < before => old = middle,
                _ => young = middle,
            }
        }
        Ok(old)
    }

    async fn number(&self, sql: &str, value: i64) -> Result<Option<i64>, StoreError> {
        let backend = self.reader.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, [value.into()]);
        let row = self.reader.query_one_raw(statement).await.map_err(unavailable)?;
        row.map(|row| row.try_get("", "number")).transpose().map_err(unavailable)
    }

    /// Appends an entry whose detail is told the number and time of the one before. One of a restored backup ends what was
    /// issued before, in the same transaction.
    async fn append_upkeep(
        &self,
        action: AuditAction,
        detail: impl FnOnce((i64, i64)) -> String + Send,
    ) -> Result<(i64, i64), StoreError> {
        let now = micros(self.clock.now());
        let appended = async {
            let tx = self.begin().await?;
            if action == AuditAction::DatabaseRestored {
                for sql in [
                    "DELETE FROM challenges",
                    "DELETE FROM officer_sessions",
                    "UPDATE caller_epoch SET epoch = epoch + 1 WHERE id = 1",
                ] {
                    tx.execute_unprepared(sql).await?;
                }
            }
            let mut head = chain::lock_head(&tx).await?;
            let last = (head.seq, time_of(&tx, head.seq).await?);
            let entry =
                AuditEntry::new(AuditActor::Operator, action, AuditSubject::Database).detail(detail(last));
            chain::append(&tx, &mut head, now, chain::KIND_AUDIT, chain::audit_body(&entry)).await?;
            chain::store_head(&tx, &head).await?;
            tx.commit().await?;
            Ok(last)
        };
        appended.await.map_err(unavailable)
    }

    async fn remove_records(&self, through: i64) -> Result<u64, DbErr> {
        let backend = self.writer.get_database_backend();
        let mut removed = 0;
        loop {
            let first = "SELECT min(seq) AS number FROM verification_records WHERE seq <= $1";
            let first = Statement::from_sql_and_values(backend, first, [through.into()]);
            let row = self.writer.query_one_raw(first).await?;
            let first: Option<i64> = row.map(|row| row.try_get("", "number")).transpose()?.flatten();
            let Some(first) = first else { return Ok(removed) };
            let sql = "DELETE FROM verification_records WHERE seq <= $1";
            let values: [Value; 1] = [through.min(first + STRIDE).into()];
            let done = self.writer.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
            removed += done.rows_affected();
        }
    }

    async fn remove_mails(&self, before: i64) -> Result<u64, DbErr> {
        let backend = self.writer.get_database_backend();
        let mut removed = 0;
        loop {
            let statement = Statement::from_sql_and_values(backend, MAILS, [before.into(), STRIDE.into()]);
            let done = self.writer.execute_raw(statement).await?.rows_affected();
            removed += done;
            if done == 0 {
                return Ok(removed);
            }
        }
    }

    /// An organisation goes whole or stays; one that files a case meanwhile stays.
    async fn remove_organisations(&self, before: i64) -> Result<u64, DbErr> {
        let backend = self.reader.get_database_backend();
        let mut removed = 0;
        loop {
            let tx = self.begin().await?;
            let lock = if backend == DbBackend::Postgres { " FOR UPDATE OF o SKIP LOCKED" } else { "" };
            let sql = format!("{ENDED}{lock}");
            let found = Statement::from_sql_and_values(backend, sql, [before.into(), ORGANISATIONS.into()]);
            let rows = tx.query_all_raw(found).await?;
            for row in &rows {
                let ubn: String = row.try_get("", "ubn")?;
                for sql in OF_AN_ORGANISATION {
                    tx.execute_raw(Statement::from_sql_and_values(backend, sql, [ubn.as_str().into()]))
                        .await?;
                }
            }
            tx.commit().await?;
            removed += u64::try_from(rows.len()).unwrap_or_default();
            if rows.is_empty() {
                return Ok(removed);
            }
        }
    }

    /// Writes a copy of the whole database, as of one instant, while it is used: of SQLite, into a file that is not there yet.
    ///
    /// # Errors
    /// [`StoreError`] when the file can't be written; `None` on PostgreSQL, which has its own tools.
    pub async fn back_up(&self, file: &str) -> Result<Option<()>, StoreError> {
        if self.reader.get_database_backend() == DbBackend::Postgres {
            return Ok(None);
        }
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO $1", [file.into()]);
        self.reader.execute_raw(statement).await.map_err(unavailable)?;
        Ok(Some(()))
    }
}

/// When an entry was written; 0 before the first.
async fn time_of(tx: &DatabaseTransaction, seq: i64) -> Result<i64, DbErr> {
    let sql = "SELECT at FROM audit_chain WHERE seq = $1";
    let row = tx
        .query_one_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, [seq.into()]))
        .await?;
    row.map_or(Ok(0), |row| row.try_get("", "at"))
}
