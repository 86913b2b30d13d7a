//! Addresses that are called, and the calls: queued in the transaction of what they tell.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    value::{AddressPolicy, UnifiedBusinessNumber},
    webhook::{WebhookSecret, WebhookUrl},
};
use idcheck_usecases::ports::{
    CallFailure, CommitError, ListedCall, OutgoingMail, QueuedCall, StoreError, Webhook, WebhookChange,
    Webhooks,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement, Value};
use uuid::Uuid;

use crate::{
    kernel::{
        cell::{corrupt, instant, micros},
        store::{Store, cell},
        vault::Vault,
        versioned::failed,
    },
    mail::row::{message_of, message_text},
};

const TABLE: &str = "webhooks";
const CALLS: &str = "webhook_calls";

const SET: &str = "INSERT INTO webhooks (ubn, url, sealed, set_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (ubn) DO UPDATE SET url = excluded.url, sealed = excluded.sealed, set_at = excluded.set_at";

/// A call, where there is an address. Each parameter says its type, which PostgreSQL can't see in a SELECT.
const QUEUE: &str = "INSERT INTO webhook_calls (id, ubn, message, queued_at, due_at, attempts) \
    SELECT $1, ubn, CAST($2 AS text), CAST($3 AS bigint), CAST($3 AS bigint), 0 FROM webhooks WHERE ubn = $4";

const DUE: &str = "SELECT c.id, c.message, c.queued_at, c.due_at, c.attempts, w.ubn, w.url, w.sealed, w.set_at \
    FROM webhook_calls c JOIN webhooks w ON w.ubn = c.ubn \
    WHERE c.delivered_at IS NULL AND c.due_at <= $1 ORDER BY c.due_at LIMIT $2";

/// Whoever moves the due time first has it.
const LEASE: &str =
    "UPDATE webhook_calls SET due_at = $1 WHERE id = $2 AND due_at = $3 AND delivered_at IS NULL";

const LISTED: &str = "SELECT id, message, queued_at, due_at, attempts, delivered_at, failure FROM webhook_calls \
    WHERE ubn = $1 ORDER BY queued_at DESC, id DESC LIMIT $2";

const AGAIN: &str = "UPDATE webhook_calls SET due_at = $1, attempts = 0 \
    WHERE ubn = $2 AND id = $3 AND delivered_at IS NULL AND due_at IS NULL";

fn place(ubn: &str) -> String {
    format!("webhook:{ubn}")
}

fn webhook_of(vault: &Vault, row: &QueryResult) -> Result<Webhook, StoreError> {
    let (ubn, url): (String, String) = (cell(row, "ubn")?, cell(row, "url")?);
    let sealed: Vec<u8> = cell(row, "sealed")?;
    let secret = vault.open(&place(&ubn), &sealed).map_err(|_| corrupt(TABLE, "sealed"))?;
    let secret = secret.as_slice().try_into().map_err(|_| corrupt(TABLE, "sealed"))?;
    Ok(Webhook {
        ubn: UnifiedBusinessNumber::parse(&ubn).map_err(|_| corrupt(TABLE, "ubn"))?,
        // Whether loopback may be called was asked when it was set, and is asked again at each call.
        url: WebhookUrl::parse(&url, AddressPolicy::PublicOrLoopback).map_err(|_| corrupt(TABLE, "url"))?,
        secret: WebhookSecret::new(secret),
        set_at: instant(TABLE, "set_at", cell(row, "set_at")?)?,
    })
}

fn attempts(row: &QueryResult) -> Result<u32, StoreError> {
    let attempts: i64 = cell(row, "attempts")?;
    u32::try_from(attempts).map_err(|_| corrupt(CALLS, "attempts"))
}

fn listed(row: &QueryResult) -> Result<ListedCall, StoreError> {
    let message: String = cell(row, "message")?;
    let failure: Option<String> = cell(row, "failure")?;
    let at = |column: &'static str| {
        let at: Option<i64> = cell(row, column)?;
        at.map(|at| instant(CALLS, column, at)).transpose()
    };
    Ok(ListedCall {
        id: cell(row, "id")?,
        message: message_of(&message).ok_or_else(|| corrupt(CALLS, "message"))?,
        queued_at: instant(CALLS, "queued_at", cell(row, "queued_at")?)?,
        attempts: attempts(row)?,
        delivered_at: at("delivered_at")?,
        due_at: at("due_at")?,
        failure: failure.as_deref().and_then(CallFailure::parse),
    })
}

impl Store {
    fn queued_call(&self, row: &QueryResult) -> Result<QueuedCall, StoreError> {
        let message: String = cell(row, "message")?;
        Ok(QueuedCall {
            id: cell(row, "id")?,
            webhook: webhook_of(&self.vault, row)?,
            message: message_of(&message).ok_or_else(|| corrupt(CALLS, "message"))?,
            queued_at: instant(CALLS, "queued_at", cell(row, "queued_at")?)?,
            attempts: attempts(row)?,
        })
    }

    pub(crate) async fn write_webhook(
        &self,
        tx: &DatabaseTransaction,
        change: &WebhookChange,
    ) -> Result<(), CommitError> {
        let backend = tx.get_database_backend();
        match change {
            WebhookChange::Set(webhook) => {
                let sealed = self.vault.seal(&place(webhook.ubn.as_str()), webhook.secret.expose());
                let values: [Value; 4] = [
                    webhook.ubn.as_str().into(),
                    webhook.url.as_str().into(),
                    sealed.map_err(|_| CommitError::Store(StoreError::Unavailable))?.into(),
                    micros(webhook.set_at).into(),
                ];
                let set = Statement::from_sql_and_values(backend, SET, values);
                tx.execute_raw(set).await.map(drop).map_err(failed)
            }
            WebhookChange::Remove(ubn) => {
                let delete = |table: &str| {
                    let sql = format!("DELETE FROM {table} WHERE ubn = $1");
                    Statement::from_sql_and_values(backend, sql, [ubn.as_str().into()])
                };
                tx.execute_raw(delete(CALLS)).await.map_err(failed)?;
                let removed = tx.execute_raw(delete(TABLE)).await.map_err(failed)?;
                if removed.rows_affected() == 1 { Ok(()) } else { Err(CommitError::Conflict) }
            }
        }
    }
}

/// Queues the call for a mail, where its organisation has an address and the mail tells of something outside.
pub(crate) async fn queue(tx: &DatabaseTransaction, mail: &OutgoingMail, at: i64) -> Result<(), DbErr> {
    if mail.message.event().is_none() {
        return Ok(());
    }
    let values: [Value; 4] =
        [mail.id.into(), message_text(&mail.message).into(), at.into(), mail.about.as_str().into()];
    tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), QUEUE, values)).await.map(drop)
}

#[async_trait]
impl Webhooks for Store {
    async fn webhook(&self, ubn: UnifiedBusinessNumber) -> Result<Option<Webhook>, StoreError> {
        let sql = "SELECT ubn, url, sealed, set_at FROM webhooks WHERE ubn = $1";
        let rows = self.rows(sql, vec![ubn.as_str().into()]).await?;
        rows.first().map(|row| webhook_of(&self.vault, row)).transpose()
    }

    async fn calls(&self, ubn: UnifiedBusinessNumber, limit: u16) -> Result<Vec<ListedCall>, StoreError> {
        let rows = self.rows(LISTED, vec![ubn.as_str().into(), i64::from(limit).into()]).await?;
        rows.iter().map(listed).collect()
    }

    async fn call_again(
        &self,
        ubn: UnifiedBusinessNumber,
        id: Uuid,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        Ok(self.put(AGAIN, vec![micros(at).into(), ubn.as_str().into(), id.into()]).await? == 1)
    }

    async fn take_calls(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u16,
    ) -> Result<Vec<QueuedCall>, StoreError> {
        let due = self.rows(DUE, vec![micros(now).into(), i64::from(limit).into()]).await?;
        let mut taken = Vec::with_capacity(due.len());
        for row in due {
            let (id, due_at): (Uuid, i64) = (cell(&row, "id")?, cell(&row, "due_at")?);
            let values = vec![micros(lease_until).into(), id.into(), due_at.into()];
            if self.put(LEASE, values).await? == 1 {
                // A damaged one is logged and left to its lease; the others go out.
                taken.extend(self.queued_call(&row));
            }
        }
        Ok(taken)
    }

    async fn delivered(&self, id: Uuid, at: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE webhook_calls SET delivered_at = $1, due_at = NULL WHERE id = $2";
        self.put(sql, vec![micros(at).into(), id.into()]).await.map(drop)
    }

    async fn call_failed(
        &self,
        id: Uuid,
        failure: CallFailure,
        retry_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE webhook_calls SET due_at = $1, attempts = attempts + 1, failure = $2 \
            WHERE id = $3 AND delivered_at IS NULL";
        let values = vec![retry_at.map(micros).into(), failure.code().into(), id.into()];
        self.put(sql, values).await.map(drop)
    }
}
