//! The schema, step by step, forward only; each step in a form that two neighbouring versions can run on.

mod m0001_main_job;
mod m0002_casework;
mod m0003_company_register;
mod m0004_usage;
mod m0005_queue;
mod m0006_templates;
mod m0007_search;
mod m0008_sign_in;
mod m0009_key_check;
mod m0010_deadlines;
mod m0011_tokens;
mod m0012_keys;
mod m0013_days;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};

use crate::store::Transaction;

/// A step of the schema and whether it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationState {
    /// Its name.
    pub name: String,
    /// Whether it was taken.
    pub applied: bool,
    /// Whether this version knows it; else the database is of a newer one.
    pub known: bool,
}

/// The table in which `sea-orm-migration` keeps the steps that were taken.
const TAKEN: &str = "seaql_migrations";

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_main_job::Migration),
            Box::new(m0002_casework::Migration),
            Box::new(m0003_company_register::Migration),
            Box::new(m0004_usage::Migration),
            Box::new(m0005_queue::Migration),
            Box::new(m0006_templates::Migration),
            Box::new(m0007_search::Migration),
            Box::new(m0008_sign_in::Migration),
            Box::new(m0009_key_check::Migration),
            Box::new(m0010_deadlines::Migration),
            Box::new(m0011_tokens::Migration),
            Box::new(m0012_keys::Migration),
            Box::new(m0013_days::Migration),
        ]
    }
}

/// Taken by whoever migrates, so that nodes starting together take turns.
const LOCK: i64 = 0x6964_6368_6563_6b01;

/// Takes every step that is missing, in one transaction that began as a writer. On PostgreSQL under an advisory lock
/// as well, and without the time limits of ordinary statements: a long step is not an error, nor is waiting for it.
pub(crate) async fn up(tx: Transaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
        tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    }
    Migrator::up(&*tx, None).await?;
    tx.commit().await
}

/// The steps of this version and whether they were taken, then those that only a newer version knows. Writes nothing.
pub(crate) async fn status(db: &DatabaseConnection) -> Result<Vec<MigrationState>, DbErr> {
    let mut taken = Vec::new();
    if SchemaManager::new(db).has_table(TAKEN).await? {
        let sql = format!("SELECT version FROM {TAKEN} ORDER BY version");
        for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await? {
            taken.push(row.try_get::<String>("", "version")?);
        }
    }
    let mut steps = Vec::new();
    for step in Migrator::migrations() {
        let name = step.name().to_owned();
        let applied = taken.contains(&name);
        taken.retain(|other| *other != name);
        steps.push(MigrationState { name, applied, known: true });
    }
    steps.extend(taken.into_iter().map(|name| MigrationState { name, applied: true, known: false }));
    Ok(steps)
}
