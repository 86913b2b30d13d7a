//! What is left when something fails: nothing of a change, no answer without its record, no strike twice (threats 13
//! and 14).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
mod support;

use std::time::{Duration, Instant};

use idcheck_domain::verification::CardStatus;
use idcheck_persistence::LedgerWriter;
use idcheck_testing::{
    builders::{register_row, ubn},
    contract::ledger::{ORGANISATION, admission, admit, question},
    database::TempDatabase,
};
use idcheck_usecases::ports::{
    Change, Changes, CommitError, HouseholdRegister, Ledger, LedgerAnswer, LedgerEntry, LedgerError,
    Organisations, StoreError,
};

/// A trigger that refuses rows of a table for which `condition` holds.
fn refuse(database: &TempDatabase, table: &str, condition: &str) -> String {
    if database.folder().is_some() {
        return format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON {table} WHEN {condition} \
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        );
    }
    format!(
        "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$ LANGUAGE plpgsql; \
         CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION refuse()"
    )
}

async fn allow(database: &TempDatabase, table: &str) {
    if database.folder().is_some() {
        database.tamper("DROP TRIGGER refuse").await;
    } else {
        database.tamper(&format!("DROP TRIGGER refuse ON {table}; DROP FUNCTION refuse()")).await;
    }
}

on_both!(a_change_that_fails_at_its_end_leaves_nothing, |database| {
    let store = database.store().await;
    database.tamper(&refuse(&database, "audit_chain", "true")).await;
    let outcome = store.commit(admission(1)).await;
    assert_eq!(outcome, Err(CommitError::Store(StoreError::Unavailable)));
    assert_eq!(Organisations::find(&store, ubn(1)).await.unwrap(), None);
    allow(&database, "audit_chain").await;
    store.commit(admission(1)).await.unwrap();
    assert_eq!(store.verify_chain(0).await.unwrap().entries, 1);
});

// The ledger learns of who may ask from the chain: a change of it that left no entry would not be in force.
on_both!(who_may_ask_does_not_change_without_an_entry, |database| {
    let store = database.store().await;
    let outcome = store.commit(Change { audit: Vec::new(), ..admission(1) }).await;
    assert!(matches!(outcome, Err(CommitError::Store(StoreError::Corrupt { .. }))), "{outcome:?}");
    assert_eq!(Organisations::find(&store, ubn(1)).await.unwrap(), None);
});

/// Tables that a batch writes to, in the order in which it does.
const WRITTEN: [&str; 5] =
    ["used_tokens", "organisation_days", "strikes", "verification_records", "audit_chain"];

on_both!(a_batch_that_fails_at_any_statement_leaves_nothing, |database| {
    let store = database.store().await;
    admit(&store, ORGANISATION).await;
    let ledger = LedgerWriter::start(&store);
    for table in WRITTEN {
        database.tamper(&refuse(&database, table, "true")).await;
        let outcome = ledger.record(question(1, 100, "again")).await;
        assert_eq!(outcome, Err(LedgerError::Unavailable), "{table}");
        allow(&database, table).await;
        for other in &WRITTEN[..4] {
            let left = database.number(&format!("SELECT count(*) FROM {other}")).await;
            assert_eq!(left, 0, "{other} kept something when {table} failed");
        }
    }
    // The token was not spent and no strike was counted.
    let outcome = ledger.record(question(1, 100, "again")).await.unwrap();
    assert!(matches!(outcome, LedgerAnswer::Result(result) if result.code() == 2), "{outcome:?}");
    assert_eq!(store.verify_chain(0).await.unwrap().first_bad, None);
});

on_both!(a_query_that_the_database_refuses_takes_no_other_with_it, |database| {
    let store = database.store().await;
    admit(&store, ORGANISATION).await;
    database.tamper(&refuse(&database, "verification_records", "NEW.user_id = 'poison'")).await;
    let ledger = LedgerWriter::start(&store);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..30 {
        let ledger = ledger.clone();
        let mut entry = question(number, 100, &format!("poison-{number}"));
        if number % 10 == 4 {
            entry.user_id = "poison".to_owned();
        }
        tasks.spawn(async move { (number, ledger.record(entry).await) });
    }
    for (number, outcome) in tasks.join_all().await {
        assert_eq!(outcome.is_err(), number % 10 == 4, "{number}: {outcome:?}");
    }
    assert_eq!(database.number("SELECT count(*) FROM used_tokens").await, 27);
});

// What does not fit into the queue is refused at once; what does is answered as soon as it goes on.
on_both!(a_full_queue_refuses_at_once_and_goes_on, |database| {
    const QUERIES: usize = 6_000;
    let store = database.store().await;
    admit(&store, ORGANISATION).await;
    let ledger = LedgerWriter::start(&store);
    ledger.record(question(1, 100, "before")).await.unwrap();
    let holder = database.hold_the_writer().await;
    let begun = Instant::now();
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..QUERIES {
        let ledger = ledger.clone();
        let entry = question(1_000 + number % 3_000, 100, &format!("full-{number}"));
        waiting.spawn(async move { (ledger.record(entry).await, begun.elapsed()) });
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    holder.close().await.unwrap();
    let let_go = begun.elapsed();
    let (mut answered, mut refused) = (0, 0);
    for (outcome, after) in waiting.join_all().await {
        match outcome {
            Ok(_) => {
                assert!(after > let_go, "answered before anything could be written");
                answered += 1;
            }
            Err(LedgerError::Busy) => {
                assert!(after < let_go, "refused after {after:?}");
                refused += 1;
            }
            Err(LedgerError::Unavailable) => panic!("given up after {after:?}"),
        }
    }
    assert_eq!(answered + refused, QUERIES);
    assert!((4_096..5_000).contains(&answered), "{answered} waited");
    let recorded =
        usize::try_from(database.number("SELECT count(*) FROM verification_records").await).unwrap();
    assert_eq!(recorded, answered + 1);
    ledger.record(question(1, 100, "after")).await.unwrap();
});

/// SQLite: another program holds the file. Whoever waits is told in time, and all goes on when it lets go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_file_is_answered_in_time() {
    let database = TempDatabase::sqlite().await;
    let store = database.store().await;
    admit(&store, ORGANISATION).await;
    let ledger = LedgerWriter::start(&store);
    let holder = database.hold_the_writer().await;
    let begun = Instant::now();
    let waiting: Vec<_> = (0..600)
        .map(|number| {
            let ledger = ledger.clone();
            let entry = question(number, 100, &format!("held-{number}"));
            tokio::spawn(async move { ledger.record(entry).await })
        })
        .collect();
    for task in waiting {
        assert_eq!(task.await.unwrap(), Err(LedgerError::Unavailable));
    }
    assert!(begun.elapsed() < Duration::from_secs(8), "told after {:?}", begun.elapsed());
    holder.close().await.unwrap();
    let outcome = recovered(&ledger, "held-0").await;
    assert!(matches!(outcome, LedgerAnswer::Result(result) if result.code() == 2), "{outcome:?}");
    assert_eq!(database.number("SELECT count(*) FROM verification_records").await, 1);
}

/// Asks until there is an answer, at most 10 seconds.
async fn recovered(ledger: &LedgerWriter, jti: &str) -> LedgerAnswer {
    let begun = Instant::now();
    loop {
        match ledger.record(question(0, 100, jti)).await {
            Ok(answer) => return answer,
            Err(_) => assert!(begun.elapsed() < Duration::from_secs(10), "no recovery"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// PostgreSQL goes away again and again under load. Every answer has its record and its token, every strike was
/// counted once, and the chain holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_under_load_lose_and_double_nothing() {
    let database = TempDatabase::postgres().await;
    let store = database.store().await;
    admit(&store, ORGANISATION).await;
    store.import(&(0..40).map(|n| register_row(n, CardStatus::Normal)).collect::<Vec<_>>()).await.unwrap();
    let nodes = [LedgerWriter::start(&store), LedgerWriter::start(&database.store().await)];
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..16 {
        let ledger = nodes[client % 2].clone();
        clients.spawn(async move {
            let mut answered = Vec::new();
            for number in 0..60 {
                let user = format!("c{client}n{number}");
                let mut entry = question((client * 7 + number) % 40, 100, &user);
                entry.user_id.clone_from(&user);
                if let Ok(LedgerAnswer::Result(result)) = ledger.record(entry).await {
                    answered.push(format!("{user}={}", result.code()));
                }
            }
            answered
        });
    }
    for _ in 0..15 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        database.cut_connections().await;
    }
    let answered: Vec<String> = clients.join_all().await.into_iter().flatten().collect();
    recovered(&nodes[0], "after").await;
    recovered(&nodes[1], "after too").await;
    assert!(answered.len() > 100, "hardly anything was answered: {}", answered.len());
    let recorded = database.texts("SELECT user_id || '=' || outcome AS v FROM verification_records").await;
    let recorded: std::collections::HashSet<_> = recorded.into_iter().collect();
    for answer in &answered {
        assert!(recorded.contains(answer), "{answer} was told and not recorded so");
    }
    let strikes = database.number("SELECT sum(wrong) FROM strikes").await;
    let told = "SELECT count(*) FROM verification_records WHERE outcome IN ('2', '3', '4')";
    assert_eq!(strikes, database.number(told).await);
    let spent = database.number("SELECT count(*) FROM used_tokens").await;
    assert_eq!(spent, database.number("SELECT count(*) FROM verification_records").await);
    assert_eq!(store.verify_chain(0).await.unwrap().first_bad, None);
    store.ping().await.unwrap();
    database.close().await;
}

on_both!(a_damaged_row_is_told_by_table_and_column, |database| {
    let store = database.store().await;
    admit(&store, 1).await;
    for (column, value) in [("access", "'odd'"), ("contact", "'{}'"), ("account", "-5"), ("name", "''")] {
        database.tamper(&format!("UPDATE organisations SET {column} = {value}")).await;
        let told = Organisations::find(&store, ubn(1)).await;
        assert_eq!(told, Err(StoreError::Corrupt { table: "organisations", column }), "{column}");
        database.tamper("DELETE FROM organisations").await;
        admit(&store, 1).await;
    }
});

/// A commit that the server refuses left nothing: it is tried again, and not for ever. The sequence counts the attempts,
/// because nothing rolls it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_refused_leaves_nothing() {
    let database = TempDatabase::postgres().await;
    let store = database.store().await;
    admit(&store, ORGANISATION).await;
    let trigger = "CREATE SEQUENCE commits; CREATE FUNCTION refuse() RETURNS trigger AS \
         $$ BEGIN PERFORM nextval('commits'); RAISE EXCEPTION 'refused'; END $$ LANGUAGE plpgsql; \
         CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON verification_records \
         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()";
    database.tamper(trigger).await;
    let ledger = LedgerWriter::start(&store);
    assert_eq!(ledger.record(question(0, 100, "once")).await, Err(LedgerError::Unavailable));
    assert_eq!(database.number("SELECT last_value FROM commits").await, 4);
    allow(&database, "verification_records").await;
    let outcome = recovered(&ledger, "once").await;
    assert!(matches!(outcome, LedgerAnswer::Result(result) if result.code() == 2), "{outcome:?}");
    database.close().await;
}

/// A way to the database that is cut where it is told to: at these bytes, from or to the server.
struct Cut {
    at: std::sync::Mutex<Option<(bool, &'static [u8])>>,
}

impl Cut {
    fn is_due(&self, to_server: bool, bytes: &[u8]) -> bool {
        let mut at = self.at.lock().unwrap();
        let due = at.is_some_and(|(way, mark)| {
            way == to_server && bytes.windows(mark.len()).any(|window| window == mark)
        });
        if due {
            *at = None;
        }
        due
    }
}

async fn forward(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    cut: std::sync::Arc<Cut>,
    to_server: bool,
) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut bytes = vec![0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if cut.is_due(to_server, &bytes[..read]) || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// A store whose way to the database is cut by what is returned beside it.
async fn behind_a_cut(database: &mut TempDatabase) -> (idcheck_persistence::Store, std::sync::Arc<Cut>) {
    let server = database.url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = listener.local_addr().unwrap().to_string();
    let cut = std::sync::Arc::new(Cut { at: std::sync::Mutex::new(None) });
    let (cuts, far) = (std::sync::Arc::clone(&cut), server.clone());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = tokio::net::TcpStream::connect(&far).await.unwrap();
            let ((client_in, client_out), (server_in, server_out)) =
                (client.into_split(), server.into_split());
            let cuts = std::sync::Arc::clone(&cuts);
            tokio::spawn(async move {
                // Either end takes the other with it.
                tokio::select! {
                    () = forward(client_in, server_out, std::sync::Arc::clone(&cuts), true) => {}
                    () = forward(server_in, client_out, cuts, false) => {}
                }
            });
        }
    });
    let straight = database.url.clone();
    database.url = straight.replace(&server, &near);
    let store = database.store().await;
    database.url = straight;
    (store, cut)
}

/// No word came of an append: the chain is asked for it. Where it was committed its answers stand, where it was not it is
/// appended; there is one record, and one strike, either way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_without_word_is_looked_for_in_the_chain() {
    // What the server says after the commit, and what a client says before it.
    for (number, at) in
        [(false, b"INSERT 0 1".as_slice()), (true, b"lost".as_slice())].into_iter().enumerate()
    {
        let mut database = TempDatabase::postgres().await;
        let (store, cut) = behind_a_cut(&mut database).await;
        admit(&store, ORGANISATION).await;
        let ledger = LedgerWriter::start(&store);
        let code = |outcome: Result<LedgerAnswer, LedgerError>| match outcome {
            Ok(LedgerAnswer::Result(result)) => result.code(),
            other => panic!("cut {number}: {other:?}"),
        };
        assert_eq!(code(ledger.record(question(0, 100, "before")).await), 2);
        *cut.at.lock().unwrap() = Some(at);
        let mut entry = question(0, 100, "cut");
        entry.user_id = "lost".to_owned();
        assert_eq!(code(ledger.record(entry).await), 3);
        assert!(cut.at.lock().unwrap().is_none(), "nothing was cut");
        assert_eq!(code(ledger.record(question(0, 100, "after")).await), 4);
        assert_eq!(database.number("SELECT count(*) FROM verification_records").await, 3);
        assert_eq!(database.number("SELECT sum(wrong) FROM strikes").await, 3);
        assert_eq!(store.verify_chain(0).await.unwrap().first_bad, None);
        database.close().await;
    }
}

/// Tokens that were used before the step to sixteen bytes, and those that a node of the version before uses beside this one,
/// are used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_the_version_before_are_used() {
    let database = TempDatabase::postgres().await;
    let store = database.store().await;
    admit(&store, ORGANISATION).await;
    let ledger = LedgerWriter::start(&store);
    let organisation = ubn(ORGANISATION);
    let before = |jti: &str| {
        format!("INSERT INTO replay_entries (ubn, jti, expires_at) VALUES ('{organisation}', {jti}, 1)")
    };
    database.tamper(&before("'beside'")).await;
    database.tamper(&before("'sandbox' || chr(31) || 'both'")).await;
    let sandbox =
        |jti| LedgerEntry { environment: idcheck_domain::key::Environment::Sandbox, ..question(0, 108, jti) };
    assert_eq!(ledger.record(question(0, 108, "beside")).await, Ok(LedgerAnswer::Replayed));
    assert!(matches!(ledger.record(sandbox("beside")).await, Ok(LedgerAnswer::Result(_))));
    assert_eq!(ledger.record(sandbox("both")).await, Ok(LedgerAnswer::Replayed));
    assert!(matches!(ledger.record(question(0, 108, "both")).await, Ok(LedgerAnswer::Result(_))));
    database.close().await;
}

// The database goes on from a backup beside a node that runs: what it held in memory is of a chain that is no more.
on_both!(a_state_of_another_chain_is_not_gone_on_from, |database| {
    let store = database.store().await;
    admit(&store, ORGANISATION).await;
    let ledger = LedgerWriter::start(&store);
    let first = "(SELECT hash FROM audit_chain WHERE seq = 1)";
    for (turn, longer) in [false, true].into_iter().enumerate() {
        let outcome = ledger.record(question(0, 100, &format!("before-{turn}"))).await.unwrap();
        assert!(matches!(outcome, LedgerAnswer::Result(result) if result.code() == 2), "{outcome:?}");
        // The same number with another hash, and once an entry more behind it.
        database.tamper("DELETE FROM strikes").await;
        let end = "(SELECT seq FROM chain_head WHERE id = 1)";
        database.tamper(&format!("UPDATE audit_chain SET hash = {first} WHERE seq = {end}")).await;
        database.tamper(&format!("UPDATE chain_head SET hash = {first}")).await;
        if longer {
            database
                .tamper(&format!(
                    "INSERT INTO audit_chain (seq, at, kind, body, hash) VALUES ({end} + 1, 1, 'batch', '', {first})"
                ))
                .await;
            database.tamper("UPDATE chain_head SET seq = seq + 1").await;
        }
        let outcome = ledger.record(question(0, 100, &format!("after-{turn}"))).await.unwrap();
        assert!(matches!(outcome, LedgerAnswer::Result(result) if result.code() == 2), "{outcome:?}");
        database.tamper("DELETE FROM strikes").await;
        database.tamper(&format!("UPDATE audit_chain SET hash = {first} WHERE seq = {end}")).await;
        database.tamper(&format!("UPDATE chain_head SET hash = {first}")).await;
    }
});
