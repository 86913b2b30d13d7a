//! The schema, step by step, forward only; each step in a form that two neighbouring versions can run on.

mod m0001_main_job;
mod m0002_casework;
mod m0003_company_register;
mod m0004_usage;
mod m0005_queue;
mod m0006_templates;
mod m0007_search;
mod m0008_sign_in;
mod m0009_key_check;
mod m0010_deadlines;
mod m0011_tokens;
mod m0012_keys;
mod m0013_days;
mod m0014_used_tokens;
mod m0015_register_mark;
mod m0016_reasons;
mod m0017_drafts;
mod m0018_key_life;
mod m0019_two_officers;
mod m0020_folded_names;
mod m0021_found;
mod m0022_neighbours;
mod m0023_accounts;
mod m0024_attachments;
mod m0025_webhooks;
mod m0026_passkeys;

pub(crate) use m0015_register_mark::guard;

use idcheck_usecases::ports::StoreError;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};

use crate::kernel::{
    store::{Store, unavailable},
    writer::Transaction,
};

/// A step of the schema and whether it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationState {
    pub name: String,
    /// Whether it was taken.
    pub applied: bool,
    /// Whether this version knows it; else the database is of a newer one.
    pub known: bool,
}

/// The table in which `sea-orm-migration` keeps the steps that were taken.
const TAKEN: &str = "seaql_migrations";

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_main_job::Migration),
            Box::new(m0002_casework::Migration),
            Box::new(m0003_company_register::Migration),
            Box::new(m0004_usage::Migration),
            Box::new(m0005_queue::Migration),
            Box::new(m0006_templates::Migration),
            Box::new(m0007_search::Migration),
            Box::new(m0008_sign_in::Migration),
            Box::new(m0009_key_check::Migration),
            Box::new(m0010_deadlines::Migration),
            Box::new(m0011_tokens::Migration),
            Box::new(m0012_keys::Migration),
            Box::new(m0013_days::Migration),
            Box::new(m0014_used_tokens::Migration),
            Box::new(m0015_register_mark::Migration),
            Box::new(m0016_reasons::Migration),
            Box::new(m0017_drafts::Migration),
            Box::new(m0018_key_life::Migration),
            Box::new(m0019_two_officers::Migration),
            Box::new(m0020_folded_names::Migration),
            Box::new(m0021_found::Migration),
            Box::new(m0022_neighbours::Migration),
            Box::new(m0023_accounts::Migration),
            Box::new(m0024_attachments::Migration),
            Box::new(m0025_webhooks::Migration),
            Box::new(m0026_passkeys::Migration),
        ]
    }
}

/// Takes statements that both databases read, but for their types.
async fn take(manager: &SchemaManager<'_>, steps: &[&str]) -> Result<(), DbErr> {
    let postgres = manager.get_database_backend() == DbBackend::Postgres;
    for step in steps {
        let step = if postgres {
            (*step).to_owned()
        } else {
            step.replace(" UUID", " BLOB").replace(" BYTEA", " BLOB")
        };
        manager.get_connection().execute_unprepared(&step).await?;
    }
    Ok(())
}

/// Taken by whoever migrates, so that nodes starting together take turns.
const LOCK: i64 = 0x6964_6368_6563_6b01;

/// Takes every step that is missing, in one transaction that began as a writer. On PostgreSQL under an advisory lock
/// as well, and without the time limits of ordinary statements: a long step is not an error, nor is waiting for it.
pub(crate) async fn up(tx: Transaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
        tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    }
    Migrator::up(&*tx, None).await?;
    tx.commit().await
}

/// The steps of this version and whether they were taken, then those that only a newer version knows. Writes nothing.
pub(crate) async fn status(db: &DatabaseConnection) -> Result<Vec<MigrationState>, DbErr> {
    let mut taken = Vec::new();
    if SchemaManager::new(db).has_table(TAKEN).await? {
        let sql = format!("SELECT version FROM {TAKEN} ORDER BY version");
        for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await? {
            taken.push(row.try_get::<String>("", "version")?);
        }
    }
    let mut steps = Vec::new();
    for step in Migrator::migrations() {
        let name = step.name().to_owned();
        let applied = taken.contains(&name);
        taken.retain(|other| *other != name);
        steps.push(MigrationState { name, applied, known: true });
    }
    steps.extend(taken.into_iter().map(|name| MigrationState { name, applied: true, known: false }));
    Ok(steps)
}

impl Store {
    /// Takes every missing step of the schema; safe to be called by several nodes at once.
    ///
    /// # Errors
    /// The store's.
    pub async fn migrate_up(&self) -> Result<(), StoreError> {
        // Boxed: large, and run once.
        let taken = Box::pin(async {
            up(self.begin().await?).await?;
            self.keep_key_check().await
        });
        taken.await.map_err(unavailable)
    }

    /// The steps of the schema.
    ///
    /// # Errors
    /// The store's.
    pub async fn migration_status(&self) -> Result<Vec<MigrationState>, StoreError> {
        status(&self.reader).await.map_err(unavailable)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use idcheck_testing::database::TempDatabase;
    use sea_orm::QueryResult;

    use super::*;
    use crate::{Store, kernel::vault::Vault, ledger::stored_token};

    /// A step that a database has taken is not changed: what is to be otherwise is a further step. A new one is added to
    /// `frozen.txt` as `sha256sum` prints it.
    #[test]
    fn steps_are_as_they_were_taken() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/migration");
        let frozen = include_str!("migration/frozen.txt");
        let mut files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
        files.sort_unstable();
        let now = files.iter().map(|file| {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &std::fs::read(file).unwrap());
            format!("{}  {}\n", hex::encode(digest), file.file_name().unwrap().to_str().unwrap())
        });
        assert_eq!(now.collect::<String>(), frozen);
        assert_eq!(Migrator::migrations().len(), files.len());
    }

    /// Tokens that were used before the step that shortens them are used after it.
    async fn used_tokens_are_taken_over(database: &TempDatabase) {
        let (vault, clock) = (Vault::new(&[7; 32]).unwrap(), Arc::new(database.clock.clone()));
        let store = Store::create(&database.url, vault, clock).await.unwrap();
        let tx = store.begin().await.unwrap();
        Migrator::up(&*tx, Some(13)).await.unwrap();
        let many = "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 10050) \
                    INSERT INTO replay_entries (ubn, jti, expires_at) SELECT '04595257', CAST(v AS text), v FROM n";
        tx.execute_unprepared(many).await.unwrap();
        tx.commit().await.unwrap();
        store.migrate_up().await.unwrap();
        let backend = store.reader.get_database_backend();
        let sql = "SELECT token, expires_at FROM used_tokens ORDER BY expires_at";
        let rows = store.reader.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
        let read =
            |row: &QueryResult| (row.try_get("", "token").unwrap(), row.try_get("", "expires_at").unwrap());
        let read: Vec<(Vec<u8>, i64)> = rows.iter().map(read).collect();
        let expected: Vec<_> =
            (1..=10_050_i64).map(|v| (stored_token("04595257", &v.to_string()).to_vec(), v)).collect();
        assert!(read == expected, "{} rows", read.len());
    }

    #[tokio::test]
    async fn used_tokens_are_taken_over_on_sqlite() {
        used_tokens_are_taken_over(&TempDatabase::empty_sqlite()).await;
    }

    #[tokio::test]
    async fn used_tokens_are_taken_over_on_postgres() {
        let database = TempDatabase::empty_postgres().await;
        used_tokens_are_taken_over(&database).await;
        database.close().await;
    }

    /// What a version before wrote as a sentence is read as its code after the step; what was typed stays.
    async fn sentences_become_codes(database: &TempDatabase) {
        let (vault, clock) = (Vault::new(&[7; 32]).unwrap(), Arc::new(database.clock.clone()));
        let store = Store::create(&database.url, vault, clock).await.unwrap();
        let tx = store.begin().await.unwrap();
        Migrator::up(&*tx, Some(15)).await.unwrap();
        for (ubn, reason) in [
            ("00000001", "清查結果：商工登記查無此統一編號。"),
            ("00000002", "清查結果：商工登記現況為「解散」。"),
            ("00000003", "大量試探"),
        ] {
            let insert = format!(
                "INSERT INTO organisations (ubn, version, name, access, access_since, access_reason, access_ground, \
                 may_return, contact) VALUES ('{ubn}', 1, '台É Ａ１', 'revoked', 1, '{reason}', 'notRegistered', false, '')"
            );
            tx.execute_unprepared(&insert).await.unwrap();
        }
        for (n, by, reason) in [(1, "system", "查驗權限已終止，本案一併結案。"), (2, "officer:x", "資料不足")]
        {
            // As each database keeps an identity.
            let id = match tx.get_database_backend() {
                DbBackend::Postgres => format!("'00000000-0000-0000-0000-00000000000{n}'"),
                _ => format!("X'{n:032}'"),
            };
            let case = format!(
                "INSERT INTO applications (id, version, case_number, ubn, kind, company_name, card, contact, \
                 host_addresses, request, notice_version, conduct_version, consented_at, received_at, state, \
                 due_provisional, closed_at, closed_by, closed_reason) VALUES ({id}, 2, '{n}', '00000001', 'apply', \
                 '台É Ａ１', '', '', '', '', '', '', 1, 1, 'rejected', false, 1, '{by}', '{reason}')"
            );
            let action = if n == 1 { "close" } else { "reject" };
            let line = format!(
                "INSERT INTO application_history (application_id, version, action, to_state, actor, at, text) \
                 VALUES ({id}, 2, '{action}', 'rejected', '{by}', 1, '{reason}')"
            );
            tx.execute_unprepared(&case).await.unwrap();
            tx.execute_unprepared(&line).await.unwrap();
        }
        tx.commit().await.unwrap();
        store.migrate_up().await.unwrap();
        let backend = store.reader.get_database_backend();
        let read = async |sql: &str| -> Vec<(Option<String>, Option<String>)> {
            let rows = store.reader.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
            rows.iter()
                .map(|row| (row.try_get("", "code").unwrap(), row.try_get("", "text").unwrap()))
                .collect()
        };
        let pair =
            |code: Option<&str>, text: Option<&str>| (code.map(str::to_owned), text.map(str::to_owned));
        let access =
            "SELECT access_reason_code AS code, access_reason AS text FROM organisations ORDER BY ubn";
        let expected = [
            pair(Some("notRegistered"), Some("notRegistered")),
            pair(Some("companyStatus"), Some("解散")),
            pair(None, Some("大量試探")),
        ];
        assert_eq!(read(access).await, expected);
        let closed =
            "SELECT closed_reason_code AS code, closed_reason AS text FROM applications ORDER BY case_number";
        assert_eq!(
            read(closed).await,
            [pair(Some("accessEnded"), Some("accessEnded")), pair(None, Some("資料不足"))]
        );
        // And every name is folded, however many languages' capitals it has.
        for table in ["organisations", "applications"] {
            let folded = read(&format!("SELECT folded AS code, NULL AS text FROM {table}")).await;
            assert!(folded.iter().all(|(name, _)| name.as_deref() == Some("臺éa1")), "{table}: {folded:?}");
        }
        let steps = "SELECT action AS code, text FROM application_history ORDER BY application_id";
        assert_eq!(read(steps).await, [pair(Some("close"), None), pair(Some("reject"), Some("資料不足"))]);
    }

    #[tokio::test]
    async fn sentences_become_codes_on_sqlite() {
        sentences_become_codes(&TempDatabase::empty_sqlite()).await;
    }

    #[tokio::test]
    async fn sentences_become_codes_on_postgres() {
        let database = TempDatabase::empty_postgres().await;
        sentences_become_codes(&database).await;
        database.close().await;
    }
}
