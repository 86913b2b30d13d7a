//! Names are searched by how they are told apart: full or half width, 台 or 臺, capitals of any language and blanks do not count. What a
//! program of the version before writes beside this one has no folded name, and is found by the name as it stands.

use idcheck_domain::company::folded;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Rows of one statement.
const ROWS: usize = 500;

const BEFORE: [&str; 2] =
    ["ALTER TABLE organisations ADD COLUMN folded TEXT", "ALTER TABLE applications ADD COLUMN folded TEXT"];
const AFTER: [&str; 2] = [
    "DROP INDEX applications_open_names",
    "CREATE INDEX applications_open_names ON applications (ubn, coalesce(folded, company_name), due_date) \
     WHERE due_date IS NOT NULL",
];

/// Folds the names of a table, page by page of its key.
async fn fold<K>(db: &impl ConnectionTrait, table: &str, key: &str, name: &str) -> Result<(), DbErr>
where
    K: sea_orm::TryGetable + Into<Value> + Clone,
{
    let backend = db.get_database_backend();
    let first = format!("SELECT {key}, {name} FROM {table} ORDER BY {key} LIMIT {ROWS}");
    let next = format!("SELECT {key}, {name} FROM {table} WHERE {key} > $1 ORDER BY {key} LIMIT {ROWS}");
    let mut last: Option<K> = None;
    loop {
        let rows: Vec<QueryResult> = match &last {
            None => db.query_all_raw(Statement::from_string(backend, first.as_str())).await?,
            Some(last) => {
                let values = [last.clone().into()];
                db.query_all_raw(Statement::from_sql_and_values(backend, next.as_str(), values)).await?
            }
        };
        if rows.is_empty() {
            return Ok(());
        }
        let mut values = Vec::<Value>::with_capacity(rows.len() * 2);
        let mut places = Vec::with_capacity(rows.len());
        for row in &rows {
            let (id, text): (K, String) = (row.try_get("", key)?, row.try_get("", name)?);
            places.push(format!("(${}, ${})", values.len() + 1, values.len() + 2));
            values.extend([id.clone().into(), folded(&text).into()]);
            last = Some(id);
        }
        let sql = format!(
            "UPDATE {table} SET folded = v.column2 FROM (VALUES {}) AS v WHERE {table}.{key} = v.column1",
            places.join(", ")
        );
        db.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for step in BEFORE {
            db.execute_unprepared(step).await?;
        }
        fold::<String>(db, "organisations", "ubn", "name").await?;
        fold::<uuid::Uuid>(db, "applications", "id", "company_name").await?;
        for step in AFTER {
            db.execute_unprepared(step).await?;
        }
        Ok(())
    }
}
