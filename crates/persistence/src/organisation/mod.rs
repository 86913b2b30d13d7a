//! Organisations, their keys and Iss Keys.

pub(crate) mod callers;
pub(crate) mod dormancy;
pub(crate) mod entity;
pub(crate) mod row;

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    key::Environment,
    organisation::Organisation,
    value::{Account, CompanyName, IssKey, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{CommitError, GivenIssKey, Organisations, StoreError, Versioned, Write};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, sea_query::OnConflict,
};

use crate::{
    kernel::{
        cell::{corrupt, micros},
        store::{Store, unavailable},
        versioned::{put, refused, versions},
    },
    organisation::{
        entity::{iss_key, organisation, registered_key},
        row::{key_model, organisation_model, organisation_of},
    },
};

versions!(organisation);

#[async_trait]
impl Organisations for Store {
    async fn find(&self, ubn: UnifiedBusinessNumber) -> Result<Option<Versioned<Organisation>>, StoreError> {
        let row =
            organisation::Entity::find_by_id(ubn.to_string()).one(&self.reader).await.map_err(unavailable)?;
        let Some(row) = row else { return Ok(None) };
        let keys = registered_key::Entity::find()
            .filter(registered_key::Column::Ubn.eq(ubn.as_str()))
            .order_by_asc(registered_key::Column::RegisteredAt)
            .order_by_asc(registered_key::Column::Id)
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        organisation_of(&row, keys).map(Some)
    }

    async fn names(
        &self,
        ubns: &[UnifiedBusinessNumber],
    ) -> Result<HashMap<UnifiedBusinessNumber, CompanyName>, StoreError> {
        let named = organisation::Entity::find()
            .select_only()
            .columns([organisation::Column::Ubn, organisation::Column::Name])
            .filter(organisation::Column::Ubn.is_in(ubns.iter().map(UnifiedBusinessNumber::as_str)));
        let rows: Vec<(String, String)> = named.into_tuple().all(&self.reader).await.map_err(unavailable)?;
        let named = |(ubn, name): (String, String)| {
            let ubn = UnifiedBusinessNumber::parse(&ubn).map_err(|_| corrupt("organisations", "ubn"))?;
            Ok((ubn, CompanyName::parse(&name).map_err(|_| corrupt("organisations", "name"))?))
        };
        rows.into_iter().map(named).collect()
    }

    async fn active_successor(
        &self,
        former: UnifiedBusinessNumber,
    ) -> Result<Option<UnifiedBusinessNumber>, StoreError> {
        let row = organisation::Entity::find()
            .filter(organisation::Column::FormerUbn.eq(former.as_str()))
            .filter(organisation::Column::Access.eq("active"))
            .one(&self.reader)
            .await
            .map_err(unavailable)?;
        let successor = row.map(|row| UnifiedBusinessNumber::parse(&row.ubn)).transpose();
        successor.map_err(|_| corrupt("organisations", "ubn"))
    }

    async fn with_keys_ending(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<UnifiedBusinessNumber>, StoreError> {
        let rows = registered_key::Entity::find()
            .filter(registered_key::Column::RevokedAt.is_null())
            .filter(registered_key::Column::Environment.eq(Environment::Production.as_str()))
            .filter(registered_key::Column::ExpiresAt.gte(micros(from)))
            .filter(registered_key::Column::ExpiresAt.lt(micros(until)))
            .filter(
                registered_key::Column::Ubn.in_subquery(
                    organisation::Entity::find()
                        .select_only()
                        .column(organisation::Column::Ubn)
                        .filter(organisation::Column::Access.eq("active"))
                        .into_query(),
                ),
            )
            .order_by_asc(registered_key::Column::Ubn)
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        let mut ubns: Vec<_> = rows.into_iter().map(|row| row.ubn).collect();
        ubns.dedup();
        let parsed =
            |ubn: String| UnifiedBusinessNumber::parse(&ubn).map_err(|_| corrupt("registered_keys", "ubn"));
        ubns.into_iter().map(parsed).collect()
    }

    async fn last_account(&self) -> Result<Option<Account>, StoreError> {
        let row = organisation::Entity::find()
            .filter(organisation::Column::Account.is_not_null())
            .order_by_desc(organisation::Column::Account)
            .one(&self.reader)
            .await
            .map_err(unavailable)?;
        let Some(ordinal) = row.and_then(|row| row.account) else { return Ok(None) };
        let account = u32::try_from(ordinal).ok().and_then(Account::from_ordinal);
        account.map(Some).ok_or_else(|| corrupt("organisations", "account"))
    }

    async fn iss_key(
        &self,
        ubn: UnifiedBusinessNumber,
        environment: Environment,
    ) -> Result<Option<IssKey>, StoreError> {
        let id = (ubn.to_string(), environment.as_str().to_owned());
        let Some(row) = iss_key::Entity::find_by_id(id).one(&self.reader).await.map_err(unavailable)? else {
            return Ok(None);
        };
        self.open_iss_key(&row).map(Some)
    }
}

impl Store {
    pub(crate) async fn write_iss_key(
        &self,
        tx: &DatabaseTransaction,
        given: &GivenIssKey,
    ) -> Result<(), CommitError> {
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

    pub(crate) fn open_iss_key(&self, row: &iss_key::Model) -> Result<IssKey, StoreError> {
        let damaged = || corrupt("iss_keys", "sealed");
        let opened = self
            .vault
            .open(&iss_key_place(&row.ubn, &row.environment), &row.sealed)
            .map_err(|_| damaged())?;
        std::str::from_utf8(&opened).ok().and_then(IssKey::parse).ok_or_else(damaged)
    }
}

pub(crate) async fn write(tx: &DatabaseTransaction, write: &Write<Organisation>) -> Result<(), CommitError> {
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

/// The place that an Iss Key is sealed to.
pub(crate) fn iss_key_place(ubn: &str, environment: &str) -> String {
    format!("iss_keys/{ubn}/{environment}")
}
