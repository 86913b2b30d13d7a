//! Reading cases, organisations and challenges.

use std::collections::HashMap;

use async_trait::async_trait;
use idcheck_domain::{
    application::{Application, ApplicationId},
    key::Environment,
    organisation::Organisation,
    value::{Account, CaseNumber, IssKey, UnifiedBusinessNumber},
};
use idcheck_usecases::{
    acts::ActName,
    ports::{
        ApplicationFilter, Applications, CaseSummary, Challenges, HistoryLine, Organisations, Page,
        StoreError, StoredChallenge, Versioned,
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select};
use uuid::Uuid;

use super::{Store, changes::iss_key_place, unavailable};
use crate::{
    entity::{application, challenge, clarification, history, iss_key, organisation, registered_key},
    rows::{application_of, content_of, corrupt, history_line, instant, organisation_of},
};

#[async_trait]
impl Challenges for Store {
    async fn find(&self, id: Uuid) -> Result<Option<StoredChallenge>, StoreError> {
        const TABLE: &str = "challenges";
        let Some(row) = challenge::Entity::find_by_id(id).one(&self.reader).await.map_err(unavailable)?
        else {
            return Ok(None);
        };
        let session = match row.session {
            None => None,
            Some(bytes) => Some(bytes.try_into().map_err(|_| corrupt(TABLE, "session"))?),
        };
        Ok(Some(StoredChallenge {
            id: row.id,
            act: ActName::parse(&row.act).ok_or_else(|| corrupt(TABLE, "act"))?,
            ubn: UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt(TABLE, "ubn"))?,
            content: content_of(&row.content).ok_or_else(|| corrupt(TABLE, "content"))?,
            tbs: row.tbs,
            session,
            issued_at: instant(TABLE, "issued_at", row.issued_at)?,
            expires_at: instant(TABLE, "expires_at", row.expires_at)?,
            spent_at: row.spent_at.map(|at| instant(TABLE, "spent_at", at)).transpose()?,
        }))
    }
}

impl Store {
    /// Cases with their clarifications, in the order of the rows, in two queries.
    pub(super) async fn cases(
        &self,
        query: Select<application::Entity>,
    ) -> Result<Vec<Versioned<Application>>, StoreError> {
        let rows = query.all(&self.reader).await.map_err(unavailable)?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut asked: HashMap<Uuid, Vec<clarification::Model>> = HashMap::new();
        if !ids.is_empty() {
            let clarifications = clarification::Entity::find()
                .filter(clarification::Column::ApplicationId.is_in(ids))
                .order_by_asc(clarification::Column::AskedAt)
                .order_by_asc(clarification::Column::Id)
                .all(&self.reader)
                .await
                .map_err(unavailable)?;
            for row in clarifications {
                asked.entry(row.application_id).or_default().push(row);
            }
        }
        rows.into_iter()
            .map(|row| {
                let clarifications = asked.remove(&row.id).unwrap_or_default();
                application_of(row, &clarifications)
            })
            .collect()
    }
}

#[async_trait]
impl Applications for Store {
    async fn find(&self, id: ApplicationId) -> Result<Option<Versioned<Application>>, StoreError> {
        Ok(self.cases(application::Entity::find_by_id(id.0)).await?.pop())
    }

    async fn find_by_case_number(
        &self,
        number: &CaseNumber,
    ) -> Result<Option<Versioned<Application>>, StoreError> {
        let query = application::Entity::find().filter(application::Column::CaseNumber.eq(number.as_str()));
        Ok(self.cases(query).await?.pop())
    }

    async fn of_organisation(
        &self,
        ubn: UnifiedBusinessNumber,
    ) -> Result<Vec<Versioned<Application>>, StoreError> {
        let query = application::Entity::find()
            .filter(application::Column::Ubn.eq(ubn.as_str()))
            .order_by_desc(application::Column::ReceivedAt)
            .order_by_desc(application::Column::Id);
        self.cases(query).await
    }

    async fn history(&self, id: ApplicationId) -> Result<Vec<HistoryLine>, StoreError> {
        let rows = history::Entity::find()
            .filter(history::Column::ApplicationId.eq(id.0))
            .order_by_asc(history::Column::Version)
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        let names = self.officer_names().await?;
        rows.iter().map(|row| history_line(row, |id| names.get(&id).cloned())).collect()
    }

    async fn queue(&self, filter: &ApplicationFilter) -> Result<Page<CaseSummary>, StoreError> {
        self.page_of_queue(filter).await
    }
}

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
    pub(super) fn open_iss_key(&self, row: &iss_key::Model) -> Result<IssKey, StoreError> {
        let damaged = || corrupt("iss_keys", "sealed");
        let opened = self
            .vault
            .open(&iss_key_place(&row.ubn, &row.environment), &row.sealed)
            .map_err(|_| damaged())?;
        std::str::from_utf8(&opened).ok().and_then(IssKey::parse).ok_or_else(damaged)
    }
}
