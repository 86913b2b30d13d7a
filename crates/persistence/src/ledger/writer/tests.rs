//! What a node holds in memory, against the tables.

use crate::ledger::batch::Asked;
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

use crate::{
    Store,
    kernel::{connection::LedgerPlace, vault::Vault},
    ledger::{postgres::PostgresLog, register, sqlite::SqliteLog, writer::*},
};

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
            (0, ask) => *ask = Ask::Refused(idcheck_domain::outcome::QueryRefusal::TokenTimes),
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
async fn memory_is_what_the_tables_say<L: Log>(database: &TempDatabase, mut log: impl FnMut(&Store) -> L) {
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
        let batch: Vec<_> = (0..=(draw.next)(12)).map(|_| Asked::new(&store.vault, draw.entry())).collect();
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
                let sql =
                    format!("UPDATE household_register SET status = '{status}' WHERE person_hash = {bytes}");
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

/// Two persons need 32 bytes; a row that can't be read is no card.
#[tokio::test]
async fn a_register_that_can_t_be_held_is_looked_up() {
    let database = TempDatabase::sqlite().await;
    let (vault, clock) = (Vault::new(&[7; 32]).unwrap(), Arc::new(database.clock.clone()));
    let store = Store::connect(&database.url, vault, clock).await.unwrap();
    admit(&store, ORGANISATION).await;
    store.import(&[0, 1].map(|n| register_row(n, CardStatus::Normal))).await.unwrap();
    let hash = hex::encode(store.vault.person(&person(1)));
    let unread = format!("UPDATE household_register SET status = 'x' WHERE person_hash = x'{hash}'");
    for (bytes, held) in [(0, false), (31, false), (32, true), (1 << 20, false)] {
        if bytes == 1 << 20 {
            database.tamper(&unread).await;
        }
        let mut writer = holding(sqlite(&store), &store, bytes);
        let found = writer.register.wait_for(Option::is_some);
        let found = tokio::time::timeout(Duration::from_millis(500), found).await.is_ok_and(|f| f.is_ok());
        assert_eq!(found, held, "{bytes} bytes");
        let asked = Asked::new(&store.vault, question(0, 108, &format!("{bytes} bytes")));
        let outcomes = writer.persist(&[asked]).await.unwrap();
        assert_eq!(outcomes, [LedgerAnswer::Result(VerificationResult::Match)], "{bytes} bytes");
    }
}

fn writer<L: Log>(log: L, store: &Store) -> Writer<L> {
    holding(log, store, 1 << 20)
}

fn holding<L: Log>(log: L, store: &Store, bytes: usize) -> Writer<L> {
    let register = register::keep_looking(&store.reader, bytes, Duration::from_millis(20));
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
