//! By what a key file is known to be the database's.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let bytes = if manager.get_database_backend() == DbBackend::Postgres { "BYTEA" } else { "BLOB" };
        let sql = format!("CREATE TABLE key_check (id INTEGER PRIMARY KEY, value {bytes} NOT NULL)");
        manager.get_connection().execute_unprepared(&sql).await.map(drop)
    }
}
