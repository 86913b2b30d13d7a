//! A used token says whether it was used in the sandbox, and so is longer by a word. A number that the company register gave no
//! answer to is left for a while.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let later = "ALTER TABLE sweep_items ADD COLUMN retry_at BIGINT";
        manager.get_connection().execute_unprepared(later).await?;
        // SQLite holds texts of any length.
        if manager.get_database_backend() == DbBackend::Postgres {
            let longer = "ALTER TABLE replay_entries ALTER COLUMN jti TYPE VARCHAR(160)";
            manager.get_connection().execute_unprepared(longer).await?;
        }
        Ok(())
    }
}
