//! What sweeps found and nobody decided yet is counted on every page of the console.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The condition as `worklist.rs` asks it: an index is found by its text.
        let found = "CREATE INDEX sweep_items_found ON sweep_items (sweep_id) \
                     WHERE state = 'waiting' AND finding IS NOT NULL AND finding <> 'matches'";
        manager.get_connection().execute_unprepared(found).await.map(drop)
    }
}
