//! The ledger: queries that arrive together are recorded together, as an entry of a log.
//!
//! One task takes whatever waits — no timer: an idle line has batches of one — and appends it as one entry. What an entry is
//! decided by is the state that the log implies ([`state`]), which each node keeps in memory; it is appended only if the
//! log still ends where that state does ([`writer`]). So what was decided by is what every earlier batch and act left, over all
//! nodes, and the rules are exact without further locks. Answers go out after the commit. A batch that failed before its
//! commit is tried again; one of which no word came is looked for in the log, where its hash tells. When the database is
//! away, whoever waits is told at once instead of one batch after the other.
//!
//! The decisions ([`decide`]) are pure; the databases ([`postgres`], [`sqlite`]) are two ways to keep a [`log`].
//!
//! Measured: `idcheck_ledger_batch_queries` (queries of a batch), `idcheck_ledger_transaction_seconds` (from its
//! beginning to its commit's end), `idcheck_ledger_misses_total` (batches that met an end which others had moved),
//! `idcheck_ledger_failures_total` (batches not recorded).

pub(crate) mod batch;
mod beat;
mod checkpoint;
mod decide;
pub(crate) mod entity;
mod file;
mod log;
mod postgres;
mod recent;
mod register;
mod rows;
mod sqlite;
mod state;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use idcheck_usecases::ports::{Ledger, LedgerAnswer, LedgerEntry, LedgerError};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::{
    Store,
    kernel::{connection::LedgerPlace, vault::Vault},
    ledger::{
        batch::Asked,
        beat::Beat,
        log::Log,
        postgres::PostgresLog,
        sqlite::SqliteLog,
        writer::{Waiting, Writer},
    },
};

pub(crate) use crate::ledger::{
    batch::{TOKEN_LEN, stored_token},
    recent::{Counted, Recent, Recorded},
};

/// Queries that may wait; more are refused at once.
const QUEUE: usize = 4096;
/// Queries of one batch, unless told otherwise.
const BATCH: usize = 256;
/// Bounds of the ledger.
#[derive(Debug, Clone, Copy)]
pub struct LedgerSettings {
    /// Queries of one transaction at most, from 1 to 256: with 1, what a ledger without batches would cost can be measured.
    pub batch: usize,
    /// Bytes of memory in which the household register may be held, sixteen a card; where it needs more, or with 0, each batch
    /// looks its cards up in the database.
    pub register_bytes: usize,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self { batch: BATCH, register_bytes: 512 << 20 }
    }
}

/// The way into the ledger. Dropping the last one ends its task, after what waits.
#[derive(Clone)]
pub struct LedgerWriter {
    queue: mpsc::Sender<Waiting>,
    vault: Vault,
    beat: Arc<Beat>,
}

impl LedgerWriter {
    /// Starts the task that writes.
    pub fn start(store: &Store) -> Self {
        Self::start_with(store, LedgerSettings::default())
    }

    /// The same with other bounds.
    pub fn start_with(store: &Store, settings: LedgerSettings) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (beat, batch) = (Arc::new(Beat::new()), settings.batch.clamp(1, BATCH));
        let register = register::keep(&store.reader, settings.register_bytes);
        match &store.ledger {
            LedgerPlace::Postgres(connections) => {
                let log = PostgresLog::new(connections);
                tokio::spawn(written(
                    Writer::new(log, batch, Arc::clone(&beat), register, store.recent.clone()),
                    waiting,
                ));
            }
            LedgerPlace::Sqlite(file) => {
                let log = SqliteLog::new(file.clone(), store.writer.turns());
                let writer = Writer::new(log, batch, Arc::clone(&beat), register, store.recent.clone());
                // A database in a file works in the thread that asks it: in one of its own nobody else waits meanwhile.
                let thread = std::thread::Builder::new().name("ledger".to_owned());
                if let Err(error) = thread.spawn(move || alone(written(writer, waiting))) {
                    tracing::error!(%error, "the ledger's thread can't be made");
                }
            }
        }
        Self { queue, vault: store.vault.clone(), beat }
    }

    /// Whether the task that writes is there and gets on.
    pub fn is_alive(&self) -> bool {
        !self.queue.is_closed() && self.beat.is_steady()
    }
}

/// Writes what waits until nobody is left who could ask.
async fn written<L: Log + 'static>(writer: Writer<L>, waiting: mpsc::Receiver<Waiting>) {
    let shared = Arc::new(Mutex::new((writer, waiting)));
    until_done(move || {
        let shared = Arc::clone(&shared);
        async move {
            let (writer, waiting) = &mut *shared.lock().await;
            writer.run(waiting).await;
        }
    })
    .await;
}

/// Runs a task on this thread.
fn alone(task: impl Future<Output = ()>) {
    match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime.block_on(task),
        Err(error) => tracing::error!(%error, "the ledger's thread can't wait for anything"),
    }
}

/// Runs a task to its end, and begins it again when it panics: without the ledger nothing is answered, and what made one batch
/// fail need not be in the next.
async fn until_done<F: Future<Output = ()> + Send + 'static>(mut task: impl FnMut() -> F) {
    while let Err(error) = tokio::spawn(task()).await {
        if !error.is_panic() {
            return;
        }
        metrics::counter!("idcheck_ledger_failures_total").increment(1);
        tracing::error!("the ledger's writer failed, and was begun again; whoever waited got no answer");
    }
}

#[async_trait]
impl Ledger for LedgerWriter {
    async fn record(&self, entry: LedgerEntry) -> Result<LedgerAnswer, LedgerError> {
        let (answer, answered) = oneshot::channel();
        let asked = Asked::new(&self.vault, entry);
        self.queue.try_send(Waiting { asked, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => LedgerError::Busy,
            mpsc::error::TrySendError::Closed(_) => LedgerError::Unavailable,
        })?;
        answered.await.unwrap_or(Err(LedgerError::Unavailable))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_begun_again_until_it_is_done() {
        let turns = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&turns);
        until_done(move || {
            let turns = Arc::clone(&counted);
            async move { assert!(turns.fetch_add(1, Ordering::Relaxed) >= 2, "on purpose") }
        })
        .await;
        assert_eq!(turns.load(Ordering::Relaxed), 3);
    }
}
