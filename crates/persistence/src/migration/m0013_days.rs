//! The counts of today are read at once when a node begins: found by their day.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE INDEX organisation_days_day ON organisation_days (day)";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}
