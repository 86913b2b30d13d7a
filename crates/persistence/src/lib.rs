//! Repositories, ledger, outbox and migrations on SQLite and PostgreSQL
