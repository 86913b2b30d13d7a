//! The contract of [`Worklists`].

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use idcheck_domain::{
    abuse::{AbuseRule, Evidence, Finding as AbuseFinding, Measure},
    access::Ground,
    application::{Application, Approvers, ClarificationId, Kind, StateName},
    calendar::WorkingCalendar,
    company::Finding,
    notice::{Notice, NoticeId},
    officer::OfficerId,
    plan::{ImprovementPlan, PlanId},
    revocation::{Revocation, RevocationId},
    sweep::{Sweep, SweepId},
    taipei,
    value::{Account, Narrative, Reason},
};
use idcheck_usecases::ports::{
    Change, Changes, Clock, MailError, MailMessage, Outbox, OutgoingMail, Sweeps, Task, WaitsFor, WorkCounts,
    Worklists, Write,
};
use uuid::Uuid;

use crate::{
    FixedClock,
    builders::{active_organisation, application, audit, contact, ubn},
};

const ME: OfficerId = OfficerId(Uuid::from_u128(51));
const OTHER: OfficerId = OfficerId(Uuid::from_u128(52));

fn change() -> Change {
    Change { audit: audit(), ..Change::default() }
}

fn of(officer: OfficerId, confirms: bool, today: NaiveDate) -> WaitsFor {
    WaitsFor { officer, confirms, today }
}

async fn file(store: &impl Changes, number: usize, step: impl Fn(Application) -> Application) {
    let at = FixedClock::default().now();
    let account = Account::parse(&format!("AW{:03}", number % 100 + 1)).unwrap();
    let organisation = Some(Write::Insert(active_organisation(ubn(number), account, at)));
    let (case, received) = application(ubn(number), Kind::Apply, number as u128, at);
    let history = vec![(case.id, received)];
    let applications = vec![Write::Insert(step(case))];
    store.commit(Change { organisation, applications, history, ..change() }).await.unwrap();
}

/// What each officer sees of cases: what nobody or it itself works on, what another proposed, what nobody answered in time.
async fn cases(store: &(impl Changes + Worklists), at: DateTime<Utc>) {
    let claimed = move |by| move |case: Application| case.claim(by, at).unwrap().0;
    let proposed = move |by| {
        move |case: Application| claimed(by)(case).propose_approval(by, None, at, Approvers::Two).unwrap().0
    };
    let asked = move |by| {
        move |case: Application| {
            let (id, question) = (ClarificationId(Uuid::from_u128(705)), Narrative::parse("請補充").unwrap());
            let calendar = WorkingCalendar::default();
            claimed(by)(case).request_clarification(id, question, by, at, &calendar).unwrap().0
        }
    };
    file(store, 700, |case| case).await;
    file(store, 701, claimed(ME)).await;
    file(store, 702, claimed(OTHER)).await;
    file(store, 703, proposed(ME)).await;
    file(store, 704, proposed(OTHER)).await;
    file(store, 705, asked(ME)).await;
    file(store, 706, move |case| claimed(ME)(case).reject(ME, Reason::parse("不符").unwrap(), at).unwrap().0)
        .await;
    let today = taipei::day(at);
    let seen = async |officer, today| {
        let work = store.work(of(officer, false, today), 100).await.unwrap();
        let mut seen: Vec<_> = work
            .into_iter()
            .filter_map(|item| match item.task {
                Task::Case { state, .. } => Some((item.about.unwrap().0, state)),
                _ => None,
            })
            .collect();
        seen.sort_unstable();
        let counted = store.work_counts(of(officer, false, today)).await.unwrap().cases;
        assert_eq!(counted, seen.len() as u64, "a count and its list differ");
        seen
    };
    let (received, review, approval) =
        (StateName::Received, StateName::UnderReview, StateName::ApprovalProposed);
    let mine = [(ubn(700), received), (ubn(701), review), (ubn(704), approval)];
    assert_eq!(seen(ME, today).await, mine);
    assert_eq!(seen(OTHER, today).await, [(ubn(700), received), (ubn(702), review), (ubn(703), approval)]);
    let over = [mine.as_slice(), &[(ubn(705), StateName::ClarificationRequested)]].concat();
    assert_eq!(seen(ME, today + TimeDelta::days(30)).await, over);
}

/// Everything of an officer's worklist, and of how much there is.
pub async fn suite<S: Changes + Worklists + Sweeps + Outbox>(store: &S) {
    let at = FixedClock::default().now();
    let today = taipei::day(at);
    assert_eq!(store.work(of(ME, true, today), 100).await.unwrap(), []);
    cases(store, at).await;

    let raised = |id, number| {
        let evidence = Evidence { day: today, user_id: None, counts: vec![(Measure::Queries, 900)] };
        let finding = AbuseFinding { rule: AbuseRule::UserBurst, evidence };
        Notice::raise(NoticeId(Uuid::from_u128(id)), ubn(number), finding, at)
    };
    let sent =
        raised(2, 701).send(Narrative::parse("請說明").unwrap(), 3, ME, at, &WorkingCalendar::default());
    let notices = vec![Write::Insert(raised(1, 700)), Write::Insert(sent.unwrap())];
    store.commit(Change { notices, ..change() }).await.unwrap();
    let reason = || Reason::parse("大量試探").unwrap();
    for (number, by) in [(700, ME), (701, OTHER)] {
        let id = RevocationId(Uuid::from_u128(number as u128));
        let asked = Revocation::ask(id, ubn(number), Ground::Abuse, reason(), by, at);
        store.commit(Change { revocation: Some(Write::Insert(asked)), ..change() }).await.unwrap();
    }
    let plan = ImprovementPlan::file(
        PlanId(Uuid::from_u128(1)),
        ubn(700),
        Narrative::parse("加強控管").unwrap(),
        at,
    );
    store.commit(Change { plan: Some(Write::Insert(plan)), ..change() }).await.unwrap();
    let sweep =
        Sweep { id: SweepId(Uuid::from_u128(1)), begun_by: Some(ME), begun_at: at, register_of: None };
    store.begin(&sweep).await.unwrap();
    let items = store.items(sweep.id).await.unwrap();
    let findings = [Some(Finding::NotFound), Some(Finding::Matches), Some(Finding::NotFound), None];
    for (item, finding) in items.into_iter().zip(findings) {
        let item = idcheck_domain::sweep::SweepItem { finding, ..item.value };
        if item.finding.is_some() {
            store.found(sweep.id, &item).await.unwrap();
        }
    }
    let message = MailMessage::ContactChanged { company: "測試".to_owned() };
    let mail = OutgoingMail { id: Uuid::from_u128(1), about: ubn(1), to: contact().email().clone(), message };
    store.commit(Change { mail: vec![mail], ..change() }).await.unwrap();
    let before = store.work_counts(of(ME, true, today)).await.unwrap();
    assert_eq!(before, WorkCounts { cases: 3, notices: 1, access: 3, mails: 0 });
    store.failed(Uuid::from_u128(1), MailError::Permanent, None).await.unwrap();
    let counts = store.work_counts(of(ME, true, today)).await.unwrap();
    assert_eq!(counts, WorkCounts { mails: 1, ..before });
    assert_eq!(store.work_counts(of(ME, false, today)).await.unwrap().access, 2, "no second person");
    let late = of(ME, true, today + TimeDelta::days(30));
    assert_eq!(store.work_counts(late).await.unwrap().notices, 2, "one that nobody explained");

    let work = store.work(of(ME, true, today), 100).await.unwrap();
    assert!(work.iter().any(|item| {
        matches!(item.task, Task::Revocation { asked_by: OTHER, .. })
            && item.about.as_ref().unwrap().0 == ubn(701)
    }));
    assert!(work.iter().any(|item| item.task == Task::Sweep { id: sweep.id, waiting: 2 }));
    assert!(work.iter().any(|item| item.task == Task::DeadLetters { waiting: 1 }));
    assert_eq!(store.work(of(ME, true, today), 1).await.unwrap().len(), 6, "one of each kind");
}
