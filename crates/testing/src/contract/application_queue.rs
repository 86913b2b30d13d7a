//! The contract of the queue ([`Applications::queue`]) against a list in memory that is filtered and sorted the long way.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    application::{Application, Kind, StateName},
    company::folded,
    officer::OfficerId,
    taipei,
    value::CompanyName,
};
use idcheck_usecases::ports::{
    ApplicationFilter, Applications, Assigned, Change, Changes, Clock, QueuePlace, Write,
};
use uuid::Uuid;

use crate::{
    FixedClock,
    builders::{application, audit, organisation, ubn},
};

/// Organisations of this suite, from this number on.
const FIRST: usize = 4000;
const OFFICER: OfficerId = OfficerId(Uuid::from_u128(71));

fn at() -> DateTime<Utc> {
    FixedClock::default().now() - TimeDelta::days(4000)
}

/// The `number`th case: six received at the same instant each, in turn received, claimed, released, withdrawn, rejected.
fn case(number: usize) -> Application {
    let received = at() + TimeDelta::days(i64::try_from(number / 6).unwrap());
    let id = 900_000 + u128::try_from(number).unwrap();
    let kind = if number.is_multiple_of(2) { Kind::Apply } else { Kind::Suspend };
    let mut case = application(ubn(FIRST + number), kind, id, received).0;
    let name = match number % 7 {
        5 => "佇列 臺É Acme5 有限公司".to_owned(),
        6 => "佇列台é École Acme6".to_owned(),
        other => format!("佇列 Acme{other} 有限公司"),
    };
    case.company_name = CompanyName::parse(&name).unwrap();
    let reason = idcheck_domain::value::Reason::parse("不足").unwrap();
    match number % 5 {
        0 => case,
        1 => case.claim(OFFICER, received).unwrap().0,
        2 => case.claim(OFFICER, received).unwrap().0.release(OFFICER, received).unwrap().0,
        3 => case.withdraw(None, received).unwrap().0,
        _ => case.claim(OFFICER, received).unwrap().0.reject(OFFICER, reason, received).unwrap().0,
    }
}

/// Whether a filter lets a case through, and which come first, told again in other words.
fn expected(cases: &[Application], filter: &ApplicationFilter) -> Vec<Application> {
    let asked = |case: &&Application| {
        let text = filter.text.as_deref().map(folded);
        let named = |text: String| {
            let digits = text.len() >= 3 && text.bytes().all(|b| b.is_ascii_digit());
            let number = text.len() >= 8 && text.as_bytes()[7] == b'-';
            case.case_number.as_str().to_lowercase() == text
                || (number && case.case_number.as_str().to_lowercase().starts_with(&text))
                || (digits && case.ubn.to_string().starts_with(&text))
                || folded(case.company_name.as_str()).contains(&text)
        };
        let assigned = match filter.assigned {
            None => true,
            Some(Assigned::To(officer)) => case.state.assignee() == Some(officer),
            Some(Assigned::Nobody) => case.is_open() && case.state.assignee().is_none(),
        };
        let overdue = filter
            .overdue_at
            .is_none_or(|now| case.state.due().is_some_and(|due| due.date < taipei::day(now)));
        let state = match filter.state {
            Some(state) => case.state.name() == state,
            None => case.is_open() || filter.text.is_some(),
        };
        state
            && assigned
            && overdue
            && filter.kind.is_none_or(|kind| case.kind() == kind)
            && text.is_none_or(named)
    };
    let (mut open, mut ended): (Vec<_>, Vec<_>) =
        cases.iter().filter(asked).cloned().partition(Application::is_open);
    open.sort_by_key(|case| (case.state.due().unwrap().date, case.received_at, case.id.0));
    ended.sort_by_key(|case| Reverse((case.received_at, case.id.0)));
    open.into_iter().chain(ended).collect()
}

/// All pages of a filter.
async fn walked(store: &impl Applications, filter: &ApplicationFilter) -> Vec<Application> {
    let mut filter = filter.clone();
    let mut seen = Vec::new();
    loop {
        let page = store.queue(&filter).await.unwrap();
        assert!(page.items.len() <= usize::from(filter.limit));
        seen.extend(page.items.into_iter().map(|item| item.application));
        // Through the text of a link, as people turn pages.
        filter.after = page.next.map(|place| QueuePlace::parse(&place.to_string()).unwrap());
        if filter.after.is_none() {
            return seen;
        }
    }
}

/// Every filter gives its cases, in order, once each, page by page.
pub async fn pages(store: &(impl Changes + Applications)) {
    let cases: Vec<_> = (0..60).map(case).collect();
    for case in &cases {
        let named = idcheck_domain::organisation::Organisation {
            name: case.company_name.clone(),
            ..organisation(case.ubn)
        };
        let change = Change {
            organisation: Some(Write::Insert(named)),
            applications: vec![Write::Insert(case.clone())],
            audit: audit(),
            ..Change::default()
        };
        store.commit(change).await.unwrap();
    }
    let text = |text: &str| ApplicationFilter { text: Some(text.to_owned()), ..ApplicationFilter::default() };
    let of = text("佇列");
    let filters = [
        of.clone(),
        text("ACME3"),
        text("%"),
        text("Acme_"),
        text("佇列' OR 1=1"),
        text(&cases[8].ubn.to_string()),
        text(cases[13].case_number.as_str()),
        // However it is written: small letters, full width, blanks, the other character for Taiwan, capitals with marks.
        text(&cases[13].case_number.as_str().to_lowercase()),
        text("ａｃｍｅ３"),
        text(" acme 3 "),
        text("台É"),
        text("臺é"),
        text("ÉCOLE"),
        text("   "),
        // Of numbers their beginnings.
        text(&cases[13].case_number.as_str()[..9]),
        text(&cases[13].case_number.as_str()[..8]),
        text(&cases[8].ubn.to_string()[..5]),
        text(&cases[8].ubn.to_string()[..3]),
        ApplicationFilter { state: Some(StateName::Rejected), ..of.clone() },
        ApplicationFilter { state: Some(StateName::Received), ..of.clone() },
        ApplicationFilter { kind: Some(Kind::Suspend), ..of.clone() },
        ApplicationFilter { assigned: Some(Assigned::To(OFFICER)), ..of.clone() },
        ApplicationFilter { assigned: Some(Assigned::Nobody), ..of.clone() },
        ApplicationFilter { overdue_at: Some(at() + TimeDelta::days(12)), ..of.clone() },
        ApplicationFilter {
            state: Some(StateName::Withdrawn),
            assigned: Some(Assigned::Nobody),
            ..of.clone()
        },
        ApplicationFilter { assigned: Some(Assigned::To(OFFICER)), ..ApplicationFilter::default() },
    ];
    for filter in filters {
        for limit in [1, 7, 100] {
            let filter = ApplicationFilter { limit, ..filter.clone() };
            let (found, expected) = (walked(store, &filter).await, expected(&cases, &filter));
            let numbers = |cases: &[Application]| cases.iter().map(|c| c.id.0.as_u128()).collect::<Vec<_>>();
            assert_eq!(numbers(&found), numbers(&expected), "{filter:?}");
        }
    }
    assert_eq!(walked(store, &ApplicationFilter { limit: 100, ..of }).await.len(), 60);
}

/// Cases that come and go while pages are turned neither hide nor repeat one that stays.
pub async fn turned_while_changing(store: &(impl Changes + Applications)) {
    let filter = ApplicationFilter {
        text: Some("佇列 acme1".to_owned()),
        state: Some(StateName::Received),
        limit: 1,
        ..ApplicationFilter::default()
    };
    let first = store.queue(&filter).await.unwrap();
    let (gone, place) = (&first.items[0], first.next.unwrap());
    let withdrawn = gone.application.clone().withdraw(None, at()).unwrap().0;
    let write = Write::Update { value: withdrawn, expected: gone.version };
    store.commit(Change { applications: vec![write], audit: audit(), ..Change::default() }).await.unwrap();
    let fresh = walked(store, &filter).await;
    let rest = walked(store, &ApplicationFilter { after: Some(place), ..filter }).await;
    assert!(!rest.is_empty());
    assert_eq!(rest, fresh, "the page after the one that went is the page that is first now");
}

/// A company that applies under a new name is found by that and by the one it is known by.
pub async fn by_either_name(store: &(impl Changes + Applications)) {
    let mut case = application(ubn(FIRST + 70), Kind::Apply, 900_070, at()).0;
    case.company_name = CompanyName::parse("更名後 Quux 有限公司").unwrap();
    let name = CompanyName::parse("更名前有限公司").unwrap();
    let organisation = idcheck_domain::organisation::Organisation { name, ..organisation(ubn(FIRST + 70)) };
    let change = Change {
        organisation: Some(Write::Insert(organisation)),
        applications: vec![Write::Insert(case.clone())],
        audit: audit(),
        ..Change::default()
    };
    store.commit(change).await.unwrap();
    for (text, found) in [("更名後 quux", 1), ("更名前", 1), ("更名", 1), ("更名中", 0)] {
        let filter =
            ApplicationFilter { text: Some(text.to_owned()), limit: 10, ..ApplicationFilter::default() };
        let cases = walked(store, &filter).await;
        assert_eq!(cases.iter().filter(|other| other.id == case.id).count(), found, "{text}");
        assert_eq!(cases.len(), found, "{text}");
    }
}

/// What is no place in the queue is not read as one.
pub fn places_are_read_as_written() {
    let id = "01a20947-c02a-7d0d-ba79-6c400c7f8e91";
    for text in [format!("2026-11-30.1764000000000000.{id}"), format!("-.-5.{id}")] {
        assert_eq!(QueuePlace::parse(&text).unwrap().to_string(), text);
    }
    for text in ["", "50", "-", "-.5", "2026-02-30.5.x", &format!("-.9999999999999999999.{id}")] {
        assert_eq!(QueuePlace::parse(text), None, "{text}");
    }
}
