//! `/officer`: for who reviews the worklist, for everybody else what the role is there for.

use chrono::{DateTime, Utc};
use idcheck_domain::{calendar::WorkingCalendar, officer::Permission, taipei};
use idcheck_usecases::{
    OfficerNames,
    ports::{Task, WorkItem},
    worklist::Worklist,
};
use minijinja::{Value, context};
use poem::{Response, handler, http::StatusCode, web::Query};

use crate::kernel::{
    officer_page::OfficerPage,
    page::{FormValues, query_string, see_other, value},
    view::{deadline, moment},
};

/// What can be chosen of the worklist, as the address has it.
const PARTS: [&str; 6] = ["", "cases", "notices", "access", "mine", "nobody"];
/// What the queue of cases is asked by, which stood at this address before.
const OF_THE_QUEUE: [&str; 6] = ["state", "kind", "assignee", "overdue", "q", "cursor"];

/// Which part a line belongs to.
const fn part(task: &Task) -> &'static str {
    match task {
        Task::Case { .. } => "cases",
        Task::Notice { .. } => "notices",
        Task::Revocation { .. } | Task::Plan | Task::Sweep { .. } => "access",
        Task::DeadLetters { .. } => "mails",
    }
}

/// Where it is done.
fn place(item: &WorkItem) -> String {
    let ubn = item.about.as_ref().map(|(ubn, _)| ubn.to_string()).unwrap_or_default();
    match &item.task {
        Task::Case { id, .. } => format!("/officer/applications/{id}"),
        Task::Notice { id, .. } => format!("/officer/organisations/{ubn}#notice-{id}"),
        Task::Revocation { .. } | Task::Plan => format!("/officer/organisations/{ubn}"),
        Task::Sweep { id, .. } => format!("/officer/sweeps/{id}"),
        Task::DeadLetters { .. } => "/officer/mail".to_owned(),
    }
}

fn task(task: &Task, officers: &OfficerNames) -> Value {
    match task {
        Task::Case { number, kind, state, assignee, .. } => context! {
            name => "case", number => number.as_str(), kind => kind.as_str(), state => state.as_str(),
            assignee => assignee.and_then(|officer| officers.get(&officer)),
        },
        Task::Notice { rule, state, .. } => context! { name => "notice", rule => rule.as_str(), state },
        Task::Revocation { ground, asked_by } => context! {
            name => "revocation", ground => ground.as_str(), asked_by => officers.get(asked_by),
        },
        Task::Plan => context! { name => "plan" },
        Task::Sweep { waiting, .. } => context! { name => "sweep", waiting },
        Task::DeadLetters { waiting } => context! { name => "mails", waiting },
    }
}

fn line(item: &WorkItem, officers: &OfficerNames, calendar: &WorkingCalendar, now: DateTime<Utc>) -> Value {
    let today = taipei::day(now);
    let about = item.about.as_ref().map(|(ubn, company)| (ubn.to_string(), company.as_str()));
    context! {
        part => part(&item.task), task => task(&item.task, officers), place => place(item),
        ubn => about.as_ref().map(|(ubn, _)| ubn), company => about.as_ref().map(|(_, company)| *company),
        due => item.due.map(deadline), since => item.since.map(moment),
        overdue => item.due.is_some_and(|due| due.is_over(now)),
        days_left => item.due.map(|due| calendar.working_days_between(today, due.date)),
        days_late => item.due.map(|due| calendar.working_days_between(due.date, today)),
    }
}

/// Whether a line is in what was chosen.
fn chosen(item: &WorkItem, wanted: &str) -> bool {
    let assigned = matches!(item.task, Task::Case { assignee: Some(_), .. });
    match wanted {
        "mine" => assigned,
        "nobody" => matches!(item.task, Task::Case { assignee: None, .. }),
        "" => true,
        wanted => part(&item.task) == wanted,
    }
}

#[handler]
pub(crate) async fn show(page: OfficerPage<'_>, Query(query): Query<FormValues>) -> poem::Result<Response> {
    if OF_THE_QUEUE.iter().any(|name| !value(&query, name).is_empty()) {
        let asked = query_string(OF_THE_QUEUE.iter().map(|name| (*name, value(&query, name))));
        return Ok(see_other(&format!("/officer/applications?{asked}")));
    }
    if !page.permits(Permission::ReviewCases) {
        let audits = page.permits(Permission::ReadAudit);
        return Ok(see_other(if audits { "/officer/audit" } else { "/officer/accounts" }));
    }
    let services = &page.app.services;
    let now = services.clock.now();
    let read = services.worklist.execute(&page.officer).await;
    let Worklist { items, calendar, officers } = page.or_problem(read, "/")?;
    let counts = page.counts.unwrap_or_default();
    let wanted = PARTS.iter().find(|part| **part == value(&query, "show")).copied().unwrap_or_default();
    let lines = items.iter().filter(|item| chosen(item, wanted));
    let count = |part: &str| match part {
        "" => counts.total(),
        "cases" => counts.cases,
        "notices" => counts.notices,
        "access" => counts.access,
        part => items.iter().filter(|item| chosen(item, part)).map(|_| 1).sum(),
    };
    let parts = PARTS.iter().map(|part| context! { name => *part, count => count(part) });
    let with = context! {
        items => lines.map(|item| line(item, &officers, &calendar, now)).collect::<Value>(),
        parts => parts.collect::<Value>(), shown => wanted,
        missing_years => calendar.missing_years(taipei::day(now)).into_iter().collect::<Value>(),
    };
    Ok(page.show(StatusCode::OK, "officer/worklist.html", with))
}
