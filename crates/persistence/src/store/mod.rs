//! The store: connections, and the ports but the ledger.

mod audit;
mod calendar;
mod callers;
mod cases;
mod casework;
mod changes;
mod company;
mod dormancy;
mod mail;
mod notices;
mod officers;
mod open;
mod public_register;
mod queue;
mod register;
mod restore;
mod sweeps;
mod tally;
mod templates;
mod upkeep;
mod usage;
mod users;
mod versioned;
mod writer;

pub use open::{AddressFault, OpenError, address_fault, database_file, shown_address};
pub(crate) use register::status_of;
pub use restore::RestoreError;
pub(crate) use tally::Counted;
#[cfg(test)]
pub(crate) use tally::words;
pub use upkeep::{Keep, Removed};
pub(crate) use writer::{Transaction, Writer};

use std::{path::PathBuf, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::taipei;
use idcheck_usecases::ports::{Clock, OwnSessions, StoreError};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement};

use self::open::Address;
use crate::{ChainReport, MigrationState, Vault, chain, ledger::Recent, migration, rows::micros};

/// Longest wait for a connection or a lock, and longest run of a statement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// Pages in SQLite's log from which on a commit puts them into the file, some 80 MB: where the ledger runs, its own checkpoints
/// keep the log smaller, and no commit has to.
pub(crate) const CHECKPOINT: u32 = 80_000;

/// The store. Clones share its connections.
#[derive(Clone)]
pub struct Store {
    /// Where it is read.
    pub(crate) reader: DatabaseConnection,
    /// Where it is written.
    pub(crate) writer: Writer,
    /// Where the ledger writes: apart from pages that may hold every other connection.
    pub(crate) ledger: LedgerPlace,
    /// What this process's ledger recorded lately.
    pub(crate) recent: Recent,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Where the ledger writes.
#[derive(Clone)]
pub(crate) enum LedgerPlace {
    /// Over connections of its own.
    Postgres(DatabaseConnection),
    Sqlite(PathBuf),
}

/// Rows that are deleted in one statement: on SQLite nobody else writes meanwhile.
const PURGED: u64 = 1_000;
/// After each of them others come first.
const PURGE_PAUSE: Duration = Duration::from_millis(5);

impl Store {
    pub fn own_sessions(&self) -> Arc<dyn OwnSessions> {
        Arc::new(self.vault.clone())
    }

    /// Connects to the database at `sqlite://…` or `postgres://…`, which is there and whose key the vault's is.
    ///
    /// # Errors
    /// [`OpenError`]; nothing is made and nothing changed.
    pub async fn connect(url: &str, vault: Vault, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        if let Address::Sqlite(file) = Address::parse(url).map_err(OpenError::Address)?
            && !open::is_there(&file)
        {
            return Err(OpenError::Missing(file));
        }
        Self::open(url, vault, clock).await
    }

    /// The same where there may be no database yet: an SQLite file is made when it is not there, for its owner only.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn create(url: &str, vault: Vault, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        if let Address::Sqlite(file) = Address::parse(url).map_err(OpenError::Address)? {
            open::make(&file)?;
        }
        Self::open(url, vault, clock).await
    }

    async fn open(url: &str, vault: Vault, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let address = Address::parse(url).map_err(OpenError::Address)?;
        let pools = async {
            Ok::<_, DbErr>(if let Address::Sqlite(file) = address {
                let writer = Writer::in_turns(sqlite(url, 1).await?);
                (sqlite(url, 4).await?, writer, LedgerPlace::Sqlite(file))
            } else {
                // The ping before each use finds connections that a restart of the server left behind. The ledger does
                // without, because it costs a fifth of its speed, and tries a batch again instead.
                let pool = postgres(url, 12, true, &SETTINGS).await?;
                (pool.clone(), Writer::of(pool), LedgerPlace::Postgres(ledger_pool(url, 3).await?))
            })
        };
        let (reader, writer, ledger) = match pools.await {
            Ok(pools) => pools,
            Err(error) => return Err(open::reason(url, &error).await),
        };
        Box::pin(Self { reader, writer, ledger, recent: Recent::default(), vault, clock }.with_its_key())
            .await
    }

    /// Takes every missing step of the schema; safe to be called by several nodes at once.
    ///
    /// # Errors
    /// The store's.
    pub async fn migrate_up(&self) -> Result<(), StoreError> {
        // Boxed: large, and run once.
        let taken = Box::pin(async {
            migration::up(self.begin().await?).await?;
            self.keep_key_check().await
        });
        taken.await.map_err(unavailable)
    }

    /// The steps of the schema.
    ///
    /// # Errors
    /// The store's.
    pub async fn migration_status(&self) -> Result<Vec<MigrationState>, StoreError> {
        migration::status(&self.reader).await.map_err(unavailable)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// The store's.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.reader.execute_unprepared("SELECT 1").await.map(drop).map_err(unavailable)
    }

    /// The database server's time; none for a database in a file, which has this computer's.
    ///
    /// # Errors
    /// The store's.
    pub async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        if self.reader.get_database_backend() != DbBackend::Postgres {
            return Ok(None);
        }
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS at";
        let asked = self.reader.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
        let row = asked.map_err(unavailable)?.ok_or(StoreError::Unavailable)?;
        Ok(DateTime::from_timestamp_micros(row.try_get("", "at").map_err(unavailable)?))
    }

    /// The number of the hash chain's last entry; 0 of an empty one.
    ///
    /// # Errors
    /// The store's.
    pub async fn chain_end(&self) -> Result<i64, StoreError> {
        chain::end(&self.reader).await.map_err(unavailable)
    }

    /// Walks the hash chain from entry `from`, the first being 1, to its head; the entry before is taken as right.
    ///
    /// # Errors
    /// The store's. What is wrong with the chain is in the report.
    pub async fn verify_chain(&self, from: i64) -> Result<ChainReport, StoreError> {
        self.verify_chain_showing(from, |_, _| {}).await
    }

    /// The same; `progress` is told the number of each page's last entry, and the head's.
    ///
    /// # Errors
    /// The store's.
    pub async fn verify_chain_showing(
        &self,
        from: i64,
        progress: impl FnMut(i64, i64) + Send,
    ) -> Result<ChainReport, StoreError> {
        let removed = self.records_removed().await?;
        chain::verify(&self.reader, from, removed, progress).await.map_err(unavailable)
    }

    /// Deletes what can have no effect any more: challenges, officers' sessions and used tokens that ended an
    /// hour before `now` (a token is taken for some minutes after its end), and strikes and
    /// counts of users and ID numbers older than `strikes_kept`.
    ///
    /// # Errors
    /// The store's.
    pub async fn purge(&self, now: DateTime<Utc>, strikes_kept: TimeDelta) -> Result<(), StoreError> {
        let ended: sea_orm::Value = micros(now - TimeDelta::hours(1)).into();
        let kept = taipei::day(now - strikes_kept).to_string();
        let kept: sea_orm::Value = kept.into();
        let mut ends = vec![
            ("challenges", "id", "expires_at", &ended),
            ("officer_sessions", "token_hash", "expires_at", &ended),
            ("used_tokens", "token", "expires_at", &ended),
            ("strikes", "person_hash, environment, day", "day", &kept),
            ("usage_users", "ubn, user_id, day", "day", &kept),
            ("usage_numbers", "person_hash, ubn, day", "day", &kept),
        ];
        if self.writer.get_database_backend() == DbBackend::Postgres {
            ends.push(("replay_entries", "ubn, jti", "expires_at", &ended));
        }
        for (table, key, end, before) in ends {
            let sql = format!(
                "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {end} < $1 LIMIT {PURGED})"
            );
            while self.purge_some(&sql, before.clone()).await.map_err(unavailable)? == PURGED {
                tokio::time::sleep(PURGE_PAUSE).await;
            }
        }
        Ok(())
    }

    async fn purge_some(&self, sql: &str, before: sea_orm::Value) -> Result<u64, DbErr> {
        let statement = Statement::from_sql_and_values(self.writer.get_database_backend(), sql, [before]);
        Ok(self.writer.execute_raw(statement).await?.rows_affected())
    }

    pub(crate) async fn begin(&self) -> Result<Transaction, DbErr> {
        self.writer.begin().await
    }
}

/// Logs what the database said and tells only that it failed.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn unavailable(error: DbErr) -> StoreError {
    tracing::error!(error = %sanitised(&error), "the database failed");
    StoreError::Unavailable
}

/// The database's word without the detail line, which can hold values.
pub(crate) fn sanitised(error: &DbErr) -> String {
    error.to_string().lines().next().unwrap_or_default().chars().take(300).collect()
}

async fn sqlite(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|options| {
            options
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                .pragma("foreign_keys", "ON")
                .pragma("wal_autocheckpoint", CHECKPOINT.to_string())
                .busy_timeout(PATIENCE)
        });
    Box::pin(Database::connect(options)).await
}

/// Settings of a PostgreSQL connection.
type Settings = [(&'static str, &'static str)];

/// A statement and a lock are not waited for longer than [`PATIENCE`]. Commits are durable even where the server's default is
/// otherwise: an answer follows each.
const SETTINGS: [(&str, &str); 3] =
    [("statement_timeout", "3s"), ("lock_timeout", "3s"), ("synchronous_commit", "on")];
/// The ledger's few statements are planned once, and by their indexes: a plan that is made while a table is empty would read
/// all of it for every query once it has grown, until statistics are taken anew.
const LEDGER: [(&str, &str); 3] =
    [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off")];

/// The ledger's connections to PostgreSQL.
pub(crate) async fn ledger_pool(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    postgres(url, connections, false, &[SETTINGS.as_slice(), LEDGER.as_slice()].concat()).await
}

async fn postgres(
    url: &str,
    connections: u32,
    ping: bool,
    settings: &Settings,
) -> Result<DatabaseConnection, DbErr> {
    let settings = settings.to_vec();
    let mut options = ConnectOptions::new(url.to_owned());
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(PATIENCE)
        .connect_timeout(PATIENCE)
        .test_before_acquire(ping)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(move |options| options.options(settings.iter().copied()));
    Box::pin(Database::connect(options)).await
}

#[cfg(test)]
mod tests {
    use idcheck_testing::{FixedClock, database::TempDatabase};

    use super::*;

    /// What every connection that writes says of its durability.
    async fn told(database: &TempDatabase, sql: &str) -> Vec<String> {
        async fn ask(pool: &impl ConnectionTrait, sql: &str) -> String {
            let statement = Statement::from_string(pool.get_database_backend(), sql);
            let row = pool.query_one_raw(statement).await.unwrap().unwrap();
            row.try_get_by_index(0).or_else(|_| row.try_get_by_index(0).map(|n: i64| n.to_string())).unwrap()
        }
        let vault = Vault::new(&[7; 32]).unwrap();
        let store = Store::create(&database.url, vault, Arc::new(FixedClock::default())).await.unwrap();
        let mut told = vec![ask(&store.writer, sql).await];
        if let LedgerPlace::Postgres(connections) = &store.ledger {
            told.push(ask(connections, sql).await);
        }
        told
    }

    /// An answer leaves after its commit: a commit that is not durable would make that worthless.
    #[tokio::test]
    async fn what_is_committed_is_durable() {
        let database = TempDatabase::empty_sqlite();
        assert_eq!(told(&database, "PRAGMA synchronous").await, ["2"], "FULL");
        assert_eq!(told(&database, "PRAGMA journal_mode").await, ["wal"]);
        let database = TempDatabase::empty_postgres().await;
        database.tamper("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$").await;
        assert_eq!(
            told(&database, "SHOW synchronous_commit").await,
            ["on", "on"],
            "whatever the server's default is"
        );
        database.close().await;
    }
}
