//! One change, one transaction.

use async_trait::async_trait;
use idcheck_domain::{
    application::{Application, ApplicationId, Step},
    organisation::Organisation,
};
use idcheck_usecases::ports::{
    AuditEntry, Change, Changes, CommitError, GivenIssKey, OutgoingMail, Requirement, StoreError,
    StoredChallenge, Waiting, Write,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    Statement, Value,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{
    Store,
    casework::{write_plan, write_revocation},
    notices::write_notice,
    sweeps, templates, unavailable, users,
    versioned::{failed, put, refused},
};
use crate::{
    chain,
    entity::{
        application, challenge, clarification, history, iss_key, organisation, outbox, registered_key,
        reminder,
    },
    rows::{
        application_model, clarification_models, content_text, corrupt, history_model, key_model,
        message_text, micros, organisation_model,
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

#[async_trait]
impl Changes for Store {
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        let tx = self.begin().await.map_err(failed)?;
        // Dropped on an error, which rolls everything back.
        self.write(&tx, &change).await?;
        tx.commit().await.map_err(failed)?;
        tell(&change.audit);
        Ok(())
    }

    async fn issue_challenge(&self, stored: StoredChallenge, waiting: &Waiting) -> Result<bool, StoreError> {
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
        let statement = Statement::from_sql_and_values(self.writer.get_database_backend(), ISSUE, values);
        let written = self.writer.execute_raw(statement).await.map_err(unavailable)?;
        Ok(written.rows_affected() == 1)
    }

    async fn note(&self, entry: AuditEntry) -> Result<(), StoreError> {
        let written = async {
            let tx = self.begin().await?;
            self.audit(&tx, std::slice::from_ref(&entry)).await?;
            tx.commit().await?;
            tell(&[entry]);
            Ok(())
        };
        written.await.map_err(unavailable)
    }
}

impl Store {
    async fn write(&self, tx: &DatabaseTransaction, change: &Change) -> Result<(), CommitError> {
        if let Some((id, at)) = change.spends {
            spend(tx, id, micros(at)).await?;
        }
        if let Some(organisation) = &change.organisation {
            write_organisation(tx, organisation).await?;
        }
        for application in &change.applications {
            let step = change.history.iter().find(|(id, _)| *id == application.value().id);
            write_application(tx, application, step).await?;
        }
        if let Some(revocation) = &change.revocation {
            write_revocation(tx, revocation).await?;
        }
        if let Some(plan) = &change.plan {
            write_plan(tx, plan).await?;
        }
        for notice in &change.notices {
            write_notice(tx, notice).await?;
        }
        if let Some((id, item)) = &change.sweep_item {
            sweeps::write_item(tx, *id, item).await?;
        }
        if let Some(template) = &change.template {
            templates::write(tx, template).await?;
        }
        if let Some(key) = &change.reminder {
            let row = reminder::Model { key: key.clone(), sent_at: micros(self.clock.now()) };
            let inserted = reminder::Entity::insert(row.into_active_model()).exec_without_returning(tx).await;
            inserted.map_err(refused)?;
        }
        if let Some(given) = &change.iss_key {
            self.write_iss_key(tx, given).await?;
        }
        let callers = change.organisation.is_some() || change.iss_key.is_some();
        if change.audit.is_empty() && (callers || !change.users.is_empty()) {
            // The ledger learns of it by its entry in the chain: without one it would go on as before.
            return Err(CommitError::Store(corrupt("audit_chain", "body")));
        }
        if callers {
            let sql = "UPDATE caller_epoch SET epoch = epoch + 1 WHERE id = 1";
            tx.execute_unprepared(sql).await.map_err(failed)?;
        }
        for user in &change.users {
            if !users::write(tx, user).await.map_err(failed)? {
                return Err(CommitError::Conflict);
            }
        }
        for mail in &change.mail {
            self.queue(tx, mail).await.map_err(failed)?;
        }
        if !change.requires.is_empty() {
            // From here on no other change comes between: each locks the head before it commits.
            chain::lock_head(tx).await.map_err(failed)?;
            for requirement in &change.requires {
                if !holds(tx, requirement).await.map_err(failed)? {
                    return Err(CommitError::Conflict);
                }
            }
        }
        self.audit(tx, &change.audit).await.map_err(failed)
    }

    async fn write_iss_key(&self, tx: &DatabaseTransaction, given: &GivenIssKey) -> Result<(), CommitError> {
        let place = iss_key_place(given.ubn.as_str(), given.environment.as_str());
        let sealed = self.vault.seal(&place, given.iss_key.expose().as_bytes());
        let row = iss_key::Model {
            ubn: given.ubn.to_string(),
            environment: given.environment.as_str().to_owned(),
            lookup: self.vault.iss_key(&given.iss_key).to_vec(),
            sealed: sealed.map_err(|_| CommitError::Store(StoreError::Unavailable))?,
        };
        let replace = OnConflict::columns([iss_key::Column::Ubn, iss_key::Column::Environment])
            .update_columns([iss_key::Column::Lookup, iss_key::Column::Sealed])
            .to_owned();
        iss_key::Entity::insert(row.into_active_model())
            .on_conflict(replace)
            .exec_without_returning(tx)
            .await
            .map(drop)
            .map_err(refused)
    }

    pub(super) async fn queue(&self, tx: &DatabaseTransaction, mail: &OutgoingMail) -> Result<(), DbErr> {
        let now = micros(self.clock.now());
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

    /// Links entries into the chain. Locks the chain's head, so it comes last in a transaction.
    pub(crate) async fn audit(&self, tx: &DatabaseTransaction, entries: &[AuditEntry]) -> Result<(), DbErr> {
        let mut head = chain::lock_head(tx).await?;
        let at = micros(self.clock.now());
        for entry in entries {
            chain::append(tx, &mut head, at, chain::KIND_AUDIT, chain::audit_body(entry)).await?;
        }
        chain::store_head(tx, &head).await
    }
}

/// Whether a requirement holds as the database is now.
async fn holds(tx: &DatabaseTransaction, requirement: &Requirement) -> Result<bool, DbErr> {
    let (sql, value): (_, sea_orm::Value) = match requirement {
        Requirement::CalendarEdition(edition) => {
            ("SELECT 1 FROM calendar_head WHERE id = 1 AND edition <> $1", (*edition).into())
        }
        Requirement::NotActive(ubn) => {
            ("SELECT 1 FROM organisations WHERE ubn = $1 AND access = 'active'", ubn.as_str().into())
        }
        Requirement::NoActiveSuccessor(ubn) => {
            ("SELECT 1 FROM organisations WHERE former_ubn = $1 AND access = 'active'", ubn.as_str().into())
        }
    };
    let against = Statement::from_sql_and_values(tx.get_database_backend(), sql, [value]);
    Ok(tx.query_one_raw(against).await?.is_none())
}

/// Who did what to what, outside the database too: what a restored backup lacks is found in the log. Numbers and identities
/// only.
pub(super) fn tell(entries: &[AuditEntry]) {
    for AuditEntry { actor, action, subject, .. } in entries {
        tracing::info!(target: "idcheck::audit", %actor, %action, %subject, "done");
    }
}

/// The place that an Iss Key is sealed to.
pub(crate) fn iss_key_place(ubn: &str, environment: &str) -> String {
    format!("iss_keys/{ubn}/{environment}")
}

/// One row or none: whoever comes second finds it spent, whoever comes late finds it ended.
async fn spend(tx: &DatabaseTransaction, id: Uuid, at: i64) -> Result<(), CommitError> {
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

async fn write_organisation(
    tx: &DatabaseTransaction,
    write: &Write<Organisation>,
) -> Result<(), CommitError> {
    put::<organisation::Entity, _>(tx, write, organisation_model).await?;
    let organisation = write.value();
    for key in &organisation.keys {
        let revoked = OnConflict::column(registered_key::Column::Id)
            .update_column(registered_key::Column::RevokedAt)
            .to_owned();
        registered_key::Entity::insert(key_model(organisation.ubn, key).into_active_model())
            .on_conflict(revoked)
            .exec_without_returning(tx)
            .await
            .map_err(refused)?;
    }
    Ok(())
}

async fn write_application(
    tx: &DatabaseTransaction,
    write: &Write<Application>,
    step: Option<&(ApplicationId, Step)>,
) -> Result<(), CommitError> {
    let case = write.value();
    let version = match write {
        Write::Insert(_) => 1,
        Write::Update { expected, .. } => expected + 1,
    };
    put::<application::Entity, _>(tx, write, application_model).await?;
    for row in clarification_models(case) {
        let answered = OnConflict::column(clarification::Column::Id)
            .update_columns([
                clarification::Column::DueDate,
                clarification::Column::DueProvisional,
                clarification::Column::Answer,
                clarification::Column::AnsweredAt,
            ])
            .to_owned();
        clarification::Entity::insert(row.into_active_model())
            .on_conflict(answered)
            .exec_without_returning(tx)
            .await
            .map_err(failed)?;
    }
    if let Some((id, step)) = step {
        let row = history_model(*id, version, step).into_active_model();
        history::Entity::insert(row).exec_without_returning(tx).await.map_err(failed)?;
    }
    Ok(())
}
