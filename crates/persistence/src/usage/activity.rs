//! What the rules of abnormal use judge: what each organisation did on a day, read from what the tally counted.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use idcheck_domain::{
    abuse::{
        Activity, Answered, MONTH, NUMBER_DAYS, NeighbourActivity, Neighbourhood, NumberActivity,
        OWN_NEIGHBOURS, Thresholds, UserActivity, WEEK,
    },
    outcome::{QueryRefusal, RecordedOutcome},
    value::UnifiedBusinessNumber,
};
use idcheck_usecases::ports::StoreError;
use sea_orm::{ConnectionTrait, QueryResult, Statement};

use crate::{
    kernel::{
        cell::corrupt,
        store::{Store, unavailable},
    },
    usage::tally::{count, signed, words},
};

impl Store {
    async fn tallied(&self, sql: &str, values: Vec<sea_orm::Value>) -> Result<Vec<QueryResult>, StoreError> {
        let statement = Statement::from_sql_and_values(self.reader.get_database_backend(), sql, values);
        self.reader.query_all_raw(statement).await.map_err(unavailable)
    }

    /// What was answered in the days that end with `day`, of organisations that asked on it.
    async fn stretch(&self, day: NaiveDate, days: u32) -> Result<HashMap<String, Answered>, StoreError> {
        let (wrong, compared) = (words(RecordedOutcome::is_wrong), words(RecordedOutcome::was_compared));
        let sql = format!(
            "SELECT ubn, CAST(sum(queries) AS BIGINT) AS answers, \
             CAST(sum(CASE WHEN outcome IN ({wrong}) THEN queries ELSE 0 END) AS BIGINT) AS wrong \
             FROM usage_days WHERE day >= $2 AND day <= $1 AND outcome IN ({compared}) \
             AND ubn IN (SELECT ubn FROM usage_days WHERE day = $1) GROUP BY ubn"
        );
        let first = first_of(day, days);
        let mut stretch = HashMap::new();
        for row in self.tallied(&sql, vec![day.to_string().into(), first.to_string().into()]).await? {
            let ubn = row.try_get("", "ubn").map_err(unavailable)?;
            let number = |column| count(&row, column).map_err(unavailable);
            stretch.insert(ubn, Answered { answers: number("answers")?, wrong: number("wrong")? });
        }
        Ok(stretch)
    }

    async fn day_counts(&self, day: NaiveDate) -> Result<HashMap<String, Activity>, StoreError> {
        let sql = "SELECT ubn, outcome, queries FROM usage_days WHERE day = $1";
        let mut activities: HashMap<String, Activity> = HashMap::new();
        for row in self.tallied(sql, vec![day.to_string().into()]).await? {
            let ubn: String = row.try_get("", "ubn").map_err(unavailable)?;
            let parsed = UnifiedBusinessNumber::parse(&ubn).map_err(|_| corrupt("usage_days", "ubn"))?;
            let activity = activities.entry(ubn).or_insert_with(|| nothing(parsed, day));
            let outcome: String = row.try_get("", "outcome").map_err(unavailable)?;
            let queries = count(&row, "queries").map_err(unavailable)?;
            let Some(outcome) = RecordedOutcome::parse(&outcome) else { continue };
            match outcome {
                RecordedOutcome::Replayed => activity.replays += queries,
                RecordedOutcome::Refused(QueryRefusal::AddressNotRegistered) => {
                    activity.refused_addresses += queries;
                }
                _ => {}
            }
            activity.answered.answers += if outcome.was_compared() { queries } else { 0 };
            activity.answered.wrong += if outcome.is_wrong() { queries } else { 0 };
        }
        let (week, month) = (self.stretch(day, WEEK).await?, self.stretch(day, MONTH).await?);
        for (ubn, activity) in &mut activities {
            activity.week = week.get(ubn).copied().unwrap_or_default();
            activity.month = month.get(ubn).copied().unwrap_or_default();
        }
        Ok(activities)
    }
}

/// The first of so many days that end with `day`.
fn first_of(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(u64::from(days) - 1)).unwrap_or(day)
}

fn nothing(ubn: UnifiedBusinessNumber, day: NaiveDate) -> Activity {
    Activity {
        ubn,
        day,
        answered: Answered::default(),
        week: Answered::default(),
        month: Answered::default(),
        locked_numbers: 0,
        replays: 0,
        refused_addresses: 0,
        users: Vec::new(),
        numbers: Vec::new(),
        neighbours: Vec::new(),
        made_up: 0,
    }
}

/// ID numbers that an organisation tried on the day `$1`, as everyone tried them since the day `$2`; of the neighbourhood `$5` none.
const NUMBERS: &str = "SELECT n.ubn AS ubn, CAST(g.attempts AS BIGINT) AS attempts, g.organisations AS organisations, \
    (SELECT CAST(sum(o.attempts) AS BIGINT) FROM usage_numbers o WHERE o.person_hash = n.person_hash AND o.ubn = n.ubn \
    AND o.day >= $2 AND o.day <= $1) AS own \
    FROM usage_numbers n JOIN (SELECT person_hash, sum(attempts) AS attempts, count(DISTINCT ubn) AS organisations \
    FROM usage_numbers WHERE day >= $2 AND day <= $1 AND coalesce(neighbours <> $5, true) GROUP BY person_hash \
    HAVING sum(attempts) >= $3 OR count(DISTINCT ubn) >= $4) g ON g.person_hash = n.person_hash WHERE n.day = $1";
/// Neighbourhoods `$3` aside, those that an organisation tried on the day `$1`, as it and everyone tried them since the day `$2`.
const NEIGHBOURS: &str = "SELECT t.ubn AS ubn, \
    count(DISTINCT CASE WHEN n.ubn = t.ubn THEN n.person_hash END) AS own, \
    count(DISTINCT n.person_hash) AS numbers, count(DISTINCT n.ubn) AS organisations \
    FROM (SELECT DISTINCT ubn, neighbours FROM usage_numbers \
    WHERE day = $1 AND neighbours IS NOT NULL AND neighbours <> $3) t \
    JOIN usage_numbers n ON n.neighbours = t.neighbours AND n.day >= $2 AND n.day <= $1 \
    GROUP BY t.ubn, t.neighbours \
    HAVING count(DISTINCT CASE WHEN n.ubn = t.ubn THEN n.person_hash END) >= $4";
/// What was tried of made-up numbers, whose neighbourhood is `$2`, since the day `$3`, where one was on the day `$1`.
const MADE_UP: &str = "SELECT ubn, CAST(sum(attempts) AS BIGINT) AS attempts FROM usage_numbers \
    WHERE neighbours = $2 AND day >= $3 AND day <= $1 \
    AND ubn IN (SELECT ubn FROM usage_numbers WHERE neighbours = $2 AND day = $1) GROUP BY ubn";

impl Store {
    /// Adds what was tried of neighbouring and of made-up numbers.
    async fn neighbours(
        &self,
        day: NaiveDate,
        thresholds: &Thresholds,
        activities: &mut HashMap<String, Activity>,
    ) -> Result<(), StoreError> {
        let made_up = self.vault.neighbours(Neighbourhood::MadeUp).to_vec();
        let number = |row: &QueryResult, column| count(row, column).map_err(unavailable);
        let values = vec![
            day.to_string().into(),
            first_of(day, MONTH).to_string().into(),
            made_up.clone().into(),
            signed(thresholds.neighbours.min(OWN_NEIGHBOURS)).into(),
        ];
        for row in self.tallied(NEIGHBOURS, values).await? {
            let ubn: String = row.try_get("", "ubn").map_err(unavailable)?;
            let tried = NeighbourActivity {
                own: number(&row, "own")?,
                numbers: number(&row, "numbers")?,
                organisations: number(&row, "organisations")?,
            };
            if let Some(activity) = activities.get_mut(&ubn).filter(|_| tried.touches(thresholds)) {
                activity.neighbours.push(tried);
            }
        }
        let since = first_of(day, NUMBER_DAYS).to_string();
        let values = vec![day.to_string().into(), made_up.into(), since.into()];
        for row in self.tallied(MADE_UP, values).await? {
            let ubn: String = row.try_get("", "ubn").map_err(unavailable)?;
            if let Some(activity) = activities.get_mut(&ubn) {
                activity.made_up = number(&row, "attempts")?;
            }
        }
        Ok(())
    }
}

impl Store {
    /// What every organisation did on the day.
    pub(crate) async fn activities_of(
        &self,
        day: NaiveDate,
        thresholds: &Thresholds,
    ) -> Result<Vec<Activity>, StoreError> {
        let mut activities = self.day_counts(day).await?;
        let ubn = |row: &QueryResult| row.try_get::<String>("", "ubn").map_err(unavailable);
        let number = |row: &QueryResult, column| count(row, column).map_err(unavailable);
        let sql =
            "SELECT ubn, count(*) AS locked FROM usage_numbers WHERE day = $1 AND locked > 0 GROUP BY ubn";
        for row in self.tallied(sql, vec![day.to_string().into()]).await? {
            if let Some(activity) = activities.get_mut(&ubn(&row)?) {
                activity.locked_numbers = number(&row, "locked")?;
            }
        }
        let sql = "SELECT ubn, user_id, queries, wrong, peak, gaps, even FROM usage_users \
                   WHERE day = $1 AND (peak >= $2 OR gaps >= $3 OR wrong >= $4) ORDER BY ubn, user_id";
        let floors = [
            signed(thresholds.user_per_minute).into(),
            signed(thresholds.paced_run).into(),
            signed(thresholds.user_wrong).into(),
        ];
        let values = std::iter::once(day.to_string().into()).chain(floors).collect();
        for row in self.tallied(sql, values).await? {
            if let Some(activity) = activities.get_mut(&ubn(&row)?) {
                activity.users.push(UserActivity {
                    user_id: row.try_get("", "user_id").map_err(unavailable)?,
                    queries: number(&row, "queries")?,
                    peak_per_minute: number(&row, "peak")?,
                    wrong: number(&row, "wrong")?,
                    gaps: number(&row, "gaps")?,
                    even: number(&row, "even")?,
                });
            }
        }
        let values = vec![
            day.to_string().into(),
            first_of(day, NUMBER_DAYS).to_string().into(),
            signed(thresholds.number_attempts).into(),
            signed(thresholds.number_organisations).into(),
            self.vault.neighbours(Neighbourhood::MadeUp).to_vec().into(),
        ];
        for row in self.tallied(NUMBERS, values).await? {
            if let Some(activity) = activities.get_mut(&ubn(&row)?) {
                activity.numbers.push(NumberActivity {
                    own: number(&row, "own")?,
                    attempts: number(&row, "attempts")?,
                    organisations: number(&row, "organisations")?,
                });
            }
        }
        self.neighbours(day, thresholds, &mut activities).await?;
        let mut activities: Vec<_> = activities.into_values().collect();
        activities.sort_unstable_by_key(|activity| activity.ubn.to_string());
        Ok(activities)
    }
}
