//! Addresses of organisations that are called, and the calls.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STEPS: [&str; 5] = [
    "CREATE TABLE webhooks (ubn VARCHAR(8) PRIMARY KEY, url TEXT NOT NULL, sealed BYTEA NOT NULL, set_at BIGINT NOT NULL)",
    "CREATE TABLE webhook_calls (id UUID PRIMARY KEY, ubn VARCHAR(8) NOT NULL, message TEXT NOT NULL, \
     queued_at BIGINT NOT NULL, due_at BIGINT, attempts BIGINT NOT NULL, delivered_at BIGINT, failure VARCHAR(20))",
    "CREATE INDEX webhook_calls_due ON webhook_calls (due_at)",
    "CREATE INDEX webhook_calls_ubn ON webhook_calls (ubn, queued_at)",
    "CREATE INDEX webhook_calls_queued ON webhook_calls (queued_at)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::take(manager, &STEPS).await
    }
}
