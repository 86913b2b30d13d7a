//! Attempts on ID numbers are recorded with a keyed hash of what the number has in common with its neighbours, so that whoever
//! tries one after the other is noticed. Records from before have none.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let bytes = if manager.get_database_backend() == DbBackend::Postgres { "BYTEA" } else { "BLOB" };
        for table in ["verification_records", "usage_numbers"] {
            let sql = format!("ALTER TABLE {table} ADD COLUMN neighbours {bytes}");
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        let index = "CREATE INDEX usage_numbers_neighbours ON usage_numbers (neighbours, day) \
                     WHERE neighbours IS NOT NULL";
        manager.get_connection().execute_unprepared(index).await.map(drop)
    }
}
