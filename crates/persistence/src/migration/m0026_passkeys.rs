//! Passkeys of officers, and the challenges that were used.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STEPS: [&str; 4] = [
    "CREATE TABLE passkeys (credential BYTEA PRIMARY KEY, officer_id UUID NOT NULL, public_key BYTEA NOT NULL, \
     counter BIGINT NOT NULL, name VARCHAR(60) NOT NULL, added_at BIGINT NOT NULL, used_at BIGINT)",
    "CREATE INDEX passkeys_officer ON passkeys (officer_id)",
    "CREATE TABLE passkey_challenges (challenge BYTEA PRIMARY KEY, expires_at BIGINT NOT NULL)",
    "CREATE INDEX passkey_challenges_end ON passkey_challenges (expires_at)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::take(manager, &STEPS).await
    }
}
