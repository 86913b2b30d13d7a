//! Officers for whom the identity provider vouches, and accounts that were closed.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// As in the steps before: SQL that both databases read.
const STEPS: [&str; 3] = [
    "ALTER TABLE officers ADD COLUMN subject VARCHAR(255)",
    "ALTER TABLE officers ADD COLUMN closed BOOLEAN NOT NULL DEFAULT FALSE",
    "CREATE UNIQUE INDEX officers_subject ON officers (subject)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for step in STEPS {
            manager.get_connection().execute_unprepared(step).await?;
        }
        Ok(())
    }
}
