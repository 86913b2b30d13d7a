//! The company register's snapshots, and the sweeps that compare organisations with it.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// As in the steps before: SQL that both databases read.
const TABLES: &str = "
CREATE TABLE company_snapshots (
    id BIGINT PRIMARY KEY, digest VARCHAR(64) NOT NULL UNIQUE, rows_done BIGINT NOT NULL, completed_at BIGINT);
CREATE TABLE company_records (
    snapshot BIGINT NOT NULL REFERENCES company_snapshots (id), ubn VARCHAR(8) NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (snapshot, ubn));
CREATE TABLE sweeps (
    id UUID PRIMARY KEY, day VARCHAR(10) NOT NULL UNIQUE, begun_by UUID, begun_at BIGINT NOT NULL,
    register_of BIGINT);
CREATE TABLE sweep_items (
    sweep_id UUID NOT NULL REFERENCES sweeps (id), ubn VARCHAR(8) NOT NULL REFERENCES organisations (ubn),
    version BIGINT NOT NULL, name TEXT NOT NULL, finding VARCHAR(16), detail TEXT, state VARCHAR(16) NOT NULL,
    ruled_by UUID, ruled_at BIGINT, ruling_note TEXT, PRIMARY KEY (sweep_id, ubn));
CREATE INDEX sweep_items_unread ON sweep_items (sweep_id, ubn) WHERE finding IS NULL;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = match manager.get_database_backend() {
            DbBackend::Postgres => TABLES.to_owned(),
            _ => TABLES.replace(" UUID", " BLOB"),
        };
        manager.get_connection().execute_unprepared(&tables).await.map(drop)
    }
}
