//! The hash chain: whatever is changed behind the program's back shows (threat 19).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
mod support;

use idcheck_persistence::{Fault, LedgerWriter};
use idcheck_testing::{
    contract::ledger::{ORGANISATION, admission, admit, question},
    database::TempDatabase,
};
use idcheck_usecases::ports::{Changes, Ledger};

/// Entries 1 to 3 are acts, 4 to 8 batches of one record each, 9 is an act.
async fn written(database: &TempDatabase) -> idcheck_persistence::Store {
    let store = database.store().await;
    for number in 0..2 {
        store.commit(admission(number)).await.unwrap();
    }
    admit(&store, ORGANISATION).await;
    let ledger = LedgerWriter::start(&store);
    for number in 0..5 {
        ledger.record(question(number, 100, &format!("chain-{number}"))).await.unwrap();
    }
    store.commit(admission(2)).await.unwrap();
    store
}

/// What is done to the tables, how it is undone, and what the walk says of it.
const TAMPERINGS: [(&str, &str, (i64, Fault)); 10] = [
    (
        "UPDATE audit_chain SET body = body || ' ' WHERE seq = 5",
        "UPDATE audit_chain SET body = rtrim(body) WHERE seq = 5",
        (5, Fault::Hash),
    ),
    (
        "UPDATE audit_chain SET at = at + 1 WHERE seq = 2",
        "UPDATE audit_chain SET at = at - 1 WHERE seq = 2",
        (2, Fault::Hash),
    ),
    // A gap.
    (
        "UPDATE audit_chain SET seq = -seq WHERE seq = 6",
        "UPDATE audit_chain SET seq = -seq WHERE seq = -6",
        (6, Fault::Missing),
    ),
    // Two entries change places.
    (
        "UPDATE audit_chain SET seq = -seq WHERE seq IN (2, 3); \
         UPDATE audit_chain SET seq = 5 + seq WHERE seq < 0",
        "UPDATE audit_chain SET seq = -seq WHERE seq IN (2, 3); \
         UPDATE audit_chain SET seq = 5 + seq WHERE seq < 0",
        (2, Fault::Hash),
    ),
    // The end is cut off.
    (
        "CREATE TABLE kept AS SELECT * FROM audit_chain WHERE seq = 9; DELETE FROM audit_chain WHERE seq = 9",
        "INSERT INTO audit_chain SELECT * FROM kept",
        (9, Fault::Head),
    ),
    // The end is put back: the acts behind it are still there.
    (
        "UPDATE chain_head SET seq = 8, hash = (SELECT hash FROM audit_chain WHERE seq = 8)",
        "UPDATE chain_head SET seq = 9, hash = (SELECT hash FROM audit_chain WHERE seq = 9)",
        (9, Fault::Head),
    ),
    (
        "UPDATE verification_records SET outcome = '12' WHERE seq = 7",
        "UPDATE verification_records SET outcome = '2' WHERE seq = 7",
        (7, Fault::Records),
    ),
    (
        "UPDATE verification_records SET position = 1 WHERE seq = 4",
        "UPDATE verification_records SET position = 0 WHERE seq = 4",
        (4, Fault::Records),
    ),
    // A record goes to another batch: missing in one, or too many in the other.
    (
        "UPDATE verification_records SET seq = 4, position = 1 WHERE seq = 5",
        "UPDATE verification_records SET seq = 5, position = 0 WHERE position = 1",
        (4, Fault::Records),
    ),
    // A record under an act, which tells of none.
    (
        "UPDATE verification_records SET seq = 2 WHERE seq = 5",
        "UPDATE verification_records SET seq = 5 WHERE seq = 2",
        (2, Fault::Records),
    ),
];

on_both!(every_tampering_is_found, |database| {
    let store = written(&database).await;
    for (spoil, mend, found) in TAMPERINGS {
        let whole = store.verify_chain(0).await.unwrap();
        assert_eq!((whole.entries, whole.records, whole.first_bad), (9, 5, None), "before {spoil}");
        database.tamper(spoil).await;
        assert_eq!(store.verify_chain(0).await.unwrap().first_bad, Some(found), "{spoil}");
        database.tamper(mend).await;
    }
    assert_eq!(store.verify_chain(0).await.unwrap().first_bad, None);
});

on_both!(a_walk_may_begin_anywhere, |database| {
    let store = written(&database).await;
    let mut shown = Vec::new();
    let report = store.verify_chain_showing(7, |entry, head| shown.push((entry, head))).await.unwrap();
    assert_eq!((report.entries, report.records, report.first_bad), (3, 2, None));
    assert_eq!(shown, [(9, 9)]);
    // The entry before counts: what it was changed to, nothing after it can be linked to.
    database
        .tamper(
            "UPDATE audit_chain SET hash = prev.hash FROM audit_chain prev \
        WHERE audit_chain.seq = 6 AND prev.seq = 5",
        )
        .await;
    assert_eq!(store.verify_chain(7).await.unwrap().first_bad, Some((7, Fault::Hash)));
});
