//! Removing what was kept for its time, going on from a backup, and copies.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
mod support;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    abuse::Thresholds,
    application::Kind,
    value::{Reason, UnifiedBusinessNumber},
};
use idcheck_persistence::{Fault, Keep, LedgerWriter, Removed, Store};
use idcheck_testing::{
    NobodySuspended,
    builders::{application, audit},
    contract::ledger::{ORGANISATION, admit, question},
    database::TempDatabase,
};
use idcheck_usecases::ports::{
    CallerSource, Change, Changes, Clock, Ledger, LedgerEntry, Organisations, UsageTally, Write,
};

/// Keeps nothing that is older than this.
fn all_before(at: DateTime<Utc>) -> Keep {
    Keep { records_before: at, mails_before: at, organisations_before: at }
}

async fn asked(ledger: &LedgerWriter, numbers: std::ops::Range<usize>, at: DateTime<Utc>) {
    for number in numbers {
        let entry = question(number, 100, &format!("upkeep-{number}"));
        ledger.record(LedgerEntry { at, ..entry }).await.unwrap();
    }
}

async fn counted(store: &Store) {
    while store.advance(100, &Thresholds::default(), &NobodySuspended).await.unwrap() > 0 {}
}

on_both!(records_go_and_the_chain_says_so, |database| {
    let store = database.store().await;
    admit(&store, ORGANISATION).await;
    let ledger = LedgerWriter::start(&store);
    let old = database.clock.now();
    asked(&ledger, 0..3, old).await;
    let young = old + TimeDelta::days(800);
    database.clock.set(young);
    asked(&ledger, 3..5, young).await;
    let border = young - TimeDelta::days(730);

    // What the tally has not counted stays.
    assert_eq!(store.retain(&all_before(border)).await.unwrap().records, 0);
    counted(&store).await;
    assert_eq!(store.retain(&all_before(border)).await.unwrap().records, 3);
    assert_eq!(database.number("SELECT count(*) FROM verification_records").await, 2);
    let report = store.verify_chain(1).await.unwrap();
    assert_eq!((report.first_bad, report.removed, report.records), (None, 3, 2));
    // Again nothing, and the border never moves back.
    assert_eq!(store.retain(&all_before(old)).await.unwrap(), Removed::default());
    let report = store.verify_chain(1).await.unwrap();
    assert_eq!((report.first_bad, report.removed), (None, 3));
    // What is gone without the chain's saying so is still a fault.
    database.tamper("DELETE FROM verification_records WHERE seq = 6").await;
    assert_eq!(store.verify_chain(1).await.unwrap().first_bad, Some((6, Fault::Records)));
});

// What this process recorded itself is counted from memory, but not where the chain does not have it.
on_both!(what_is_remembered_is_counted_if_the_chain_has_it, |database| {
    let store = database.store().await;
    admit(&store, ORGANISATION).await;
    let ledger = LedgerWriter::start(&store);
    let at = database.clock.now();
    asked(&ledger, 0..2, at).await;
    counted(&store).await;
    // What the database says of them now is seen by nobody who does not read it.
    let renamed = "UPDATE verification_records SET user_id = 'read' WHERE seq > 3";
    let users = |user| format!("SELECT count(*) FROM usage_users WHERE user_id = '{user}'");
    asked(&ledger, 2..5, at).await;
    counted(&store).await;
    asked(&ledger, 5..8, at).await;
    database.tamper(renamed).await;
    counted(&store).await;
    assert_eq!(database.number("SELECT sum(queries) FROM usage_users").await, 8);
    assert_eq!(database.number(&users("read")).await, 0);
    asked(&ledger, 8..11, at).await;
    database.tamper(renamed).await;
    let first = "(SELECT hash FROM audit_chain WHERE seq = 1)";
    database.tamper(&format!("UPDATE audit_chain SET hash = {first} WHERE seq > 3")).await;
    counted(&store).await;
    assert_eq!(database.number("SELECT sum(queries) FROM usage_users").await, 11);
    assert_eq!(database.number("SELECT queries FROM usage_users WHERE user_id = 'read'").await, 3);
});

async fn ended(store: &Store, number: usize, closed_at: DateTime<Utc>) -> UnifiedBusinessNumber {
    let who = admit(store, number).await;
    let read = store.find(who).await.unwrap().unwrap();
    let (case, _) = application(who, Kind::Suspend, number as u128, closed_at - TimeDelta::days(1));
    let (case, step) = case.withdraw(None, closed_at).unwrap();
    let suspended = read.value.suspend(Reason::parse("停用").unwrap(), closed_at).unwrap();
    let change = Change {
        organisation: Some(Write::Update { value: suspended, expected: read.version }),
        history: vec![(case.id, step)],
        applications: vec![Write::Insert(case)],
        audit: audit(),
        ..Change::default()
    };
    store.commit(change).await.unwrap();
    who
}

on_both!(an_organisation_goes_whole_or_stays, |database| {
    let store = database.store().await;
    let start = database.clock.now();
    let over = ended(&store, 1, start).await;
    let recent = ended(&store, 2, start + TimeDelta::days(3000)).await;
    let active = admit(&store, 3).await;
    let (open, _) = application(over, Kind::Apply, 77, start);
    for who in [over, recent] {
        idcheck_testing::contract::attachment::signed_by(&store, who, start).await;
        idcheck_testing::contract::webhook::called(&store, who, start).await;
    }
    store
        .commit(Change { applications: vec![Write::Insert(open.clone())], ..Change::default() })
        .await
        .unwrap();

    let now = start + TimeDelta::days(4000);
    database.clock.set(now);
    let keep = all_before(now - TimeDelta::days(3653));
    assert_eq!(store.retain(&keep).await.unwrap().organisations, 0, "it has an open case");
    let (closed, _) = open.withdraw(None, start).unwrap();
    let update = Write::Update { value: closed, expected: 1 };
    store.commit(Change { applications: vec![update], ..Change::default() }).await.unwrap();
    assert_eq!(store.retain(&keep).await.unwrap().organisations, 1);
    assert!(store.find(over).await.unwrap().is_none());
    for who in [recent, active] {
        assert!(store.find(who).await.unwrap().is_some(), "{who}");
    }
    // Of the other's one case the history stays, and of the first's two nothing.
    for (table, left) in [
        ("applications", 1),
        ("application_history", 1),
        ("attachments", 1),
        ("webhooks", 1),
        ("webhook_calls", 1),
    ] {
        assert_eq!(database.number(&format!("SELECT count(*) FROM {table}")).await, left, "{table}");
    }
    // Accounts are given out once: the last one stays though its time is over.
    let set = "UPDATE organisations SET access = 'suspended', access_reason = '停用'";
    database.tamper(&format!("{set} WHERE ubn = '{active}'")).await;
    assert_eq!(store.retain(&all_before(now)).await.unwrap().organisations, 1);
    assert!(store.find(active).await.unwrap().is_some());
    assert_eq!(store.verify_chain(1).await.unwrap().first_bad, None);
});

on_both!(a_restored_backup_is_told_by_the_chain, |database| {
    let store = database.store().await;
    admit(&store, ORGANISATION).await;
    let before = database.clock.now();
    let (epoch, known) = (store.epoch().await.unwrap(), store.restored_at().await.unwrap());
    assert_eq!(known, None);
    let later = before + TimeDelta::hours(1);
    database.clock.set(later);
    assert_eq!(store.restored().await.unwrap(), (1, before.timestamp_micros()));
    assert_eq!(store.restored_at().await.unwrap(), Some(later));
    assert!(store.epoch().await.unwrap() > epoch, "every node looks again");
    let report = store.verify_chain(1).await.unwrap();
    let gap = &report.gaps[0];
    assert_eq!((report.first_bad, report.gaps.len(), gap.seq), (None, 1, 2));
    assert_eq!((gap.from, gap.until), (before.timestamp_micros(), later.timestamp_micros()));
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_whole_while_it_is_written_to() {
    let database = TempDatabase::sqlite().await;
    let store = database.store().await;
    admit(&store, ORGANISATION).await;
    let ledger = LedgerWriter::start(&store);
    let file = database.folder().unwrap().join("copy.db");
    let writing = tokio::spawn({
        let at = database.clock.now();
        async move { asked(&ledger, 0..200, at).await }
    });
    assert_eq!(store.back_up(file.to_str().unwrap()).await.unwrap(), Some(()));
    writing.await.unwrap();
    assert!(store.back_up(file.to_str().unwrap()).await.is_err(), "a file that is there is kept");
    let mut copy = TempDatabase::empty_sqlite();
    copy.url = format!("sqlite://{}", file.display());
    let report = copy.store().await.verify_chain(1).await.unwrap();
    assert_eq!(report.first_bad, None);
    assert!(report.entries >= 1);
}
