//! The contract of [`CalendarStore`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use idcheck_domain::{
    abuse::{AbuseRule, Evidence, Finding, Measure},
    application::{Action, Application, ApplicationId, ClarificationId, Kind, State, Step},
    calendar::{DueDate, WorkingCalendar},
    notice::{Notice, NoticeId},
    officer::OfficerId,
    taipei,
    value::Narrative,
};
use idcheck_usecases::{
    calendar::KeepCalendar,
    ports::{
        Applications, CalendarEdit, CalendarStore, Change, Changes, Clock, CommitError, MailMessage, Notices,
        Outbox, Requirement, Versioned, Write,
    },
};
use uuid::Uuid;

use crate::{
    FixedClock, NothingMoved, SeededEntropy,
    builders::{application, audit, organisation, ubn},
};

const OFFICER: OfficerId = OfficerId(Uuid::from_u128(51));

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Saturdays and Sundays of a year, and more days off.
fn weekends(year: i32, more: &[&str]) -> CalendarEdit {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let days = first.iter_days().take_while(|day| day.year() == year);
    let off = days.filter(|day| day.weekday().number_from_monday() > 5);
    CalendarEdit::Year { year, days_off: off.chain(more.iter().map(|text| day(text))).collect() }
}

/// A year is read as it was written, and replaced as a whole; other years stay; each change is another edition.
pub async fn suite<S: CalendarStore>(store: &S) {
    let days = |days: &[&str]| days.iter().map(|text| day(text)).collect::<Vec<_>>();
    let known = store.load().await.unwrap();
    assert_eq!(known.years().count(), 0);
    let off = CalendarEdit::Day { day: day("2026-07-10"), off: true };
    assert_eq!(store.change(&off, &NothingMoved).await, Ok(None), "the year is not known");
    assert_eq!(store.load().await.unwrap().edition(), known.edition());
    for (year, off) in
        [(2026, &["2026-01-01", "2026-02-16"][..]), (2025, &["2025-01-01"]), (2026, &["2026-01-01"])]
    {
        let edit = CalendarEdit::Year { year, days_off: days(off) };
        assert_eq!(store.change(&edit, &NothingMoved).await, Ok(Some(0)));
    }
    store.change(&off, &NothingMoved).await.unwrap();
    let calendar = store.load().await.unwrap();
    assert_eq!(calendar.edition(), known.edition() + 4);
    assert_eq!(calendar.years().collect::<Vec<_>>(), [2025, 2026]);
    assert_eq!(calendar.days_off(2026).unwrap().collect::<Vec<_>>(), days(&["2026-01-01", "2026-07-10"]));
    assert!(calendar.is_working_day(day("2026-02-16")) && !calendar.is_working_day(day("2025-01-01")));
    store.change(&CalendarEdit::Day { day: day("2026-07-10"), off: false }, &NothingMoved).await.unwrap();
    assert!(store.load().await.unwrap().is_working_day(day("2026-07-10")));
}

/// Saturday, 115/11/28: due on Friday, 12/04.
fn received() -> DateTime<Utc> {
    "2026-11-28T02:00:00Z".parse().unwrap()
}

/// A case of a company of its own, as many as are asked for: due on 2026-12-04.
async fn file<S: Changes + CalendarStore>(store: &S, first: usize, number: usize) -> ApplicationId {
    let (who, id) = (ubn(first + number), u128::try_from(0x0C00_0000 + first + number).unwrap());
    let calendar = store.load().await.unwrap();
    let (case, step) = received_by(&calendar, who, id);
    let change = Change {
        organisation: Some(Write::Insert(organisation(who))),
        history: vec![(case.id, step)],
        applications: vec![Write::Insert(case.clone())],
        requires: vec![Requirement::CalendarEdition(calendar.edition())],
        audit: audit(),
        ..Change::default()
    };
    store.commit(change).await.unwrap();
    case.id
}

fn received_by(
    calendar: &WorkingCalendar,
    who: idcheck_domain::value::UnifiedBusinessNumber,
    id: u128,
) -> (Application, Step) {
    let (like, _) = application(who, Kind::Apply, id, received());
    let filing = idcheck_domain::application::Filing {
        ubn: like.ubn,
        company_name: like.company_name,
        card: like.card,
        contact: like.contact,
        replaces: None,
        host_addresses: like.host_addresses,
        request: like.request,
        consent: like.consent,
    };
    Application::receive(like.id, like.case_number, filing, received(), calendar)
}

fn keeper<S: CalendarStore + Clone + 'static>(store: &S, clock: &FixedClock) -> KeepCalendar {
    KeepCalendar::new(Arc::new(clock.clone()), Arc::new(SeededEntropy::default()), Arc::new(store.clone()))
}

async fn due<S: Applications>(store: &S, id: ApplicationId) -> DueDate {
    Applications::find(store, id).await.unwrap().unwrap().value.state.due().unwrap()
}

async fn dates_of<S: Applications>(store: &S, ids: [ApplicationId; 3]) -> Vec<DueDate> {
    let mut dates = Vec::with_capacity(ids.len());
    for id in ids {
        dates.push(due(store, id).await);
    }
    dates
}

/// A typhoon day moves a thousand deadlines in one transaction under a second, with one mail and one line of history each;
/// declared again it moves nothing. Whoever is cut off while it is declared has moved all or none, and declares it again.
pub async fn a_typhoon_day<S>(store: &S, clock: &FixedClock)
where
    S: CalendarStore + Changes + Applications + Outbox + Clone + 'static,
{
    const CASES: usize = 1000;
    store.change(&weekends(2026, &[]), &NothingMoved).await.unwrap();
    clock.set(received() + TimeDelta::days(2));
    let mut ids = Vec::with_capacity(CASES);
    for number in 0..CASES {
        ids.push(file(store, 1000, number).await);
    }
    let told = DueDate { date: day("2026-12-04"), provisional: false };
    assert_eq!(due(store, ids[0]).await, told);

    let calendar = keeper(store, clock);
    let typhoon = CalendarEdit::Day { day: day("2026-12-03"), off: true };
    let places = [ids[0], ids[CASES / 2], ids[CASES - 1]];
    for milliseconds in [1, 5, 20, 60, 150] {
        let cut = tokio::time::timeout(Duration::from_millis(milliseconds), calendar.change(&typhoon)).await;
        let mut dates = dates_of(store, places).await;
        // What was cut off behind its commit can move them while they are read.
        loop {
            let again = dates_of(store, places).await;
            if again == dates {
                break;
            }
            dates = again;
        }
        assert!(dates.iter().all(|date| *date == dates[0]), "some moved: {dates:?}");
        assert!(cut.is_err() || dates[0] != told, "done, and nothing moved: {cut:?}");
    }
    let begun = Instant::now();
    let moved = calendar.change(&typhoon).await.unwrap();
    let took = begun.elapsed();
    // None where the one before was cut off behind its commit.
    assert!(moved == Some(CASES) || moved == Some(0), "{moved:?}");
    // Alone it is well under a second; here others run beside it.
    assert!(took.as_secs_f64() < 5.0, "{took:?}");
    assert_eq!(calendar.change(&typhoon).await, Ok(Some(0)), "declared again");
    for id in [ids[0], ids[CASES / 2], ids[CASES - 1]] {
        assert_eq!(due(store, id).await.date, day("2026-12-07"));
        let history = store.history(id).await.unwrap();
        let last = &history.last().unwrap().step;
        assert_eq!((history.len(), last.action), (2, Action::Redate));
        assert_eq!(last.text.as_deref(), Some("2026-12-04 → 2026-12-07"));
    }
    let now = clock.now();
    let mut mails = Vec::new();
    loop {
        let taken = store.take(now, now + TimeDelta::hours(1), 100).await.unwrap();
        if taken.is_empty() {
            break;
        }
        mails.extend(taken);
    }
    assert_eq!(mails.len(), CASES);
    assert!(mails.iter().all(|mail| matches!(
        &mail.message,
        MailMessage::DeadlineMoved { answer: false, before, due, .. }
            if *before == told.date && due.date == day("2026-12-07")
    )));
}

/// Clarifications, restored days and notices follow too; what is closed stays; nothing is moved to a day that is over.
pub async fn everything_that_runs_follows<S>(store: &S, clock: &FixedClock)
where
    S: CalendarStore + Changes + Applications + Notices + Clone + 'static,
{
    store.change(&weekends(2026, &[]), &NothingMoved).await.unwrap();
    let monday = received() + TimeDelta::days(2);
    clock.set(monday);
    let calendar = store.load().await.unwrap();
    let asked = file(store, 2100, 0).await;
    let answered = file(store, 2100, 1).await;
    let closed = file(store, 2100, 2).await;
    let text = |text: &str| Narrative::parse(text).unwrap();
    for (number, id) in [asked, answered].into_iter().enumerate() {
        step(store, id, |case| case.claim(OFFICER, monday).unwrap()).await;
        let question = ClarificationId(Uuid::from_u128(0x0C10_0000 + u128::try_from(number).unwrap()));
        step(store, id, |case| {
            case.request_clarification(question, text("請補件"), OFFICER, monday, &calendar).unwrap()
        })
        .await;
    }
    // Asked on Monday after one working day: four are left. Answered on Tuesday: due on Monday.
    let question = ClarificationId(Uuid::from_u128(0x0C10_0001));
    let tuesday = monday + TimeDelta::days(1);
    step(store, answered, |case| {
        case.answer_clarification(question, text("補件"), tuesday, &calendar).unwrap()
    })
    .await;
    step(store, closed, |case| case.withdraw(None, monday).unwrap()).await;
    let who = ubn(2110);
    let held =
        Change { organisation: Some(Write::Insert(organisation(who))), audit: audit(), ..Change::default() };
    store.commit(held).await.unwrap();
    let evidence = Evidence { day: day("2026-11-29"), user_id: None, counts: vec![(Measure::Replays, 30)] };
    let notice = Notice::raise(
        NoticeId(Uuid::from_u128(0x0C10_0002)),
        who,
        Finding { rule: AbuseRule::Replays, evidence },
        monday,
    );
    let sent = notice.send(text("請說明"), 3, OFFICER, monday, &calendar).unwrap();
    let change = Change { notices: vec![Write::Insert(sent.clone())], audit: audit(), ..Change::default() };
    store.commit(change).await.unwrap();
    assert_eq!(due(store, asked).await.date, day("2026-12-07"));
    assert_eq!(due(store, answered).await.date, day("2026-12-07"));
    assert_eq!(sent.state.due().unwrap().date, day("2026-12-03"));

    // Wednesday and Thursday are declared off on Tuesday.
    clock.set(tuesday);
    let keep = keeper(store, clock);
    let moved = keep.change(&weekends(2026, &["2026-12-02", "2026-12-03"])).await.unwrap().unwrap();
    assert_eq!(moved, 3);
    let read = Applications::find(store, asked).await.unwrap().unwrap().value;
    assert_eq!(
        (due(store, asked).await.date, read.clarifications[0].due.date),
        (day("2026-12-09"), day("2026-12-09"))
    );
    assert_eq!(due(store, answered).await.date, day("2026-12-09"));
    let notice = Notices::find(store, sent.id).await.unwrap().unwrap().value;
    assert_eq!(
        (notice.state.due().unwrap().date, notice.sendings[0].due.date),
        (day("2026-12-07"), day("2026-12-07"))
    );
    assert!(matches!(
        Applications::find(store, closed).await.unwrap().unwrap().value.state,
        State::Withdrawn(_)
    ));
    // The days that the answer restores are counted by the calendar of its day: four of five are left after Monday.
    let State::ClarificationRequested { open, .. } = read.state else { panic!("{:?}", read.state) };
    assert_eq!(open.days_left, 4);

    // On the Wednesday after, all are working days after all: what would be due on Monday stays as it was told.
    clock.set("2026-12-09T03:00:00Z".parse().unwrap());
    assert_eq!(keep.change(&weekends(2026, &[])).await.unwrap(), Some(0));
    assert_eq!(due(store, asked).await.date, day("2026-12-09"));
}

/// A date counted through a year that nobody published is provisional until its calendar is imported; a change that was counted
/// by an older edition is refused.
pub async fn a_year_that_becomes_known<S>(store: &S, clock: &FixedClock)
where
    S: CalendarStore + Changes + Applications + Clone + 'static,
{
    store.change(&weekends(2026, &[]), &NothingMoved).await.unwrap();
    let at: DateTime<Utc> = "2026-12-28T02:00:00Z".parse().unwrap();
    clock.set(at);
    let known = store.load().await.unwrap();
    let (like, _) = application(ubn(2200), Kind::Apply, 0x0C20_0000, at);
    let due_then = known.due(taipei::day(at), 5);
    assert_eq!((due_then.date, due_then.provisional), (day("2027-01-04"), true));
    let mut case = like;
    let count = idcheck_domain::calendar::Count { from: taipei::day(at), days: 5 };
    case.state = State::Received {
        clock: idcheck_domain::application::DecisionClock { due: due_then, count: Some(count) },
    };
    let file = |edition| Change {
        organisation: Some(Write::Insert(organisation(ubn(2200)))),
        applications: vec![Write::Insert(case.clone())],
        requires: vec![Requirement::CalendarEdition(edition)],
        audit: audit(),
        ..Change::default()
    };
    store.change(&CalendarEdit::Day { day: day("2026-12-31"), off: false }, &NothingMoved).await.unwrap();
    assert_eq!(store.commit(file(known.edition())).await, Err(CommitError::Conflict));
    store.commit(file(known.edition() + 1)).await.unwrap();
    assert_eq!(keeper(store, clock).change(&weekends(2027, &["2027-01-01"])).await, Ok(Some(1)));
    assert_eq!(due(store, case.id).await, DueDate { date: day("2027-01-05"), provisional: false });
}

/// Decisions and a calendar change at once: each case has one next version, and none keeps a date of the old calendar.
pub async fn decisions_against_the_calendar<S>(nodes: [&S; 2], clock: &FixedClock)
where
    S: CalendarStore + Changes + Applications + Clone + 'static,
{
    const CASES: usize = 60;
    let [one, other] = nodes;
    one.change(&weekends(2026, &[]), &NothingMoved).await.unwrap();
    let monday = received() + TimeDelta::days(2);
    clock.set(monday);
    let mut ids = Vec::new();
    for number in 0..CASES {
        ids.push(file(one, 2300, number).await);
    }
    let deciding = async {
        for id in &ids {
            for _ in 0..5 {
                let read = Applications::find(other, *id).await.unwrap().unwrap();
                let (after, line) = read.value.claim(OFFICER, monday).unwrap();
                let change = Change {
                    applications: vec![Write::Update { value: after, expected: read.version }],
                    history: vec![(*id, line)],
                    audit: audit(),
                    ..Change::default()
                };
                if other.commit(change).await.is_ok() {
                    break;
                }
            }
        }
    };
    let calendar = keeper(one, clock);
    let typhoon = CalendarEdit::Day { day: day("2026-12-03"), off: true };
    let (moved, ()) = tokio::join!(calendar.change(&typhoon), deciding);
    assert_eq!(moved, Ok(Some(CASES)));
    for id in ids {
        let read = Applications::find(one, id).await.unwrap().unwrap();
        assert_eq!(read.value.state.due().unwrap().date, day("2026-12-07"));
        assert!(matches!(read.value.state, State::UnderReview { .. }), "claimed: {:?}", read.value.state);
        assert_eq!(one.history(id).await.unwrap().len(), 3);
        assert_eq!(read.version, 3);
    }
}

async fn step<S: Changes + Applications>(
    store: &S,
    id: ApplicationId,
    take: impl FnOnce(Application) -> (Application, Step),
) {
    let Versioned { value, version } = Applications::find(store, id).await.unwrap().unwrap();
    let (after, line) = take(value);
    let change = Change {
        applications: vec![Write::Update { value: after, expected: version }],
        history: vec![(id, line)],
        audit: audit(),
        ..Change::default()
    };
    store.commit(change).await.unwrap();
}
