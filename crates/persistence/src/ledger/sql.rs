//! The ledger's statements. A whole batch travels as one JSON parameter, so that each statement has one text and is
//! prepared once, whatever the size of the batch; PostgreSQL and SQLite differ only in how they open it.

use chrono::NaiveDate;
use idcheck_domain::{
    key::Environment,
    lockout::Strikes,
    taipei,
    value::{ApplyCode, IssueSite, RocDate},
    verification::{CardData, CardStatus},
};
use idcheck_usecases::ports::{Ask, LedgerEntry};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement};
use serde_json::{Value, json};

use super::decide::{DayCount, PersonHash, State, Writes};
use crate::{entity::record, store::status_of};

/// How a member of the JSON rows is read.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    Text(&'static str),
    Integer(&'static str),
    /// Hexadecimal digits that stand for bytes; null stays null.
    Bytes(&'static str),
}

/// The parameter `$1`, a JSON list of objects, as a table `i` with these columns.
pub(crate) fn rows(backend: DbBackend, columns: &[Column]) -> String {
    let postgres = backend == DbBackend::Postgres;
    let list = |of: &dyn Fn(&Column) -> String| columns.iter().map(of).collect::<Vec<_>>().join(", ");
    if postgres {
        let selected = list(&|column| match column {
            Column::Text(name) | Column::Integer(name) => format!("r.{name}"),
            Column::Bytes(name) => format!("decode(r.{name}, 'hex') AS {name}"),
        });
        let typed = list(&|column| match column {
            Column::Text(name) | Column::Bytes(name) => format!("{name} text"),
            Column::Integer(name) => format!("{name} bigint"),
        });
        return format!("(SELECT {selected} FROM json_to_recordset($1::json) AS r ({typed})) AS i");
    }
    let selected = list(&|column| match column {
        Column::Text(name) | Column::Integer(name) => format!("value ->> '{name}' AS {name}"),
        Column::Bytes(name) => format!("unhex(value ->> '{name}') AS {name}"),
    });
    format!("(SELECT {selected} FROM json_each($1)) AS i")
}

/// The statements of one database.
pub(super) struct Sql {
    backend: DbBackend,
    active: String,
    used: String,
    suspended: String,
    days: String,
    strikes: String,
    register: String,
    write_used: String,
    write_days: String,
    write_strikes: String,
    write_records: String,
}

impl Sql {
    pub(super) fn for_backend(backend: DbBackend) -> Self {
        use Column::{Bytes, Integer, Text};
        let from = |columns: &[Column]| rows(backend, columns);
        Self {
            backend,
            active: format!(
                "SELECT o.ubn FROM {} JOIN organisations o ON o.ubn = i.ubn WHERE o.access = 'active'",
                from(&[Text("ubn")])
            ),
            used: format!(
                "SELECT r.ubn, r.jti FROM {} JOIN replay_entries r ON r.ubn = i.ubn AND r.jti = i.jti",
                from(&[Text("ubn"), Text("jti")])
            ),
            suspended: format!(
                "SELECT s.ubn, s.user_id FROM {} JOIN suspended_users s ON s.ubn = i.ubn AND s.user_id = i.user_id",
                from(&[Text("ubn"), Text("user_id")])
            ),
            days: format!(
                "SELECT d.ubn, d.environment, d.day, d.queries, d.wrong FROM {} JOIN organisation_days d \
                 ON d.ubn = i.ubn AND d.environment = i.environment AND d.day = i.day",
                from(&[Text("ubn"), Text("environment"), Text("day")])
            ),
            strikes: format!(
                "SELECT s.person_hash, s.environment, s.day, s.wrong FROM {} JOIN strikes s \
                 ON s.person_hash = i.person_hash AND s.environment = i.environment AND s.day = i.day",
                from(&[Bytes("person_hash"), Text("environment"), Text("day")])
            ),
            register: format!(
                "SELECT h.person_hash, h.apply_code, h.applied_on, h.issue_site, h.status FROM {} \
                 JOIN household_register h ON h.person_hash = i.person_hash",
                from(&[Bytes("person_hash")])
            ),
            write_used: format!(
                "INSERT INTO replay_entries (ubn, jti, expires_at) SELECT ubn, jti, expires_at FROM {}",
                from(&[Text("ubn"), Text("jti"), Integer("expires_at")])
            ),
            write_days: format!(
                "INSERT INTO organisation_days (ubn, environment, day, queries, wrong) \
                 SELECT ubn, environment, day, queries, wrong FROM {} WHERE true \
                 ON CONFLICT (ubn, environment, day) DO UPDATE SET queries = excluded.queries, wrong = excluded.wrong",
                from(&[Text("ubn"), Text("environment"), Text("day"), Integer("queries"), Integer("wrong")])
            ),
            write_strikes: format!(
                "INSERT INTO strikes (person_hash, environment, day, wrong) \
                 SELECT person_hash, environment, day, wrong FROM {} WHERE true \
                 ON CONFLICT (person_hash, environment, day) DO UPDATE SET wrong = excluded.wrong",
                from(&[Bytes("person_hash"), Text("environment"), Text("day"), Integer("wrong")])
            ),
            write_records: format!(
                "INSERT INTO verification_records \
                 (seq, position, at, ubn, environment, user_id, address, person_hash, outcome) \
                 SELECT seq, position, at, ubn, environment, user_id, address, person_hash, outcome FROM {}",
                from(&[
                    Integer("seq"),
                    Integer("position"),
                    Integer("at"),
                    Text("ubn"),
                    Text("environment"),
                    Text("user_id"),
                    Text("address"),
                    Bytes("person_hash"),
                    Text("outcome"),
                ])
            ),
        }
    }

    fn statement(&self, sql: &str, rows: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(self.backend, sql, [Value::Array(rows).to_string().into()])
    }

    async fn query(
        &self,
        tx: &DatabaseTransaction,
        sql: &str,
        rows: Vec<Value>,
    ) -> Result<Vec<QueryResult>, DbErr> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        tx.query_all_raw(self.statement(sql, rows)).await
    }

    async fn execute(&self, tx: &DatabaseTransaction, sql: &str, rows: Vec<Value>) -> Result<(), DbErr> {
        if rows.is_empty() {
            return Ok(());
        }
        tx.execute_raw(self.statement(sql, rows)).await.map(drop)
    }

    /// Reads what the batch is decided by. The chain's head is locked already.
    pub(super) async fn read(
        &self,
        tx: &DatabaseTransaction,
        entries: &[LedgerEntry],
        hashes: &[Option<PersonHash>],
    ) -> Result<State, DbErr> {
        let keys = Keys::of(entries, hashes);
        let mut state = State::default();
        for row in self.query(tx, &self.active, keys.organisations).await? {
            state.active.insert(row.try_get("", "ubn")?);
        }
        for row in self.query(tx, &self.used, keys.tokens).await? {
            state.used.insert((row.try_get("", "ubn")?, row.try_get("", "jti")?));
        }
        for row in self.query(tx, &self.suspended, keys.users).await? {
            state.suspended.insert((row.try_get("", "ubn")?, row.try_get("", "user_id")?));
        }
        for row in self.query(tx, &self.days, keys.organisation_days).await? {
            let count = DayCount { queries: row.try_get("", "queries")?, wrong: row.try_get("", "wrong")? };
            state.days.insert((row.try_get("", "ubn")?, environment(&row)?, row.try_get("", "day")?), count);
        }
        for row in self.query(tx, &self.strikes, keys.person_days).await? {
            let wrong: i32 = row.try_get("", "wrong")?;
            let strikes = Strikes::from_count(u8::try_from(wrong).unwrap_or(u8::MAX));
            state.strikes.insert((person(&row)?, environment(&row)?, row.try_get("", "day")?), strikes);
        }
        for row in self.query(tx, &self.register, keys.persons).await? {
            state.register.insert(person(&row)?, card(&row)?);
        }
        Ok(state)
    }

    /// Writes what the batch left.
    pub(super) async fn write(
        &self,
        tx: &DatabaseTransaction,
        records: &[record::Model],
        writes: &Writes,
    ) -> Result<(), DbErr> {
        let used = writes.used.iter();
        let used = used.map(|(ubn, jti, end)| json!({"ubn": ubn, "jti": jti, "expires_at": end})).collect();
        self.execute(tx, &self.write_used, used).await?;
        let days = writes.days.iter().map(|((ubn, environment, day), count)| {
            json!({
                "ubn": ubn, "environment": environment, "day": day,
                "queries": count.queries, "wrong": count.wrong,
            })
        });
        self.execute(tx, &self.write_days, days.collect()).await?;
        let strikes = writes.strikes.iter().map(|((person, environment, day), strikes)| {
            json!({
                "person_hash": hex::encode(person), "environment": environment, "day": day,
                "wrong": strikes.count(),
            })
        });
        self.execute(tx, &self.write_strikes, strikes.collect()).await?;
        let records = records.iter().map(|r| {
            json!({
                "seq": r.seq, "position": r.position, "at": r.at, "ubn": r.ubn, "environment": r.environment,
                "user_id": r.user_id, "address": r.address, "person_hash": r.person_hash.as_ref().map(hex::encode),
                "outcome": r.outcome,
            })
        });
        self.execute(tx, &self.write_records, records.collect()).await
    }
}

/// The keys that a batch is looked up by, each once.
#[derive(Default)]
struct Keys {
    organisations: Vec<Value>,
    tokens: Vec<Value>,
    users: Vec<Value>,
    organisation_days: Vec<Value>,
    person_days: Vec<Value>,
    persons: Vec<Value>,
}

impl Keys {
    fn of(entries: &[LedgerEntry], hashes: &[Option<PersonHash>]) -> Self {
        let mut keys = Self::default();
        for (entry, hash) in entries.iter().zip(hashes) {
            let (Ask::Card { jti, .. }, Some(hash)) = (&entry.ask, hash) else { continue };
            let (ubn, day) = (entry.ubn.as_str(), taipei::day(entry.at).to_string());
            let environment = entry.environment.as_str();
            let person = hex::encode(hash);
            keys.tokens.push(json!({"ubn": ubn, "jti": jti}));
            keys.organisation_days.push(json!({"ubn": ubn, "environment": environment, "day": day}));
            keys.person_days.push(json!({"person_hash": person, "environment": environment, "day": day}));
            if entry.environment == Environment::Production {
                keys.organisations.push(json!({"ubn": ubn}));
                keys.users.push(json!({"ubn": ubn, "user_id": entry.user_id}));
                keys.persons.push(json!({"person_hash": person}));
            }
        }
        for list in [
            &mut keys.organisations,
            &mut keys.tokens,
            &mut keys.users,
            &mut keys.organisation_days,
            &mut keys.person_days,
            &mut keys.persons,
        ] {
            let mut seen = std::collections::HashSet::new();
            list.retain(|key| seen.insert(key.to_string()));
        }
        keys
    }
}

fn unreadable(what: &str) -> DbErr {
    DbErr::Type(format!("{what} can't be read"))
}

fn person(row: &QueryResult) -> Result<PersonHash, DbErr> {
    let bytes: Vec<u8> = row.try_get("", "person_hash")?;
    bytes.try_into().map_err(|_| unreadable("person_hash"))
}

fn environment(row: &QueryResult) -> Result<&'static str, DbErr> {
    let word: String = row.try_get("", "environment")?;
    Environment::parse(&word).map(Environment::as_str).ok_or_else(|| unreadable("environment"))
}

fn card(row: &QueryResult) -> Result<(CardData, CardStatus), DbErr> {
    let text = |column| row.try_get::<String>("", column);
    let day: NaiveDate = text("applied_on")?.parse().map_err(|_| unreadable("applied_on"))?;
    let data = CardData {
        apply_code: ApplyCode::parse(&text("apply_code")?).map_err(|_| unreadable("apply_code"))?,
        applied_on: RocDate::from_date(day).map_err(|_| unreadable("applied_on"))?,
        issue_site: IssueSite::parse(&text("issue_site")?).map_err(|_| unreadable("issue_site"))?,
    };
    Ok((data, status_of(&text("status")?).ok_or_else(|| unreadable("status"))?))
}
