//! The port contracts on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
mod support;

use idcheck_persistence::{LedgerWriter, Vault};
use idcheck_testing::{contract, database::TempDatabase};
use idcheck_usecases::ports::{CallerSource as _, Clock as _};

on_both!(calendar, |database| contract::calendar::suite(&database.store().await).await);
on_both!(typhoon, |database| contract::calendar::a_typhoon_day(&database.store().await, &database.clock)
    .await);
on_both!(redating, |database| {
    contract::calendar::everything_that_runs_follows(&database.store().await, &database.clock).await;
});
on_both!(published_year, |database| {
    contract::calendar::a_year_that_becomes_known(&database.store().await, &database.clock).await;
});
on_both!(redating_races, |database| {
    let (store, other) = (database.store().await, database.store().await);
    contract::calendar::decisions_against_the_calendar([&store, &other], &database.clock).await;
});
on_both!(drafts, |database| {
    contract::draft::suite(&database.store().await, &database.store().await, &database.clock).await;
});
on_both!(attachments, |database| {
    let (store, other) = (database.store().await, database.store().await);
    contract::attachment::suite(&store, &other, &database.clock).await;
    // What nobody signed ends; what was signed stays.
    let later = database.clock.now() + chrono::TimeDelta::days(3);
    store.purge(later, chrono::TimeDelta::days(35)).await.unwrap();
    let left = "SELECT count(*) FROM attachments WHERE owner IS NOT NULL";
    assert_eq!(database.number("SELECT count(*) FROM attachments").await, database.number(left).await);
    assert_eq!(database.number(left).await, 3);
});
on_both!(passkeys, |database| {
    let (store, other) = (database.store().await, database.store().await);
    contract::passkey::suite(&store, &other, &database.clock).await;
});
on_both!(webhooks, |database| {
    let (store, other) = (database.store().await, database.store().await);
    contract::webhook::suite(&store, &other, &database.clock).await;
});
on_both!(last_uses, |database| {
    contract::last_use::suite(&database.store().await, &database.store().await).await;
});
on_both!(worklist, |database| contract::worklist::suite(&database.store().await).await);
on_both!(changes, |database| contract::change::suite(&database.store().await, &database.store().await).await);
on_both!(casework, |database| {
    let (store, other) = (database.store().await, database.store().await);
    contract::revocation::revocations(&store, &other).await;
    contract::plan::plans(&store).await;
    contract::notice::notices(&store, &other).await;
    let ledger = LedgerWriter::start(&store);
    contract::dormancy::dormancy(&store, &ledger, &other).await;
    contract::audit::search(&store).await;
});
on_both!(companies, |database| {
    let (store, other) = (database.store().await, database.store().await);
    contract::company_register::snapshots(&store).await;
    contract::sweep::sweeps(&store, &other).await;
});
on_both!(tally, |database| {
    let (store, other) = (database.store().await, database.store().await);
    let ledger = LedgerWriter::start(&store);
    contract::usage_tally::one_company([&store, &other], &ledger).await;
    contract::usage_tally::colluding_companies([&store, &other], &ledger).await;
    let (_, mut draw) = idcheck_testing::draws("IDCHECK_TEST_TALLIES", 1);
    contract::usage_tally::as_the_model([&store, &other], &ledger, &mut *draw).await;
    contract::usage_tally::a_user_is_suspended_once([&store, &other], &ledger).await;
    // What is older than the strikes goes with them.
    let later = database.clock.now() + chrono::TimeDelta::days(50);
    store.purge(later, chrono::TimeDelta::days(35)).await.unwrap();
    for table in ["usage_users", "usage_numbers"] {
        assert_eq!(database.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert!(database.number("SELECT count(*) FROM usage_days").await > 0);
    // More than one stride of used tokens, of which those stay that can still be sent.
    let token = if database.folder().is_some() {
        "CAST(CAST(v AS text) AS blob)"
    } else {
        "convert_to(CAST(v AS text), 'UTF8')"
    };
    let many = format!(
        "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 3500) \
         INSERT INTO used_tokens (token, expires_at) SELECT {token}, v FROM n"
    );
    database.tamper(&many).await;
    let minutes = |count: i64| chrono::TimeDelta::microseconds(3_600_000_000 + count);
    store.purge(chrono::DateTime::UNIX_EPOCH + minutes(3_001), chrono::TimeDelta::days(35)).await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM used_tokens WHERE expires_at < 3600000000").await, 500);
});
on_both!(templates, |database| contract::template::suite(&database.store().await).await);
on_both!(queue, |database| {
    let store = database.store().await;
    contract::application_queue::places_are_read_as_written();
    contract::application_queue::pages(&store).await;
    contract::application_queue::turned_while_changing(&store).await;
    contract::application_queue::by_either_name(&store).await;
});
on_both!(usage, |database| {
    let (store, other) = (database.store().await, database.store().await);
    contract::usage::queries(&store, &LedgerWriter::start(&store)).await;
    contract::usage::latencies(&store, &other).await;
    contract::usage::reviews(&store).await;
});

#[test]
fn sessions_of_organisations() {
    let vault = |master| Vault::new(&[master; 32]).unwrap();
    contract::own_session::suite(&vault(7), &vault(7), &vault(8));
}

on_both!(mail, |database| contract::mail::suite(&database.store().await).await);
on_both!(officers, |database| {
    contract::officer::suite(&database.store().await).await;
    // Each change of an account that was made has its entry, and none that was refused.
    assert_eq!(
        database.number("SELECT count(*) FROM audit_chain WHERE body LIKE '%reminder.send%'").await,
        15
    );
});
on_both!(register, |database| {
    let store = database.store().await;
    contract::household_register::editions(&store, &LedgerWriter::start(&database.store().await)).await;
});
on_both!(ledger, |database| {
    let store = database.store().await;
    // On PostgreSQL these are two nodes; SQLite serves one process, where two writers must be no worse.
    let nodes = [LedgerWriter::start(&store), LedgerWriter::start(&database.store().await)];
    contract::ledger::suite(&nodes, &store).await;
    contract::ledger::answers_agree_with_the_rule(&nodes, async || {
        let order =
            "SELECT user_id AS v FROM verification_records WHERE user_id LIKE 'o%' ORDER BY seq, position";
        database.texts(order).await
    })
    .await;
    let report = store.verify_chain(0).await.unwrap();
    assert_eq!(report.first_bad, None);
    let records = database.number("SELECT count(*) FROM verification_records").await;
    assert_eq!(i64::try_from(report.records).unwrap(), records);
});

on_both!(damaged_callers, |database| {
    let store = database.store().await;
    let intact = contract::change::equipped(&store, 1, "ab").await;
    let others = ["cd", "ef", "01"];
    for (number, fingerprint) in (2..).zip(others) {
        contract::change::equipped(&store, number, fingerprint).await;
    }
    let loaded = store.load().await.unwrap();
    assert_eq!((loaded.callers.len(), loaded.damaged), (4, 0));
    // A row of each kind that a caller is made of, each of another organisation.
    for sql in [
        "UPDATE registered_keys SET profile = '?' WHERE fingerprint = 'cd'",
        "UPDATE organisations SET access = '?' WHERE ubn = (SELECT ubn FROM registered_keys WHERE fingerprint = 'ef')",
        "UPDATE iss_keys SET sealed = lookup WHERE ubn = (SELECT ubn FROM registered_keys WHERE fingerprint = '01')",
    ] {
        database.tamper(sql).await;
    }
    let loaded = store.load().await.unwrap();
    assert_eq!((loaded.callers.len(), loaded.damaged), (1, 3));
    assert_eq!(loaded.callers[0].ubn, intact);
});

on_both!(its_own_key, |database| {
    use idcheck_persistence::{OpenError, Store};
    let open = async |master| {
        let vault = Vault::new(&[master; 32]).unwrap();
        Store::connect(&database.url, vault, std::sync::Arc::new(database.clock.clone())).await.map(drop)
    };
    let create = async |master| {
        let vault = Vault::new(&[master; 32]).unwrap();
        Store::create(&database.url, vault, std::sync::Arc::new(database.clock.clone())).await.map(drop)
    };
    assert_eq!(open(7).await, Ok(()));
    assert_eq!(open(8).await, Err(OpenError::WrongKey));
    assert_eq!(create(8).await, Err(OpenError::WrongKey), "nor does what migrates");
    // A database from before the check value was kept, with something sealed in it.
    contract::change::equipped(&database.store().await, 1, "ab").await;
    database.tamper("DELETE FROM key_check").await;
    assert_eq!((open(7).await, open(8).await), (Ok(()), Err(OpenError::WrongKey)));
    database.store().await.migrate_up().await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM key_check").await, 1);
});

on_both!(newer, |database| {
    // A newer version has been here: this one tells it, and can still read what it knows.
    database.texts("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_next', 0) RETURNING version AS v").await;
    let steps = database.store().await.migration_status().await.unwrap();
    let unknown: Vec<_> = steps.iter().filter(|step| !step.known).map(|step| step.name.as_str()).collect();
    assert_eq!(unknown, ["m9999_next"]);
    assert!(steps.iter().all(|step| step.applied));
});

/// Four nodes start on an empty database at once.
async fn four_migrate(database: &TempDatabase) {
    let mut nodes = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = database.store().await;
        nodes.spawn(async move { store.migrate_up().await });
    }
    assert_eq!(nodes.join_all().await, [Ok(()); 4]);
    let store = database.store().await;
    assert!(store.migration_status().await.unwrap().iter().all(|step| step.applied && step.known));
    contract::ledger::admit(&store, 1).await;
    assert_eq!(store.verify_chain(0).await.unwrap().entries, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_migrate_at_once_on_sqlite() {
    four_migrate(&TempDatabase::empty_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_migrate_at_once_on_postgres() {
    let database = TempDatabase::empty_postgres().await;
    four_migrate(&database).await;
    database.close().await;
}
