//! The one task that writes: takes what waits, decides it on the state in memory, appends it, and only then answers.
//!
//! A state is what the chain implies at an entry. A batch that was decided on it is appended only if the chain still
//! ends there, so it was decided on everything before it. Where the chain went on elsewhere nothing was written: the
//! end is locked, the state follows, and the batch is decided anew.

use std::{sync::Arc, time::Duration};

use chrono::NaiveDate;
use idcheck_usecases::ports::{LedgerAnswer, LedgerError};
use metrics::{Counter, Histogram};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    Beat,
    decide::{Asked, Decided, decide},
    log::{Appended, Batch, Failed, Log},
    state::{Facts, State},
};
use crate::{
    chain::{self, Head},
    rows::micros,
    store::PATIENCE,
};

/// Times that a batch is tried; each can meet a connection that the server closed meanwhile.
const ATTEMPTS: usize = 4;
/// After two misses in a row other nodes are busy too: so many batches lock the end first.
const CONTENDED: u32 = 64;

pub(super) type Outcome = Result<LedgerAnswer, LedgerError>;

pub(super) struct Waiting {
    pub(super) asked: Asked,
    pub(super) answer: oneshot::Sender<Outcome>,
}

pub(super) struct Writer<L> {
    log: L,
    batch: usize,
    beat: Arc<Beat>,
    /// None before the first batch, and where it is not known what was written.
    state: Option<State>,
    /// Batches that still lock the end first, and misses in a row.
    locking: u32,
    misses: u32,
    /// The chain's end, where it was to be locked before the batch was taken whole.
    held: Option<Result<Head, Failed>>,
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

impl<L: Log> Writer<L> {
    pub(super) fn new(log: L, batch: usize, beat: Arc<Beat>) -> Self {
        Self { log, batch, beat, state: None, locking: 0, misses: 0, held: None, measured: Measured::new() }
    }

    pub(super) async fn run(&mut self, waiting: &mut mpsc::Receiver<Waiting>) {
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
            let outcomes = match self.record(&batch).await {
                Ok(outcomes) => outcomes,
                Err(failed) => {
                    if failed == Failed::Away {
                        while let Ok(also) = waiting.try_recv() {
                            let _ = also.answer.send(Err(LedgerError::Unavailable));
                        }
                    }
                    vec![Err(LedgerError::Unavailable); batch.len()]
                }
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
    async fn record(&mut self, batch: &[Asked]) -> Result<Vec<Outcome>, Failed> {
        match self.persist(batch).await {
            Err(Failed::Before) if batch.len() > 1 => {}
            outcome => return outcome.map(|answers| answers.into_iter().map(Ok).collect()),
        }
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
        Ok(outcomes)
    }

    /// Tries a batch until it is recorded or it is clear that it is not.
    async fn persist(&mut self, batch: &[Asked]) -> Result<Vec<LedgerAnswer>, Failed> {
        let begun = Instant::now();
        let mut tried = Tried::default();
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
            facts.cards = self.log.cards(batch).await?;
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
        held: Option<Head>,
    ) -> Result<Option<Vec<LedgerAnswer>>, Failed> {
        let head = match held {
            Some(head) => head,
            None => self.log.lock().await?,
        };
        for receipt in &mut tried.receipts {
            if self.log.hash(receipt.head.seq).await?.as_ref() == Some(&receipt.head.hash) {
                self.log.release().await;
                return Ok(Some(std::mem::take(&mut receipt.answers)));
            }
        }
        self.follow(head, since).await?;
        if !L::OPTIMISTIC {
            facts.cards = self.log.cards(batch).await?;
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
    async fn follow(&mut self, head: Head, since: NaiveDate) -> Result<(), Failed> {
        match self.state.as_mut().filter(|state| state.since <= since) {
            Some(state) if state.head == head => return Ok(()),
            Some(state) if state.head.seq < head.seq => {
                let tail = self.log.tail(Some(state.head.seq), state.since).await?;
                if tail.before == state.head.hash {
                    state.follow(head, tail);
                    return Ok(());
                }
            }
            _ => {}
        }
        // There is no state, or the database went on from a backup and the chain is not the one that it is of.
        let tail = self.log.tail(None, since).await?;
        self.state = Some(State::whole(head, since, tail));
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
            let batch = Batch { after: &state.head, link: &link, records: &records, writes: &writes };
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
mod tests {
    use chrono::TimeDelta;
    use idcheck_domain::{abuse::AbuseRule, access::Access, key::Environment, value::Reason};
    use idcheck_testing::{
        builders::{audit, register_row, ubn},
        contract::ledger::{ORGANISATION, admit, question},
        database::TempDatabase,
        draws,
    };
    use idcheck_usecases::ports::{
        Ask, Change, Changes as _, HouseholdRegister as _, LedgerEntry, Organisations, UserChange, Write,
    };

    use super::{
        super::{postgres::PostgresLog, sqlite::SqliteLog},
        *,
    };
    use crate::{Store, Vault, store::LedgerPlace};

    /// What is drawn at random: who asks about whom, rightly or not, with a new token or an old one, on which day.
    struct Draw {
        next: Box<dyn FnMut(usize) -> usize + Send>,
        tokens: usize,
    }

    impl Draw {
        fn entry(&mut self) -> LedgerEntry {
            let year = if (self.next)(3) == 0 { 108 } else { 100 };
            let old = (self.next)(12) == 0;
            self.tokens += usize::from(!old);
            let token = if old { (self.next)(self.tokens + 1) } else { self.tokens };
            let mut entry = question((self.next)(9), year, &format!("token-{token}"));
            entry.ubn = ubn(ORGANISATION + (self.next)(2));
            entry.user_id = format!("user{}", (self.next)(3));
            entry.at += TimeDelta::hours(14) - TimeDelta::minutes(1);
            entry.at += TimeDelta::minutes(i64::from((self.next)(2) == 0) * 2);
            if (self.next)(7) == 0 {
                entry.environment = Environment::Sandbox;
            }
            match ((self.next)(40), &mut entry.ask) {
                (0, ask) => *ask = Ask::Refused(idcheck_usecases::ports::RefusalCode::TokenTimes),
                (1, Ask::Card { limits, .. }) => limits.quota = 3,
                (2, Ask::Card { limits, .. }) => limits.budget = 2,
                _ => {}
            }
            entry
        }

        /// An organisation loses its access or has it back, or a user is suspended or let in.
        async fn act(&mut self, store: &Store) {
            let (of, turn) = (ubn(ORGANISATION + (self.next)(2)), (self.next)(4) > 0);
            let at = question(0, 100, "").at;
            let mut change = Change { audit: audit(), ..Change::default() };
            if (self.next)(2) == 0 {
                let held = Organisations::find(store, of).await.unwrap().unwrap();
                let mut value = held.value;
                let reason = Reason::parse("停用").unwrap();
                value.access =
                    if turn { Access::Active { since: at } } else { Access::Suspended { since: at, reason } };
                change.organisation = Some(Write::Update { value, expected: held.version });
            } else {
                let suspended = turn.then_some((at, AbuseRule::UserMistakes));
                change.users = vec![UserChange { ubn: of, user_id: "user1".to_owned(), suspended }];
            }
            // Letting in a user who is not suspended is a conflict.
            let _ = store.commit(change).await;
        }
    }

    /// Two nodes write in turns chosen at random, and acts come between: after each batch what the node holds in memory is
    /// what the tables say.
    async fn memory_is_what_the_tables_say<L: Log>(
        database: &TempDatabase,
        mut log: impl FnMut(&Store) -> L,
    ) {
        let (vault, clock) = (Vault::new(&[7; 32]).unwrap(), Arc::new(database.clock.clone()));
        let store = Store::connect(&database.url, vault, clock).await.unwrap();
        for organisation in 0..2 {
            admit(&store, ORGANISATION + organisation).await;
        }
        let rows: Vec<_> =
            (0..6).map(|n| register_row(n, idcheck_domain::verification::CardStatus::Normal)).collect();
        store.import(&rows).await.unwrap();
        let mut nodes = Vec::new();
        for _ in 0..2 {
            nodes.push(Writer::new(log(&store), BATCH, Arc::new(Beat::new())));
        }
        let (steps, next) = draws("IDCHECK_TEST_LEDGER_STATE", 150);
        let mut draw = Draw { next, tokens: 0 };
        let (mut results, mut replays, mut ended) = (0, 0, 0);
        for step in 0..steps {
            if (draw.next)(8) == 0 {
                draw.act(&store).await;
            }
            // Long runs of one node, as well as turns.
            let node = if (draw.next)(3) == 0 { 1 } else { step / 20 % 2 };
            let batch: Vec<_> =
                (0..=(draw.next)(12)).map(|_| Asked::new(&store.vault, draw.entry())).collect();
            for outcome in nodes[node].record(&batch).await.unwrap() {
                match outcome.unwrap() {
                    LedgerAnswer::Result(_) => results += 1,
                    LedgerAnswer::Replayed => replays += 1,
                    LedgerAnswer::AccessEnded => ended += 1,
                    _ => {}
                }
            }
            let Writer { log, state: Some(held), .. } = &mut nodes[node] else { panic!("no state") };
            let head = log.lock().await.unwrap();
            let tail = log.tail(None, held.since).await.unwrap();
            log.release().await;
            let read = State::whole(head, held.since, tail);
            assert_eq!(held.head, read.head, "step {step}");
            assert_eq!(held.callers, read.callers, "step {step}");
            assert_eq!(held.days, read.days, "step {step}");
            assert_eq!(held.strikes, read.strikes, "step {step}");
        }
        assert!(results > steps && replays > 0 && ended > 0, "{results}, {replays}, {ended}");
        assert_eq!(store.verify_chain(0).await.unwrap().first_bad, None);
    }

    const BATCH: usize = 64;

    #[tokio::test]
    async fn memory_is_what_the_tables_say_on_postgres() {
        let database = TempDatabase::postgres().await;
        memory_is_what_the_tables_say(&database, |store| match &store.ledger {
            LedgerPlace::Postgres(connections) => PostgresLog::new(connections),
            LedgerPlace::Sqlite(_) => unreachable!(),
        })
        .await;
        database.close().await;
    }

    #[tokio::test]
    async fn memory_is_what_the_tables_say_on_sqlite() {
        let database = TempDatabase::sqlite().await;
        memory_is_what_the_tables_say(&database, |store| match &store.ledger {
            LedgerPlace::Sqlite(file) => SqliteLog::new(file.clone(), store.writer.turns()),
            LedgerPlace::Postgres(_) => unreachable!(),
        })
        .await;
    }
}
