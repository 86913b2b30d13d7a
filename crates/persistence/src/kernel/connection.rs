//! Connections to both databases.

use std::{path::PathBuf, time::Duration};

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};

/// Longest wait for a connection or a lock, and longest run of a statement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// Pages in SQLite's log from which on a commit puts them into the file, some 80 MB: where the ledger runs, its own checkpoints
/// keep the log smaller, and no commit has to.
pub(crate) const CHECKPOINT: u32 = 80_000;

/// Where the ledger writes.
#[derive(Clone)]
pub(crate) enum LedgerPlace {
    /// Over connections of its own.
    Postgres(DatabaseConnection),
    Sqlite(PathBuf),
}

pub(crate) async fn sqlite(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
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
pub(crate) type Settings = [(&'static str, &'static str)];

/// A statement and a lock are not waited for longer than [`PATIENCE`]. Commits are durable even where the server's default is
/// otherwise: an answer follows each.
pub(crate) const SETTINGS: [(&str, &str); 3] =
    [("statement_timeout", "3s"), ("lock_timeout", "3s"), ("synchronous_commit", "on")];

/// The ledger's few statements are planned once, and by their indexes: a plan that is made while a table is empty would read
/// all of it for every query once it has grown, until statistics are taken again.
const LEDGER: [(&str, &str); 3] =
    [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off")];

/// The ledger's connections to PostgreSQL.
pub(crate) async fn ledger_pool(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    postgres(url, connections, false, &[SETTINGS.as_slice(), LEDGER.as_slice()].concat()).await
}

pub(crate) async fn postgres(
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
