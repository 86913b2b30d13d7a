//! The household register and the working calendar.

use async_trait::async_trait;
use chrono::NaiveDate;
use idcheck_domain::{calendar::WorkingCalendar, verification::CardStatus};
use idcheck_usecases::ports::{CalendarStore, HouseholdRegister, RegisterRow, StoreError};
use sea_orm::{EntityTrait, IntoActiveModel, PaginatorTrait, sea_query::OnConflict};

use super::{Store, unavailable};
use crate::{
    entity::{calendar_year, register_row},
    rows::corrupt,
};

/// Rows of one statement; five values each stay below what SQLite takes.
const ROWS: usize = 1000;

/// The word of a status in the store.
pub(crate) const fn status_word(status: CardStatus) -> &'static str {
    match status {
        CardStatus::Normal => "normal",
        CardStatus::OutOfUse => "outOfUse",
        CardStatus::ReportedLost => "reportedLost",
    }
}

/// The status of a word.
pub(crate) fn status_of(word: &str) -> Option<CardStatus> {
    [CardStatus::Normal, CardStatus::OutOfUse, CardStatus::ReportedLost]
        .into_iter()
        .find(|status| status_word(*status) == word)
}

#[async_trait]
impl HouseholdRegister for Store {
    async fn import(&self, rows: &[RegisterRow]) -> Result<(), StoreError> {
        // A statement can't touch one row twice: of a person's rows the last one counts.
        let mut latest = std::collections::HashMap::with_capacity(rows.len());
        for row in rows {
            latest.insert(self.vault.person(&row.person_id), row);
        }
        let models: Vec<_> = latest
            .into_iter()
            .map(|(hash, row)| {
                register_row::Model {
                    person_hash: hash.to_vec(),
                    apply_code: row.data.apply_code.as_str().to_owned(),
                    applied_on: row.data.applied_on.date().to_string(),
                    issue_site: row.data.issue_site.code().to_owned(),
                    status: status_word(row.status).to_owned(),
                }
                .into_active_model()
            })
            .collect();
        let written = async {
            let tx = self.begin().await?;
            for chunk in models.chunks(ROWS) {
                let replace = OnConflict::column(register_row::Column::PersonHash)
                    .update_columns([
                        register_row::Column::ApplyCode,
                        register_row::Column::AppliedOn,
                        register_row::Column::IssueSite,
                        register_row::Column::Status,
                    ])
                    .to_owned();
                register_row::Entity::insert_many(chunk.to_vec())
                    .on_conflict(replace)
                    .exec_without_returning(&tx)
                    .await?;
            }
            tx.commit().await
        };
        written.await.map_err(unavailable)
    }

    async fn count(&self) -> Result<u64, StoreError> {
        register_row::Entity::find().count(&self.reader).await.map_err(unavailable)
    }
}

#[async_trait]
impl CalendarStore for Store {
    async fn load(&self) -> Result<WorkingCalendar, StoreError> {
        let mut calendar = WorkingCalendar::default();
        for row in calendar_year::Entity::find().all(&self.reader).await.map_err(unavailable)? {
            let days: Vec<NaiveDate> =
                serde_json::from_str(&row.days_off).map_err(|_| corrupt("calendar_years", "days_off"))?;
            calendar.set_year(row.year, days);
        }
        Ok(calendar)
    }

    async fn set_year(&self, year: i32, days_off: &[NaiveDate]) -> Result<(), StoreError> {
        let days_off = serde_json::to_string(days_off).map_err(|_| StoreError::Unavailable)?;
        let row = calendar_year::Model { year, days_off }.into_active_model();
        let replace = OnConflict::column(calendar_year::Column::Year)
            .update_column(calendar_year::Column::DaysOff)
            .to_owned();
        calendar_year::Entity::insert(row)
            .on_conflict(replace)
            .exec_without_returning(&self.writer)
            .await
            .map(drop)
            .map_err(unavailable)
    }
}
