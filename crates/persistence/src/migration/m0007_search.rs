//! Indexes for searches: the names typed in the forms of open cases, and the audit log. What is indexed of the log is read out
//! of an entry's body, which the hash chain covers: there is no copy beside it that could say something else. Entries of
//! batches are in none of them.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let names = "CREATE INDEX applications_open_names ON applications (ubn, company_name, due_date) \
                     WHERE due_date IS NOT NULL";
        manager.get_connection().execute_unprepared(names).await?;
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        for name in ["actor", "subject", "action"] {
            // The same text as in the search: an index on an expression is found by it.
            let member = if postgres {
                format!("(substring(body from '\"{name}\":\"([^\"]*)\"') COLLATE \"C\")")
            } else {
                format!("(CASE WHEN kind = 'audit' THEN json_extract(body, '$.{name}') END)")
            };
            let sql = format!(
                "CREATE INDEX audit_chain_{name} ON audit_chain ({member}, seq) WHERE kind = 'audit'"
            );
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
