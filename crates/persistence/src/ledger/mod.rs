//! The ledger: queries that arrive together are recorded together.
//!
//! One task takes whatever waits — no timer: an idle line has batches of one — and makes one transaction of it. The
//! transaction locks the chain's head first, so that batches of all nodes follow one another: what it reads (access,
//! used tokens, quotas, strikes) is what every earlier batch left, and the rules are exact without further locks.
//! Answers go out after the commit. A batch that failed before its commit is tried again; one whose commit's outcome
//! is unknown never is, because a strike could be counted twice: its callers get no answer.

mod decide;
mod sql;

use std::time::Duration;

use async_trait::async_trait;
use idcheck_usecases::ports::{Ledger, LedgerAnswer, LedgerEntry, LedgerError};
use sea_orm::DbErr;
use tokio::sync::{mpsc, oneshot};

use self::{decide::Decided, sql::Sql};
use crate::{Store, chain, rows::micros, store::sanitised};

/// Queries that may wait; more are refused at once.
const QUEUE: usize = 4096;
/// Queries of one batch.
const BATCH: usize = 256;
/// Longest time that a batch may take before its commit, and its commit.
const PATIENCE: Duration = Duration::from_secs(8);

struct Waiting {
    entry: LedgerEntry,
    answer: oneshot::Sender<Result<LedgerAnswer, LedgerError>>,
}

/// The way into the ledger. Dropping the last one ends its task, after what waits.
#[derive(Clone)]
pub struct LedgerWriter {
    queue: mpsc::Sender<Waiting>,
}

impl LedgerWriter {
    /// Starts the task that writes.
    pub fn start(store: Store) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let sql = Sql::for_backend(store.writer.get_database_backend());
        tokio::spawn(Writer { store, sql }.run(waiting));
        Self { queue }
    }
}

#[async_trait]
impl Ledger for LedgerWriter {
    async fn record(&self, entry: LedgerEntry) -> Result<LedgerAnswer, LedgerError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { entry, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => LedgerError::Busy,
            mpsc::error::TrySendError::Closed(_) => LedgerError::Unavailable,
        })?;
        answered.await.unwrap_or(Err(LedgerError::Unavailable))
    }
}

struct Writer {
    store: Store,
    sql: Sql,
}

/// Why a batch was not recorded.
enum Failed {
    /// Before its commit: nothing of it is there.
    Before(DbErr),
    /// At its commit: it may be there.
    Unknown,
}

impl Writer {
    async fn run(self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let (entries, answers): (Vec<_>, Vec<_>) = batch.drain(..).map(|w| (w.entry, w.answer)).unzip();
            let outcome = self.record(&entries).await;
            for (answer, outcome) in answers.into_iter().zip(outcome) {
                // A caller that went away is not waited for; its record stands.
                let _ = answer.send(outcome);
            }
        }
    }

    /// Records a batch; when it fails twice before its commit, each query on its own, so that one that the database
    /// refuses does not take the others with it.
    async fn record(&self, entries: &[LedgerEntry]) -> Vec<Result<LedgerAnswer, LedgerError>> {
        for _ in 0..2 {
            match self.transaction(entries).await {
                Ok(answers) => return answers.into_iter().map(Ok).collect(),
                Err(Failed::Unknown) => return vec![Err(LedgerError::Unavailable); entries.len()],
                Err(Failed::Before(error)) => {
                    tracing::error!(error = %sanitised(&error), queries = entries.len(), "a batch failed");
                    if connection_lost(&error) && entries.len() > 1 {
                        return vec![Err(LedgerError::Unavailable); entries.len()];
                    }
                }
            }
        }
        if entries.len() == 1 {
            return vec![Err(LedgerError::Unavailable)];
        }
        let mut outcomes = Vec::with_capacity(entries.len());
        for entry in entries {
            let outcome = match self.transaction(std::slice::from_ref(entry)).await {
                Ok(answers) => answers.first().copied().ok_or(LedgerError::Unavailable),
                Err(_) => Err(LedgerError::Unavailable),
            };
            outcomes.push(outcome);
        }
        outcomes
    }

    async fn transaction(&self, entries: &[LedgerEntry]) -> Result<Vec<LedgerAnswer>, Failed> {
        let prepared = tokio::time::timeout(PATIENCE, self.prepare(entries)).await;
        let (tx, answers) = prepared.map_err(|_| Failed::Before(slow()))?.map_err(Failed::Before)?;
        match tokio::time::timeout(PATIENCE, tx.commit()).await {
            Ok(Ok(())) => Ok(answers),
            Ok(Err(error)) => {
                tracing::error!(error = %sanitised(&error), "a commit failed");
                Err(Failed::Unknown)
            }
            Err(_) => {
                tracing::error!("a commit took too long");
                Err(Failed::Unknown)
            }
        }
    }

    /// Everything but the commit.
    async fn prepare(
        &self,
        entries: &[LedgerEntry],
    ) -> Result<(sea_orm::DatabaseTransaction, Vec<LedgerAnswer>), DbErr> {
        let tx = self.store.begin().await?;
        let mut head = chain::lock_head(&tx).await?;
        let hashes: Vec<_> =
            entries.iter().map(|entry| decide::person_hash(&self.store.vault, entry)).collect();
        let state = self.sql.read(&tx, entries, &hashes).await?;
        let Decided { answers, records, writes } = decide::decide(entries, &hashes, state, head.seq + 1);
        self.sql.write(&tx, &records, &writes).await?;
        let at = entries.iter().map(|entry| micros(entry.at)).max().unwrap_or_default();
        chain::append(&tx, &mut head, at, chain::KIND_BATCH, chain::batch_body(&records)).await?;
        chain::store_head(&tx, &head).await?;
        Ok((tx, answers))
    }
}

fn slow() -> DbErr {
    DbErr::Custom("the batch took too long".to_owned())
}

/// A lost connection is tried again once for one query, not for each of a long batch in turn.
fn connection_lost(error: &DbErr) -> bool {
    matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_))
}
