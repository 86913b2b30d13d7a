//! The one task that writes: takes what waits, decides it on the state in memory, appends it, and only then answers.
//!
//! A state is what the chain implies at an entry. A batch that was decided on it is appended only if the chain still
//! ends there, so it was decided on everything before it. Where the chain went on elsewhere nothing was written: the
//! end is locked, the state follows, and the batch is decided again.

use std::{sync::Arc, time::Duration};

use chrono::NaiveDate;
use idcheck_usecases::ports::{LedgerAnswer, LedgerError};
use metrics::{Counter, Histogram};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

use crate::{
    chain::{self, Head},
    kernel::{cell::micros, connection::PATIENCE},
    ledger::{
        batch::{Asked, Failed},
        beat::Beat,
        decide::{Decided, decide},
        log::{Appended, Batch, Log},
        recent::Recent,
        register::{Cards, RegisterCopy},
        state::{End, Facts, State},
    },
};

/// Times that a batch is tried; each can meet a connection that the server closed meanwhile.
const ATTEMPTS: usize = 4;
/// After two misses in a row other nodes are busy too: so many batches lock the end first.
const CONTENDED: u32 = 64;

pub(crate) type Outcome = Result<LedgerAnswer, LedgerError>;

pub(crate) struct Waiting {
    pub(crate) asked: Asked,
    pub(crate) answer: oneshot::Sender<Outcome>,
}

pub(crate) struct Writer<L> {
    log: L,
    batch: usize,
    beat: Arc<Beat>,
    /// None before the first batch, and where it is not known what was written.
    state: Option<State>,
    /// Batches that still lock the end first, and misses in a row.
    locking: u32,
    misses: u32,
    /// The chain's end, where it was to be locked before the batch was taken whole.
    held: Option<Result<End, Failed>>,
    /// The entry that was appended last, until it is taken.
    appended: Option<Head>,
    /// The register in memory, where there is a copy.
    register: watch::Receiver<Option<Arc<RegisterCopy>>>,
    /// Where what was recorded is counted from.
    recent: Recent,
    measured: Measured,
}

/// Looked up by their names once.
struct Measured {
    seconds: Histogram,
    queries: Histogram,
    misses: Counter,
    failures: Counter,
}

impl Measured {
    fn new() -> Self {
        Self {
            seconds: metrics::histogram!("idcheck_ledger_transaction_seconds"),
            queries: metrics::histogram!("idcheck_ledger_batch_queries"),
            misses: metrics::counter!("idcheck_ledger_misses_total"),
            failures: metrics::counter!("idcheck_ledger_failures_total"),
        }
    }
}

/// What became of a batch's earlier tries.
#[derive(Default)]
struct Tried {
    /// Appends of which no word came back. An entry's hash tells: the chain has it or not.
    receipts: Vec<Receipt>,
    /// Whether the index refused a token as used before: which one is looked up then.
    replayed: bool,
}

struct Receipt {
    head: Head,
    answers: Vec<LedgerAnswer>,
}

/// A caller that went away is not waited for; its record stands.
fn tell(answers: Vec<oneshot::Sender<Outcome>>, outcomes: impl IntoIterator<Item = Outcome>) {
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        let _ = answer.send(outcome);
    }
}

impl<L: Log> Writer<L> {
    pub(crate) fn new(
        log: L,
        batch: usize,
        beat: Arc<Beat>,
        register: watch::Receiver<Option<Arc<RegisterCopy>>>,
        recent: Recent,
    ) -> Self {
        let measured = Measured::new();
        Self {
            log,
            batch,
            beat,
            state: None,
            locking: 0,
            misses: 0,
            held: None,
            appended: None,
            register,
            recent,
            measured,
        }
    }

    /// The copy of the register under a mark.
    fn copy_of(&self, mark: i64) -> Option<Cards> {
        self.register.borrow().clone().map(Cards::Held).filter(|copy| copy.are_of(mark))
    }

    pub(crate) async fn run(&mut self, waiting: &mut mpsc::Receiver<Waiting>) {
        // Where a task before this one failed in a batch, that batch is over.
        self.beat.end();
        self.log.release().await;
        (self.state, self.held) = (None, None);
        let mut taken = Vec::with_capacity(self.batch);
        while waiting.recv_many(&mut taken, self.batch).await > 0 {
            self.beat.begin();
            if L::OPTIMISTIC && self.locking > 0 {
                // Other nodes are at it: whoever comes while this one waits for its turn goes with it.
                self.held = Some(self.log.lock().await);
                while taken.len() < self.batch
                    && let Ok(more) = waiting.try_recv()
                {
                    taken.push(more);
                }
            }
            let (batch, answers): (Vec<_>, Vec<_>) = taken.drain(..).map(|w| (w.asked, w.answer)).unzip();
            match self.persist(&batch).await {
                Ok(results) => {
                    tell(answers, results.iter().copied().map(Ok));
                    // Of one that was looked for in the chain it is not known as which entry it is there.
                    if let Some(head) = self.appended.take() {
                        self.recent.add(head, batch, results);
                    }
                }
                Err(Failed::Before) if batch.len() > 1 => tell(answers, self.one_by_one(&batch).await),
                Err(failed) => {
                    if failed == Failed::Away {
                        while let Ok(also) = waiting.try_recv() {
                            let _ = also.answer.send(Err(LedgerError::Unavailable));
                        }
                    }
                    tell(answers, std::iter::repeat(Err(LedgerError::Unavailable)));
                }
            }
            self.beat.end();
        }
    }

    /// Records each query of a batch that failed time and again on its own, so that one that the database refuses does not take
    /// the others with it.
    async fn one_by_one(&mut self, batch: &[Asked]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for asked in batch {
            let mut tried = Tried::default();
            outcomes.push(match self.attempt(std::slice::from_ref(asked), &mut tried).await {
                Ok(answers) => answers.first().copied().ok_or(LedgerError::Unavailable),
                Err(Failed::Away) => break,
                Err(Failed::Before | Failed::Unknown) => Err(LedgerError::Unavailable),
            });
        }
        outcomes.resize(batch.len(), Err(LedgerError::Unavailable));
        outcomes
    }

    /// Tries a batch until it is recorded or it is clear that it is not.
    async fn persist(&mut self, batch: &[Asked]) -> Result<Vec<LedgerAnswer>, Failed> {
        let begun = Instant::now();
        let mut tried = Tried::default();
        self.appended = None;
        for attempt in 1.. {
            let failed = match self.attempt(batch, &mut tried).await {
                Ok(answers) => return Ok(answers),
                Err(failed) => failed,
            };
            if tried.receipts.is_empty() {
                // A lock that is not let go, for one: those behind would only wait as long again.
                if failed == Failed::Away || begun.elapsed() >= PATIENCE {
                    return Err(Failed::Away);
                }
                if attempt >= ATTEMPTS {
                    return Err(failed);
                }
            } else {
                // The batch may be there: a database that is away for a moment is waited for.
                if begun.elapsed() >= PATIENCE {
                    return Err(Failed::Away);
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Err(Failed::Before)
    }

    async fn attempt(&mut self, batch: &[Asked], tried: &mut Tried) -> Result<Vec<LedgerAnswer>, Failed> {
        let begun = Instant::now();
        let outcome = self.try_once(batch, tried).await;
        self.measured.seconds.record(begun.elapsed());
        if let Ok(answers) = &outcome {
            self.measured.queries.record(u32::try_from(answers.len()).unwrap_or(u32::MAX));
        } else {
            self.log.release().await;
            self.measured.failures.increment(1);
        }
        outcome
    }

    async fn try_once(&mut self, batch: &[Asked], tried: &mut Tried) -> Result<Vec<LedgerAnswer>, Failed> {
        let mut held = self.held.take().transpose()?;
        // A count of the day before can still be asked for: by a query that waited over midnight.
        let day = batch.iter().map(|asked| asked.day).min().unwrap_or_default();
        let since = day.pred_opt().unwrap_or(day);
        if let Some(state) = &mut self.state {
            state.forget_before(since);
        }
        let mut facts = Facts::default();
        if L::OPTIMISTIC {
            facts.cards = match self.state.as_ref().and_then(|state| self.copy_of(state.register)) {
                Some(copy) => copy,
                None => self.log.cards(batch).await?,
            };
            let known = self.state.as_ref().is_some_and(|state| state.since <= day);
            if known && tried.receipts.is_empty() && !tried.replayed && self.locking == 0 {
                if let Some(answers) = self.append_at_once(batch, &facts, tried).await? {
                    self.misses = 0;
                    return Ok(answers);
                }
                self.measured.misses.increment(1);
                self.misses += 1;
                if self.misses > 1 {
                    self.locking = CONTENDED;
                }
            }
        }
        self.locking = self.locking.saturating_sub(1);
        loop {
            if let Some(answers) = self.append_locked(batch, since, &mut facts, tried, held.take()).await? {
                return Ok(answers);
            }
        }
    }

    /// Appends a batch if nobody else appended anything; none where somebody did.
    async fn append_at_once(
        &mut self,
        batch: &[Asked],
        facts: &Facts,
        tried: &mut Tried,
    ) -> Result<Option<Vec<LedgerAnswer>>, Failed> {
        let Some(state) = &self.state else { return Ok(None) };
        let decided = decide(batch, state, facts);
        // Either callers changed or this state does not know of it yet.
        if decided.answers.contains(&LedgerAnswer::Outdated) {
            return Ok(None);
        }
        self.append(batch, decided, tried).await
    }

    /// Locks the chain's end, brings the state to it, and appends; none where a token turned out to be used.
    async fn append_locked(
        &mut self,
        batch: &[Asked],
        since: NaiveDate,
        facts: &mut Facts,
        tried: &mut Tried,
        held: Option<End>,
    ) -> Result<Option<Vec<LedgerAnswer>>, Failed> {
        let end = match held {
            Some(end) => end,
            None => self.log.lock().await?,
        };
        let register = end.register;
        for receipt in &mut tried.receipts {
            if self.log.hash(receipt.head.seq).await?.as_ref() == Some(&receipt.head.hash) {
                self.log.release().await;
                return Ok(Some(std::mem::take(&mut receipt.answers)));
            }
        }
        self.follow(end, since).await?;
        // What was looked up after the queries came stands; a copy only while it is of the register in force.
        if !L::OPTIMISTIC || matches!(facts.cards, Cards::Held(_)) && !facts.cards.are_of(register) {
            facts.cards = match self.copy_of(register) {
                Some(copy) => copy,
                None => self.log.cards(batch).await?,
            };
        }
        let Some(state) = &mut self.state else { return Err(Failed::Before) };
        if !L::OPTIMISTIC || tried.replayed {
            facts.used = self.log.used(batch).await?;
            state.lately.learn(&facts.used);
        }
        let decided = decide(batch, state, facts);
        if decided.records.is_empty() {
            self.log.release().await;
            return Ok(Some(decided.answers));
        }
        let known = tried.replayed;
        match self.append(batch, decided, tried).await? {
            Some(answers) => Ok(Some(answers)),
            None if tried.replayed && !known => Ok(None),
            None => Err(Failed::Before),
        }
    }

    /// Brings the state to the chain's end, which is locked.
    async fn follow(&mut self, end: End, since: NaiveDate) -> Result<(), Failed> {
        match self.state.as_mut().filter(|state| state.since <= since) {
            Some(state) if state.head == end.head => {
                state.register = end.register;
                return Ok(());
            }
            Some(state) if state.head.seq < end.head.seq => {
                let tail = self.log.tail(Some(state.head.seq), state.since).await?;
                if tail.before == state.head.hash {
                    state.follow(end, tail);
                    return Ok(());
                }
            }
            _ => {}
        }
        // There is no state, or the database went on from a backup and the chain is not the one that it is of.
        let tail = self.log.tail(None, since).await?;
        self.state = Some(State::whole(end, since, tail));
        Ok(())
    }

    async fn append(
        &mut self,
        batch: &[Asked],
        decided: Decided<'_>,
        tried: &mut Tried,
    ) -> Result<Option<Vec<LedgerAnswer>>, Failed> {
        let Some(state) = &mut self.state else { return Ok(None) };
        let Decided { answers, records, writes } = decided;
        let at = batch.iter().map(|asked| micros(asked.entry.at)).max().unwrap_or_default();
        let link =
            chain::link(&state.head, at, chain::KIND_BATCH, chain::batch_body(records.iter().copied()));
        let head = Head { seq: link.seq, hash: link.hash.clone() };
        let appended = {
            let batch = Batch {
                after: &state.head,
                register: state.register,
                link: &link,
                records: &records,
                writes: &writes,
            };
            match self.log.append(&batch).await {
                Ok(Appended::Done) => self.log.commit().await,
                Ok(Appended::Missed) => return Ok(None),
                Ok(Appended::Replayed) => {
                    tried.replayed = true;
                    return Ok(None);
                }
                Err(failed) => Err(failed),
            }
        };
        match appended {
            Ok(()) => {
                self.appended = Some(head.clone());
                state.appended(head, writes);
                Ok(Some(answers))
            }
            Err(failed) => {
                if failed == Failed::Unknown {
                    tried.receipts.push(Receipt { head, answers });
                }
                Err(failed)
            }
        }
    }
}

/// Between two looks at whether a batch is there.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
