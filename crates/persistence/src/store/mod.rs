//! The store: connections, and the ports but the ledger.

mod callers;
mod cases;
mod changes;
mod mail;
mod officers;
mod register;

pub(crate) use register::status_of;

use std::{sync::Arc, time::Duration};

use idcheck_usecases::ports::{Clock, StoreError};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use crate::{ChainReport, MigrationState, Vault, chain, migration};

/// Longest wait for a connection, and longest run of a statement.
const PATIENCE: Duration = Duration::from_secs(5);

/// The store. Clones share its connections.
#[derive(Clone)]
pub struct Store {
    /// Where it is read.
    pub(crate) reader: DatabaseConnection,
    /// Where it is written; on SQLite one connection, so that writers wait in line instead of failing.
    pub(crate) writer: DatabaseConnection,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Store {
    /// Connects to `sqlite://…` or `postgres://…`. The SQLite file is made when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; the reason is logged.
    pub async fn connect(url: &str, vault: Vault, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let (reader, writer) = if url.starts_with("sqlite:") {
            let writer = sqlite(url, 1).await.map_err(unavailable)?;
            (sqlite(url, 4).await.map_err(unavailable)?, writer)
        } else {
            let pool = postgres(url).await.map_err(unavailable)?;
            (pool.clone(), pool)
        };
        Ok(Self { reader, writer, vault, clock })
    }

    /// Takes every missing step of the schema; safe to be called by several nodes at once.
    ///
    /// # Errors
    /// The store's.
    pub async fn migrate_up(&self) -> Result<(), StoreError> {
        migration::up(&self.writer).await.map_err(unavailable)
    }

    /// The steps of the schema.
    ///
    /// # Errors
    /// The store's.
    pub async fn migration_status(&self) -> Result<Vec<MigrationState>, StoreError> {
        migration::status(&self.writer).await.map_err(unavailable)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// The store's.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.reader.execute_unprepared("SELECT 1").await.map(drop).map_err(unavailable)
    }

    /// Walks the hash chain from entry `from`.
    ///
    /// # Errors
    /// The store's.
    pub async fn verify_chain(&self, from: i64) -> Result<ChainReport, StoreError> {
        chain::verify(&self.reader, from).await.map_err(unavailable)
    }

    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite = self.writer.get_database_backend() == DbBackend::Sqlite;
        let options = TransactionOptions {
            sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.writer.begin_with_options(options).await
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
    let url = if url.contains('?') { url.to_owned() } else { format!("{url}?mode=rwc") };
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
                .busy_timeout(PATIENCE)
        });
    Database::connect(options).await
}

async fn postgres(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url.to_owned());
    options
        .max_connections(12)
        .min_connections(1)
        .acquire_timeout(PATIENCE)
        .connect_timeout(PATIENCE)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|options| {
            options.options([("statement_timeout", "5s"), ("lock_timeout", "5s")])
        });
    Database::connect(options).await
}
