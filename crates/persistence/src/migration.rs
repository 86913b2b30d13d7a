//! The schema, step by step, forward only; each step in a form that two neighbouring versions can run on.

mod m0001_main_job;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, TransactionTrait};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// A step of the schema and whether it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationState {
    /// Its name.
    pub name: String,
    /// Whether it was taken.
    pub applied: bool,
}

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_main_job::Migration)]
    }
}

/// Taken by whoever migrates, so that nodes starting together take turns.
const LOCK: i64 = 0x6964_6368_6563_6b01;

/// Takes every step that is missing. On PostgreSQL under an advisory lock of the transaction; SQLite has one writer.
pub(crate) async fn up(db: &DatabaseConnection) -> Result<(), DbErr> {
    if db.get_database_backend() == DbBackend::Postgres {
        let tx = db.begin().await?;
        tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
        Migrator::up(&tx, None).await?;
        return tx.commit().await;
    }
    Migrator::up(db, None).await
}

pub(crate) async fn status(db: &DatabaseConnection) -> Result<Vec<MigrationState>, DbErr> {
    let steps = Migrator::get_migration_with_status(db).await?;
    Ok(steps
        .into_iter()
        .map(|step| MigrationState {
            applied: step.status() == sea_orm_migration::MigrationStatus::Applied,
            name: step.name().to_owned(),
        })
        .collect())
}
