//! Files beside answers and explanations.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// The bytes come last, so that SQLite reads everything else of a row without them.
const STEPS: [&str; 5] = [
    "CREATE TABLE attachments (id UUID PRIMARY KEY, digest BYTEA NOT NULL, file_type VARCHAR(20) NOT NULL, \
     size BIGINT NOT NULL, sender BYTEA, origin VARCHAR(45) NOT NULL, expires_at BIGINT, ubn VARCHAR(8), \
     owner VARCHAR(80), place BIGINT, signed_at BIGINT, sealed_name BYTEA NOT NULL, sealed BYTEA NOT NULL)",
    "CREATE INDEX attachments_owner ON attachments (owner)",
    "CREATE INDEX attachments_ubn ON attachments (ubn)",
    "CREATE INDEX attachments_origin ON attachments (origin, expires_at)",
    "CREATE INDEX attachments_end ON attachments (expires_at)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::take(manager, &STEPS).await
    }
}
