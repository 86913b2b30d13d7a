//! Counts of how long answers took, and the index by which decided cases of a period are found.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// As in the steps before: SQL that both databases read.
const TABLES: &str = "
CREATE TABLE usage_latencies (
    ubn VARCHAR(8) NOT NULL, day VARCHAR(10) NOT NULL, class INTEGER NOT NULL, answers BIGINT NOT NULL,
    PRIMARY KEY (ubn, day, class));
CREATE INDEX usage_latencies_day ON usage_latencies (day);
CREATE INDEX applications_closed ON applications (closed_at) WHERE closed_at IS NOT NULL;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(TABLES).await.map(drop)
    }
}
