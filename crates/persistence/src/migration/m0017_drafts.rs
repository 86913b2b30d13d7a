//! What a browser has typed and not signed yet.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STEPS: [&str; 5] = [
    "CREATE TABLE drafts (id UUID PRIMARY KEY, session BYTEA NOT NULL, act VARCHAR(32) NOT NULL, sealed BYTEA NOT NULL, \
     challenge UUID, version BIGINT NOT NULL, origin VARCHAR(45) NOT NULL, expires_at BIGINT NOT NULL)",
    "CREATE INDEX drafts_session ON drafts (session)",
    "CREATE INDEX drafts_challenge ON drafts (challenge)",
    "CREATE INDEX drafts_origin ON drafts (origin, expires_at)",
    "CREATE INDEX drafts_end ON drafts (expires_at)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        for step in STEPS {
            let step = if postgres {
                step.to_owned()
            } else {
                step.replace(" UUID", " BLOB").replace(" BYTEA", " BLOB")
            };
            manager.get_connection().execute_unprepared(&step).await?;
        }
        Ok(())
    }
}
