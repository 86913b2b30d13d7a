//! The contract of requests to revoke, improvement plans and notices, written through [`Changes`].

use idcheck_domain::{
    abuse::{AbuseRule, Evidence, Finding, Measure, Thresholds},
    access::Ground,
    calendar::WorkingCalendar,
    notice::{Notice, NoticeId},
    officer::OfficerId,
    plan::{ImprovementPlan, PlanId},
    revocation::{Revocation, RevocationId},
    value::{Narrative, Reason},
};
use idcheck_usecases::ports::{
    Change, Changes, Clock, CommitError, Dormancy, DormantOrganisation, ImprovementPlans, Ledger,
    LedgerEntry, Notices, Revocations, UsageTally, Write,
};
use uuid::Uuid;

use crate::{
    FixedClock, NobodySuspended,
    builders::{audit, organisation, ubn},
};

const ONE: OfficerId = OfficerId(Uuid::from_u128(51));
const OTHER: OfficerId = OfficerId(Uuid::from_u128(52));

fn change() -> Change {
    Change { audit: audit(), ..Change::default() }
}

fn asked(id: u128) -> Revocation {
    let reason = Reason::parse("大量試探\n第二行").unwrap();
    let id = RevocationId(Uuid::from_u128(id));
    Revocation::ask(id, ubn(800), Ground::Conduct, reason, ONE, FixedClock::default().now())
}

fn filed(id: u128) -> ImprovementPlan {
    let plan = Narrative::parse("加強控管").unwrap();
    ImprovementPlan::file(PlanId(Uuid::from_u128(id)), ubn(800), plan, FixedClock::default().now())
}

fn insert(revocation: Revocation) -> Change {
    Change { revocation: Some(Write::Insert(revocation)), ..change() }
}

/// One request waits at a time, one ruling is made however many rule at once, and both are read as written.
pub async fn revocations<S: Changes + Revocations + Clone + 'static>(store: &S, other: &S) {
    let at = FixedClock::default().now();
    let organisation = Some(Write::Insert(organisation(ubn(800))));
    store.commit(Change { organisation, ..change() }).await.unwrap();
    let (one, two) = tokio::join!(store.commit(insert(asked(1))), other.commit(insert(asked(2))));
    let outcomes = [one, two];
    assert!(outcomes.contains(&Ok(())), "{outcomes:?}");
    assert!(outcomes.contains(&Err(CommitError::OpenCase)), "two requests wait: {outcomes:?}");
    let waiting = store.waiting().await.unwrap().remove(0);
    assert_eq!(waiting.version, 1);
    assert_eq!(waiting.value, asked(waiting.value.id.0.as_u128()));

    let mut rulings = tokio::task::JoinSet::new();
    for number in 0..10 {
        let (store, value) =
            (if number % 2 == 0 { store.clone() } else { other.clone() }, waiting.value.clone());
        rulings.spawn(async move {
            let ruled = if number < 5 {
                value.confirm(OTHER, at).unwrap()
            } else {
                value.decline(ONE, Reason::parse("證據不足").unwrap(), at).unwrap()
            };
            let revocation = Some(Write::Update { value: ruled, expected: 1 });
            store.commit(Change { revocation, ..change() }).await
        });
    }
    let outcomes = rulings.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|o| **o == Err(CommitError::Conflict)).count(), 9);
    let ruled = store.find(waiting.value.id).await.unwrap().unwrap();
    assert_eq!((ruled.version, ruled.value.state.ruling().map(|r| r.at)), (2, Some(at)));
    assert!(store.waiting().await.unwrap().is_empty());

    // A ruled one leaves room for the next; the newest is read first.
    store.commit(insert(asked(3))).await.unwrap();
    let all = Revocations::of_organisation(store, ubn(800)).await.unwrap();
    assert_eq!(all.iter().map(|r| r.value.state.as_str()).next(), Some("asked"));
    assert_eq!(all.len(), 2);
}

/// The same for improvement plans.
pub async fn plans<S: Changes + ImprovementPlans>(store: &S) {
    let at = FixedClock::default().now();
    let file = |plan| Change { plan: Some(Write::Insert(plan)), ..change() };
    store.commit(file(filed(1))).await.unwrap();
    assert_eq!(store.commit(file(filed(2))).await, Err(CommitError::OpenCase));
    assert_eq!(store.waiting().await.unwrap().len(), 1);
    let rejected = filed(1).reject(ONE, Reason::parse("未敘明期程").unwrap(), at).unwrap();
    let update = Change { plan: Some(Write::Update { value: rejected.clone(), expected: 1 }), ..change() };
    store.commit(update.clone()).await.unwrap();
    assert_eq!(store.commit(update).await, Err(CommitError::Conflict));
    assert_eq!(store.find(rejected.id).await.unwrap().unwrap().value, rejected);
    store.commit(file(filed(2))).await.unwrap();
    let approved = filed(2).approve(OTHER, None, at).unwrap();
    let update = Change { plan: Some(Write::Update { value: approved.clone(), expected: 1 }), ..change() };
    store.commit(update).await.unwrap();
    let all = store.of_organisation(ubn(800)).await.unwrap();
    assert_eq!(all.into_iter().map(|plan| plan.value).collect::<Vec<_>>(), [approved, rejected]);
}

/// Notices are raised once however many nodes find the same, and are read as written in every state.
pub async fn notices<S: Changes + Notices + Clone + 'static>(store: &S, other: &S) {
    let clock = FixedClock::default();
    let (at, day) = (clock.now(), idcheck_domain::taipei::day(clock.now()));
    let notice = |id, user: Option<&str>, day| {
        let counts = vec![(Measure::PerMinute, 400), (Measure::Queries, 900)];
        let evidence = Evidence { day, user_id: user.map(str::to_owned), counts };
        let finding = Finding { rule: AbuseRule::UserBurst, evidence };
        Notice::raise(NoticeId(Uuid::from_u128(id)), ubn(800), finding, at)
    };
    let raise = |notice| Change { notices: vec![Write::Insert(notice)], ..change() };
    let mut nodes = tokio::task::JoinSet::new();
    for id in 1..=6 {
        let (store, raise) = (
            if id % 2 == 0 { store.clone() } else { other.clone() },
            raise(notice(id, Some("teller7"), day)),
        );
        nodes.spawn(async move { store.commit(raise).await });
    }
    let outcomes = nodes.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|o| **o == Err(CommitError::OpenCase)).count(), 5, "{outcomes:?}");
    store.commit(raise(notice(7, None, day))).await.unwrap();
    let keys = store.standing(day.succ_opt().unwrap()).await.unwrap();
    let key = |user: Option<&str>| (ubn(800), AbuseRule::UserBurst, user.map(str::to_owned));
    assert_eq!(keys, [key(None), key(Some("teller7"))].into());

    // Through every state, read as written each time.
    let calendar = WorkingCalendar::default();
    let mut read = Notices::find(store, NoticeId(Uuid::from_u128(7))).await.unwrap().unwrap();
    assert_eq!((read.version, &read.value), (1, &notice(7, None, day)));
    let text = |text: &str| Narrative::parse(text).unwrap();
    let steps: [&dyn Fn(Notice) -> Notice; 5] = [
        &|notice| notice.send(text("請說明"), 3, ONE, at, &calendar).unwrap(),
        &|notice| notice.explain(text("係程式重送"), at).unwrap(),
        &|notice| notice.send(text("請再說明"), 5, OTHER, at, &calendar).unwrap(),
        &|notice| notice.explain(text("已修正"), at).unwrap(),
        &|notice| notice.accept(ONE, None, at).unwrap(),
    ];
    for step in steps {
        let after = step(read.value);
        let update = Write::Update { value: after.clone(), expected: read.version };
        store.commit(Change { notices: vec![update.clone()], ..change() }).await.unwrap();
        let stale = store.commit(Change { notices: vec![update], ..change() }).await;
        assert_eq!(stale, Err(CommitError::Conflict));
        read = Notices::find(other, after.id).await.unwrap().unwrap();
        assert_eq!(read.value, after);
    }
    assert_eq!(read.value.sendings.len(), 2);
    let open = store.open().await.unwrap();
    assert_eq!(
        open.iter().map(|n| n.value.evidence.user_id.as_deref()).collect::<Vec<_>>(),
        [Some("teller7")]
    );

    // Closed, it is not raised again on the same day, but on another one.
    assert_eq!(store.commit(raise(notice(8, None, day))).await, Err(CommitError::OpenCase));
    assert!(store.standing(day).await.unwrap().contains(&key(None)));
    store.commit(raise(notice(8, None, day.succ_opt().unwrap()))).await.unwrap();
    let dismissed = notice(8, None, day.succ_opt().unwrap());
    let dismissed = dismissed.dismiss(ONE, Reason::parse("演練").unwrap(), at).unwrap();
    let ended = open[0].value.clone().end(at).unwrap();
    let writes = vec![
        Write::Update { value: dismissed.clone(), expected: 1 },
        Write::Update { value: ended.clone(), expected: open[0].version },
    ];
    store.commit(Change { notices: writes, ..change() }).await.unwrap();
    let all = Notices::of_organisation(store, ubn(800)).await.unwrap();
    assert!(all.iter().any(|n| n.value == dismissed) && all.iter().any(|n| n.value == ended));
    assert_eq!(all.len(), 3);
}

/// Dormant is who has active access and neither was approved nor asked after the day.
pub async fn dormancy<S: Changes + Dormancy>(store: &S, ledger: &impl Ledger, tally: &impl UsageTally) {
    let at = FixedClock::default().now();
    let today = idcheck_domain::taipei::day(at);
    super::ledger::admit(store, 3700).await;
    let of = |dormant: Vec<DormantOrganisation>| {
        dormant.into_iter().find(|one| one.ubn == ubn(3700)).map(|one| one.since)
    };
    let yesterday = today.pred_opt().unwrap();
    assert_eq!(of(store.dormant(yesterday).await.unwrap()), None, "approved today");
    assert_eq!(of(store.dormant(today).await.unwrap()), Some(today));
    let asked = LedgerEntry {
        ubn: ubn(3700),
        at: at + chrono::TimeDelta::days(30),
        ..super::ledger::question(1, 108, "dormant")
    };
    ledger.record(asked).await.unwrap();
    while tally.advance(100, &Thresholds::default(), &NobodySuspended).await.unwrap() > 0 {}
    assert_eq!(of(store.dormant(today).await.unwrap()), None, "it asked since");
    let later = today + chrono::Days::new(30);
    assert_eq!(of(store.dormant(later).await.unwrap()), Some(later));
}
