//! What the snapshot of callers is made of.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    key::{Environment, RegisteredKey},
    value::UnifiedBusinessNumber,
};
use idcheck_usecases::ports::{CallerRecord, CallerSource, Standing, StoreError};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};

use super::{Store, unavailable};
use crate::{
    entity::{iss_key, organisation, registered_key},
    rows::{corrupt, instant, key_of, organisation_of},
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

    async fn load(&self) -> Result<Vec<CallerRecord>, StoreError> {
        let iss_keys = iss_key::Entity::find().all(&self.reader).await.map_err(unavailable)?;
        let mut keys: HashMap<(String, Environment), Vec<RegisteredKey>> = HashMap::new();
        let in_force = registered_key::Entity::find()
            .filter(registered_key::Column::RevokedAt.is_null())
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        for row in in_force {
            let ubn = row.ubn.clone();
            let key = key_of(row)?;
            keys.entry((ubn, key.environment)).or_default().push(key);
        }
        let organisations = organisation::Entity::find()
            .filter(organisation::Column::Account.is_not_null())
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        let organisations: HashMap<_, _> = organisations.iter().map(|row| (row.ubn.as_str(), row)).collect();
        let mut records = Vec::with_capacity(iss_keys.len());
        for sealed in iss_keys {
            let environment =
                Environment::parse(&sealed.environment).ok_or_else(|| corrupt("iss_keys", "environment"))?;
            let standing = match environment {
                Environment::Sandbox => Some(Standing::Sandbox),
                Environment::Production => match organisations.get(sealed.ubn.as_str()) {
                    Some(row) => standing(row)?,
                    None => None,
                },
            };
            let Some(standing) = standing else { continue };
            let keys = keys.remove(&(sealed.ubn.clone(), environment)).unwrap_or_default();
            records.push(CallerRecord {
                iss_key: self.open_iss_key(&sealed)?,
                ubn: UnifiedBusinessNumber::parse(&sealed.ubn).map_err(|_| corrupt("iss_keys", "ubn"))?,
                standing,
                keys: keys.into_iter().map(|key| (key.id, key.profile, key.public_key_pem)).collect(),
            });
        }
        Ok(records)
    }

    async fn restored_at(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let entry = self.last_entry(super::RESTORED).await?;
        entry.map(|(at, _)| instant("audit_chain", "at", at)).transpose()
    }
}

/// Where an organisation stands in production; nothing before its first approval.
fn standing(row: &organisation::Model) -> Result<Option<Standing>, StoreError> {
    let value = organisation_of(row, Vec::new())?.value;
    let active = value.access.is_active();
    let (Some(account), Some(addresses)) = (value.account, value.addresses) else { return Ok(None) };
    Ok(Some(Standing::Production { account, active, addresses }))
}
