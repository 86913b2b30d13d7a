//! Cases, their clarifications and their history.

pub(crate) mod entity;
pub(crate) mod queue;
pub(crate) mod row;

use std::collections::HashMap;

use async_trait::async_trait;
use idcheck_domain::{
    application::{Application, ApplicationId, Step},
    value::{CaseNumber, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{
    ApplicationFilter, Applications, CaseSummary, CommitError, HistoryLine, Page, StoreError, Versioned,
    Write,
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Select,
    sea_query::OnConflict,
};
use uuid::Uuid;

use crate::{
    application::{
        entity::{application, clarification, history},
        row::{application_model, application_of, clarification_models, history_line, history_model},
    },
    kernel::{
        store::{Store, unavailable},
        versioned::{failed, put, versions},
    },
};

versions!(application);

impl Store {
    /// Cases with their clarifications, in the order of the rows, in two queries.
    pub(crate) async fn cases(
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

pub(crate) async fn write(
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
