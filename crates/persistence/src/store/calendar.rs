//! The working calendar.

use async_trait::async_trait;
use chrono::NaiveDate;
use idcheck_domain::calendar::WorkingCalendar;
use idcheck_usecases::ports::{CalendarStore, StoreError};
use sea_orm::{EntityTrait, IntoActiveModel, sea_query::OnConflict};

use super::{Store, unavailable};
use crate::{entity::calendar_year, rows::corrupt};

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
