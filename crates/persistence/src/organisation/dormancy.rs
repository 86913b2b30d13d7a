//! Organisations that have access and do not use it.

use async_trait::async_trait;
use chrono::{DateTime, Days, NaiveDate};
use idcheck_domain::{
    taipei,
    value::{CompanyName, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{Dormancy, DormantOrganisation, StoreError};
use sea_orm::{ConnectionTrait, QueryResult, Statement};

use crate::kernel::{
    cell::{corrupt, date, micros},
    store::{Store, unavailable},
};

/// Active since before `$1`, no query since the day `$2`; what anybody could have sent who knows an Iss Key is none.
const DORMANT: &str = "SELECT o.ubn AS ubn, o.name AS name, o.access_since AS access_since, \
    (SELECT max(u.day) FROM usage_days u WHERE u.ubn = o.ubn \
    AND u.outcome NOT IN ('signatureInvalid', 'addressUnproven')) AS last_day FROM organisations o \
    WHERE o.access = 'active' AND o.access_since < $1 \
    AND NOT EXISTS (SELECT 1 FROM usage_days u WHERE u.ubn = o.ubn AND u.day >= $2 \
    AND u.outcome NOT IN ('signatureInvalid', 'addressUnproven')) ORDER BY o.ubn";

fn dormant(row: &QueryResult) -> Result<DormantOrganisation, StoreError> {
    let text = |column| row.try_get::<String>("", column).map_err(unavailable);
    let since: i64 = row.try_get("", "access_since").map_err(unavailable)?;
    let since =
        DateTime::from_timestamp_micros(since).ok_or_else(|| corrupt("organisations", "access_since"))?;
    let asked: Option<String> = row.try_get("", "last_day").map_err(unavailable)?;
    let asked = asked.map(|day| date("usage_days", "day", &day)).transpose()?;
    Ok(DormantOrganisation {
        ubn: UnifiedBusinessNumber::parse(&text("ubn")?).map_err(|_| corrupt("organisations", "ubn"))?,
        name: CompanyName::parse(&text("name")?).map_err(|_| corrupt("organisations", "name"))?,
        since: asked.unwrap_or_default().max(taipei::day(since)),
    })
}

#[async_trait]
impl Dormancy for Store {
    async fn dormant(&self, day: NaiveDate) -> Result<Vec<DormantOrganisation>, StoreError> {
        let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
        let values = [micros(taipei::start_of(next)).into(), next.to_string().into()];
        let statement = Statement::from_sql_and_values(self.reader.get_database_backend(), DORMANT, values);
        let rows = self.reader.query_all_raw(statement).await.map_err(unavailable)?;
        rows.iter().map(dormant).collect()
    }
}
