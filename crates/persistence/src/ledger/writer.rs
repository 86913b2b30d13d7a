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
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

use super::{
    Beat,
    decide::{Asked, Decided, decide},
    log::{Appended, Batch, Failed, Log},
    recent::Recent,
    register::{Cards, RegisterCopy},
    state::{End, Facts, State},
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
    pub(super) fn new(
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
mod tests {
    use chrono::TimeDelta;
    use idcheck_domain::{
        abuse::AbuseRule,
        access::Access,
        key::Environment,
        value::Reason,
        verification::{CardStatus, VerificationResult},
    };
    use idcheck_testing::{
        builders::{audit, person, register_row, ubn},
        contract::ledger::{ORGANISATION, admit, question},
        database::TempDatabase,
        draws,
    };
    use idcheck_usecases::ports::{
        Ask, Change, Changes as _, HouseholdRegister as _, LedgerEntry, Organisations, UserChange, Write,
    };

    use sea_orm::ConnectionTrait as _;

    use super::{
        super::{postgres::PostgresLog, register, sqlite::SqliteLog},
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

        /// An organisation loses its access or has it back, a user is suspended or let in, or the register is changed.
        async fn act(&mut self, store: &Store) {
            let (of, turn) = (ubn(ORGANISATION + (self.next)(2)), (self.next)(2) > 0);
            if (self.next)(3) == 0 {
                let status = if turn { CardStatus::Normal } else { CardStatus::ReportedLost };
                store.import(&[register_row((self.next)(6), status)]).await.unwrap();
                return;
            }
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
        let rows: Vec<_> = (0..6).map(|n| register_row(n, CardStatus::Normal)).collect();
        store.import(&rows).await.unwrap();
        let mut nodes = Vec::new();
        for _ in 0..2 {
            nodes.push(writer(log(&store), &store));
        }
        let (steps, next) = draws("IDCHECK_TEST_LEDGER_STATE", 150);
        let mut draw = Draw { next, tokens: 0 };
        let (mut results, mut replays, mut ended) = (0, 0, 0);
        for step in 0..steps {
            if (draw.next)(4) == 0 {
                draw.act(&store).await;
            }
            // Long runs of one node, as well as turns.
            let node = if (draw.next)(3) == 0 { 1 } else { step / 20 % 2 };
            let batch: Vec<_> =
                (0..=(draw.next)(12)).map(|_| Asked::new(&store.vault, draw.entry())).collect();
            for outcome in nodes[node].persist(&batch).await.unwrap() {
                match outcome {
                    LedgerAnswer::Result(_) => results += 1,
                    LedgerAnswer::Replayed => replays += 1,
                    LedgerAnswer::AccessEnded => ended += 1,
                    _ => {}
                }
            }
            let Writer { log, state: Some(held), .. } = &mut nodes[node] else { panic!("no state") };
            let end = log.lock().await.unwrap();
            let tail = log.tail(None, held.since).await.unwrap();
            log.release().await;
            let read = State::whole(end, held.since, tail);
            assert_eq!((&held.head, held.register), (&read.head, read.register), "step {step}");
            assert_eq!(held.callers, read.callers, "step {step}");
            assert_eq!(held.days, read.days, "step {step}");
            assert_eq!(held.strikes, read.strikes, "step {step}");
        }
        assert!(results > steps && replays > 0 && ended > 0, "{results}, {replays}, {ended}");
        assert_eq!(store.verify_chain(0).await.unwrap().first_bad, None);
    }

    const BATCH: usize = 64;

    /// Whatever changes the register, the next answer of every node is of the new one, though each held the old one.
    async fn a_change_of_the_register_is_in_the_next_answer<L: Log>(
        database: &TempDatabase,
        mut log: impl FnMut(&Store) -> L,
    ) {
        let (vault, clock) = (Vault::new(&[7; 32]).unwrap(), Arc::new(database.clock.clone()));
        let store = Store::connect(&database.url, vault, clock).await.unwrap();
        admit(&store, ORGANISATION).await;
        store.import(&[register_row(0, CardStatus::Normal)]).await.unwrap();
        let mut nodes = Vec::new();
        for _ in 0..2 {
            nodes.push(writer(log(&store), &store));
        }
        let hash = hex::encode(store.vault.person(&person(0)));
        let mut expected = VerificationResult::Match;
        for turn in 0..4 {
            for node in &mut nodes {
                for round in ["first", "second"] {
                    let token = format!("{turn} {round} {node:p}");
                    let asked = Asked::new(&store.vault, question(0, 108, &token));
                    let outcomes = node.persist(&[asked]).await.unwrap();
                    assert_eq!(outcomes, [LedgerAnswer::Result(expected)], "turn {turn}, {round}");
                }
                // From now on it answers from what it holds.
                let mark = node.state.as_ref().map(|state| state.register);
                let held = |copy: &Option<Arc<RegisterCopy>>| copy.as_ref().map(|copy| copy.mark) == mark;
                let wait = tokio::time::timeout(Duration::from_secs(20), node.register.wait_for(held));
                drop(wait.await.unwrap().unwrap());
                let asked = Asked::new(&store.vault, question(0, 108, &format!("{turn} held {node:p}")));
                let outcomes = node.persist(&[asked]).await.unwrap();
                assert_eq!(outcomes, [LedgerAnswer::Result(expected)], "turn {turn}, held");
            }
            expected = match turn {
                0 => {
                    store.import(&[register_row(0, CardStatus::OutOfUse)]).await.unwrap();
                    VerificationResult::OutOfUse
                }
                1 => {
                    store.begin_edition().await.unwrap();
                    store.add_to_edition(&[register_row(0, CardStatus::ReportedLost)]).await.unwrap();
                    store.complete_edition().await.unwrap();
                    store.put_edition_in_force().await.unwrap();
                    VerificationResult::ReportedLost
                }
                _ => {
                    // By hand, in the edition that was put in force.
                    let bytes = if database.url.starts_with("sqlite") {
                        format!("x'{hash}'")
                    } else {
                        format!("'\\x{hash}'")
                    };
                    let status = if turn == 2 { "normal" } else { "outOfUse" };
                    let sql = format!(
                        "UPDATE household_register SET status = '{status}' WHERE person_hash = {bytes}"
                    );
                    database.tamper(&sql).await;
                    VerificationResult::Match
                }
            };
        }
    }

    #[tokio::test]
    async fn a_change_of_the_register_is_in_the_next_answer_on_postgres() {
        let database = TempDatabase::postgres().await;
        a_change_of_the_register_is_in_the_next_answer(&database, postgres).await;
        // A program of the version before, which knows of no marks.
        let before =
            Store::connect(&database.url, Vault::new(&[7; 32]).unwrap(), Arc::new(database.clock.clone()));
        let before = before.await.unwrap();
        before.reader.execute_unprepared("DROP TABLE household_register").await.unwrap_err();
        database.close().await;
    }

    #[tokio::test]
    async fn a_change_of_the_register_is_in_the_next_answer_on_sqlite() {
        a_change_of_the_register_is_in_the_next_answer(&TempDatabase::sqlite().await, sqlite).await;
    }

    /// Two persons need 32 octets; a row that can't be read is no card.
    #[tokio::test]
    async fn a_register_that_can_t_be_held_is_looked_up() {
        let database = TempDatabase::sqlite().await;
        let (vault, clock) = (Vault::new(&[7; 32]).unwrap(), Arc::new(database.clock.clone()));
        let store = Store::connect(&database.url, vault, clock).await.unwrap();
        admit(&store, ORGANISATION).await;
        store.import(&[0, 1].map(|n| register_row(n, CardStatus::Normal))).await.unwrap();
        let hash = hex::encode(store.vault.person(&person(1)));
        let unread = format!("UPDATE household_register SET status = 'x' WHERE person_hash = x'{hash}'");
        for (octets, held) in [(0, false), (31, false), (32, true), (1 << 20, false)] {
            if octets == 1 << 20 {
                database.tamper(&unread).await;
            }
            let mut writer = holding(sqlite(&store), &store, octets);
            let found = writer.register.wait_for(Option::is_some);
            let found =
                tokio::time::timeout(Duration::from_millis(500), found).await.is_ok_and(|f| f.is_ok());
            assert_eq!(found, held, "{octets} octets");
            let asked = Asked::new(&store.vault, question(0, 108, &format!("{octets} octets")));
            let outcomes = writer.persist(&[asked]).await.unwrap();
            assert_eq!(outcomes, [LedgerAnswer::Result(VerificationResult::Match)], "{octets} octets");
        }
    }

    fn writer<L: Log>(log: L, store: &Store) -> Writer<L> {
        holding(log, store, 1 << 20)
    }

    fn holding<L: Log>(log: L, store: &Store, octets: usize) -> Writer<L> {
        let register = register::keep_looking(store, octets, Duration::from_millis(20));
        Writer::new(log, BATCH, Arc::new(Beat::new()), register, Recent::default())
    }

    fn postgres(store: &Store) -> PostgresLog {
        match &store.ledger {
            LedgerPlace::Postgres(connections) => PostgresLog::new(connections),
            LedgerPlace::Sqlite(_) => unreachable!(),
        }
    }

    fn sqlite(store: &Store) -> SqliteLog {
        match &store.ledger {
            LedgerPlace::Sqlite(file) => SqliteLog::new(file.clone(), store.writer.turns()),
            LedgerPlace::Postgres(_) => unreachable!(),
        }
    }

    #[tokio::test]
    async fn memory_is_what_the_tables_say_on_postgres() {
        let database = TempDatabase::postgres().await;
        memory_is_what_the_tables_say(&database, postgres).await;
        database.close().await;
    }

    #[tokio::test]
    async fn memory_is_what_the_tables_say_on_sqlite() {
        let database = TempDatabase::sqlite().await;
        memory_is_what_the_tables_say(&database, sqlite).await;
    }
}
