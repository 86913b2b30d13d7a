//! Counts of use for charts, read from what the tally counted, and how long answers took.

mod activity;
pub(crate) mod tally;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::NaiveDate;
use idcheck_domain::{
    outcome::RecordedOutcome,
    taipei,
    usage::{DayCount, Latency, Period, Stretches},
    value::{CompanyName, UnifiedBusinessNumber},
    verification::VerificationResult,
};
use idcheck_usecases::ports::{LatencyKey, OrganisationUsage, RefusedQueries, StoreError, UsageCounts};
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};

use crate::kernel::{
    batch::{Cell, Column, Rows, table},
    cell::{corrupt, date, instant, micros},
    store::{Store, unavailable},
};

const LATENCY_COLUMNS: [Column; 4] =
    [Column::Text("ubn"), Column::Text("day"), Column::Integer("class"), Column::Integer("answers")];

/// The result of a record's word; whoever has none was refused.
fn result(word: &str) -> Option<VerificationResult> {
    RecordedOutcome::parse(word).and_then(RecordedOutcome::result)
}

fn count(row: &QueryResult, table: &'static str, column: &'static str) -> Result<u64, StoreError> {
    let count: i64 = row.try_get("", column).map_err(unavailable)?;
    u64::try_from(count).map_err(|_| corrupt(table, column))
}

fn text(row: &QueryResult, column: &str) -> Result<String, StoreError> {
    row.try_get("", column).map_err(unavailable)
}

/// `sql` with the days of the period as `$1` and `$2`, and where there is an organisation, its number as `$3`.
fn asked(sql: &str, ubn: Option<UnifiedBusinessNumber>, period: Period) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = vec![period.first().to_string().into(), period.last().to_string().into()];
    let narrowed = if let Some(ubn) = ubn {
        values.push(ubn.to_string().into());
        " AND ubn = $3"
    } else {
        ""
    };
    (sql.replace("{ubn}", narrowed), values)
}

impl Store {
    async fn counted(&self, (sql, values): (String, Vec<Value>)) -> Result<Vec<QueryResult>, StoreError> {
        let statement = Statement::from_sql_and_values(self.reader.get_database_backend(), sql, values);
        self.reader.query_all_raw(statement).await.map_err(unavailable)
    }
}

#[async_trait]
impl UsageCounts for Store {
    async fn days(
        &self,
        ubn: Option<UnifiedBusinessNumber>,
        period: Period,
    ) -> Result<BTreeMap<NaiveDate, DayCount>, StoreError> {
        let sql = "SELECT day, outcome, CAST(sum(queries) AS BIGINT) AS queries FROM usage_days \
                   WHERE day >= $1 AND day <= $2{ubn} GROUP BY day, outcome";
        let mut days = BTreeMap::<_, DayCount>::new();
        for row in self.counted(asked(sql, ubn, period)).await? {
            let day = date("usage_days", "day", &text(&row, "day")?)?;
            let queries = count(&row, "usage_days", "queries")?;
            days.entry(day).or_default().add(result(&text(&row, "outcome")?), queries);
        }
        Ok(days)
    }

    async fn refused(
        &self,
        ubn: Option<UnifiedBusinessNumber>,
        period: Period,
    ) -> Result<Vec<RefusedQueries>, StoreError> {
        let refused = tally::words(|outcome| outcome.result().is_none());
        let sql = format!(
            "SELECT outcome, CAST(sum(queries) AS BIGINT) AS queries, max(day) AS last FROM usage_days \
             WHERE day >= $1 AND day <= $2{{ubn}} AND outcome IN ({refused}) \
             GROUP BY outcome ORDER BY sum(queries) DESC, outcome"
        );
        let mut counted = Vec::new();
        for row in self.counted(asked(&sql, ubn, period)).await? {
            // A word that only a newer version knows is among the sum of the day.
            let Some(why) = RecordedOutcome::parse(&text(&row, "outcome")?) else { continue };
            let last = date("usage_days", "day", &text(&row, "last")?)?;
            counted.push(RefusedQueries { why, queries: count(&row, "usage_days", "queries")?, last });
        }
        Ok(counted)
    }

    async fn latency(
        &self,
        ubn: Option<UnifiedBusinessNumber>,
        period: Period,
    ) -> Result<Latency, StoreError> {
        let sql = "SELECT class, CAST(sum(answers) AS BIGINT) AS answers FROM usage_latencies \
                   WHERE day >= $1 AND day <= $2{ubn} GROUP BY class";
        let mut latency = Latency::default();
        for row in self.counted(asked(sql, ubn, period)).await? {
            let class: i32 = row.try_get("", "class").map_err(unavailable)?;
            let class = usize::try_from(class).map_err(|_| corrupt("usage_latencies", "class"))?;
            latency.add(class, count(&row, "usage_latencies", "answers")?);
        }
        Ok(latency)
    }

    async fn organisations(&self, period: Period, limit: u16) -> Result<Vec<OrganisationUsage>, StoreError> {
        let sql = "SELECT u.ubn AS ubn, o.name AS name, u.outcome AS outcome, \
                   CAST(sum(u.queries) AS BIGINT) AS queries \
                   FROM usage_days u JOIN organisations o ON o.ubn = u.ubn \
                   JOIN (SELECT ubn, sum(queries) AS queries FROM usage_days WHERE day >= $1 AND day <= $2 \
                   GROUP BY ubn ORDER BY sum(queries) DESC, ubn LIMIT $3) b ON b.ubn = u.ubn \
                   WHERE u.day >= $1 AND u.day <= $2 \
                   GROUP BY u.ubn, o.name, u.outcome, b.queries ORDER BY b.queries DESC, u.ubn";
        let (sql, mut values) = asked(sql, None, period);
        values.push(i64::from(limit).into());
        let mut found = Vec::<OrganisationUsage>::new();
        for row in self.counted((sql, values)).await? {
            let ubn = UnifiedBusinessNumber::parse(&text(&row, "ubn")?);
            let ubn = ubn.map_err(|_| corrupt("usage_days", "ubn"))?;
            if found.last().is_none_or(|last| last.ubn != ubn) {
                let name = CompanyName::parse(&text(&row, "name")?);
                let name = name.map_err(|_| corrupt("organisations", "name"))?;
                found.push(OrganisationUsage { ubn, name, count: DayCount::default() });
            }
            let queries = count(&row, "usage_days", "queries")?;
            if let Some(last) = found.last_mut() {
                last.count.add(result(&text(&row, "outcome")?), queries);
            }
        }
        Ok(found)
    }

    async fn reviews(
        &self,
        ubn: Option<UnifiedBusinessNumber>,
        period: Period,
    ) -> Result<Vec<Stretches>, StoreError> {
        const TABLE: &str = "applications";
        let sql = "SELECT CAST(a.case_number AS TEXT) AS number, a.received_at AS received_at, \
                   a.closed_at AS closed_at, c.asked_at AS asked_at, c.answered_at AS answered_at \
                   FROM applications a LEFT JOIN clarifications c ON c.application_id = a.id \
                   WHERE a.closed_at >= $1 AND a.closed_at < $2 AND a.closed_by LIKE 'officer:%'{ubn} \
                   ORDER BY a.id, c.asked_at, c.id";
        let sql = sql.replace("{ubn}", if ubn.is_some() { " AND a.ubn = $3" } else { "" });
        let mut values: Vec<Value> = vec![
            micros(taipei::start_of(period.first())).into(),
            micros(taipei::end_of(period.last())).into(),
        ];
        values.extend(ubn.map(|ubn| Value::from(ubn.to_string())));
        let mut cases = Vec::<(String, Stretches)>::new();
        for row in self.counted((sql, values)).await? {
            let at = |column: &'static str| -> Result<_, StoreError> {
                let micros: Option<i64> = row.try_get("", column).map_err(unavailable)?;
                micros.map(|at| instant(TABLE, column, at)).transpose()
            };
            let number = text(&row, "number")?;
            let closed = at("closed_at")?.ok_or_else(|| corrupt(TABLE, "closed_at"))?;
            if cases.last().is_none_or(|(last, _)| *last != number) {
                let received = at("received_at")?.ok_or_else(|| corrupt(TABLE, "received_at"))?;
                cases.push((number, vec![(received, closed)]));
            }
            let Some((_, stretches)) = cases.last_mut() else { continue };
            if let (Some(asked), Some(running)) = (at("asked_at")?, stretches.last_mut()) {
                // The clock stood from the question on: to the answer, or where none came, to the decision.
                running.1 = asked;
                stretches.extend(at("answered_at")?.map(|answered| (answered, closed)));
            }
        }
        Ok(cases.into_iter().map(|(_, stretches)| stretches).collect())
    }

    async fn add_latencies(&self, counts: &BTreeMap<LatencyKey, u64>) -> Result<(), StoreError> {
        if counts.is_empty() {
            return Ok(());
        }
        let backend = self.writer.get_database_backend();
        let sql = format!(
            "INSERT INTO usage_latencies (ubn, day, class, answers) SELECT ubn, day, class, answers FROM {} \
             WHERE true ON CONFLICT (ubn, day, class) DO UPDATE \
             SET answers = usage_latencies.answers + excluded.answers",
            table(backend, 1, &LATENCY_COLUMNS)
        );
        let mut rows = Rows::new(backend, &LATENCY_COLUMNS);
        for ((ubn, day, class), answers) in counts {
            let (ubn, day) = (ubn.to_string(), day.to_string());
            let class = i64::try_from(*class).unwrap_or(i64::MAX);
            let answers = i64::try_from(*answers).unwrap_or(i64::MAX);
            rows.push(&[Cell::Text(&ubn), Cell::Text(&day), Cell::Integer(class), Cell::Integer(answers)]);
        }
        let statement = Statement::from_sql_and_values(backend, sql, rows.values());
        self.writer.execute_raw(statement).await.map(drop).map_err(unavailable)
    }
}
