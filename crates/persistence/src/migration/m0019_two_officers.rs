//! An approval can wait for the second officer, as a state of the case. A program of the version before can't read such a case: let
//! two officers approve once every node is of this version.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STEPS: [&str; 5] = [
    "ALTER TABLE applications ADD COLUMN proposed_by UUID",
    "ALTER TABLE applications ADD COLUMN proposed_at BIGINT",
    "ALTER TABLE applications ADD COLUMN proposed_note TEXT",
    "DROP INDEX applications_one_open",
    "CREATE UNIQUE INDEX applications_one_open ON applications (ubn, kind) \
     WHERE state IN ('received', 'underReview', 'approvalProposed', 'clarificationRequested')",
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
