//! What the snapshot of callers is made of.

use std::collections::HashMap;

use async_trait::async_trait;
use idcheck_domain::key::{Environment, RegisteredKey};
use idcheck_usecases::ports::{CallerRecord, CallerSource, StoreError};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};

use super::{Store, unavailable};
use crate::{
    entity::{iss_key, organisation, registered_key},
    rows::{corrupt, key_of, organisation_of},
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
        let organisations = organisation::Entity::find()
            .filter(organisation::Column::Account.is_not_null())
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        let mut keys: HashMap<String, Vec<RegisteredKey>> = HashMap::new();
        let in_force = registered_key::Entity::find()
            .filter(registered_key::Column::RevokedAt.is_null())
            .filter(registered_key::Column::Environment.eq(Environment::Production.as_str()))
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        for row in in_force {
            keys.entry(row.ubn.clone()).or_default().push(key_of(row)?);
        }
        let iss_keys = iss_key::Entity::find()
            .filter(iss_key::Column::Environment.eq(Environment::Production.as_str()))
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        let mut iss_keys: HashMap<String, iss_key::Model> =
            iss_keys.into_iter().map(|row| (row.ubn.clone(), row)).collect();
        let mut records = Vec::with_capacity(organisations.len());
        for row in organisations {
            let Some(sealed) = iss_keys.remove(&row.ubn) else { continue };
            let keys = keys.remove(&row.ubn).unwrap_or_default();
            let value = organisation_of(&row, Vec::new())?.value;
            let (Some(account), Some(addresses)) = (value.account, value.addresses) else { continue };
            records.push(CallerRecord {
                iss_key: self.open_iss_key(&sealed)?,
                environment: Environment::Production,
                ubn: value.ubn,
                account,
                active: value.access.is_active(),
                addresses,
                keys: keys.into_iter().map(|key| (key.id, key.profile, key.public_key_pem)).collect(),
            });
        }
        Ok(records)
    }
}
