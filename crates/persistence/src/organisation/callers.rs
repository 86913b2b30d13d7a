//! What the snapshot of callers is made of.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    key::{Environment, RegisteredKey},
    value::UnifiedBusinessNumber,
};
use idcheck_usecases::ports::{
    AuditAction, CallerKeyRecord, CallerRecord, CallerSource, LoadedCallers, Standing, StoreError,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};

use crate::{
    kernel::{
        cell::{corrupt, instant},
        store::{Store, unavailable},
    },
    organisation::{
        entity::{iss_key, organisation, registered_key},
        row::{key_of, organisation_of},
    },
};

#[async_trait]
impl CallerSource for Store {
    async fn epoch(&self) -> Result<i64, StoreError> {
        let sql = "SELECT epoch FROM caller_epoch WHERE id = 1";
        let statement = Statement::from_string(self.reader.get_database_backend(), sql);
        let row = self.reader.query_one_raw(statement).await.map_err(unavailable)?;
        let row = row.ok_or_else(|| corrupt("caller_epoch", "id"))?;
        row.try_get("", "epoch").map_err(unavailable)
    }

    async fn load(&self) -> Result<LoadedCallers, StoreError> {
        let iss_keys = iss_key::Entity::find().all(&self.reader).await.map_err(unavailable)?;
        let mut keys = Keys::new();
        let in_force = registered_key::Entity::find()
            .filter(registered_key::Column::RevokedAt.is_null())
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        // Whoever has a row that can't be read is left out whole: half of an organisation could be let through wrongly.
        let mut damaged = HashSet::new();
        for row in in_force {
            let ubn = row.ubn.clone();
            match key_of(row) {
                Ok(key) => keys.entry((ubn, key.environment)).or_default().push(key),
                Err(_) => {
                    damaged.insert(ubn);
                }
            }
        }
        let organisations = organisation::Entity::find()
            .filter(organisation::Column::Account.is_not_null())
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        let organisations: HashMap<_, _> = organisations.iter().map(|row| (row.ubn.as_str(), row)).collect();
        let mut callers = Vec::with_capacity(iss_keys.len());
        for sealed in iss_keys {
            match self.caller(&sealed, organisations.get(sealed.ubn.as_str()).copied(), &mut keys) {
                Ok(caller) => callers.extend(caller),
                Err(_) => {
                    damaged.insert(sealed.ubn);
                }
            }
        }
        callers.retain(|caller| !damaged.contains(caller.ubn.as_str()));
        if !damaged.is_empty() {
            tracing::error!(organisations = damaged.len(), "callers with damaged rows are refused");
        }
        Ok(LoadedCallers { callers, damaged: damaged.len() })
    }

    async fn restored_at(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let entry = self.last_entry(AuditAction::DatabaseRestored).await?;
        entry.map(|(at, _)| instant("audit_chain", "at", at)).transpose()
    }
}

type Keys = HashMap<(String, Environment), Vec<RegisteredKey>>;

impl Store {
    /// The caller that an Iss Key is of; none in production before the first approval.
    fn caller(
        &self,
        sealed: &iss_key::Model,
        organisation: Option<&organisation::Model>,
        keys: &mut Keys,
    ) -> Result<Option<CallerRecord>, StoreError> {
        let environment =
            Environment::parse(&sealed.environment).ok_or_else(|| corrupt("iss_keys", "environment"))?;
        let standing = match environment {
            Environment::Sandbox => Some(Standing::Sandbox),
            Environment::Production => organisation.map(standing).transpose()?.flatten(),
        };
        let Some(standing) = standing else { return Ok(None) };
        let keys = keys.remove(&(sealed.ubn.clone(), environment)).unwrap_or_default();
        Ok(Some(CallerRecord {
            iss_key: self.open_iss_key(sealed)?,
            ubn: UnifiedBusinessNumber::parse(&sealed.ubn).map_err(|_| corrupt("iss_keys", "ubn"))?,
            standing,
            keys: keys.into_iter().map(caller_key).collect(),
        }))
    }
}

fn caller_key(key: RegisteredKey) -> CallerKeyRecord {
    let RegisteredKey { id, profile, public_key_pem, expires_at, .. } = key;
    CallerKeyRecord { id, profile, pem: public_key_pem, expires_at }
}

/// Where an organisation stands in production; nothing before its first approval.
fn standing(row: &organisation::Model) -> Result<Option<Standing>, StoreError> {
    let value = organisation_of(row, Vec::new())?.value;
    let active = value.access.is_active();
    let (Some(account), Some(addresses)) = (value.account, value.addresses) else { return Ok(None) };
    Ok(Some(Standing::Production { account, active, addresses }))
}
