//! The ledger: queries that arrive together are recorded together.
//!
//! One task takes whatever waits — no timer: an idle line has batches of one — and makes one transaction of it. The
//! transaction locks the chain's head first, so that batches of all nodes follow one another: what it reads (access,
//! used tokens, quotas, strikes) is what every earlier batch left, and the rules are exact without further locks.
//! Answers go out after the commit. A batch that failed before its commit is tried again; one whose commit's outcome
//! is unknown never is, because a strike could be counted twice: its callers get no answer. When the database is
//! away, whoever waits is told at once instead of one batch after the other.
//!
//! Measured: `idcheck_ledger_batch_queries` (queries of a batch), `idcheck_ledger_transaction_seconds` (from its
//! beginning to its commit's end), `idcheck_ledger_failures_total` (batches not recorded).

mod decide;
mod sql;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use idcheck_usecases::ports::{Ledger, LedgerAnswer, LedgerEntry, LedgerError};
use sea_orm::{DatabaseTransaction, DbErr};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::AbortHandle,
    time::{Instant, timeout},
};

use self::{decide::Decided, sql::Sql};
use crate::{
    Store, chain,
    rows::micros,
    store::{PATIENCE, begin, sanitised},
};

/// Queries that may wait; more are refused at once.
const QUEUE: usize = 4096;
/// Queries of one batch, unless told otherwise.
const BATCH: usize = 256;
/// Times that a batch is tried; each can meet a connection that the server closed meanwhile.
const ATTEMPTS: usize = 4;

/// How long a batch may take before the ledger counts as stuck: several times what its tries together may.
const STUCK: Duration = Duration::from_secs(30);

struct Waiting {
    entry: LedgerEntry,
    answer: oneshot::Sender<Result<LedgerAnswer, LedgerError>>,
}

/// The way into the ledger. Dropping the last one ends its task, after what waits.
#[derive(Clone)]
pub struct LedgerWriter {
    queue: mpsc::Sender<Waiting>,
    beat: Arc<Beat>,
    task: AbortHandle,
}

/// What the task shows of itself: when the batch under way began.
struct Beat {
    started: Instant,
    /// Milliseconds after `started`; 0 while there is no batch.
    began: AtomicU64,
}

impl Beat {
    fn new() -> Self {
        Self { started: Instant::now(), began: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    fn begin(&self) {
        self.began.store(self.now(), Ordering::Relaxed);
    }

    fn end(&self) {
        self.began.store(0, Ordering::Relaxed);
    }

    /// Whether the batch under way, if there is one, began lately.
    fn is_steady(&self) -> bool {
        let began = self.began.load(Ordering::Relaxed);
        began == 0 || u128::from(self.now().saturating_sub(began)) < STUCK.as_millis()
    }
}

impl LedgerWriter {
    /// Starts the task that writes.
    pub fn start(store: Store) -> Self {
        Self::start_with(store, BATCH)
    }

    /// The same with at most `batch` queries in one transaction: with 1, what a ledger without batches would cost can
    /// be measured.
    pub fn start_with(store: Store, batch: usize) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let sql = Sql::for_backend(store.ledger.get_database_backend());
        let beat = Arc::new(Beat::new());
        let writer = Writer { store, sql, batch: batch.clamp(1, BATCH), beat: Arc::clone(&beat) };
        let (writer, waiting) = (Arc::new(writer), Arc::new(Mutex::new(waiting)));
        let task = tokio::spawn(until_done(move || {
            let (writer, waiting) = (Arc::clone(&writer), Arc::clone(&waiting));
            async move { writer.run(&mut *waiting.lock().await).await }
        }));
        Self { queue, beat, task: task.abort_handle() }
    }

    /// Whether the task that writes is there and gets on.
    pub fn is_alive(&self) -> bool {
        !self.task.is_finished() && self.beat.is_steady()
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
    batch: usize,
    beat: Arc<Beat>,
}

/// Why a batch was not recorded.
enum Failed {
    /// No connection, or no end of it: nothing of the batch is there, and trying again is for later.
    Away,
    /// A statement failed: nothing of the batch is there.
    Before,
    /// The commit failed: the batch may be there.
    Unknown,
}

type Outcome = Result<LedgerAnswer, LedgerError>;

impl Writer {
    async fn run(&self, waiting: &mut mpsc::Receiver<Waiting>) {
        // Where a task before this one failed in a batch, that batch is over.
        self.beat.end();
        let mut batch = Vec::with_capacity(self.batch);
        while waiting.recv_many(&mut batch, self.batch).await > 0 {
            self.beat.begin();
            let (entries, answers): (Vec<_>, Vec<_>) = batch.drain(..).map(|w| (w.entry, w.answer)).unzip();
            let outcomes = match self.record(&entries).await {
                Ok(outcomes) => outcomes,
                Err(Failed::Away) => {
                    while let Ok(also) = waiting.try_recv() {
                        let _ = also.answer.send(Err(LedgerError::Unavailable));
                    }
                    vec![Err(LedgerError::Unavailable); entries.len()]
                }
                Err(Failed::Before | Failed::Unknown) => vec![Err(LedgerError::Unavailable); entries.len()],
            };
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // A caller that went away is not waited for; its record stands.
                let _ = answer.send(outcome);
            }
            self.beat.end();
        }
    }

    /// Records a batch; when that fails time and again, each query on its own, so that one that the database refuses
    /// does not take the others with it.
    async fn record(&self, entries: &[LedgerEntry]) -> Result<Vec<Outcome>, Failed> {
        let begun = Instant::now();
        for _ in 0..ATTEMPTS {
            match self.transaction(entries).await {
                Err(Failed::Before) if begun.elapsed() < PATIENCE => {}
                // A lock that is not let go, for one: those behind would only wait as long again.
                Err(Failed::Before) => return Err(Failed::Away),
                outcome => return outcome.map(|answers| answers.into_iter().map(Ok).collect()),
            }
        }
        let mut outcomes = Vec::with_capacity(entries.len());
        if entries.len() > 1 {
            for entry in entries {
                outcomes.push(match self.transaction(std::slice::from_ref(entry)).await {
                    Ok(answers) => answers.first().copied().ok_or(LedgerError::Unavailable),
                    Err(Failed::Away) => break,
                    Err(Failed::Before | Failed::Unknown) => Err(LedgerError::Unavailable),
                });
            }
        }
        outcomes.resize(entries.len(), Err(LedgerError::Unavailable));
        Ok(outcomes)
    }

    async fn transaction(&self, entries: &[LedgerEntry]) -> Result<Vec<LedgerAnswer>, Failed> {
        let begun = Instant::now();
        let outcome = self.committed(entries).await;
        metrics::histogram!("idcheck_ledger_transaction_seconds").record(begun.elapsed());
        match &outcome {
            Ok(answers) => {
                let queries = u32::try_from(answers.len()).unwrap_or(u32::MAX);
                metrics::histogram!("idcheck_ledger_batch_queries").record(queries);
            }
            Err(_) => metrics::counter!("idcheck_ledger_failures_total").increment(1),
        }
        outcome
    }

    async fn committed(&self, entries: &[LedgerEntry]) -> Result<Vec<LedgerAnswer>, Failed> {
        let (tx, answers) = match timeout(PATIENCE, self.prepare(entries)).await {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(error)) => {
                tracing::error!(error = %sanitised(&error), queries = entries.len(), "a batch failed");
                return Err(if unreachable(&error) { Failed::Away } else { Failed::Before });
            }
            Err(_) => {
                tracing::error!(queries = entries.len(), "a batch took too long");
                return Err(Failed::Away);
            }
        };
        match timeout(PATIENCE, tx.commit()).await {
            Ok(Ok(())) => Ok(answers),
            Ok(Err(error)) => {
                tracing::error!(error = %sanitised(&error), queries = entries.len(), "a commit failed");
                Err(Failed::Unknown)
            }
            Err(_) => {
                tracing::error!(queries = entries.len(), "a commit took too long");
                Err(Failed::Unknown)
            }
        }
    }

    /// Everything but the commit.
    async fn prepare(
        &self,
        entries: &[LedgerEntry],
    ) -> Result<(DatabaseTransaction, Vec<LedgerAnswer>), DbErr> {
        let tx = begin(&self.store.ledger).await?;
        let head = chain::lock_head(&tx).await?;
        let hashes: Vec<_> =
            entries.iter().map(|entry| decide::person_hash(&self.store.vault, entry)).collect();
        let state = self.sql.read(&tx, entries, &hashes).await?;
        let Decided { answers, records, writes } = decide::decide(entries, &hashes, state, head.seq + 1);
        if records.is_empty() {
            return Ok((tx, answers));
        }
        let at = entries.iter().map(|entry| micros(entry.at)).max().unwrap_or_default();
        let link = chain::link(&head, at, chain::KIND_BATCH, chain::batch_body(&records));
        self.sql.write(&tx, &records, &writes, link).await?;
        Ok((tx, answers))
    }
}

/// No connection can be had at all.
fn unreachable(error: &DbErr) -> bool {
    matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

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

    #[tokio::test(start_paused = true)]
    async fn a_batch_without_end_is_noticed() {
        let beat = Beat::new();
        tokio::time::advance(Duration::from_hours(1)).await;
        assert!(beat.is_steady(), "nobody asks");
        beat.begin();
        tokio::time::advance(STUCK / 2).await;
        assert!(beat.is_steady());
        tokio::time::advance(STUCK).await;
        assert!(!beat.is_steady());
        beat.end();
        assert!(beat.is_steady());
    }
}
