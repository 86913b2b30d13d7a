//! The log on SQLite: on a connection and a thread of its own, with statements that are prepared once. Only one writer can
//! be, so each batch locks the file first; nobody has to be waited for then.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
};

use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use crate::{
    chain::Head,
    kernel::connection::PATIENCE,
    ledger::{
        batch::{Asked, Failed, Token},
        checkpoint::Checkpoints,
        file::open,
        log::{Appended, Batch, Log},
        register::{self, Cards},
        rows::{self, Told},
        state::{End, Tail},
    },
};

const HEAD: &str = "SELECT seq, hash, register_mark FROM chain_head WHERE id = 1";
const HASH: &str = "SELECT hash FROM audit_chain WHERE seq = ?1";
const CARD: &str =
    "SELECT apply_code, applied_on, issue_site, status FROM household_register WHERE person_hash = ?1";
const USED: &str = "SELECT 1 FROM used_tokens WHERE token = ?1";
const USE: &str = "INSERT INTO used_tokens (token, expires_at) VALUES (?1, ?2)";
const COUNT: &str = "INSERT INTO organisation_days (ubn, environment, day, queries, wrong) \
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (ubn, environment, day) \
    DO UPDATE SET queries = excluded.queries, wrong = excluded.wrong";
const STRIKE: &str = "INSERT INTO strikes (person_hash, environment, day, wrong) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT (person_hash, environment, day) DO UPDATE SET wrong = excluded.wrong";
const RECORD: &str = "INSERT INTO verification_records \
    (seq, position, at, ubn, environment, user_id, address, person_hash, outcome, neighbours) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const ENTRY: &str = "INSERT INTO audit_chain (seq, at, kind, body, hash) VALUES (?1, ?2, ?3, ?4, ?5)";
const MOVE: &str = "UPDATE chain_head SET seq = ?1, hash = ?2 WHERE id = 1";

pub(crate) struct SqliteLog {
    file: PathBuf,
    /// None before it is needed.
    connection: Option<Connection>,
    checkpoints: Checkpoints,
    /// Whose turn it is to write: acts of this process wait in the same line.
    turns: Arc<Mutex<()>>,
    turn: Option<OwnedMutexGuard<()>>,
}

impl SqliteLog {
    pub(crate) fn new(file: PathBuf, turns: Arc<Mutex<()>>) -> Self {
        let checkpoints = Checkpoints::start(file.clone());
        Self { file, connection: None, checkpoints, turns, turn: None }
    }

    fn connection(&self) -> rusqlite::Result<&Connection> {
        self.connection.as_ref().ok_or(rusqlite::Error::InvalidQuery)
    }

    fn batch(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection()?.prepare_cached(sql)?.execute([]).map(drop)
    }

    fn execute(&self, sql: &str, values: impl Params) -> Result<usize, Failed> {
        let run = || self.connection()?.prepare_cached(sql)?.execute(values);
        run().map_err(|error| failed(&error))
    }

    fn one<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Failed> {
        let run = || self.connection()?.prepare_cached(sql)?.query_row(values, read).optional();
        run().map_err(|error| failed(&error))
    }

    fn told(&self, sql: &str, values: impl Params) -> Result<Vec<Told>, Failed> {
        let run = || {
            let mut statement = self.connection()?.prepare_cached(sql)?;
            statement.query_map(values, told)?.collect::<Result<_, _>>()
        };
        run().map_err(|error: rusqlite::Error| failed(&error))
    }
}

impl Log for SqliteLog {
    const OPTIMISTIC: bool = false;

    async fn lock(&mut self) -> Result<End, Failed> {
        self.release().await;
        let turn = timeout(PATIENCE, Arc::clone(&self.turns).lock_owned()).await;
        self.turn = Some(turn.map_err(|_| Failed::Away)?);
        if self.connection.is_none() {
            self.connection = Some(open(&self.file).map_err(|error| failed(&error))?);
        }
        if let Some(connection) = &self.connection {
            self.checkpoints.finish(connection);
        }
        self.batch("BEGIN IMMEDIATE").map_err(|error| failed(&error))?;
        let end = self.one(HEAD, [], |row| {
            let head = Head { seq: row.get(0)?, hash: row.get(1)? };
            Ok(End { head, register: row.get(2)? })
        })?;
        end.ok_or(Failed::Before)
    }

    async fn hash(&mut self, seq: i64) -> Result<Option<Vec<u8>>, Failed> {
        self.one(HASH, [seq], |row| row.get(0))
    }

    async fn tail(&mut self, after: Option<i64>, since: NaiveDate) -> Result<Tail, Failed> {
        let day = since.to_string();
        let mut tail = Tail::default();
        rows::take(
            &mut tail,
            match after {
                Some(after) => self.told(rows::SINCE_SQLITE, params![after, day])?,
                None => self.told(rows::WHOLE_SQLITE, [day])?,
            },
        );
        if after.is_none() || tail.acts {
            rows::take(&mut tail, self.told(rows::CALLERS_SQLITE, [])?);
        }
        Ok(tail)
    }

    async fn cards(&mut self, batch: &[Asked]) -> Result<Cards, Failed> {
        let mut cards = HashMap::new();
        for person in batch.iter().filter_map(Asked::registered) {
            let card = self.one(CARD, [&person[..]], |row| {
                let text = |place| row.get_ref(place)?.as_str().map_err(rusqlite::Error::from);
                Ok(register::card(text(0)?, text(1)?, text(2)?, text(3)?))
            })?;
            if let Some(card) = card {
                cards.insert(*person, card?);
            }
        }
        Ok(Cards::Found(cards))
    }

    async fn used(&mut self, batch: &[Asked]) -> Result<HashSet<Token>, Failed> {
        let mut used = HashSet::new();
        for keys in batch.iter().filter_map(|asked| asked.keys.as_ref()) {
            if self.one(USED, [&keys.token[..]], |_| Ok(()))?.is_some() {
                used.insert(keys.token);
            }
        }
        Ok(used)
    }

    async fn append(&mut self, batch: &Batch<'_>) -> Result<Appended, Failed> {
        let Batch { link, records, writes, .. } = batch;
        for used in &writes.used {
            self.execute(USE, params![&used.token[..], used.expires_at])?;
        }
        for ((ubn, environment, day), count) in &writes.days {
            let values = params![ubn.as_str(), environment, day.to_string(), count.queries, count.wrong];
            self.execute(COUNT, values)?;
        }
        for ((person, environment, day), strikes) in &writes.strikes {
            self.execute(STRIKE, params![&person[..], environment, day.to_string(), strikes.count()])?;
        }
        for record in *records {
            let values = params![
                link.seq,
                record.position,
                record.at,
                record.ubn,
                record.environment,
                record.user_id,
                record.address,
                record.person_hash,
                record.outcome,
                record.neighbours
            ];
            self.execute(RECORD, values)?;
        }
        self.execute(ENTRY, params![link.seq, link.at, link.kind, link.body, link.hash])?;
        self.execute(MOVE, params![link.seq, link.hash])?;
        Ok(Appended::Done)
    }

    async fn commit(&mut self) -> Result<(), Failed> {
        let committed = self.batch("COMMIT");
        if committed.is_ok() {
            self.turn = None;
        }
        committed.map_err(|error| {
            failed(&error);
            Failed::Unknown
        })
    }

    async fn release(&mut self) {
        let begun = self.connection.as_ref().is_some_and(|connection| !connection.is_autocommit());
        if begun && let Err(error) = self.batch("ROLLBACK") {
            failed(&error);
            // Closing it ends its transaction too.
            self.connection = None;
        }
        self.turn = None;
    }
}

/// Without the text of the statement or its values.
fn failed(error: &rusqlite::Error) -> Failed {
    let code = error.sqlite_error_code();
    tracing::error!(code = ?code, "a batch failed");
    match code {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::CannotOpen) => Failed::Away,
        _ => Failed::Before,
    }
}

fn told(row: &Row<'_>) -> rusqlite::Result<Told> {
    Ok(Told {
        what: row.get(0)?,
        bytes: row.get(1)?,
        first: row.get(2)?,
        second: row.get(3)?,
        day: row.get(4)?,
        queries: row.get(5)?,
        wrong: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use idcheck_testing::database::TempDatabase;

    use super::*;

    /// An answer leaves after its commit: a commit that is not durable would make that worthless.
    #[tokio::test]
    async fn what_is_committed_is_durable() {
        let database = TempDatabase::sqlite().await;
        let mut log = SqliteLog::new(database.folder().unwrap().join("test.db"), Arc::default());
        log.lock().await.unwrap();
        let told = |pragma| log.one::<i64>(pragma, [], |row| row.get(0)).unwrap();
        assert_eq!(told("PRAGMA synchronous"), Some(2), "FULL");
        let mode = log.one::<String>("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!(mode.as_deref(), Some("wal"));
    }

    #[tokio::test]
    async fn a_file_that_is_gone_is_not_made_anew() {
        let database = TempDatabase::empty_sqlite();
        let file = database.folder().unwrap().join("none.db");
        let mut log = SqliteLog::new(file.clone(), Arc::default());
        assert_eq!(log.lock().await, Err(Failed::Away));
        assert!(!file.exists());
    }
}
