//! Counts of what organisations do: each production record is taken once, in the order of the chain.
//!
//! Records are read behind the cursor, and counted if it still stands there with its row locked: so a record is counted once. A
//! count that was not committed is made again by whoever comes next.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Days, NaiveDate};
use idcheck_domain::{
    abuse::{
        Activity, Answered, Burst, MONTH, NUMBER_DAYS, NumberActivity, Pace, Thresholds, UserActivity, WEEK,
    },
    key::Environment,
    taipei,
    value::UnifiedBusinessNumber,
};
use idcheck_usecases::ports::{FoundUser, StoreError, Suspend, UsageTally};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QueryResult, QuerySelect, Statement,
};

use super::{Store, Transaction, changes, unavailable, users};
use crate::{
    batch::{Cell, Column, Rows, table},
    entity::{organisation, record, suspended_user},
    rows::{corrupt, organisation_of},
};

/// Organisation, user, day.
type UserDay = (String, String, String);
/// Hash of an ID number, organisation, day.
type NumberDay = (Vec<u8>, String, String);

/// What a stretch of records adds.
#[derive(Default)]
struct Counts {
    days: BTreeMap<(String, String, String), u64>,
    users: BTreeMap<UserDay, UserCount>,
    numbers: BTreeMap<NumberDay, (u64, u64)>,
}

#[derive(Clone, Copy, Default)]
struct UserCount {
    queries: u64,
    wrong: u64,
    /// Wrong answers up to the last lift of a suspension.
    forgiven: u64,
    burst: Burst,
    pace: Pace,
}

fn day_of(at: i64) -> Result<String, DbErr> {
    let at = DateTime::from_timestamp_micros(at);
    let at = at.ok_or_else(|| DbErr::Type("a record's time can't be read".to_owned()))?;
    Ok(taipei::day(at).to_string())
}

fn user_day(record: &record::Model) -> Result<UserDay, DbErr> {
    Ok((record.ubn.clone(), record.user_id.clone(), day_of(record.at)?))
}

impl Counts {
    fn add(&mut self, record: &record::Model) -> Result<(), DbErr> {
        let (ubn, user, day) = user_day(record)?;
        *self.days.entry((ubn.clone(), day.clone(), record.outcome.clone())).or_default() += 1;
        if let Some(person) = &record.person_hash
            && matches!(record.outcome.as_str(), "2" | "3" | "4" | "5")
        {
            let number = self.numbers.entry((person.clone(), ubn.clone(), day.clone())).or_default();
            number.0 += 1;
            number.1 += u64::from(record.outcome == "4");
        }
        if !user.is_empty() {
            let count = self.users.entry((ubn, user, day)).or_default();
            count.queries += 1;
            count.wrong += u64::from(matches!(record.outcome.as_str(), "2" | "3" | "4"));
            count.burst = count.burst.next(record.at);
            count.pace = count.pace.next(record.at);
        }
        Ok(())
    }
}

fn count(row: &QueryResult, column: &str) -> Result<u64, DbErr> {
    let count: i64 = row.try_get("", column)?;
    u64::try_from(count).map_err(|_| DbErr::Type(format!("{column} can't be read")))
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

const USER_COLUMNS: [Column; 12] = [
    Column::Text("ubn"),
    Column::Text("user_id"),
    Column::Text("day"),
    Column::Integer("queries"),
    Column::Integer("minute"),
    Column::Integer("in_minute"),
    Column::Integer("peak"),
    Column::Integer("last_at"),
    Column::Integer("distance"),
    Column::Integer("gaps"),
    Column::Integer("even"),
    Column::Integer("wrong"),
];

const USER_KEYS: [Column; 3] = [Column::Text("ubn"), Column::Text("user_id"), Column::Text("day")];

const DAY_COLUMNS: [Column; 4] =
    [Column::Text("ubn"), Column::Text("day"), Column::Text("outcome"), Column::Integer("queries")];

const NUMBER_COLUMNS: [Column; 5] = [
    Column::Bytes("person_hash"),
    Column::Text("ubn"),
    Column::Text("day"),
    Column::Integer("attempts"),
    Column::Integer("locked"),
];

async fn execute(tx: &DatabaseTransaction, sql: String, rows: Rows) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, rows.values());
    tx.execute_raw(statement).await.map(drop)
}

/// The users' counts so far, which the next records go on from.
async fn read_users(
    tx: &DatabaseTransaction,
    keys: &[UserDay],
) -> Result<BTreeMap<UserDay, UserCount>, DbErr> {
    let backend = tx.get_database_backend();
    let sql = format!(
        "SELECT u.* FROM {} JOIN usage_users u ON u.ubn = i.ubn AND u.user_id = i.user_id AND u.day = i.day",
        table(backend, 1, &USER_KEYS)
    );
    let mut rows = Rows::new(backend, &USER_KEYS);
    for (ubn, user, day) in keys {
        rows.push(&[Cell::Text(ubn), Cell::Text(user), Cell::Text(day)]);
    }
    let mut users = BTreeMap::new();
    for row in tx.query_all_raw(Statement::from_sql_and_values(backend, sql, rows.values())).await? {
        let key = (row.try_get("", "ubn")?, row.try_get("", "user_id")?, row.try_get("", "day")?);
        let burst = Burst {
            minute: row.try_get("", "minute")?,
            count: count(&row, "in_minute")?,
            peak: count(&row, "peak")?,
        };
        let pace = Pace {
            last_at: Some(row.try_get("", "last_at")?),
            distance: row.try_get("", "distance")?,
            gaps: count(&row, "gaps")?,
            even: count(&row, "even")?,
        };
        let (queries, wrong) = (count(&row, "queries")?, count(&row, "wrong")?);
        users.insert(key, UserCount { queries, wrong, forgiven: count(&row, "forgiven")?, burst, pace });
    }
    Ok(users)
}

async fn write_days(tx: &DatabaseTransaction, counts: &Counts) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let sql = format!(
        "INSERT INTO usage_days (ubn, day, outcome, queries) SELECT ubn, day, outcome, queries FROM {} WHERE true \
         ON CONFLICT (ubn, day, outcome) DO UPDATE SET queries = usage_days.queries + excluded.queries",
        table(backend, 1, &DAY_COLUMNS)
    );
    let mut rows = Rows::new(backend, &DAY_COLUMNS);
    for ((ubn, day, outcome), queries) in &counts.days {
        let queries = Cell::Integer(signed(*queries));
        rows.push(&[Cell::Text(ubn), Cell::Text(day), Cell::Text(outcome), queries]);
    }
    execute(tx, sql, rows).await
}

async fn write_users(tx: &DatabaseTransaction, counts: &Counts) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let names = "ubn, user_id, day, queries, minute, in_minute, peak, last_at, distance, gaps, even, wrong";
    // `run` and `longest_run` are of the version before, which still reads them.
    let sql = format!(
        "INSERT INTO usage_users ({names}, run, longest_run) SELECT {names}, 0, 0 FROM {} WHERE true \
         ON CONFLICT (ubn, user_id, day) DO UPDATE SET queries = excluded.queries, minute = excluded.minute, \
         in_minute = excluded.in_minute, peak = excluded.peak, last_at = excluded.last_at, \
         distance = excluded.distance, gaps = excluded.gaps, even = excluded.even, wrong = excluded.wrong",
        table(backend, 1, &USER_COLUMNS)
    );
    let mut rows = Rows::new(backend, &USER_COLUMNS);
    for ((ubn, user, day), count) in &counts.users {
        rows.push(&[
            Cell::Text(ubn),
            Cell::Text(user),
            Cell::Text(day),
            Cell::Integer(signed(count.queries)),
            Cell::Integer(count.burst.minute),
            Cell::Integer(signed(count.burst.count)),
            Cell::Integer(signed(count.burst.peak)),
            Cell::Integer(count.pace.last_at.unwrap_or_default()),
            Cell::Integer(count.pace.distance),
            Cell::Integer(signed(count.pace.gaps)),
            Cell::Integer(signed(count.pace.even)),
            Cell::Integer(signed(count.wrong)),
        ]);
    }
    execute(tx, sql, rows).await
}

async fn write_numbers(tx: &DatabaseTransaction, counts: &Counts) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let sql = format!(
        "INSERT INTO usage_numbers (person_hash, ubn, day, attempts, locked) \
         SELECT person_hash, ubn, day, attempts, locked FROM {} WHERE true \
         ON CONFLICT (person_hash, ubn, day) DO UPDATE SET \
         attempts = usage_numbers.attempts + excluded.attempts, locked = usage_numbers.locked + excluded.locked",
        table(backend, 1, &NUMBER_COLUMNS)
    );
    let mut rows = Rows::new(backend, &NUMBER_COLUMNS);
    for ((person, ubn, day), (attempts, locked)) in &counts.numbers {
        rows.push(&[
            Cell::Bytes(Some(person)),
            Cell::Text(ubn),
            Cell::Text(day),
            Cell::Integer(signed(*attempts)),
            Cell::Integer(signed(*locked)),
        ]);
    }
    execute(tx, sql, rows).await
}

/// The record that was counted last.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Cursor {
    seq: i64,
    position: i32,
}

async fn cursor(db: &impl ConnectionTrait, lock: &str) -> Result<Cursor, DbErr> {
    let sql = format!("SELECT seq, position FROM tally_cursor WHERE id = 1{lock}");
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("tally_cursor".to_owned()))?;
    Ok(Cursor { seq: row.try_get("", "seq")?, position: row.try_get("", "position")? })
}

/// The records behind a cursor.
async fn behind(
    db: &impl ConnectionTrait,
    Cursor { seq, position }: Cursor,
    limit: u32,
) -> Result<Vec<record::Model>, DbErr> {
    let behind = Condition::any()
        .add(record::Column::Seq.gt(seq))
        .add(Condition::all().add(record::Column::Seq.eq(seq)).add(record::Column::Position.gt(position)));
    record::Entity::find()
        .filter(record::Column::Seq.gte(seq))
        .filter(behind)
        .order_by_asc(record::Column::Seq)
        .order_by_asc(record::Column::Position)
        .limit(u64::from(limit))
        .all(db)
        .await
}

/// Counts records that were read behind a cursor, and tells who reached the threshold; nothing where the cursor moved
/// meanwhile.
async fn counted(
    tx: &Transaction,
    from: Cursor,
    records: &[record::Model],
    user_wrong: u64,
) -> Result<Option<Reached>, DbErr> {
    let backend = tx.get_database_backend();
    // On SQLite the transaction itself is the lock: it began as a writer.
    let lock = if backend == DbBackend::Postgres { " FOR UPDATE" } else { "" };
    let Some(last) = records.last() else { return Ok(Some(Vec::new())) };
    if cursor(tx, lock).await? != from {
        return Ok(None);
    }
    let production = Environment::Production.as_str();
    let counted: Vec<_> = records.iter().filter(|record| record.environment == production).collect();
    let mut keys: Vec<_> = counted.iter().map(|record| user_day(record)).collect::<Result<_, _>>()?;
    keys.sort_unstable();
    keys.dedup();
    let mut counts = Counts { users: read_users(tx, &keys).await?, ..Counts::default() };
    for record in counted {
        counts.add(record)?;
    }
    write_days(tx, &counts).await?;
    write_users(tx, &counts).await?;
    write_numbers(tx, &counts).await?;
    let reached = counts.users.iter().filter(|(_, count)| count.wrong - count.forgiven >= user_wrong);
    let reached = reached.map(|((ubn, user, _), count)| (ubn.clone(), user.clone(), count.wrong)).collect();
    let sql = "UPDATE tally_cursor SET seq = $1, position = $2 WHERE id = 1";
    let values = [last.seq.into(), last.position.into()];
    tx.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(Some(reached))
}

/// Organisation, user and wrong answers of whoever reached the threshold.
type Reached = Vec<(String, String, u64)>;

/// Those of them who are not suspended yet, with the organisations that are told.
async fn found(tx: &DatabaseTransaction, reached: Reached) -> Result<Vec<FoundUser>, DbErr> {
    let mut found = Vec::new();
    for (ubn, user_id, wrong) in reached {
        let key = (ubn.clone(), user_id.clone());
        if suspended_user::Entity::find_by_id(key).one(tx).await?.is_some() {
            continue;
        }
        let Some(row) = organisation::Entity::find_by_id(ubn).one(tx).await? else { continue };
        // A row that can't be read is logged; its organisation's queries are refused already.
        let Ok(held) = organisation_of(&row, Vec::new()) else { continue };
        let held = held.value;
        let to = held.contact.email().clone();
        found.push(FoundUser { ubn: held.ubn, company: held.name, to, user_id, wrong });
    }
    Ok(found)
}

impl Store {
    async fn tallied(&self, sql: &str, values: Vec<sea_orm::Value>) -> Result<Vec<QueryResult>, StoreError> {
        let statement = Statement::from_sql_and_values(self.reader.get_database_backend(), sql, values);
        self.reader.query_all_raw(statement).await.map_err(unavailable)
    }

    /// What was answered in the days that end with `day`, of organisations that asked on it.
    async fn stretch(&self, day: NaiveDate, days: u32) -> Result<HashMap<String, Answered>, StoreError> {
        let sql = "SELECT ubn, CAST(sum(queries) AS BIGINT) AS answers, \
                   CAST(sum(CASE WHEN outcome IN ('2', '3', '4') THEN queries ELSE 0 END) AS BIGINT) AS wrong \
                   FROM usage_days WHERE day >= $2 AND day <= $1 AND outcome IN ('1', '2', '3', '4', '6', '7') \
                   AND ubn IN (SELECT ubn FROM usage_days WHERE day = $1) GROUP BY ubn";
        let first = day.checked_sub_days(Days::new(u64::from(days) - 1)).unwrap_or(day);
        let mut stretch = HashMap::new();
        for row in self.tallied(sql, vec![day.to_string().into(), first.to_string().into()]).await? {
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
            match outcome.as_str() {
                "1" | "6" | "7" => activity.answered.answers += queries,
                "2" | "3" | "4" => {
                    activity.answered.answers += queries;
                    activity.answered.wrong += queries;
                }
                "replayed" => activity.replays += queries,
                "addressNotRegistered" => activity.refused_addresses += queries,
                _ => {}
            }
        }
        let (week, month) = (self.stretch(day, WEEK).await?, self.stretch(day, MONTH).await?);
        for (ubn, activity) in &mut activities {
            activity.week = week.get(ubn).copied().unwrap_or_default();
            activity.month = month.get(ubn).copied().unwrap_or_default();
        }
        Ok(activities)
    }
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
    }
}

/// ID numbers that an organisation tried on the day `$1`, as everyone tried them since the day `$2`.
const NUMBERS: &str = "SELECT n.ubn AS ubn, CAST(g.attempts AS BIGINT) AS attempts, g.organisations AS organisations \
    FROM usage_numbers n JOIN (SELECT person_hash, sum(attempts) AS attempts, count(DISTINCT ubn) AS organisations \
    FROM usage_numbers WHERE day >= $2 AND day <= $1 GROUP BY person_hash \
    HAVING sum(attempts) >= $3 OR count(DISTINCT ubn) >= $4) g ON g.person_hash = n.person_hash WHERE n.day = $1";

#[async_trait]
impl UsageTally for Store {
    async fn advance(
        &self,
        limit: u32,
        thresholds: &Thresholds,
        suspend: &(dyn Suspend + 'static),
    ) -> Result<u32, StoreError> {
        let counted = async {
            // Read before anything is locked: while this one writes, nobody else does on SQLite.
            let (tx, records, reached) = loop {
                let from = cursor(&self.reader, "").await?;
                let records = behind(&self.reader, from, limit).await?;
                if records.is_empty() {
                    return Ok(0);
                }
                let tx = self.begin().await?;
                if let Some(reached) = counted(&tx, from, &records, thresholds.user_wrong).await? {
                    break (tx, records.len(), reached);
                }
            };
            let found = found(&tx, reached).await?;
            let mut audit = Vec::new();
            if !found.is_empty() {
                let suspensions = suspend.suspend(found);
                for user in &suspensions.users {
                    users::write(&tx, user).await?;
                }
                for mail in &suspensions.mail {
                    self.queue(&tx, mail).await?;
                }
                audit = suspensions.audit;
                self.audit(&tx, &audit).await?;
            }
            tx.commit().await?;
            changes::tell(&audit);
            Ok(u32::try_from(records).unwrap_or(limit))
        };
        counted.await.map_err(unavailable)
    }

    async fn activities(&self, day: NaiveDate, thresholds: &Thresholds) -> Result<Vec<Activity>, StoreError> {
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
        let since = day.checked_sub_days(Days::new(u64::from(NUMBER_DAYS) - 1)).unwrap_or(day);
        let values = vec![
            day.to_string().into(),
            since.to_string().into(),
            signed(thresholds.number_attempts).into(),
            signed(thresholds.number_organisations).into(),
        ];
        for row in self.tallied(NUMBERS, values).await? {
            if let Some(activity) = activities.get_mut(&ubn(&row)?) {
                activity.numbers.push(NumberActivity {
                    attempts: number(&row, "attempts")?,
                    organisations: number(&row, "organisations")?,
                });
            }
        }
        let mut activities: Vec<_> = activities.into_values().collect();
        activities.sort_unstable_by_key(|activity| activity.ubn.to_string());
        Ok(activities)
    }
}
