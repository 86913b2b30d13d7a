//! Indexes in the order of the queue, so that a page of it is read in its place however many cases there are. Those that
//! they take the place of served the same order without its tie-breaks.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// As in the steps before: SQL that both databases read.
const INDEXES: &str = "
CREATE INDEX applications_queue ON applications (due_date, received_at, id);
CREATE INDEX applications_queue_state ON applications (state, due_date, received_at, id);
CREATE INDEX applications_queue_assignee ON applications (assignee, due_date, received_at, id);
DROP INDEX applications_due;
DROP INDEX applications_state;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(INDEXES).await.map(drop)
    }
}
