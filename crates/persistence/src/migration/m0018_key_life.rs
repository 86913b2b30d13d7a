//! A key may end by itself, and it is known when keys and host addresses were used last. A program of the version before lets a
//! key that ended pass while it runs beside this one.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STEPS: [&str; 2] = [
    "ALTER TABLE registered_keys ADD COLUMN expires_at BIGINT",
    "CREATE TABLE last_uses (ubn VARCHAR(8) NOT NULL, used VARCHAR(64) NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (ubn, used))",
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
