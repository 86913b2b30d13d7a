//! Temporary databases: an SQLite file in a folder that goes away, and a database of its own in the PostgreSQL that
//! `IDCHECK_TEST_POSTGRES` names.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

pub use idcheck_persistence::Store;
use idcheck_persistence::Vault;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use tempfile::TempDir;

use crate::FixedClock;

/// What `cargo xtask test` sets for the tests. One that can't run without it fails: it does not pass in silence.
#[expect(clippy::disallowed_methods, reason = "where things are on this machine is told by the environment")]
fn needed(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run `cargo xtask test`, or see CONTRIBUTING.md"))
}

/// How long a campaign is, from a variable that `cargo xtask soak` sets, and its random numbers: each below what it is given,
/// from `IDCHECK_TEST_SEED` or the clock, printed so that a failure can be made again.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a campaign is told its length, and tells its seed"
)]
pub fn draws(variable: &str, count: usize) -> (usize, Box<dyn FnMut(usize) -> usize + Send>) {
    let count = std::env::var(variable).map_or(count, |text| text.parse().unwrap());
    let clock = || u64::try_from(chrono::Utc::now().timestamp_micros()).unwrap();
    let mut seed = std::env::var("IDCHECK_TEST_SEED").map_or_else(|_| clock(), |text| text.parse().unwrap());
    println!("{variable}={count} IDCHECK_TEST_SEED={seed}");
    let next = move |bound: usize| {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    };
    (count, Box::new(next))
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A database that is this test's alone; [`TempDatabase::sqlite`] and [`TempDatabase::postgres`] are migrated.
pub struct TempDatabase {
    pub url: String,
    pub clock: FixedClock,
    folder: Option<TempDir>,
    admin: Option<(String, String)>,
}

impl TempDatabase {
    pub async fn sqlite() -> Self {
        let database = Self::empty_sqlite();
        database.store().await.migrate_up().await.unwrap();
        database
    }

    pub async fn postgres() -> Self {
        let database = Self::empty_postgres().await;
        database.store().await.migrate_up().await.unwrap();
        database
    }

    pub fn empty_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        Self { url, clock: FixedClock::default(), folder: Some(folder), admin: None }
    }

    pub async fn empty_postgres() -> Self {
        let admin = needed("IDCHECK_TEST_POSTGRES");
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let connection = Database::connect(&admin).await.unwrap();
        connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        connection.close().await.unwrap();
        let (server, _) = admin.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}");
        Self { url, clock: FixedClock::default(), folder: None, admin: Some((admin, name)) }
    }

    /// A store of its own connections on this database: a second one stands for a second node.
    pub async fn store(&self) -> Store {
        Store::create(&self.url, Vault::new(&[7; 32]).unwrap(), Arc::new(self.clock.clone())).await.unwrap()
    }

    /// Runs a statement as someone with the database in hand would.
    pub async fn tamper(&self, sql: &str) {
        Database::connect(&self.url).await.unwrap().execute_unprepared(sql).await.unwrap();
    }

    /// The texts that a query names `v`, in its order.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let connection = Database::connect(&self.url).await.unwrap();
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get("", "v").unwrap()).collect()
    }

    /// The number that a query names `v`.
    pub async fn number(&self, sql: &str) -> i64 {
        let sql = format!("SELECT CAST(({sql}) AS TEXT) AS v");
        self.texts(&sql).await.first().unwrap().parse().unwrap()
    }

    /// Cuts every connection of the stores to a PostgreSQL database, as a restart of the server does.
    pub async fn cut_connections(&self) {
        let (admin, name) = self.admin.as_ref().unwrap();
        let connection = Database::connect(admin).await.unwrap();
        let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        connection.execute_unprepared(&sql).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Keeps every other writer from the chain's end, on SQLite from the file, until the returned connection is dropped.
    pub async fn hold_the_writer(&self) -> DatabaseConnection {
        let connection =
            Database::connect(ConnectOptions::new(&self.url).max_connections(1).clone()).await.unwrap();
        let lock = if self.admin.is_some() {
            "BEGIN; SELECT seq FROM chain_head FOR UPDATE"
        } else {
            "BEGIN IMMEDIATE"
        };
        connection.execute_unprepared(lock).await.unwrap();
        connection
    }

    /// The folder of an SQLite database.
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.folder.as_ref().map(TempDir::path)
    }

    /// Removes the database; an SQLite one goes with its folder.
    pub async fn close(self) {
        if let Some((admin, name)) = &self.admin {
            let connection = Database::connect(admin).await.unwrap();
            connection.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
        }
    }
}
