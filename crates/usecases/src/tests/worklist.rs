//! The order of a worklist, and for whom there is one.

use std::sync::Arc;

use chrono::TimeDelta;
use idcheck_domain::{
    calendar::DueDate,
    officer::{OfficerId, Role},
    taipei,
};
use uuid::Uuid;

use crate::{
    Refusal,
    ports::{MockOfficers, MockWorklists, Officer, Task, WorkCounts, WorkItem},
    tests::{calendar, clock, now},
    worklist::ReadWorklist,
};

fn officer(role: Role) -> Officer {
    Officer { id: OfficerId(Uuid::from_u128(5)), username: "lin".to_owned(), role }
}

/// One that is due in so many days, or without a deadline waits since so many.
fn item(due: Option<i64>, waits: Option<i64>) -> WorkItem {
    let day = |days| taipei::day(now() + TimeDelta::days(days));
    WorkItem {
        task: Task::Plan,
        about: None,
        due: due.map(|days| DueDate { date: day(days), provisional: false }),
        since: waits.map(|days| now() - TimeDelta::days(days)),
    }
}

#[tokio::test]
async fn what_is_most_urgent_comes_first_and_only_for_who_reviews() {
    let [over, today, waited, soon, unknown] = [
        item(Some(-3), Some(9)),
        item(Some(0), Some(6)),
        item(None, Some(2)),
        item(Some(2), Some(1)),
        item(None, None),
    ];
    let given = vec![soon.clone(), waited.clone(), today.clone(), unknown.clone(), over.clone()];
    let mut worklists = MockWorklists::new();
    worklists.expect_work().times(2).returning(move |_, _| Ok(given.clone()));
    // A supervisor stands as second person, a reviewer does not.
    worklists
        .expect_work_counts()
        .returning(|of| Ok(WorkCounts { access: u64::from(of.confirms), ..WorkCounts::default() }));
    let mut officers = MockOfficers::new();
    officers.expect_list().returning(|| Ok(Vec::new()));
    let read = ReadWorklist::new(clock(), Arc::new(worklists), calendar(), Arc::new(officers));
    let expected = [unknown, over, waited, today, soon];
    for (role, access) in [(Role::Reviewer, 0), (Role::Supervisor, 1)] {
        assert_eq!(read.execute(&officer(role)).await.unwrap().items, expected);
        assert_eq!(read.counts(&officer(role)).await.unwrap().unwrap().access, access);
    }
    for role in [Role::Auditor, Role::Admin] {
        assert_eq!(read.execute(&officer(role)).await, Err(Refusal::Forbidden));
        assert_eq!(read.counts(&officer(role)).await, Ok(None));
    }
}
