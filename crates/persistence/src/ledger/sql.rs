//! The ledger's statements: one that reads all that a batch is decided by, and on PostgreSQL one that writes all that
//! it leaves. What a statement costs is mostly the way to the database and back, so there are few.

use chrono::NaiveDate;
use idcheck_domain::{
    key::Environment,
    lockout::Strikes,
    taipei,
    value::{ApplyCode, IssueSite, RocDate, UnifiedBusinessNumber},
    verification::{CardData, CardStatus},
};
use idcheck_usecases::ports::{Ask, LedgerEntry};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement, Value};

use super::decide::{DayCount, PersonHash, State, Writes, token};
use crate::{
    batch::{Cell, Column, Rows, parameters, table},
    chain::Link,
    entity::record,
    store::status_of,
};

const ORGANISATIONS: [Column; 3] = [Column::Text("ubn"), Column::Text("environment"), Column::Text("day")];
const TOKENS: [Column; 2] = [Column::Text("ubn"), Column::Text("jti")];
const USERS: [Column; 2] = [Column::Text("ubn"), Column::Text("user_id")];
const PERSONS: [Column; 3] = [Column::Bytes("person_hash"), Column::Text("environment"), Column::Text("day")];

const USED: [Column; 3] = [Column::Text("ubn"), Column::Text("jti"), Column::Integer("expires_at")];
const DAYS: [Column; 5] = [
    Column::Text("ubn"),
    Column::Text("environment"),
    Column::Text("day"),
    Column::Integer("queries"),
    Column::Integer("wrong"),
];
const STRIKES: [Column; 4] = [
    Column::Bytes("person_hash"),
    Column::Text("environment"),
    Column::Text("day"),
    Column::Integer("wrong"),
];
const RECORDS: [Column; 9] = [
    Column::Integer("seq"),
    Column::Integer("position"),
    Column::Integer("at"),
    Column::Text("ubn"),
    Column::Text("environment"),
    Column::Text("user_id"),
    Column::Text("address"),
    Column::Bytes("person_hash"),
    Column::Text("outcome"),
];

/// What a row of the reading statement tells of: its first column.
const ACTIVE: i64 = 1;
const USED_TOKEN: i64 = 2;
const SUSPENDED: i64 = 3;
const DAY: i64 = 4;
const STRIKE: i64 = 5;
const CARD: i64 = 6;
const EPOCH: i64 = 7;

/// The statements of one database.
pub(super) struct Sql {
    backend: DbBackend,
    read: String,
    /// On PostgreSQL one for everything; on SQLite one for each table, the chain's two last.
    write: Vec<String>,
}

impl Sql {
    pub(super) fn for_backend(backend: DbBackend) -> Self {
        let write =
            if backend == DbBackend::Postgres { vec![write_at_once(backend)] } else { write_each(backend) };
        Self { backend, read: read(backend), write }
    }

    fn statement(&self, sql: &str, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(self.backend, sql, values)
    }

    /// Reads what the batch is decided by. The chain's head is locked already.
    pub(super) async fn read(
        &self,
        tx: &DatabaseTransaction,
        entries: &[LedgerEntry],
        hashes: &[Option<PersonHash>],
    ) -> Result<State, DbErr> {
        let mut state = State::default();
        let Some(values) = keys(self.backend, entries, hashes) else { return Ok(state) };
        for row in tx.query_all_raw(self.statement(&self.read, values)).await? {
            take(&mut state, &row)?;
        }
        Ok(state)
    }

    /// Writes what the batch left, and its entry in the chain.
    pub(super) async fn write(
        &self,
        tx: &DatabaseTransaction,
        records: &[record::Model],
        writes: &Writes,
        link: Link,
    ) -> Result<(), DbErr> {
        let tables = tables(self.backend, records, writes);
        let Link { seq, at, kind, body, hash } = link;
        let entry = vec![seq.into(), at.into(), kind.into(), body.into(), hash.clone().into()];
        if let [at_once] = &*self.write {
            let values = tables.into_iter().flat_map(Rows::values).chain(entry).collect();
            return tx.execute_raw(self.statement(at_once, values)).await.map(drop);
        }
        let filled = tables.into_iter().map(|rows| (!rows.is_empty()).then(|| rows.values()));
        let head = vec![seq.into(), hash.into()];
        for (sql, values) in self.write.iter().zip(filled.chain([Some(entry), Some(head)])) {
            if let Some(values) = values {
                tx.execute_raw(self.statement(sql, values)).await?;
            }
        }
        Ok(())
    }
}

/// Rows of one shape: the kind, a hash, four texts, two numbers.
fn read(backend: DbBackend) -> String {
    let none = "CAST(NULL AS text)";
    let nobody = if backend == DbBackend::Postgres { "CAST(NULL AS bytea)" } else { "CAST(NULL AS blob)" };
    let zero = "CAST(0 AS bigint)";
    let mut first = 1;
    let mut keys = |columns: &[Column]| {
        let keys = table(backend, first, columns);
        first += parameters(backend, columns);
        keys
    };
    let (organisations, tokens) = (keys(&ORGANISATIONS), keys(&TOKENS));
    let (users, persons) = (keys(&USERS), keys(&PERSONS));
    // The sort of join is not left to statistics, which are old when a table grows: each key is looked up by its index.
    let lookup = |source: &str, found: &str, join: &str| {
        if backend == DbBackend::Postgres {
            format!("{source} JOIN LATERAL (SELECT * FROM {found} t WHERE {join} LIMIT 1) t ON true")
        } else {
            format!("{source} JOIN {found} t ON {join}")
        }
    };
    [
        format!(
            "SELECT CAST({ACTIVE} AS bigint), {nobody}, t.ubn, {none}, {none}, {none}, {zero}, {zero} FROM {}",
            lookup(&organisations, "organisations", "t.ubn = i.ubn AND t.access = 'active'")
        ),
        format!(
            "SELECT CAST({USED_TOKEN} AS bigint), {nobody}, t.ubn, t.jti, {none}, {none}, {zero}, {zero} FROM {}",
            lookup(&tokens, "replay_entries", "t.ubn = i.ubn AND t.jti = i.jti")
        ),
        format!(
            "SELECT CAST({SUSPENDED} AS bigint), {nobody}, t.ubn, t.user_id, {none}, {none}, {zero}, {zero} FROM {}",
            lookup(&users, "suspended_users", "t.ubn = i.ubn AND t.user_id = i.user_id")
        ),
        format!(
            "SELECT CAST({DAY} AS bigint), {nobody}, t.ubn, t.environment, t.day, {none}, \
             CAST(t.queries AS bigint), CAST(t.wrong AS bigint) FROM {}",
            lookup(
                &organisations,
                "organisation_days",
                "t.ubn = i.ubn AND t.environment = i.environment AND t.day = i.day"
            )
        ),
        format!(
            "SELECT CAST({STRIKE} AS bigint), t.person_hash, {none}, t.environment, t.day, {none}, {zero}, \
             CAST(t.wrong AS bigint) FROM {}",
            lookup(
                &persons,
                "strikes",
                "t.person_hash = i.person_hash AND t.environment = i.environment AND t.day = i.day"
            )
        ),
        format!(
            "SELECT CAST({CARD} AS bigint), t.person_hash, t.apply_code, t.applied_on, t.issue_site, t.status, \
             {zero}, {zero} FROM {}",
            lookup(&persons, "household_register", "t.person_hash = i.person_hash")
        ),
        format!(
            "SELECT CAST({EPOCH} AS bigint), {nobody}, {none}, {none}, {none}, {none}, CAST(t.epoch AS bigint), {zero} \
             FROM caller_epoch t WHERE t.id = 1"
        ),
    ]
    .join(" UNION ALL ")
}

/// The four tables that a batch writes to, with the first parameter of each.
fn inserts(backend: DbBackend, mut first: impl FnMut(&[Column]) -> usize) -> [String; 4] {
    let mut from = |columns: &[Column]| table(backend, first(columns), columns);
    [
        format!(
            "INSERT INTO replay_entries (ubn, jti, expires_at) SELECT ubn, jti, expires_at FROM {}",
            from(&USED)
        ),
        format!(
            "INSERT INTO organisation_days (ubn, environment, day, queries, wrong) \
             SELECT ubn, environment, day, queries, wrong FROM {} WHERE true \
             ON CONFLICT (ubn, environment, day) DO UPDATE SET queries = excluded.queries, wrong = excluded.wrong",
            from(&DAYS)
        ),
        format!(
            "INSERT INTO strikes (person_hash, environment, day, wrong) \
             SELECT person_hash, environment, day, wrong FROM {} WHERE true \
             ON CONFLICT (person_hash, environment, day) DO UPDATE SET wrong = excluded.wrong",
            from(&STRIKES)
        ),
        format!(
            "INSERT INTO verification_records \
             (seq, position, at, ubn, environment, user_id, address, person_hash, outcome) \
             SELECT seq, position, at, ubn, environment, user_id, address, person_hash, outcome FROM {}",
            from(&RECORDS)
        ),
    ]
}

fn write_at_once(backend: DbBackend) -> String {
    let mut next = 1;
    let [used, days, strikes, records] = inserts(backend, |columns| {
        let first = next;
        next += parameters(backend, columns);
        first
    });
    let entry: Vec<_> = (next..next + 5).collect();
    let [seq, at, kind, body, hash] = entry.as_slice() else { return String::new() };
    format!(
        "WITH used AS ({used}), days AS ({days}), wrong AS ({strikes}), records AS ({records}), \
         entry AS (INSERT INTO audit_chain (seq, at, kind, body, hash) VALUES (${seq}, ${at}, ${kind}, ${body}, ${hash})) \
         UPDATE chain_head SET seq = ${seq}, hash = ${hash} WHERE id = 1"
    )
}

fn write_each(backend: DbBackend) -> Vec<String> {
    let chain = [
        "INSERT INTO audit_chain (seq, at, kind, body, hash) VALUES ($1, $2, $3, $4, $5)",
        "UPDATE chain_head SET seq = $1, hash = $2 WHERE id = 1",
    ];
    inserts(backend, |_| 1).into_iter().chain(chain.map(str::to_owned)).collect()
}

/// The rows for [`inserts`], in its order.
fn tables(backend: DbBackend, records: &[record::Model], writes: &Writes) -> [Rows; 4] {
    let mut used = Rows::new(backend, &USED);
    for (ubn, jti, end) in &writes.used {
        used.push(&[Cell::Text(ubn.as_str()), Cell::Text(jti), Cell::Integer(*end)]);
    }
    let mut days = Rows::new(backend, &DAYS);
    for ((ubn, environment, day), count) in &writes.days {
        days.push(&[
            Cell::Text(ubn.as_str()),
            Cell::Text(environment),
            Cell::Text(&day.to_string()),
            Cell::Integer(count.queries),
            Cell::Integer(count.wrong),
        ]);
    }
    let mut strikes = Rows::new(backend, &STRIKES);
    for ((person, environment, day), count) in &writes.strikes {
        strikes.push(&[
            Cell::Bytes(Some(person)),
            Cell::Text(environment),
            Cell::Text(&day.to_string()),
            Cell::Integer(count.count().into()),
        ]);
    }
    let mut rows = Rows::new(backend, &RECORDS);
    for record in records {
        rows.push(&[
            Cell::Integer(record.seq),
            Cell::Integer(record.position.into()),
            Cell::Integer(record.at),
            Cell::Text(&record.ubn),
            Cell::Text(&record.environment),
            Cell::Text(&record.user_id),
            Cell::Text(&record.address),
            Cell::Bytes(record.person_hash.as_deref()),
            Cell::Text(&record.outcome),
        ]);
    }
    [used, days, strikes, rows]
}

/// The keys that a batch is looked up by, each once but the tokens, as parameters; nothing for a batch without
/// questions.
fn keys(backend: DbBackend, entries: &[LedgerEntry], hashes: &[Option<PersonHash>]) -> Option<Vec<Value>> {
    let mut organisations = Rows::new(backend, &ORGANISATIONS);
    let mut tokens = Rows::new(backend, &TOKENS);
    let mut users = Rows::new(backend, &USERS);
    let mut persons = Rows::new(backend, &PERSONS);
    let mut seen = Seen::default();
    for (entry, hash) in entries.iter().zip(hashes) {
        let (Ask::Card { jti, .. }, Some(hash)) = (&entry.ask, hash) else { continue };
        let (ubn, environment, day) = (entry.ubn, entry.environment.as_str(), taipei::day(entry.at));
        tokens.push(&[Cell::Text(ubn.as_str()), Cell::Text(&token(entry.environment, jti))]);
        if seen.organisations.insert((ubn, environment, day)) {
            let day = day.to_string();
            organisations.push(&[Cell::Text(ubn.as_str()), Cell::Text(environment), Cell::Text(&day)]);
        }
        if seen.users.insert((ubn, &entry.user_id)) {
            users.push(&[Cell::Text(ubn.as_str()), Cell::Text(&entry.user_id)]);
        }
        if seen.persons.insert((hash, environment, day)) {
            let day = day.to_string();
            persons.push(&[Cell::Bytes(Some(hash)), Cell::Text(environment), Cell::Text(&day)]);
        }
    }
    let asked = !tokens.is_empty();
    asked.then(|| [organisations, tokens, users, persons].into_iter().flat_map(Rows::values).collect())
}

#[derive(Default)]
struct Seen<'e> {
    organisations: std::collections::HashSet<(UnifiedBusinessNumber, &'static str, NaiveDate)>,
    users: std::collections::HashSet<(UnifiedBusinessNumber, &'e str)>,
    persons: std::collections::HashSet<(&'e PersonHash, &'static str, NaiveDate)>,
}

/// Puts a row of the reading statement where it belongs.
fn take(state: &mut State, row: &QueryResult) -> Result<(), DbErr> {
    let text = |index| row.try_get_by_index::<String>(index);
    let number = |index| row.try_get_by_index::<i64>(index);
    let ubn = || UnifiedBusinessNumber::parse(&text(2)?).map_err(|_| unreadable("ubn"));
    let day = |index| text(index)?.parse::<NaiveDate>().map_err(|_| unreadable("day"));
    match number(0)? {
        ACTIVE => {
            state.active.insert(ubn()?);
        }
        USED_TOKEN => {
            state.used.insert((ubn()?, text(3)?));
        }
        SUSPENDED => {
            state.suspended.insert((ubn()?, text(3)?));
        }
        DAY => {
            let count = DayCount { queries: number(6)?, wrong: number(7)? };
            state.days.insert((ubn()?, environment(&text(3)?)?, day(4)?), count);
        }
        STRIKE => {
            let strikes = Strikes::from_count(u8::try_from(number(7)?).unwrap_or(u8::MAX));
            state.strikes.insert((person(row)?, environment(&text(3)?)?, day(4)?), strikes);
        }
        CARD => {
            state.register.insert(person(row)?, card(&text(2)?, &text(3)?, &text(4)?, &text(5)?)?);
        }
        EPOCH => state.epoch = number(6)?,
        _ => return Err(unreadable("a row")),
    }
    Ok(())
}

fn unreadable(what: &str) -> DbErr {
    DbErr::Type(format!("{what} can't be read"))
}

fn person(row: &QueryResult) -> Result<PersonHash, DbErr> {
    row.try_get_by_index::<Vec<u8>>(1)?.try_into().map_err(|_| unreadable("person_hash"))
}

fn environment(word: &str) -> Result<&'static str, DbErr> {
    Environment::parse(word).map(Environment::as_str).ok_or_else(|| unreadable("environment"))
}

fn card(
    apply_code: &str,
    applied_on: &str,
    issue_site: &str,
    status: &str,
) -> Result<(CardData, CardStatus), DbErr> {
    let day: NaiveDate = applied_on.parse().map_err(|_| unreadable("applied_on"))?;
    let data = CardData {
        apply_code: ApplyCode::parse(apply_code).map_err(|_| unreadable("apply_code"))?,
        applied_on: RocDate::from_date(day).map_err(|_| unreadable("applied_on"))?,
        issue_site: IssueSite::parse(issue_site).map_err(|_| unreadable("issue_site"))?,
    };
    Ok((data, status_of(status).ok_or_else(|| unreadable("status"))?))
}

#[cfg(test)]
mod tests {
    use idcheck_testing::database::TempDatabase;
    use sea_orm::{ConnectionTrait, DbBackend, Statement};

    use super::Sql;
    use crate::store::ledger_pool;

    const TABLES: [&str; 6] = [
        "replay_entries",
        "organisations",
        "suspended_users",
        "organisation_days",
        "strikes",
        "household_register",
    ];

    /// A plan made while a table is empty is kept, and an hourly purge leaves one empty.
    #[tokio::test]
    async fn on_empty_tables_too_each_key_is_looked_up_by_its_index() {
        let database = TempDatabase::postgres().await;
        let pool = ledger_pool(&database.url, 1).await.unwrap();
        for table in TABLES {
            pool.execute_unprepared(&format!("VACUUM ANALYZE {table}")).await.unwrap();
        }
        let sql = Sql::for_backend(DbBackend::Postgres).read;
        let parameters = (1..100).take_while(|number| sql.contains(&format!("${number}::"))).count();
        assert!(parameters > 5, "{sql}");
        pool.execute_unprepared(&format!("PREPARE reading AS {sql}")).await.unwrap();
        let nothing = vec!["'{}'"; parameters].join(", ");
        let explain = format!("EXPLAIN EXECUTE reading({nothing})");
        let lines = pool.query_all_raw(Statement::from_string(DbBackend::Postgres, explain)).await.unwrap();
        let plan: Vec<String> = lines.iter().map(|line| line.try_get_by_index(0).unwrap()).collect();
        for table in TABLES {
            let scanned = plan.iter().any(|line| line.contains(&format!("Seq Scan on {table}")));
            assert!(!scanned, "{table}: {plan:#?}");
        }
        database.close().await;
    }
}
