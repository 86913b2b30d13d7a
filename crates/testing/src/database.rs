//! Temporary databases: an SQLite file in a folder that goes away, and a database of its own in the PostgreSQL that
//! `IDCHECK_TEST_POSTGRES` names.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use idcheck_persistence::{Store, Vault};
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;

use crate::FixedClock;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A migrated database that is this test's alone.
pub struct TempDatabase {
    pub url: String,
    pub clock: FixedClock,
    folder: Option<TempDir>,
    admin: Option<(String, String)>,
}

impl TempDatabase {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let database = Self { url, clock: FixedClock::default(), folder: Some(folder), admin: None };
        database.store().await.migrate_up().await.unwrap();
        database
    }

    /// `None`, with a printed line, where no PostgreSQL is named.
    #[expect(
        clippy::disallowed_methods,
        clippy::print_stdout,
        reason = "where PostgreSQL is, is told by the environment"
    )]
    pub async fn postgres() -> Option<Self> {
        let Ok(admin) = std::env::var("IDCHECK_TEST_POSTGRES") else {
            println!("skipped: IDCHECK_TEST_POSTGRES is not set");
            return None;
        };
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let connection = Database::connect(&admin).await.unwrap();
        connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        connection.close().await.unwrap();
        let (server, _) = admin.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}");
        let database = Self { url, clock: FixedClock::default(), folder: None, admin: Some((admin, name)) };
        database.store().await.migrate_up().await.unwrap();
        Some(database)
    }

    /// A store of its own connections on this database: a second one stands for a second node.
    pub async fn store(&self) -> Store {
        Store::connect(&self.url, Vault::new(&[7; 32]).unwrap(), Arc::new(self.clock.clone())).await.unwrap()
    }

    /// Runs a statement as someone with the database in hand would.
    pub async fn tamper(&self, sql: &str) {
        Database::connect(&self.url).await.unwrap().execute_unprepared(sql).await.unwrap();
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
