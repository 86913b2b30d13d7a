//! The contract of [`UsageCounts`]: what was recorded and decided is what is told, of one organisation and of all.

use idcheck_domain::outcome::{QueryRefusal, RecordedOutcome};
use std::collections::BTreeMap;

use chrono::{Days, TimeDelta};
use idcheck_domain::{
    abuse::Thresholds,
    application::{ClarificationId, Kind},
    calendar::WorkingCalendar,
    officer::OfficerId,
    taipei,
    usage::Period,
    value::{Narrative, Reason},
    verification::VerificationResult,
};
use idcheck_usecases::ports::{
    Applications, Ask, Change, Changes, Clock, Ledger, LedgerEntry, RefusedQueries, UsageCounts, UsageTally,
    Write,
};
use uuid::Uuid;

use super::ledger::{admit, question};
use crate::{
    FixedClock, NobodySuspended,
    builders::{application, audit, ubn},
};

/// Organisations of this suite, from this number on.
const FIRST: usize = 3800;
const OFFICER: OfficerId = OfficerId(Uuid::from_u128(61));

/// Results, refusals and the sums over organisations.
pub async fn queries<S: UsageCounts + UsageTally + Changes>(store: &S, ledger: &impl Ledger) {
    let (one, other) = (admit(store, FIRST).await, admit(store, FIRST + 1).await);
    let at = FixedClock::default().now() + TimeDelta::days(40);
    let today = taipei::day(at);
    let entry = |ubn, number: usize, later| LedgerEntry {
        ubn,
        at: at + TimeDelta::days(later),
        ..question(5000 + number, 100, &format!("usage-{ubn}-{number}-{later}"))
    };
    // Four wrong answers about one number: the third locks it, the fourth finds it locked.
    for number in 0..4 {
        let asked = LedgerEntry { ..question(5000, 100, &format!("usage-{number}")) };
        ledger.record(LedgerEntry { ubn: one, at, ..asked }).await.unwrap();
    }
    ledger.record(entry(one, 1, 1)).await.unwrap();
    let refused = Ask::Refused(QueryRefusal::TokenTimes);
    ledger.record(LedgerEntry { ask: refused, ..entry(one, 2, 1) }).await.unwrap();
    for number in 3..12 {
        ledger.record(entry(other, number, 0)).await.unwrap();
    }
    while store.advance(100, &Thresholds::default(), &NobodySuspended).await.unwrap() > 0 {}

    let period = Period::new(today, today + Days::new(1)).unwrap();
    let days = store.days(Some(one), period).await.unwrap();
    let first = days[&today];
    assert_eq!((first.queries(), first.wrong(), first.lock_outs()), (4, 3, 1));
    assert_eq!(first.with(VerificationResult::Locked), 1);
    let second = days[&(today + Days::new(1))];
    assert_eq!((second.queries(), second.wrong(), second.refused()), (2, 1, 1));
    let refused = store.refused(Some(one), period).await.unwrap();
    let why = RecordedOutcome::Refused(QueryRefusal::TokenTimes);
    assert_eq!(refused, [RefusedQueries { why, queries: 1, last: today + Days::new(1) }]);
    assert_eq!(store.refused(Some(other), period).await.unwrap(), []);
    let all = store.days(None, period).await.unwrap();
    assert_eq!((all[&today].queries(), all[&(today + Days::new(1))].queries()), (13, 2));
    let only = Period::new(today, today).unwrap();
    assert_eq!(store.days(Some(one), only).await.unwrap().len(), 1);

    let busiest = store.organisations(period, 50).await.unwrap();
    let listed: Vec<_> = busiest.iter().map(|one| (one.ubn, one.count.queries())).collect();
    assert_eq!(listed, [(other, 9), (one, 6)]);
    assert_eq!(busiest[1].count.lock_outs(), 1);
    assert_eq!(store.organisations(period, 1).await.unwrap().len(), 1);
}

/// What several processes count is added up.
pub async fn latencies<S: UsageCounts>(store: &S, other: &S) {
    let today = taipei::day(FixedClock::default().now());
    let (one, two) = (ubn(FIRST), ubn(FIRST + 1));
    store.add_latencies(&BTreeMap::new()).await.unwrap();
    let counts = BTreeMap::from([((one, today, 0), 7), ((one, today, 3), 1), ((two, today, 10), 2)]);
    let (first, second) = tokio::join!(store.add_latencies(&counts), other.add_latencies(&counts));
    first.unwrap();
    second.unwrap();
    let yesterday = today - Days::new(1);
    store.add_latencies(&BTreeMap::from([((one, yesterday, 1), 5)])).await.unwrap();
    let period = Period::new(today, today).unwrap();
    let latency = store.latency(Some(one), period).await.unwrap();
    assert_eq!((latency.answers(), latency.classes()[0], latency.classes()[3]), (16, 14, 2));
    let all = store.latency(None, Period::new(yesterday, today).unwrap()).await.unwrap();
    assert_eq!((all.answers(), all.classes()[1], all.classes()[10]), (25, 5, 4));
}

fn write(change: Change) -> Change {
    Change { audit: audit(), ..change }
}

/// The clock of a decided case runs but for the time between a question and its answer; what no officer decided, and
/// what is open, is left out.
pub async fn reviews<S: UsageCounts + Applications + Changes>(store: &S) {
    let at = FixedClock::default().now() + TimeDelta::days(200);
    let later = |hours: i64| at + TimeDelta::hours(hours);
    let calendar = WorkingCalendar::default();
    let reason = || Reason::parse("資料不足").unwrap();
    let who = admit(store, FIRST + 2).await;
    let (case, _) = application(who, Kind::ChangeAddress, 8_801, at);
    let id = ClarificationId(Uuid::from_u128(8_810));
    let text = Narrative::parse("請補充").unwrap();
    let case = case.claim(OFFICER, later(1)).unwrap().0;
    let case = case.request_clarification(id, text.clone(), OFFICER, later(2), &calendar).unwrap().0;
    let case = case.answer_clarification(id, text, later(50), &calendar).unwrap().0;
    let decided = case.reject(OFFICER, reason(), later(60)).unwrap().0;
    let (open, _) = application(who, Kind::ChangeAddress, 8_802, at);
    let (withdrawn, _) = application(who, Kind::Suspend, 8_803, at);
    let withdrawn = withdrawn.withdraw(None, later(3)).unwrap().0;
    let applications = [decided, open, withdrawn].map(Write::Insert).to_vec();
    store.commit(write(Change { applications, ..Change::default() })).await.unwrap();

    let day = |hours| taipei::day(later(hours));
    let period = Period::new(day(0), day(60)).unwrap();
    let expected = [vec![(at, later(2)), (later(50), later(60))]];
    assert_eq!(store.reviews(Some(who), period).await.unwrap(), expected);
    assert_eq!(store.reviews(None, period).await.unwrap(), expected);
    let before = Period::new(day(0), day(0)).unwrap();
    assert!(store.reviews(Some(who), before).await.unwrap().is_empty());
    assert!(store.reviews(Some(ubn(FIRST)), period).await.unwrap().is_empty());
}
