//! Rows with a version: written as new, or in place of the version that was read; and what the database refuses of them.

use idcheck_usecases::ports::{CommitError, Write};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, Iterable,
    PrimaryKeyToColumn, QueryFilter, RuntimeErr,
};

use crate::kernel::store::unavailable;

/// Unique indexes other than keys: the name, by which PostgreSQL tells them, the columns, by which SQLite does, and what it means
/// when one refuses. A key that is taken is a conflict.
const UNIQUE: [(&str, &str, CommitError); 7] = [
    ("applications_one_open", "applications.ubn, applications.kind", CommitError::OpenCase),
    ("improvement_plans_one_open", "improvement_plans.ubn", CommitError::OpenCase),
    ("notices_one_a_day", "notices.ubn, notices.rule, notices.user_id, notices.day", CommitError::OpenCase),
    ("notices_one_open", "notices.ubn, notices.rule, notices.user_id", CommitError::OpenCase),
    ("organisations_account_key", "organisations.account", CommitError::AccountTaken),
    ("registered_keys_in_force", "registered_keys.ubn, registered_keys.fingerprint", CommitError::KeyKnown),
    ("revocations_one_open", "revocations.ubn", CommitError::OpenCase),
];

/// What a statement of a change failed for.
pub(crate) fn refused(error: DbErr) -> CommitError {
    let (DbErr::Exec(RuntimeErr::SqlxError(told)) | DbErr::Query(RuntimeErr::SqlxError(told))) = &error
    else {
        return failed(error);
    };
    let Some(told) = told.as_database_error().filter(|told| told.is_unique_violation()) else {
        return failed(error);
    };
    let known = UNIQUE.iter().find(|(index, columns, _)| {
        told.constraint().map_or_else(
            || told.message().ends_with(&format!("failed: {columns}")),
            |constraint| constraint == *index,
        )
    });
    known.map_or(CommitError::Conflict, |(.., meaning)| *meaning)
}

/// A failure that no rule explains.
pub(crate) fn failed(error: DbErr) -> CommitError {
    CommitError::Store(unavailable(error))
}

/// A table whose rows have a version.
pub(crate) trait Versions: EntityTrait {
    const VERSION: Self::Column;
}

/// Says of a table that its rows have one.
macro_rules! versions {
    ($table:ident) => {
        impl $crate::kernel::versioned::Versions for $table::Entity {
            const VERSION: Self::Column = $table::Column::Version;
        }
    };
}
pub(crate) use versions;

/// Writes a row: the first version of a new one, or the next one of a row that still is of the version that was read.
pub(crate) async fn put<E, T>(
    tx: &DatabaseTransaction,
    write: &Write<T>,
    row: impl FnOnce(&T, i64) -> E::Model,
) -> Result<(), CommitError>
where
    E: Versions,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: Send,
{
    match write {
        Write::Insert(value) => {
            let inserted = E::insert(row(value, 1).into_active_model()).exec_without_returning(tx).await;
            inserted.map(drop).map_err(refused)
        }
        Write::Update { value, expected } => {
            let row = row(value, expected + 1).into_active_model().reset_all();
            let mut update = E::update_many().filter(E::VERSION.eq(*expected));
            for key in E::PrimaryKey::iter() {
                let column = key.into_column();
                // A row that is made of a value has all its columns.
                let Some(value) = row.get(column).into_value() else { return Err(CommitError::Conflict) };
                update = update.filter(column.eq(value));
            }
            let updated = update.set(row).exec(tx).await.map_err(refused)?;
            if updated.rows_affected == 1 { Ok(()) } else { Err(CommitError::Conflict) }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use idcheck_testing::database::TempDatabase;
    use sea_orm::{ConnectionTrait as _, Statement};

    use super::*;
    use crate::{Store, kernel::vault::Vault};

    /// The columns of each unique index that is not a key, by its name where the database tells it.
    async fn indexes(database: &TempDatabase, sql: &str) -> Vec<(String, String)> {
        let (vault, clock) = (Vault::new(&[7; 32]).unwrap(), Arc::new(database.clock.clone()));
        let db = Store::connect(&database.url, vault, clock).await.unwrap().reader;
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect()
    }

    #[tokio::test]
    async fn every_index_is_one_of_postgres() {
        let database = TempDatabase::postgres().await;
        let sql = "SELECT i.relname::text, string_agg(t.relname || '.' || a.attname, ', ' ORDER BY k.place) \
                   FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
                   CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (number, place) \
                   JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number \
                   WHERE x.indisunique AND NOT x.indisprimary AND t.relnamespace = 'public'::regnamespace GROUP BY 1";
        let found = indexes(&database, sql).await;
        for (name, columns, _) in UNIQUE {
            assert!(found.contains(&(name.to_owned(), columns.to_owned())), "{name}: {found:?}");
        }
        database.close().await;
    }

    #[tokio::test]
    async fn every_index_is_one_of_sqlite() {
        let database = TempDatabase::sqlite().await;
        let sql = "SELECT l.name, group_concat(m.name || '.' || c.name, ', ') FROM sqlite_master m, \
                   pragma_index_list(m.name) l, pragma_index_info(l.name) c \
                   WHERE m.type = 'table' AND l.\"unique\" AND l.origin <> 'pk' GROUP BY l.name";
        let found = indexes(&database, sql).await;
        for (name, columns, _) in UNIQUE {
            assert!(found.iter().any(|(_, known)| known == columns), "{name}: {found:?}");
        }
    }
}
