//! The port contracts on SQLite and on PostgreSQL, and what only a database shows.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use idcheck_domain::verification::CardStatus;
use idcheck_persistence::{Fault, LedgerWriter};
use idcheck_testing::{
    builders::{person, register_row},
    contract,
    database::TempDatabase,
};
use idcheck_usecases::ports::HouseholdRegister;

/// The suite on both databases; `$nodes` stores stand for as many nodes on PostgreSQL.
macro_rules! on_both {
    ($name:ident, |$database:ident| $body:expr) => {
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let $database = TempDatabase::sqlite().await;
                $body;
                $database.close().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some($database) = TempDatabase::postgres().await else { return };
                $body;
                $database.close().await;
            }
        }
    };
}

on_both!(changes, |database| contract::changes::suite(&database.store().await, &database.store().await)
    .await);
on_both!(mail, |database| contract::mail::suite(&database.store().await).await);
on_both!(officers, |database| contract::officers::suite(&database.store().await).await);
on_both!(ledger, |database| {
    let store = database.store().await;
    // On PostgreSQL these are two nodes; SQLite serves one process, where two writers must be no worse.
    let nodes = [LedgerWriter::start(store.clone()), LedgerWriter::start(database.store().await)];
    contract::ledger::suite(&nodes, &store).await;
    let report = store.verify_chain(0).await.unwrap();
    assert_eq!(report.first_bad, None);
    assert!(report.records > 300 && report.entries > 0, "{report:?}");
});
on_both!(four_nodes_migrate_at_once, |database| {
    let stores =
        [database.store().await, database.store().await, database.store().await, database.store().await];
    let [a, b, c, d] = &stores;
    let outcomes = tokio::join!(a.migrate_up(), b.migrate_up(), c.migrate_up(), d.migrate_up());
    assert_eq!(outcomes, (Ok(()), Ok(()), Ok(()), Ok(())));
    assert!(a.migration_status().await.unwrap().iter().all(|step| step.applied));
});
on_both!(a_tampered_chain_is_found, |database| {
    let store = database.store().await;
    let ledger = LedgerWriter::start(store.clone());
    contract::ledger::suite(&[ledger], &store).await;
    let whole = store.verify_chain(0).await.unwrap();
    assert_eq!(whole.first_bad, None);
    let last = i64::try_from(whole.entries).unwrap();
    let later = store.verify_chain(last - 1).await.unwrap();
    assert_eq!((later.entries, later.first_bad), (2, None));

    let columns = "seq, at, kind, body, hash";
    for (spoil, mend, found) in [
        (
            "UPDATE audit_chain SET body = body || ' ' WHERE seq = 5".to_owned(),
            "UPDATE audit_chain SET body = rtrim(body) WHERE seq = 5".to_owned(),
            (5, Fault::Hash),
        ),
        (
            "UPDATE audit_chain SET seq = -seq WHERE seq = 6".to_owned(),
            "UPDATE audit_chain SET seq = -seq WHERE seq = -6".to_owned(),
            (6, Fault::Missing),
        ),
        (
            format!(
                "CREATE TABLE kept AS SELECT {columns} FROM audit_chain WHERE seq = {last}; \
                 DELETE FROM audit_chain WHERE seq = {last}"
            ),
            format!("INSERT INTO audit_chain ({columns}) SELECT {columns} FROM kept"),
            (last, Fault::Head),
        ),
        (
            "UPDATE verification_records SET outcome = '0' || outcome WHERE position = 0".to_owned(),
            "UPDATE verification_records SET outcome = substr(outcome, 2) WHERE position = 0".to_owned(),
            (4, Fault::Records),
        ),
    ] {
        database.tamper(&spoil).await;
        let report = store.verify_chain(0).await.unwrap();
        let (seq, fault) = report.first_bad.unwrap();
        assert_eq!(fault, found.1, "{spoil}");
        if fault != Fault::Records {
            assert_eq!(seq, found.0, "{spoil}");
        }
        database.tamper(&mend).await;
        assert_eq!(store.verify_chain(0).await.unwrap().first_bad, None, "{mend}");
    }
});
on_both!(a_change_that_fails_at_its_end_leaves_nothing, |database| {
    let store = database.store().await;
    let postgres = database.folder().is_none();
    let trigger = if postgres {
        "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'no'; END $$ LANGUAGE plpgsql;
         CREATE TRIGGER refuse BEFORE INSERT ON audit_chain FOR EACH ROW EXECUTE FUNCTION refuse()"
    } else {
        "CREATE TRIGGER refuse BEFORE INSERT ON audit_chain BEGIN SELECT RAISE(ABORT, 'no'); END"
    };
    database.tamper(trigger).await;
    let number = 4000;
    let refused = async { contract::ledger::admit(&store, number).await };
    let outcome = tokio::task::LocalSet::new().run_until(async { futures_catch(refused).await }).await;
    assert!(outcome.is_err(), "the change was made without its audit entry");
    let drop = if postgres { "DROP TRIGGER refuse ON audit_chain" } else { "DROP TRIGGER refuse" };
    database.tamper(drop).await;
    // The same change goes through now: nothing of it was left.
    contract::ledger::admit(&store, number).await;
});

async fn futures_catch<T>(work: impl Future<Output = T>) -> Result<T, ()> {
    use std::panic::AssertUnwindSafe;
    let mut work = Box::pin(AssertUnwindSafe(work));
    std::future::poll_fn(move |context| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        match polled {
            Ok(std::task::Poll::Ready(value)) => std::task::Poll::Ready(Ok(value)),
            Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
            Err(_) => std::task::Poll::Ready(Err(())),
        }
    })
    .await
}

/// Threat 18: what was imported is nowhere in the files as it was written.
#[tokio::test]
async fn no_id_number_stands_in_the_database_file() {
    let database = TempDatabase::sqlite().await;
    let store = database.store().await;
    let rows: Vec<_> = (0..50).map(|n| register_row(n, CardStatus::Normal)).collect();
    store.import(&rows).await.unwrap();
    for entry in std::fs::read_dir(database.folder().unwrap()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for number in 0..50 {
            let id = person(number);
            let found = bytes.windows(10).any(|window| window == id.expose().as_bytes());
            assert!(!found, "an ID number stands in the file");
        }
    }
}
