//! The household register: rows that are added or replaced, and editions that replace all of it at once.

use std::collections::HashMap;

use async_trait::async_trait;
use idcheck_usecases::ports::{HouseholdRegister, RegisterRow, StoreError};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityTrait, PaginatorTrait, RuntimeErr, Statement,
    sqlx::{self, postgres::PgPoolCopyExt as _},
};

use crate::{
    household_register::entity as register_row,
    kernel::{
        batch::{Cell, Column, Rows, table},
        cell::status_word,
        store::{Store, unavailable},
        vault::HASH_LEN,
        writer::Transaction,
    },
    migration::guard,
};

const COLUMNS: [Column; 5] = [
    Column::Bytes("person_hash"),
    Column::Text("apply_code"),
    Column::Text("applied_on"),
    Column::Text("issue_site"),
    Column::Text("status"),
];

/// Writes rows; a row of a person known already replaces the one before.
fn insert(backend: DbBackend, into: &str) -> String {
    let rows = table(backend, 1, &COLUMNS);
    let replaced = "ON CONFLICT (person_hash) DO UPDATE SET apply_code = excluded.apply_code, \
         applied_on = excluded.applied_on, issue_site = excluded.issue_site, status = excluded.status";
    format!(
        "INSERT INTO {into} (person_hash, apply_code, applied_on, issue_site, status) \
         SELECT person_hash, apply_code, applied_on, issue_site, status FROM {rows} WHERE true {replaced}"
    )
}

/// An edition begins without rows. On PostgreSQL without a key too: to sort all rows once at the end costs far less
/// than to keep each in its place.
const fn begin_edition(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => {
            "DROP TABLE IF EXISTS household_register_next; \
             CREATE TABLE household_register_next (LIKE household_register INCLUDING DEFAULTS)"
        }
        _ => {
            "DROP TABLE IF EXISTS household_register_next; \
             CREATE TABLE household_register_next (person_hash BLOB PRIMARY KEY, apply_code VARCHAR(1) NOT NULL, \
             applied_on VARCHAR(10) NOT NULL, issue_site VARCHAR(5) NOT NULL, status VARCHAR(16) NOT NULL) WITHOUT ROWID"
        }
    }
}

/// Of a person's rows the last one counts; then the key, which fails where that was not so.
const PREPARE_EDITION: &str = "DELETE FROM household_register_next a USING (\
       SELECT person_hash, max(ctid) AS last FROM household_register_next GROUP BY person_hash HAVING count(*) > 1) b \
     WHERE a.person_hash = b.person_hash AND a.ctid < b.last; \
     ALTER TABLE household_register_next ADD PRIMARY KEY (person_hash); \
     ANALYZE household_register_next";

/// The mark goes first: whoever writes the ledger holds the chain's end before it looks a card up.
const SWAP: [(DbBackend, &str); 2] = [
    (
        DbBackend::Postgres,
        "UPDATE chain_head SET register_mark = floor((random() - 0.5) * 9007199254740992)::bigint WHERE id = 1; \
         DROP VIEW register_in_force; \
         DROP TABLE household_register; ALTER TABLE household_register_next RENAME TO household_register; \
         ALTER TABLE household_register RENAME CONSTRAINT household_register_next_pkey TO household_register_pkey",
    ),
    (
        DbBackend::Sqlite,
        "UPDATE chain_head SET register_mark = random() WHERE id = 1; \
         DROP TABLE household_register; ALTER TABLE household_register_next RENAME TO household_register",
    ),
];

/// A row as `COPY` takes it: none of the values holds a tab, an end of a line or a backslash.
fn copied(text: &mut String, hash: &[u8], row: &RegisterRow) {
    text.push_str("\\\\x");
    text.push_str(&hex::encode(hash));
    let date = row.data.applied_on.date().to_string();
    let values = [row.data.apply_code.as_str(), &date, row.data.issue_site.code(), status_word(row.status)];
    for value in values {
        text.push('\t');
        text.push_str(value);
    }
    text.push('\n');
}

const COPY: &str =
    "COPY household_register_next (person_hash, apply_code, applied_on, issue_site, status) FROM STDIN";

impl Store {
    /// Of a person's rows the last one counts, and a statement can't touch one row twice.
    fn latest<'r>(&self, rows: &'r [RegisterRow]) -> HashMap<[u8; HASH_LEN], &'r RegisterRow> {
        rows.iter().map(|row| (self.vault.person(&row.person_id), row)).collect()
    }

    /// Adds rows to an edition on PostgreSQL, all or none.
    async fn copy_rows(&self, rows: &[RegisterRow]) -> Result<(), sqlx::Error> {
        let latest = self.latest(rows);
        let mut text = String::with_capacity(latest.len() * 128);
        for (hash, row) in &latest {
            copied(&mut text, hash, row);
        }
        // All connections of PostgreSQL are of one pool.
        let mut copy = self.reader.get_postgres_connection_pool().copy_in_raw(COPY).await?;
        copy.send(text.into_bytes()).await?;
        copy.finish().await.map(drop)
    }

    async fn write_rows(&self, into: &str, rows: &[RegisterRow]) -> Result<(), StoreError> {
        let latest = self.latest(rows);
        let backend = self.writer.get_database_backend();
        let mut written = Rows::new(backend, &COLUMNS);
        for (hash, row) in &latest {
            written.push(&[
                Cell::Bytes(Some(hash)),
                Cell::Text(row.data.apply_code.as_str()),
                Cell::Text(&row.data.applied_on.date().to_string()),
                Cell::Text(row.data.issue_site.code()),
                Cell::Text(status_word(row.status)),
            ]);
        }
        let statement = Statement::from_sql_and_values(backend, insert(backend, into), written.values());
        self.writer.execute_raw(statement).await.map(drop).map_err(unavailable)
    }

    /// A transaction that may take as long as a whole register needs.
    async fn begin_patiently(&self) -> Result<Transaction, DbErr> {
        let tx = self.begin().await?;
        if tx.get_database_backend() == DbBackend::Postgres {
            tx.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
        }
        Ok(tx)
    }
}

#[async_trait]
impl HouseholdRegister for Store {
    async fn import(&self, rows: &[RegisterRow]) -> Result<(), StoreError> {
        self.write_rows("household_register", rows).await
    }

    async fn begin_edition(&self) -> Result<(), StoreError> {
        let begun = async {
            let tx = self.begin().await?;
            tx.execute_unprepared(begin_edition(tx.get_database_backend())).await?;
            tx.commit().await
        };
        begun.await.map_err(unavailable)
    }

    async fn add_to_edition(&self, rows: &[RegisterRow]) -> Result<(), StoreError> {
        if self.writer.get_database_backend() == DbBackend::Postgres {
            let copied = self.copy_rows(rows).await;
            return copied.map_err(|error| unavailable(DbErr::Exec(RuntimeErr::SqlxError(error.into()))));
        }
        self.write_rows("household_register_next", rows).await
    }

    async fn complete_edition(&self) -> Result<u64, StoreError> {
        let completed = async {
            let tx = self.begin_patiently().await?;
            if tx.get_database_backend() == DbBackend::Postgres {
                tx.execute_unprepared(PREPARE_EDITION).await?;
            }
            let sql = "SELECT count(*) AS persons FROM household_register_next";
            let counted = tx.query_one_raw(Statement::from_string(tx.get_database_backend(), sql)).await?;
            let persons: i64 = counted.ok_or(DbErr::RecordNotFound(String::new()))?.try_get("", "persons")?;
            tx.commit().await?;
            Ok(u64::try_from(persons).unwrap_or_default())
        };
        completed.await.map_err(unavailable)
    }

    async fn put_edition_in_force(&self) -> Result<(), StoreError> {
        let swapped = async {
            let tx = self.begin().await?;
            let backend = tx.get_database_backend();
            for (_, swap) in SWAP.iter().filter(|(of, _)| *of == backend) {
                tx.execute_unprepared(swap).await?;
            }
            tx.execute_unprepared(guard(backend)).await?;
            tx.commit().await
        };
        swapped.await.map_err(unavailable)
    }

    async fn count(&self) -> Result<u64, StoreError> {
        let counted = async {
            if self.reader.get_database_backend() == DbBackend::Sqlite {
                return register_row::Entity::find().count(&self.reader).await;
            }
            let tx = self.begin_patiently().await?;
            let persons = register_row::Entity::find().count(&tx).await?;
            tx.commit().await?;
            Ok(persons)
        };
        counted.await.map_err(unavailable)
    }
}

#[allow(unreachable_pub, reason = "sea-orm's derives ask for pub")]
pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "household_register")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_hash: Vec<u8>,
        pub apply_code: String,
        pub applied_on: String,
        pub issue_site: String,
        pub status: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
