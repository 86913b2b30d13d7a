//! The outbox.

pub(crate) mod entity;
pub(crate) mod row;

use std::collections::HashSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::value::EmailAddress;
use idcheck_usecases::ports::{
    CommitError, MailError, Outbox, OutgoingMail, QueuedMail, Reminders, StoreError,
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    kernel::{
        cell::{corrupt, instant, micros},
        store::{Store, unavailable},
        versioned::refused,
    },
    mail::{
        entity::{outbox, reminder},
        row::{message_of, message_text},
    },
    webhook,
};

const TABLE: &str = "outbox";

/// Notes that a reminder was sent; refused where it was before.
pub(crate) async fn remind_once(tx: &DatabaseTransaction, key: &str, at: i64) -> Result<(), CommitError> {
    let row = reminder::Model { key: key.to_owned(), sent_at: at };
    let inserted = reminder::Entity::insert(row.into_active_model()).exec_without_returning(tx).await;
    inserted.map(drop).map_err(refused)
}

impl Store {
    /// Puts mails into the outbox, and what they tell into the queue of calls; of two about the same thing one is told.
    pub(crate) async fn queue(&self, tx: &DatabaseTransaction, mails: &[OutgoingMail]) -> Result<(), DbErr> {
        let now = micros(self.clock.now());
        for (place, mail) in mails.iter().enumerate() {
            queue_mail(tx, mail, now).await?;
            let same = |other: &OutgoingMail| other.about == mail.about && other.message == mail.message;
            if !mails[..place].iter().any(same) {
                webhook::queue(tx, mail, now).await?;
            }
        }
        Ok(())
    }
}

async fn queue_mail(tx: &DatabaseTransaction, mail: &OutgoingMail, now: i64) -> Result<(), DbErr> {
    let row = outbox::Model {
        id: mail.id,
        recipient: mail.to.as_str().to_owned(),
        message: message_text(&mail.message),
        queued_at: now,
        due_at: Some(now),
        attempts: 0,
        sent_at: None,
        failure: None,
    };
    outbox::Entity::insert(row.into_active_model()).exec_without_returning(tx).await.map(drop)
}

#[async_trait]
impl Outbox for Store {
    async fn take(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u16,
    ) -> Result<Vec<QueuedMail>, StoreError> {
        let due = outbox::Entity::find()
            .filter(outbox::Column::SentAt.is_null())
            .filter(outbox::Column::DueAt.lte(micros(now)))
            .order_by_asc(outbox::Column::DueAt)
            .limit(u64::from(limit))
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        let mut taken = Vec::with_capacity(due.len());
        for row in due {
            // Whoever moves the due time first has it; a worker beside finds another due time.
            let leased = outbox::Entity::update_many()
                .col_expr(outbox::Column::DueAt, Expr::value(micros(lease_until)))
                .filter(outbox::Column::Id.eq(row.id))
                .filter(outbox::Column::SentAt.is_null())
                .filter(outbox::Column::DueAt.eq(row.due_at))
                .exec(&self.writer)
                .await
                .map_err(unavailable)?;
            if leased.rows_affected == 1 {
                // A damaged one is logged and left to its lease; the others go out.
                taken.extend(queued(&row));
            }
        }
        Ok(taken)
    }

    async fn sent(&self, id: Uuid, at: DateTime<Utc>) -> Result<(), StoreError> {
        outbox::Entity::update_many()
            .col_expr(outbox::Column::SentAt, Expr::value(micros(at)))
            .filter(outbox::Column::Id.eq(id))
            .exec(&self.writer)
            .await
            .map(drop)
            .map_err(unavailable)
    }

    async fn given_up(&self, limit: u16) -> Result<Vec<QueuedMail>, StoreError> {
        let rows = outbox::Entity::find()
            .filter(outbox::Column::SentAt.is_null())
            .filter(outbox::Column::DueAt.is_null())
            .order_by_desc(outbox::Column::QueuedAt)
            .order_by_desc(outbox::Column::Id)
            .limit(u64::from(limit))
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        rows.iter().map(queued).collect()
    }

    async fn revive(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let revived = outbox::Entity::update_many()
            .col_expr(outbox::Column::DueAt, Expr::value(micros(at)))
            .col_expr(outbox::Column::Attempts, Expr::value(0))
            .filter(outbox::Column::Id.eq(id))
            .filter(outbox::Column::SentAt.is_null())
            .filter(outbox::Column::DueAt.is_null())
            .exec(&self.writer)
            .await
            .map_err(unavailable)?;
        Ok(revived.rows_affected == 1)
    }

    async fn failed(
        &self,
        id: Uuid,
        error: MailError,
        retry_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        outbox::Entity::update_many()
            .col_expr(outbox::Column::DueAt, Expr::value(retry_at.map(micros)))
            .col_expr(outbox::Column::Attempts, Expr::col(outbox::Column::Attempts).add(1))
            .col_expr(outbox::Column::Failure, Expr::value(error.as_str()))
            .filter(outbox::Column::Id.eq(id))
            .exec(&self.writer)
            .await
            .map(drop)
            .map_err(unavailable)
    }
}

#[async_trait]
impl Reminders for Store {
    async fn sent(&self, keys: &[String]) -> Result<HashSet<String>, StoreError> {
        let mut sent = HashSet::with_capacity(keys.len());
        // Some hundred keys at a time stay below what SQLite takes in one statement.
        for keys in keys.chunks(500) {
            let query = reminder::Entity::find().filter(reminder::Column::Key.is_in(keys));
            let rows = query.all(&self.reader).await.map_err(unavailable)?;
            sent.extend(rows.into_iter().map(|row| row.key));
        }
        Ok(sent)
    }
}

fn queued(row: &outbox::Model) -> Result<QueuedMail, StoreError> {
    Ok(QueuedMail {
        id: row.id,
        to: EmailAddress::parse(&row.recipient).map_err(|_| corrupt(TABLE, "recipient"))?,
        message: message_of(&row.message).ok_or_else(|| corrupt(TABLE, "message"))?,
        queued_at: instant(TABLE, "queued_at", row.queued_at)?,
        attempts: u32::try_from(row.attempts).map_err(|_| corrupt(TABLE, "attempts"))?,
        failure: row.failure.as_deref().and_then(MailError::parse),
    })
}
