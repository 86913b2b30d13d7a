//! The store: connections, and the ports but the ledger.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use idcheck_usecases::ports::{Clock, StoreError};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement, TryGetable, Value,
};

use crate::{
    kernel::{
        connection::LedgerPlace,
        vault::Vault,
        writer::{Transaction, Writer},
    },
    ledger::Recent,
};

/// The store. Clones share its connections.
#[derive(Clone)]
pub struct Store {
    /// Where it is read.
    pub(crate) reader: DatabaseConnection,
    /// Where it is written.
    pub(crate) writer: Writer,
    /// Where the ledger writes: apart from pages that may hold every other connection.
    pub(crate) ledger: LedgerPlace,
    /// What this process's ledger recorded lately.
    pub(crate) recent: Recent,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Store {
    /// Whether the database answers.
    ///
    /// # Errors
    /// The store's.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.reader.execute_unprepared("SELECT 1").await.map(drop).map_err(unavailable)
    }

    /// The database server's time; none for a database in a file, which has this computer's.
    ///
    /// # Errors
    /// The store's.
    pub async fn time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        if self.reader.get_database_backend() != DbBackend::Postgres {
            return Ok(None);
        }
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS at";
        let asked = self.reader.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
        let row = asked.map_err(unavailable)?.ok_or(StoreError::Unavailable)?;
        Ok(DateTime::from_timestamp_micros(row.try_get("", "at").map_err(unavailable)?))
    }

    /// What a query finds.
    pub(crate) async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, StoreError> {
        let statement = Statement::from_sql_and_values(self.reader.get_database_backend(), sql, values);
        self.reader.query_all_raw(statement).await.map_err(unavailable)
    }

    /// How many rows a statement wrote.
    pub(crate) async fn put(&self, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        let statement = Statement::from_sql_and_values(self.writer.get_database_backend(), sql, values);
        Ok(self.writer.execute_raw(statement).await.map_err(unavailable)?.rows_affected())
    }

    pub(crate) async fn begin(&self) -> Result<Transaction, DbErr> {
        self.writer.begin().await
    }
}

/// A column of a row that was asked for by hand.
pub(crate) fn cell<T: TryGetable>(row: &QueryResult, column: &str) -> Result<T, StoreError> {
    row.try_get("", column).map_err(unavailable)
}

/// Logs what the database said and tells only that it failed.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn unavailable(error: DbErr) -> StoreError {
    tracing::error!(error = %sanitised(&error), "the database failed");
    StoreError::Unavailable
}

/// The database's word without the detail line, which can hold values.
pub(crate) fn sanitised(error: &DbErr) -> String {
    error.to_string().lines().next().unwrap_or_default().chars().take(300).collect()
}
