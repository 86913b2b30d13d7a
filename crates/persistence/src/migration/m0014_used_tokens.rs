//! A used token is known by a digest of sixteen octets. Those that were used before are taken over, and on PostgreSQL those
//! too that a node of the version before uses beside this one; a program of that version on SQLite answers nothing any more
//! until it is begun again.

use sea_orm::{DbBackend, Statement, TryGetable as _};
use sea_orm_migration::prelude::*;

use crate::ledger::{TOKEN_LEN, stored_token};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const POSTGRES: [&str; 2] = [
    "CREATE TABLE used_tokens (token BYTEA PRIMARY KEY, expires_at BIGINT NOT NULL)",
    "CREATE INDEX used_tokens_end ON used_tokens USING brin (expires_at)",
];
const SQLITE: [&str; 2] = [
    "CREATE TABLE used_tokens (token BLOB PRIMARY KEY, expires_at BIGINT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX used_tokens_end ON used_tokens (expires_at)",
];
/// What the version before writes is used here as well; where it was, the write is refused.
const BESIDE: &str = r"CREATE FUNCTION use_token() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sandbox CONSTANT text := 'sandbox' || chr(31);
    own text := NEW.jti;
    environment bytea := '\x01';
BEGIN
    IF starts_with(NEW.jti, sandbox) THEN
        own := substr(NEW.jti, length(sandbox) + 1);
        environment := '\x00';
    END IF;
    INSERT INTO used_tokens (token, expires_at)
    VALUES (substring(sha256(environment || convert_to(NEW.ubn || own, 'UTF8')) FOR 16), NEW.expires_at);
    RETURN NEW;
END $$;
CREATE TRIGGER use_token BEFORE INSERT ON replay_entries FOR EACH ROW EXECUTE FUNCTION use_token()";
/// Rows that are taken over in one go.
const PAGE: usize = 10_000;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        for step in if postgres { POSTGRES } else { SQLITE } {
            db.execute_unprepared(step).await?;
        }
        if postgres {
            // Nobody of the version before uses one while they are taken over.
            db.execute_unprepared("LOCK TABLE replay_entries IN SHARE ROW EXCLUSIVE MODE").await?;
        }
        take_over(db).await?;
        if postgres {
            db.execute_unprepared(BESIDE).await?;
        } else {
            db.execute_unprepared("DROP TABLE replay_entries").await?;
        }
        Ok(())
    }
}

async fn take_over(db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let sql = "SELECT ubn, jti, expires_at FROM replay_entries WHERE (ubn, jti) > ($1, $2) ORDER BY ubn, jti LIMIT 10000";
    let (mut ubn, mut jti) = (String::new(), String::new());
    loop {
        let values = [ubn.as_str().into(), jti.as_str().into()];
        let page = db.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        for row in &page {
            ubn = String::try_get_by(row, "ubn")?;
            jti = String::try_get_by(row, "jti")?;
            let token: [u8; TOKEN_LEN] = stored_token(&ubn, &jti);
            let values = [token.to_vec().into(), i64::try_get_by(row, "expires_at")?.into()];
            let insert = "INSERT INTO used_tokens (token, expires_at) VALUES ($1, $2)";
            db.execute_raw(Statement::from_sql_and_values(backend, insert, values)).await?;
        }
        if page.len() < PAGE {
            return Ok(());
        }
    }
}
