//! Where the store is written.

use std::{ops::Deref, sync::Arc};

use async_trait::async_trait;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use crate::kernel::connection::PATIENCE;

/// The connections that write. SQLite has one writer at a time, and whoever finds another one at it looks again only after a
/// while: here acts and the ledger wait in one line, and nobody is passed over.
#[derive(Clone)]
pub(crate) struct Writer {
    connections: DatabaseConnection,
    turns: Arc<Mutex<()>>,
    in_turns: bool,
}

/// A transaction during one's turn; dropped, it leaves nothing.
pub(crate) struct Transaction {
    transaction: DatabaseTransaction,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Writer {
    /// Connections that may write at the same time.
    pub(crate) fn of(connections: DatabaseConnection) -> Self {
        Self { connections, turns: Arc::default(), in_turns: false }
    }

    /// A connection whose turn has to be waited for.
    pub(crate) fn in_turns(connections: DatabaseConnection) -> Self {
        Self { connections, turns: Arc::default(), in_turns: true }
    }

    /// The line in which writers wait.
    pub(crate) fn turns(&self) -> Arc<Mutex<()>> {
        Arc::clone(&self.turns)
    }

    /// One's turn, where there are turns; nobody waits for it longer than for a lock.
    async fn wait(&self) -> Result<Option<OwnedMutexGuard<()>>, DbErr> {
        if !self.in_turns {
            return Ok(None);
        }
        let turn = timeout(PATIENCE, self.turns().lock_owned()).await;
        turn.map(Some).map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
    }

    /// Begins a transaction: on SQLite as the writer from the start, so that it never fails half-way.
    pub(crate) async fn begin(&self) -> Result<Transaction, DbErr> {
        let turn = self.wait().await?;
        let sqlite = self.connections.get_database_backend() == DbBackend::Sqlite;
        let options = TransactionOptions {
            sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(Transaction { transaction: self.connections.begin_with_options(options).await?, _turn: turn })
    }

    pub(crate) async fn close(self) -> Result<(), DbErr> {
        self.connections.close().await
    }
}

/// Each statement in a turn of its own.
#[async_trait]
impl ConnectionTrait for Writer {
    fn get_database_backend(&self) -> DbBackend {
        self.connections.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let _turn = self.wait().await?;
        self.connections.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let _turn = self.wait().await?;
        self.connections.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let _turn = self.wait().await?;
        self.connections.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let _turn = self.wait().await?;
        self.connections.query_all_raw(statement).await
    }
}

impl Transaction {
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        self.transaction.commit().await
    }
}

impl Deref for Transaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.transaction
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.transaction.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.transaction.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.transaction.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.transaction.query_all_raw(statement).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use idcheck_testing::{
        contract::ledger::{ORGANISATION, admission, admit, question},
        database::TempDatabase,
    };
    use idcheck_usecases::ports::{Changes as _, CommitError, Ledger as _, LedgerError, StoreError};

    use super::*;
    use crate::{LedgerWriter, Store, kernel::vault::Vault};

    /// Whoever waits for a writer that does not end is told in time, and all goes on when it does.
    #[tokio::test]
    async fn a_turn_is_not_waited_for_without_end() {
        let database = TempDatabase::sqlite().await;
        let (vault, clock) = (Vault::new(&[7; 32]).unwrap(), Arc::new(database.clock.clone()));
        let store = Store::connect(&database.url, vault, clock).await.unwrap();
        admit(&store, ORGANISATION).await;
        let ledger = LedgerWriter::start(&store);
        let long = store.begin().await.unwrap();
        let begun = Instant::now();
        let (recorded, committed) =
            tokio::join!(ledger.record(question(1, 100, "one")), store.commit(admission(1)));
        assert_eq!(recorded, Err(LedgerError::Unavailable));
        assert_eq!(committed, Err(CommitError::Store(StoreError::Unavailable)));
        assert!(begun.elapsed() < PATIENCE * 2, "{:?}", begun.elapsed());
        drop(long);
        store.commit(admission(1)).await.unwrap();
        ledger.record(question(1, 100, "one")).await.unwrap();
    }
}
