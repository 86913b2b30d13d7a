//! Casework: requests to revoke, improvement plans.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// As in the step before: SQL that both databases read.
const TABLES: &str = "
CREATE TABLE revocations (
    id UUID PRIMARY KEY, version BIGINT NOT NULL, ubn VARCHAR(8) NOT NULL REFERENCES organisations (ubn),
    ground VARCHAR(16) NOT NULL, reason TEXT NOT NULL, asked_by UUID NOT NULL, asked_at BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL, ruled_by UUID, ruled_at BIGINT, ruling_note TEXT);
CREATE UNIQUE INDEX revocations_one_open ON revocations (ubn) WHERE state = 'asked';
CREATE INDEX revocations_of ON revocations (ubn, asked_at);
CREATE TABLE improvement_plans (
    id UUID PRIMARY KEY, version BIGINT NOT NULL, ubn VARCHAR(8) NOT NULL REFERENCES organisations (ubn),
    plan TEXT NOT NULL, filed_at BIGINT NOT NULL, state VARCHAR(16) NOT NULL, ruled_by UUID, ruled_at BIGINT,
    ruling_note TEXT);
CREATE UNIQUE INDEX improvement_plans_one_open ON improvement_plans (ubn) WHERE state = 'filed';
CREATE INDEX improvement_plans_of ON improvement_plans (ubn, filed_at);
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = match manager.get_database_backend() {
            DbBackend::Postgres => TABLES.replace(" BLOB", " BYTEA"),
            _ => TABLES.replace(" UUID", " BLOB"),
        };
        manager.get_connection().execute_unprepared(&tables).await.map(drop)
    }
}
