//! A key is known to its organisation only: another's registration of the same one keeps nobody from it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STEPS: [&str; 2] = [
    "DROP INDEX registered_keys_in_force",
    "CREATE UNIQUE INDEX registered_keys_in_force ON registered_keys (ubn, fingerprint) WHERE revoked_at IS NULL",
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
