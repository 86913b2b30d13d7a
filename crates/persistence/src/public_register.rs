//! The public register, and the key that it is signed with.

use async_trait::async_trait;
use chrono::DateTime;
use idcheck_domain::value::{CompanyName, UnifiedBusinessNumber};
use idcheck_usecases::ports::{PublicRegister, Publisher, RegisteredOrganisation, StoreError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    kernel::{
        cell::corrupt,
        store::{Store, unavailable},
    },
    organisation::{entity::organisation, row::purpose_of},
};

fn registered(row: &organisation::Model) -> Result<RegisteredOrganisation, StoreError> {
    let broken = |column| move || corrupt("organisations", column);
    let since = row.access_since.and_then(DateTime::from_timestamp_micros);
    Ok(RegisteredOrganisation {
        ubn: UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| broken("ubn")())?,
        name: CompanyName::parse(&row.name).map_err(|_| broken("name")())?,
        purpose: row.purpose.as_deref().and_then(purpose_of).ok_or_else(broken("purpose"))?,
        since: since.ok_or_else(broken("access_since"))?,
    })
}

#[async_trait]
impl PublicRegister for Store {
    async fn registered(&self) -> Result<Vec<RegisteredOrganisation>, StoreError> {
        let active = organisation::Entity::find()
            .filter(organisation::Column::Access.eq("active"))
            .order_by_asc(organisation::Column::Ubn);
        active.all(&self.reader).await.map_err(unavailable)?.iter().map(registered).collect()
    }
}

impl Publisher for Store {
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.vault.sign(message)
    }

    fn public_key(&self) -> [u8; 32] {
        self.vault.public_key()
    }
}
