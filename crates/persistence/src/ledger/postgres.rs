//! The log on PostgreSQL. A batch is one statement, which compares the chain's end and writes everything: it commits by
//! itself, so that a batch costs one way to the server and back beside the look-up of its cards.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use sea_orm::{
    DatabaseConnection,
    sqlx::{
        self, PgPool, Postgres, Row as _, Transaction,
        pool::PoolConnection,
        postgres::{PgArguments, PgDatabaseError, PgRow, PgSeverity},
        query::Query,
    },
};
use tokio::time::timeout;

use crate::{
    chain::Head,
    kernel::connection::PATIENCE,
    ledger::{
        batch::{Asked, Failed, PersonHash, Token, Writes},
        log::{Appended, Batch, Log},
        register::{self, Cards},
        rows::{self, Told},
        state::{End, Tail},
    },
};

const LOCK: &str = "SELECT seq, hash, register_mark FROM chain_head WHERE id = 1 FOR UPDATE";
const HASH: &str = "SELECT hash FROM audit_chain WHERE seq = $1";
const CARDS: &str = "SELECT person_hash, apply_code, applied_on, issue_site, status \
                     FROM household_register WHERE person_hash = ANY($1)";
const USED: &str = "SELECT token FROM used_tokens WHERE token = ANY($1)";
/// Everything else is written only if the head was; its row is locked until the commit.
const APPEND: &str = "WITH head AS (UPDATE chain_head SET seq = $1, hash = $2 \
    WHERE id = 1 AND seq = $1 - 1 AND hash = $3 AND register_mark = $25 RETURNING id), \
    used AS (INSERT INTO used_tokens (token, expires_at) SELECT token, expires_at \
    FROM head, unnest($6::bytea[], $7::bigint[]) AS i (token, expires_at)), \
    days AS (INSERT INTO organisation_days (ubn, environment, day, queries, wrong) \
    SELECT ubn, environment, day, queries, wrong \
    FROM head, unnest($8::text[], $9::text[], $10::text[], $11::bigint[], $12::bigint[]) \
    AS i (ubn, environment, day, queries, wrong) \
    ON CONFLICT (ubn, environment, day) DO UPDATE SET queries = excluded.queries, wrong = excluded.wrong), \
    wrong AS (INSERT INTO strikes (person_hash, environment, day, wrong) \
    SELECT person_hash, environment, day, wrong \
    FROM head, unnest($13::bytea[], $14::text[], $15::text[], $16::integer[]) \
    AS i (person_hash, environment, day, wrong) \
    ON CONFLICT (person_hash, environment, day) DO UPDATE SET wrong = excluded.wrong), \
    records AS (INSERT INTO verification_records \
    (seq, position, at, ubn, environment, user_id, address, person_hash, outcome, neighbours) \
    SELECT $1, position, at, ubn, environment, user_id, address, person_hash, outcome, neighbours \
    FROM head, unnest($17::integer[], $18::bigint[], $19::text[], $20::text[], $21::text[], $22::text[], \
    $23::bytea[], $24::text[], $26::bytea[]) \
    AS i (position, at, ubn, environment, user_id, address, person_hash, outcome, neighbours)) \
    INSERT INTO audit_chain (seq, at, kind, body, hash) SELECT $1, $4, 'batch', $5, $2 FROM head";

pub(crate) struct PostgresLog {
    pool: PgPool,
    transaction: Option<Transaction<'static, Postgres>>,
}

impl PostgresLog {
    pub(crate) fn new(connections: &DatabaseConnection) -> Self {
        Self { pool: connections.get_postgres_connection_pool().clone(), transaction: None }
    }

    /// Asks inside the transaction, where there is one.
    async fn ask(&mut self, query: Query<'_, Postgres, PgArguments>) -> Result<Vec<PgRow>, Failed> {
        let asked = async {
            match &mut self.transaction {
                Some(transaction) => query.fetch_all(&mut **transaction).await,
                None => query.fetch_all(&self.pool).await,
            }
        };
        timeout(PATIENCE, asked).await.map_err(|_| late())?.map_err(|error| nothing_written(&error))
    }

    async fn told(&mut self, sql: &'static str, after: Option<i64>, day: &str) -> Result<Vec<Told>, Failed> {
        let query = match after {
            Some(after) => sqlx::query(sql).bind(after).bind(day),
            None => sqlx::query(sql).bind(day),
        };
        self.ask(query).await?.iter().map(|row| told(row).map_err(|error| nothing_written(&error))).collect()
    }
}

impl Log for PostgresLog {
    const OPTIMISTIC: bool = true;

    async fn lock(&mut self) -> Result<End, Failed> {
        self.release().await;
        let begun = timeout(PATIENCE, self.pool.begin()).await;
        self.transaction = Some(begun.map_err(|_| late())?.map_err(|error| nothing_written(&error))?);
        let rows = self.ask(sqlx::query(LOCK)).await?;
        let row = rows.first().ok_or(Failed::Before)?;
        let read = || {
            let head = Head { seq: row.try_get(0)?, hash: row.try_get(1)? };
            Ok(End { head, register: row.try_get(2)? })
        };
        read().map_err(|error| nothing_written(&error))
    }

    async fn hash(&mut self, seq: i64) -> Result<Option<Vec<u8>>, Failed> {
        let rows = self.ask(sqlx::query(HASH).bind(seq)).await?;
        let hash = rows.first().map(|row| row.try_get(0)).transpose();
        hash.map_err(|error| nothing_written(&error))
    }

    async fn tail(&mut self, after: Option<i64>, since: NaiveDate) -> Result<Tail, Failed> {
        let day = since.to_string();
        let mut tail = Tail::default();
        let changed = match after {
            Some(after) => self.told(rows::SINCE_POSTGRES, Some(after), &day).await?,
            None => self.told(rows::WHOLE_POSTGRES, None, &day).await?,
        };
        rows::take(&mut tail, changed);
        if after.is_none() || tail.acts {
            let callers = self.ask(sqlx::query(rows::CALLERS_POSTGRES)).await?;
            let callers: Result<Vec<_>, _> = callers.iter().map(told).collect();
            rows::take(&mut tail, callers.map_err(|error| nothing_written(&error))?);
        }
        Ok(tail)
    }

    async fn cards(&mut self, batch: &[Asked]) -> Result<Cards, Failed> {
        let persons: Vec<&[u8]> =
            batch.iter().filter_map(|asked| asked.registered().map(|p| &p[..])).collect();
        if persons.is_empty() {
            return Ok(Cards::default());
        }
        let rows = self.ask(sqlx::query(CARDS).bind(persons)).await?;
        let mut cards = HashMap::with_capacity(rows.len());
        for row in &rows {
            let (person, card) = card(row).map_err(|error| nothing_written(&error))?;
            cards.insert(person, card?);
        }
        Ok(Cards::Found(cards))
    }

    async fn used(&mut self, batch: &[Asked]) -> Result<HashSet<Token>, Failed> {
        let keys = batch.iter().filter_map(|asked| asked.keys.as_ref());
        let tokens: Vec<&[u8]> = keys.map(|keys| &keys.token[..]).collect();
        let rows = self.ask(sqlx::query(USED).bind(tokens)).await?;
        let mut used = HashSet::new();
        for row in &rows {
            let token: &[u8] = row.try_get(0).map_err(|error| nothing_written(&error))?;
            used.extend(Token::try_from(token).ok());
        }
        Ok(used)
    }

    async fn append(&mut self, batch: &Batch<'_>) -> Result<Appended, Failed> {
        let query = append(batch);
        if let Some(transaction) = &mut self.transaction {
            let written = timeout(PATIENCE, query.execute(&mut **transaction)).await;
            return outcome(written.map_err(|_| late())?.map_err(|error| failure(&error, nothing_written)));
        }
        let acquired = timeout(PATIENCE, self.pool.acquire()).await;
        let mut connection = acquired.map_err(|_| late())?.map_err(|error| nothing_written(&error))?;
        // To the end of its answer, which comes after the commit: the number of rows comes before it.
        let Ok(written) = timeout(PATIENCE, query.execute(&mut *connection)).await else {
            tracing::error!("no word of an append came in time");
            close(connection);
            return Err(Failed::Unknown);
        };
        if written.as_ref().err().is_some_and(|error| !was_refused(error)) {
            close(connection);
        }
        outcome(written.map_err(|error| failure(&error, perhaps_written)))
    }

    async fn commit(&mut self) -> Result<(), Failed> {
        let Some(transaction) = self.transaction.take() else { return Ok(()) };
        let Ok(committed) = timeout(PATIENCE, transaction.commit()).await else {
            tracing::error!("no word of a commit came in time");
            return Err(Failed::Unknown);
        };
        committed.map_err(|error| perhaps_written(&error))
    }

    async fn release(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            // A connection that can't be told is closed, and that ends its transaction as well.
            let _ = timeout(PATIENCE, transaction.rollback()).await;
        }
    }
}

/// What an append came to; a miss is no failure.
fn outcome(written: Result<sqlx::postgres::PgQueryResult, Option<Failed>>) -> Result<Appended, Failed> {
    match written {
        Ok(done) if done.rows_affected() == 1 => Ok(Appended::Done),
        Ok(_) => Ok(Appended::Missed),
        Err(None) => Ok(Appended::Replayed),
        Err(Some(failed)) => Err(failed),
    }
}

/// None where the index of used tokens refused.
fn failure(error: &sqlx::Error, otherwise: fn(&sqlx::Error) -> Failed) -> Option<Failed> {
    let replayed = error.as_database_error().and_then(|error| error.constraint()) == Some("used_tokens_pkey");
    (!replayed).then(|| otherwise(error))
}

/// The server refused the statement, so that it left nothing. An error that ends the connection may come from after the
/// commit.
fn was_refused(error: &sqlx::Error) -> bool {
    let database = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    database.is_some_and(|error| error.severity() == PgSeverity::Error)
}

/// Of a statement that is not the last of its transaction, or only reads.
fn nothing_written(error: &sqlx::Error) -> Failed {
    tracing::error!(error = %sanitised(error), "a batch failed");
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Failed::Away,
        _ => Failed::Before,
    }
}

/// Of a statement that commits.
fn perhaps_written(error: &sqlx::Error) -> Failed {
    tracing::error!(error = %sanitised(error), "an append failed");
    if was_refused(error) { Failed::Before } else { Failed::Unknown }
}

fn late() -> Failed {
    tracing::error!("a batch took too long");
    Failed::Away
}

/// Without the detail, which can hold values.
fn sanitised(error: &sqlx::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().chars().take(300).collect()
}

/// Closes a connection whose state is not known.
fn close(connection: PoolConnection<Postgres>) {
    drop(connection.detach());
}

fn append<'q>(batch: &Batch<'_>) -> Query<'q, Postgres, PgArguments> {
    let Batch { after, register, link, records, writes: Writes { used, days, strikes } } = batch;
    sqlx::query(APPEND)
        .bind(link.seq)
        .bind(&link.hash)
        .bind(&after.hash)
        .bind(link.at)
        .bind(&link.body)
        .bind(used.iter().map(|used| &used.token[..]).collect::<Vec<&[u8]>>())
        .bind(used.iter().map(|used| used.expires_at).collect::<Vec<_>>())
        .bind(days.keys().map(|(ubn, ..)| ubn.as_str()).collect::<Vec<_>>())
        .bind(days.keys().map(|key| key.1).collect::<Vec<_>>())
        .bind(days.keys().map(|key| key.2.to_string()).collect::<Vec<_>>())
        .bind(days.values().map(|count| count.queries).collect::<Vec<_>>())
        .bind(days.values().map(|count| count.wrong).collect::<Vec<_>>())
        .bind(strikes.keys().map(|(person, ..)| &person[..]).collect::<Vec<&[u8]>>())
        .bind(strikes.keys().map(|key| key.1).collect::<Vec<_>>())
        .bind(strikes.keys().map(|key| key.2.to_string()).collect::<Vec<_>>())
        .bind(strikes.values().map(|count| i32::from(count.count())).collect::<Vec<_>>())
        .bind(records.iter().map(|record| record.position).collect::<Vec<_>>())
        .bind(records.iter().map(|record| record.at).collect::<Vec<_>>())
        .bind(records.iter().map(|record| record.ubn).collect::<Vec<_>>())
        .bind(records.iter().map(|record| record.environment).collect::<Vec<_>>())
        .bind(records.iter().map(|record| record.user_id).collect::<Vec<_>>())
        .bind(records.iter().map(|record| record.address).collect::<Vec<_>>())
        .bind(records.iter().map(|record| record.person_hash).collect::<Vec<Option<&[u8]>>>())
        .bind(records.iter().map(|record| record.outcome).collect::<Vec<_>>())
        .bind(*register)
        .bind(records.iter().map(|record| record.neighbours).collect::<Vec<Option<&[u8]>>>())
}

fn told(row: &PgRow) -> Result<Told, sqlx::Error> {
    Ok(Told {
        what: row.try_get(0)?,
        bytes: row.try_get(1)?,
        first: row.try_get(2)?,
        second: row.try_get(3)?,
        day: row.try_get(4)?,
        queries: row.try_get(5)?,
        wrong: row.try_get(6)?,
    })
}

type Card =
    Result<(idcheck_domain::verification::CardData, idcheck_domain::verification::CardStatus), Failed>;

fn card(row: &PgRow) -> Result<(PersonHash, Card), sqlx::Error> {
    let person: &[u8] = row.try_get(0)?;
    let person = person.try_into().map_err(|_| sqlx::Error::ColumnNotFound("person_hash".to_owned()))?;
    Ok((person, register::card(row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?)))
}

#[cfg(test)]
mod tests {
    use idcheck_testing::database::TempDatabase;
    use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

    use super::*;
    use crate::kernel::connection::ledger_pool;

    const TABLES: [&str; 6] = [
        "used_tokens",
        "verification_records",
        "organisation_days",
        "strikes",
        "audit_chain",
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
        for (name, sql, nothing) in [
            ("cards", CARDS, "'{}'"),
            ("used", USED, "'{}'"),
            ("hash", HASH, "0"),
            ("since", rows::SINCE_POSTGRES, "0, '2026-01-01'"),
            ("whole", rows::WHOLE_POSTGRES, "'2026-01-01'"),
        ] {
            pool.execute_unprepared(&format!("PREPARE {name} AS {sql}")).await.unwrap();
            let explain = format!("EXPLAIN EXECUTE {name}({nothing})");
            let lines =
                pool.query_all_raw(Statement::from_string(DbBackend::Postgres, explain)).await.unwrap();
            let plan: Vec<String> = lines.iter().map(|line| line.try_get_by_index(0).unwrap()).collect();
            for table in TABLES {
                let scanned = plan.iter().any(|line| line.contains(&format!("Seq Scan on {table}")));
                assert!(!scanned, "{name}, {table}: {plan:#?}");
            }
        }
        database.close().await;
    }
}
