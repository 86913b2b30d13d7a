//! Everything that the main job stands on.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Written in the SQL that both databases read; `BLOB`, `UUID` and how a table or an index is kept differ. `KEYED` is
/// for tables that are found by their key only: SQLite then keeps them once, in the key's order.
const TABLES: &str = "
CREATE TABLE organisations (
    ubn VARCHAR(8) PRIMARY KEY, version BIGINT NOT NULL, name TEXT NOT NULL,
    access VARCHAR(16) NOT NULL, access_since BIGINT, access_reason TEXT, access_ground VARCHAR(16),
    may_return BOOLEAN NOT NULL, account BIGINT UNIQUE, addresses TEXT, contact TEXT NOT NULL, purpose TEXT);
CREATE TABLE registered_keys (
    id UUID PRIMARY KEY, ubn VARCHAR(8) NOT NULL REFERENCES organisations (ubn), fingerprint VARCHAR(64) NOT NULL,
    public_key_pem TEXT NOT NULL, profile VARCHAR(16) NOT NULL, environment VARCHAR(16) NOT NULL,
    label TEXT NOT NULL, registered_at BIGINT NOT NULL, revoked_at BIGINT);
CREATE UNIQUE INDEX registered_keys_in_force ON registered_keys (fingerprint) WHERE revoked_at IS NULL;
CREATE INDEX registered_keys_of ON registered_keys (ubn);
CREATE TABLE iss_keys (
    ubn VARCHAR(8) NOT NULL REFERENCES organisations (ubn), environment VARCHAR(16) NOT NULL,
    lookup BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL, PRIMARY KEY (ubn, environment));
CREATE TABLE applications (
    id UUID PRIMARY KEY, version BIGINT NOT NULL, case_number VARCHAR(16) NOT NULL UNIQUE,
    ubn VARCHAR(8) NOT NULL REFERENCES organisations (ubn), kind VARCHAR(16) NOT NULL, company_name TEXT NOT NULL,
    card TEXT NOT NULL, contact TEXT NOT NULL, host_addresses TEXT NOT NULL, request TEXT NOT NULL,
    notice_version VARCHAR(16) NOT NULL, conduct_version VARCHAR(16) NOT NULL, consented_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL, state VARCHAR(24) NOT NULL, due_date VARCHAR(10), due_provisional BOOLEAN NOT NULL,
    assignee UUID, clarification_id UUID, days_left INTEGER, closed_at BIGINT, closed_by TEXT, closed_reason TEXT);
CREATE UNIQUE INDEX applications_one_open ON applications (ubn, kind)
    WHERE state IN ('received', 'underReview', 'clarificationRequested');
CREATE INDEX applications_of ON applications (ubn, received_at);
CREATE INDEX applications_due ON applications (due_date, id);
CREATE INDEX applications_state ON applications (state, due_date, id);
CREATE TABLE clarifications (
    id UUID PRIMARY KEY, application_id UUID NOT NULL REFERENCES applications (id), question TEXT NOT NULL,
    asked_by UUID NOT NULL, asked_at BIGINT NOT NULL, due_date VARCHAR(10) NOT NULL, due_provisional BOOLEAN NOT NULL,
    answer TEXT, answered_at BIGINT);
CREATE INDEX clarifications_of ON clarifications (application_id, asked_at);
CREATE TABLE application_history (
    application_id UUID NOT NULL REFERENCES applications (id), version BIGINT NOT NULL, action VARCHAR(32) NOT NULL,
    from_state VARCHAR(24), to_state VARCHAR(24) NOT NULL, actor TEXT NOT NULL, at BIGINT NOT NULL, text TEXT,
    PRIMARY KEY (application_id, version));
CREATE TABLE challenges (
    id UUID PRIMARY KEY, act VARCHAR(32) NOT NULL, ubn VARCHAR(8) NOT NULL, content TEXT NOT NULL, tbs TEXT NOT NULL,
    session BLOB, issued_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, spent_at BIGINT);
CREATE INDEX challenges_end ON challenges (expires_at);
CREATE TABLE outbox (
    id UUID PRIMARY KEY, recipient TEXT NOT NULL, message TEXT NOT NULL, queued_at BIGINT NOT NULL, due_at BIGINT,
    attempts INTEGER NOT NULL, sent_at BIGINT);
CREATE INDEX outbox_due ON outbox (due_at) WHERE sent_at IS NULL;
CREATE TABLE officers (
    id UUID PRIMARY KEY, username VARCHAR(32) NOT NULL UNIQUE, role VARCHAR(16) NOT NULL, password_hash TEXT NOT NULL,
    totp_sealed BLOB NOT NULL, totp_step BIGINT NOT NULL, failures INTEGER NOT NULL, locked_until BIGINT,
    added_at BIGINT NOT NULL);
CREATE TABLE officer_sessions (
    token_hash BLOB PRIMARY KEY, officer_id UUID NOT NULL REFERENCES officers (id), opened_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);
CREATE TABLE calendar_years (year INTEGER PRIMARY KEY, days_off TEXT NOT NULL);
CREATE TABLE household_register (
    person_hash BLOB PRIMARY KEY, apply_code VARCHAR(1) NOT NULL, applied_on VARCHAR(10) NOT NULL,
    issue_site VARCHAR(5) NOT NULL, status VARCHAR(16) NOT NULL) KEYED;
CREATE TABLE replay_entries (
    ubn VARCHAR(8) NOT NULL, jti VARCHAR(128) NOT NULL, expires_at BIGINT NOT NULL, PRIMARY KEY (ubn, jti)) KEYED;
CREATE INDEX replay_entries_end ON replay_entries BY_TIME (expires_at);
CREATE TABLE strikes (
    person_hash BLOB NOT NULL, environment VARCHAR(16) NOT NULL, day VARCHAR(10) NOT NULL, wrong INTEGER NOT NULL,
    PRIMARY KEY (person_hash, environment, day)) KEYED;
CREATE INDEX strikes_day ON strikes (day);
CREATE TABLE organisation_days (
    ubn VARCHAR(8) NOT NULL, environment VARCHAR(16) NOT NULL, day VARCHAR(10) NOT NULL, queries BIGINT NOT NULL,
    wrong BIGINT NOT NULL, PRIMARY KEY (ubn, environment, day)) KEYED;
CREATE TABLE suspended_users (
    ubn VARCHAR(8) NOT NULL, user_id VARCHAR(12) NOT NULL, since BIGINT NOT NULL, PRIMARY KEY (ubn, user_id));
CREATE TABLE verification_records (
    seq BIGINT NOT NULL, position INTEGER NOT NULL, at BIGINT NOT NULL, ubn VARCHAR(8) NOT NULL,
    environment VARCHAR(16) NOT NULL, user_id VARCHAR(12) NOT NULL, address VARCHAR(45) NOT NULL, person_hash BLOB,
    outcome VARCHAR(32) NOT NULL, PRIMARY KEY (seq, position)) KEYED;
CREATE TABLE audit_chain (
    seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, kind VARCHAR(16) NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL);
CREATE TABLE chain_head (id INTEGER PRIMARY KEY, seq BIGINT NOT NULL, hash BLOB NOT NULL);
CREATE TABLE caller_epoch (id INTEGER PRIMARY KEY, epoch BIGINT NOT NULL);
INSERT INTO caller_epoch (id, epoch) VALUES (1, 1);
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        let words = if postgres {
            // What is written in the order of time is found by block ranges, at no cost to the writer.
            [(" BLOB", " BYTEA"), (" KEYED", ""), (" BY_TIME", " USING brin")]
        } else {
            [(" UUID", " BLOB"), (" KEYED", " WITHOUT ROWID"), (" BY_TIME", "")]
        };
        let tables = words.into_iter().fold(TABLES.to_owned(), |sql, (word, own)| sql.replace(word, own));
        let zero = if postgres { "decode(repeat('00', 32), 'hex')" } else { "zeroblob(32)" };
        db.execute_unprepared(&tables).await?;
        db.execute_unprepared(&format!("INSERT INTO chain_head (id, seq, hash) VALUES (1, 0, {zero})"))
            .await?;
        Ok(())
    }
}
