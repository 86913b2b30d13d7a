//! Every change of the household register changes its mark, which stands beside the chain's end: what a node holds of the
//! register is checked by it with each batch. On PostgreSQL a program of the version before can't replace the register
//! behind it: a view that it does not know of keeps the table.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// A mark is drawn and not counted: two databases that went on from one backup have two.
const POSTGRES: [&str; 2] = [
    "ALTER TABLE chain_head ADD COLUMN register_mark BIGINT NOT NULL DEFAULT 0",
    "CREATE FUNCTION mark_register() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     UPDATE chain_head SET register_mark = floor((random() - 0.5) * 9007199254740992)::bigint WHERE id = 1; \
     RETURN NULL; END $$",
];
const SQLITE: [&str; 1] = ["ALTER TABLE chain_head ADD COLUMN register_mark BIGINT NOT NULL DEFAULT 0"];

/// What a table needs to be the register in force.
pub(crate) const fn guard(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => {
            "CREATE TRIGGER mark_register AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON household_register \
             FOR EACH STATEMENT EXECUTE FUNCTION mark_register(); \
             CREATE VIEW register_in_force AS SELECT person_hash FROM household_register"
        }
        _ => {
            "CREATE TRIGGER mark_register_insert AFTER INSERT ON household_register BEGIN \
             UPDATE chain_head SET register_mark = random() WHERE id = 1; END; \
             CREATE TRIGGER mark_register_update AFTER UPDATE ON household_register BEGIN \
             UPDATE chain_head SET register_mark = random() WHERE id = 1; END; \
             CREATE TRIGGER mark_register_delete AFTER DELETE ON household_register BEGIN \
             UPDATE chain_head SET register_mark = random() WHERE id = 1; END"
        }
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (db, backend) = (manager.get_connection(), manager.get_database_backend());
        let steps = if backend == DbBackend::Postgres { &POSTGRES[..] } else { &SQLITE };
        for step in steps.iter().copied().chain([guard(backend)]) {
            db.execute_unprepared(step).await?;
        }
        Ok(())
    }
}
