//! Counts of what organisations do: each production record is taken once, in the order of the chain.
//!
//! Records are taken behind the cursor, and counted if it still stands there with its row locked: so a record is counted once. A
//! count that was not committed is made again by whoever comes next. What this process recorded itself it still has in
//! memory; all else is read.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate};
use idcheck_domain::{
    abuse::{Activity, Burst, Pace, Thresholds},
    key::Environment,
    outcome::RecordedOutcome,
    taipei,
};
use idcheck_usecases::ports::{FoundUser, StoreError, Suspend, UsageTally};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QueryResult, QuerySelect, Statement,
};

use crate::{
    chain::entity as chain_entry,
    change as changes,
    kernel::{
        batch::{Cell, Column, Rows, table},
        store::{Store, unavailable},
        writer::Transaction,
    },
    ledger::{Counted, Recorded, entity as record},
    organisation::{entity::organisation, row::organisation_of},
    user_suspension as users,
    user_suspension::entity as suspended_user,
};

type UserDay<'r> = (&'r str, &'r str, NaiveDate);
/// Hash of an ID number, organisation, day.
type NumberDay<'r> = (&'r [u8], &'r str, NaiveDate);

/// What a stretch of records adds.
#[derive(Default)]
struct Counts<'r> {
    days: BTreeMap<(&'r str, NaiveDate, &'r str), u64>,
    users: BTreeMap<UserDay<'r>, UserCount>,
    numbers: BTreeMap<NumberDay<'r>, NumberCount<'r>>,
}

/// Attempts on an ID number.
#[derive(Clone, Copy, Default)]
struct NumberCount<'r> {
    attempts: u64,
    locked: u64,
    neighbours: Option<&'r [u8]>,
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

impl<'r> Counted<'r> {
    fn read(record: &'r record::Model) -> Result<Self, DbErr> {
        let at = DateTime::from_timestamp_micros(record.at);
        let at = at.ok_or_else(|| DbErr::Type("a record's time can't be read".to_owned()))?;
        Ok(Self {
            ubn: &record.ubn,
            user: &record.user_id,
            production: record.environment == Environment::Production.as_str(),
            day: taipei::day(at),
            at: record.at,
            word: &record.outcome,
            outcome: RecordedOutcome::parse(&record.outcome),
            person: record.person_hash.as_deref(),
            neighbours: record.neighbours.as_deref(),
        })
    }
}

impl<'r> Counts<'r> {
    fn add(&mut self, record: &Counted<'r>) {
        let Counted { ubn, user, day, at, word, outcome, .. } = *record;
        let counts_as = |what: fn(RecordedOutcome) -> bool| outcome.is_some_and(what);
        *self.days.entry((ubn, day, word)).or_default() += 1;
        if let Some(person) = record.person
            && counts_as(RecordedOutcome::is_attempt)
        {
            let number = self.numbers.entry((person, ubn, day)).or_default();
            number.attempts += 1;
            number.locked += u64::from(counts_as(RecordedOutcome::locks));
            number.neighbours = record.neighbours.or(number.neighbours);
        }
        if !user.is_empty() {
            let count = self.users.entry((ubn, user, day)).or_default();
            count.queries += 1;
            count.wrong += u64::from(counts_as(RecordedOutcome::is_wrong));
            count.burst = count.burst.next(at);
            count.pace = count.pace.next(at);
        }
    }
}

/// The words of outcomes as a list for SQL.
pub(crate) fn words(which: fn(RecordedOutcome) -> bool) -> String {
    let words = RecordedOutcome::all().filter(|outcome| which(*outcome));
    words.map(|outcome| format!("'{}'", outcome.as_str())).collect::<Vec<_>>().join(", ")
}

pub(crate) fn count(row: &QueryResult, column: &str) -> Result<u64, DbErr> {
    let count: i64 = row.try_get("", column)?;
    u64::try_from(count).map_err(|_| DbErr::Type(format!("{column} can't be read")))
}

pub(crate) fn signed(count: u64) -> i64 {
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

const NUMBER_COLUMNS: [Column; 6] = [
    Column::Bytes("person_hash"),
    Column::Text("ubn"),
    Column::Text("day"),
    Column::Integer("attempts"),
    Column::Integer("locked"),
    Column::Bytes("neighbours"),
];

async fn execute(tx: &DatabaseTransaction, sql: String, rows: Rows) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, rows.values());
    tx.execute_raw(statement).await.map(drop)
}

/// The users' counts so far, which the next records go on from.
async fn read_users<'r>(
    tx: &DatabaseTransaction,
    keys: &[UserDay<'r>],
) -> Result<BTreeMap<UserDay<'r>, UserCount>, DbErr> {
    let backend = tx.get_database_backend();
    let sql = format!(
        "SELECT u.* FROM {} JOIN usage_users u ON u.ubn = i.ubn AND u.user_id = i.user_id AND u.day = i.day",
        table(backend, 1, &USER_KEYS)
    );
    let mut rows = Rows::new(backend, &USER_KEYS);
    for (ubn, user, day) in keys {
        rows.push(&[Cell::Text(ubn), Cell::Text(user), Cell::Text(&day.to_string())]);
    }
    let mut users = BTreeMap::new();
    for row in tx.query_all_raw(Statement::from_sql_and_values(backend, sql, rows.values())).await? {
        let (ubn, user): (String, String) = (row.try_get("", "ubn")?, row.try_get("", "user_id")?);
        let day: String = row.try_get("", "day")?;
        let of = |key: &&UserDay<'_>| key.0 == ubn && key.1 == user && key.2.to_string() == day;
        let Some(key) = keys.iter().find(of).copied() else { continue };
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

async fn write_days(tx: &DatabaseTransaction, counts: &Counts<'_>) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let sql = format!(
        "INSERT INTO usage_days (ubn, day, outcome, queries) SELECT ubn, day, outcome, queries FROM {} WHERE true \
         ON CONFLICT (ubn, day, outcome) DO UPDATE SET queries = usage_days.queries + excluded.queries",
        table(backend, 1, &DAY_COLUMNS)
    );
    let mut rows = Rows::new(backend, &DAY_COLUMNS);
    for ((ubn, day, outcome), queries) in &counts.days {
        let queries = Cell::Integer(signed(*queries));
        rows.push(&[Cell::Text(ubn), Cell::Text(&day.to_string()), Cell::Text(outcome), queries]);
    }
    execute(tx, sql, rows).await
}

async fn write_users(tx: &DatabaseTransaction, counts: &Counts<'_>) -> Result<(), DbErr> {
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
            Cell::Text(&day.to_string()),
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

async fn write_numbers(tx: &DatabaseTransaction, counts: &Counts<'_>) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let sql = format!(
        "INSERT INTO usage_numbers (person_hash, ubn, day, attempts, locked, neighbours) \
         SELECT person_hash, ubn, day, attempts, locked, neighbours FROM {} WHERE true \
         ON CONFLICT (person_hash, ubn, day) DO UPDATE SET \
         attempts = usage_numbers.attempts + excluded.attempts, locked = usage_numbers.locked + excluded.locked, \
         neighbours = coalesce(excluded.neighbours, usage_numbers.neighbours)",
        table(backend, 1, &NUMBER_COLUMNS)
    );
    let mut rows = Rows::new(backend, &NUMBER_COLUMNS);
    for ((person, ubn, day), number) in &counts.numbers {
        rows.push(&[
            Cell::Bytes(Some(person)),
            Cell::Text(ubn),
            Cell::Text(&day.to_string()),
            Cell::Integer(signed(number.attempts)),
            Cell::Integer(signed(number.locked)),
            Cell::Bytes(number.neighbours),
        ]);
    }
    execute(tx, sql, rows).await
}

/// How many times as many records are counted at once where they need not be read.
const REMEMBERED: u32 = 8;

/// The record that was counted last.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Cursor {
    seq: i64,
    position: i32,
}

/// Where the count stands.
async fn standing(db: &impl ConnectionTrait) -> Result<Cursor, DbErr> {
    cursor(db, "").await?.ok_or_else(|| DbErr::RecordNotFound("tally_cursor".to_owned()))
}

/// The same, locked in another way; none while another process counts.
async fn cursor(db: &impl ConnectionTrait, lock: &str) -> Result<Option<Cursor>, DbErr> {
    let sql = format!("SELECT seq, position FROM tally_cursor WHERE id = 1{lock}");
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    row.map(|row| Ok(Cursor { seq: row.try_get("", "seq")?, position: row.try_get("", "position")? }))
        .transpose()
}

/// Reads the records behind a cursor.
async fn read(
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

/// The records behind a cursor, and where the last of them is.
enum Behind {
    /// Entries that this process appended; of the last one not all records.
    Recent(Vec<Arc<Recorded>>),
    Read(Vec<record::Model>),
}

impl Behind {
    /// The records with the place of each, at most so many.
    fn records(&self, from: Cursor, limit: usize) -> Result<Vec<(Cursor, Counted<'_>)>, DbErr> {
        match self {
            Self::Recent(entries) => {
                let of =
                    |entry: &'_ Arc<Recorded>| if entry.head.seq == from.seq { from.position } else { -1 };
                let records = entries.iter().flat_map(|entry| {
                    let at = move |(position, counted)| (Cursor { seq: entry.head.seq, position }, counted);
                    entry.behind(of(entry)).map(at)
                });
                Ok(records.take(limit).collect())
            }
            Self::Read(records) => {
                let at = |record: &record::Model| Cursor { seq: record.seq, position: record.position };
                records.iter().map(|record| Ok((at(record), Counted::read(record)?))).collect()
            }
        }
    }

    /// Whether the chain has what this process remembers: not where the database went on from a backup.
    async fn is_of(&self, tx: &DatabaseTransaction) -> Result<bool, DbErr> {
        let Self::Recent(entries) = self else { return Ok(true) };
        let Some(last) = entries.last() else { return Ok(false) };
        let found = chain_entry::Entity::find_by_id(last.head.seq).one(tx).await?;
        Ok(found.is_some_and(|entry| entry.hash == last.head.hash))
    }
}

/// Counts records that were taken behind the cursor, which is locked, and tells who reached the threshold.
async fn counted(
    tx: &Transaction,
    records: &[(Cursor, Counted<'_>)],
    user_wrong: u64,
) -> Result<Reached, DbErr> {
    let backend = tx.get_database_backend();
    let Some((last, _)) = records.last() else { return Ok(Vec::new()) };
    let counted = || records.iter().map(|(_, record)| record).filter(|record| record.production);
    let mut keys: Vec<_> = counted().map(|record| (record.ubn, record.user, record.day)).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut counts = Counts { users: read_users(tx, &keys).await?, ..Counts::default() };
    counted().for_each(|record| counts.add(record));
    write_days(tx, &counts).await?;
    write_users(tx, &counts).await?;
    write_numbers(tx, &counts).await?;
    let reached = counts.users.iter().filter(|(_, count)| count.wrong - count.forgiven >= user_wrong);
    let reached =
        reached.map(|((ubn, user, _), count)| ((*ubn).to_owned(), (*user).to_owned(), count.wrong)).collect();
    let sql = "UPDATE tally_cursor SET seq = $1, position = $2 WHERE id = 1";
    let values = [last.seq.into(), last.position.into()];
    tx.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(reached)
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

#[async_trait]
impl UsageTally for Store {
    async fn advance(
        &self,
        limit: u32,
        thresholds: &Thresholds,
        suspend: &(dyn Suspend + 'static),
    ) -> Result<u32, StoreError> {
        let counted = async {
            let (tx, records, reached) = loop {
                // On SQLite read before anything is locked: while this one writes, nobody else does. On PostgreSQL who
                // counts keeps the others from reading the same.
                let (locked, from) = if self.reader.get_database_backend() == DbBackend::Postgres {
                    let tx = self.begin().await?;
                    let Some(from) = cursor(&*tx, " FOR UPDATE SKIP LOCKED").await? else {
                        standing(&self.reader).await?;
                        return Ok(0);
                    };
                    (Some(tx), from)
                } else {
                    (None, standing(&self.reader).await?)
                };
                let many = limit.saturating_mul(REMEMBERED) as usize;
                let mut behind = Behind::Recent(self.recent.behind(from.seq, many));
                if behind.records(from, 1)?.is_empty() {
                    behind = Behind::Read(match &locked {
                        Some(tx) => read(&**tx, from, limit).await?,
                        None => read(&self.reader, from, limit).await?,
                    });
                }
                let records = behind.records(from, many)?;
                if records.is_empty() {
                    return Ok(0);
                }
                let tx = match locked {
                    Some(tx) => tx,
                    None => self.begin().await?,
                };
                if !behind.is_of(&tx).await? {
                    self.recent.forget();
                } else if standing(&*tx).await? == from {
                    let reached = counted(&tx, &records, thresholds.user_wrong).await?;
                    break (tx, records.len(), reached);
                }
                // Nothing was written; only dropped, it would keep the cursor from the next look.
                tx.commit().await?;
            };
            let found = found(&tx, reached).await?;
            let mut audit = Vec::new();
            if !found.is_empty() {
                let suspensions = suspend.suspend(found);
                for user in &suspensions.users {
                    users::write(&tx, user).await?;
                }
                self.queue(&tx, &suspensions.mail).await?;
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
        self.activities_of(day, thresholds).await
    }
}
