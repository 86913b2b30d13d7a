//! One change, one transaction.

use async_trait::async_trait;
use idcheck_usecases::ports::{
    AuditEntry, Change, Changes, CommitError, Requirement, StoreError, StoredChallenge, Waiting,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};

use crate::{
    application, attachment, chain, challenge, draft,
    kernel::{
        cell::{corrupt, micros},
        store::{Store, unavailable},
        versioned::failed,
    },
    mail, notice, organisation, plan, revocation, sweep, template, user_suspension,
};

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
        challenge::issue(&self.writer, stored, waiting).await.map_err(unavailable)
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
            challenge::spend(tx, id, micros(at)).await?;
            draft::signed(tx, id).await.map_err(failed)?;
        }
        if let Some(written) = &change.organisation {
            organisation::write(tx, written).await?;
        }
        for written in &change.applications {
            let step = change.history.iter().find(|(id, _)| *id == written.value().id);
            application::write(tx, written, step).await?;
        }
        if let Some(written) = &change.revocation {
            revocation::write(tx, written).await?;
        }
        if let Some(written) = &change.plan {
            plan::write(tx, written).await?;
        }
        for written in &change.notices {
            notice::write(tx, written).await?;
        }
        if let Some((id, item)) = &change.sweep_item {
            sweep::write_item(tx, *id, item).await?;
        }
        if let Some(written) = &change.template {
            template::write(tx, written).await?;
        }
        if let Some(key) = &change.reminder {
            mail::remind_once(tx, key, micros(self.clock.now())).await?;
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
            if !user_suspension::write(tx, user).await.map_err(failed)? {
                return Err(CommitError::Conflict);
            }
        }
        for file in &change.files {
            attachment::attach(tx, file).await?;
        }
        if let Some(written) = &change.webhook {
            self.write_webhook(tx, written).await?;
        }
        self.queue(tx, &change.mail).await.map_err(failed)?;
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
pub(crate) fn tell(entries: &[AuditEntry]) {
    for AuditEntry { actor, action, subject, .. } in entries {
        tracing::info!(target: "idcheck::audit", %actor, %action, %subject, "done");
    }
}
