//! Invitations of officers, when they signed in last, and from where their sessions are used.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// As in the steps before: SQL that both databases read.
const STEPS: [&str; 4] = [
    "ALTER TABLE officers ADD COLUMN invited_until BIGINT",
    "ALTER TABLE officers ADD COLUMN signed_in_at BIGINT",
    "ALTER TABLE officer_sessions ADD COLUMN address VARCHAR(45) NOT NULL DEFAULT ''",
    "ALTER TABLE officer_sessions ADD COLUMN browser VARCHAR(60) NOT NULL DEFAULT ''",
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
