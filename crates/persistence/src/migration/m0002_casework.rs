//! Casework: requests to revoke, improvement plans, notices of abnormal use and the counts they are raised by.

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
CREATE TABLE notices (
    id UUID PRIMARY KEY, version BIGINT NOT NULL, ubn VARCHAR(8) NOT NULL REFERENCES organisations (ubn),
    rule VARCHAR(24) NOT NULL, user_id VARCHAR(12) NOT NULL, day VARCHAR(10) NOT NULL, counts TEXT NOT NULL,
    raised_at BIGINT NOT NULL, state VARCHAR(16) NOT NULL, due_date VARCHAR(10), due_provisional BOOLEAN NOT NULL,
    ruled_by UUID, ruled_at BIGINT, ruling_note TEXT, ended_at BIGINT);
CREATE UNIQUE INDEX notices_one_open ON notices (ubn, rule, user_id) WHERE state IN ('raised', 'sent', 'explained');
CREATE UNIQUE INDEX notices_one_a_day ON notices (ubn, rule, user_id, day);
CREATE INDEX notices_of ON notices (ubn, raised_at);
CREATE INDEX notices_state ON notices (state, due_date);
CREATE INDEX notices_day ON notices (day);
CREATE TABLE notice_sendings (
    notice_id UUID NOT NULL REFERENCES notices (id), number INTEGER NOT NULL, message TEXT NOT NULL,
    sent_by UUID NOT NULL, sent_at BIGINT NOT NULL, due_date VARCHAR(10) NOT NULL, due_provisional BOOLEAN NOT NULL,
    explanation TEXT, explained_at BIGINT, PRIMARY KEY (notice_id, number));
CREATE TABLE usage_days (
    ubn VARCHAR(8) NOT NULL, day VARCHAR(10) NOT NULL, outcome VARCHAR(32) NOT NULL, queries BIGINT NOT NULL,
    PRIMARY KEY (ubn, day, outcome));
CREATE INDEX usage_days_day ON usage_days (day);
CREATE TABLE usage_users (
    ubn VARCHAR(8) NOT NULL, user_id VARCHAR(12) NOT NULL, day VARCHAR(10) NOT NULL, queries BIGINT NOT NULL,
    minute BIGINT NOT NULL, in_minute BIGINT NOT NULL, peak BIGINT NOT NULL, last_at BIGINT NOT NULL,
    distance BIGINT NOT NULL, run BIGINT NOT NULL, longest_run BIGINT NOT NULL, PRIMARY KEY (ubn, user_id, day));
CREATE INDEX usage_users_day ON usage_users (day);
CREATE TABLE usage_numbers (
    person_hash BLOB NOT NULL, ubn VARCHAR(8) NOT NULL, day VARCHAR(10) NOT NULL, attempts BIGINT NOT NULL,
    locked BIGINT NOT NULL, PRIMARY KEY (person_hash, ubn, day));
CREATE INDEX usage_numbers_day ON usage_numbers (day);
CREATE TABLE reminders (key VARCHAR(96) PRIMARY KEY, sent_at BIGINT NOT NULL);
CREATE INDEX outbox_given_up ON outbox (queued_at) WHERE sent_at IS NULL AND due_at IS NULL;
CREATE TABLE tally_cursor (id INTEGER PRIMARY KEY, seq BIGINT NOT NULL, position INTEGER NOT NULL);
INSERT INTO tally_cursor (id, seq, position) VALUES (1, 0, 0);
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
