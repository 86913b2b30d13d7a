//! The contract of notices, written through [`Changes`].

use idcheck_domain::{
    abuse::{AbuseRule, Evidence, Finding, Measure},
    calendar::WorkingCalendar,
    notice::{Notice, NoticeId},
    officer::OfficerId,
    value::{Narrative, Reason},
};
use idcheck_usecases::ports::{Change, Changes, Clock, CommitError, Notices, Write};
use uuid::Uuid;

use crate::{
    FixedClock,
    builders::{audit, ubn},
};

const ONE: OfficerId = OfficerId(Uuid::from_u128(51));
const OTHER: OfficerId = OfficerId(Uuid::from_u128(52));

fn change() -> Change {
    Change { audit: audit(), ..Change::default() }
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
