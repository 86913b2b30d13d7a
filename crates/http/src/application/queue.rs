//! The queue: oldest due first, with filters that stand in the address.

use chrono::{DateTime, Utc};
use idcheck_domain::{
    application::{Kind, StateName},
    calendar::WorkingCalendar,
    taipei,
};
use idcheck_usecases::{
    OfficerNames,
    application::Queue,
    ports::{ApplicationFilter, CaseSummary, Officer, QueuePlace},
};
use minijinja::{Value, context};
use poem::{Response, handler, http::StatusCode, web::Query};

use crate::{
    application::{
        api::assigned,
        show::{self as shown, Audience},
    },
    kernel::{
        officer_page::OfficerPage,
        page::{FormValues, query_string, value},
    },
};

/// Cases on a page.
const PAGE: u16 = 50;
/// Longest text that is looked for; a longer one is cut.
const TEXT: usize = 60;
/// What a filter is made of, as the address has it.
const FIELDS: [&str; 5] = ["state", "kind", "assignee", "overdue", "q"];

fn filter(query: &FormValues, officer: &Officer, now: DateTime<Utc>) -> ApplicationFilter {
    let text: String = value(query, "q").trim().chars().take(TEXT).collect();
    ApplicationFilter {
        state: StateName::parse(value(query, "state")),
        kind: Kind::parse(value(query, "kind")),
        assigned: assigned(value(query, "assignee"), officer),
        overdue_at: (value(query, "overdue") == "true").then_some(now),
        text: Some(text).filter(|text| !text.is_empty()),
        after: QueuePlace::parse(value(query, "cursor")),
        limit: PAGE,
    }
}

/// The same question, after a place.
fn next_page(query: &FormValues, place: &QueuePlace) -> String {
    let place = place.to_string();
    let fields = FIELDS.iter().map(|name| (*name, value(query, name)));
    query_string(fields.chain([("cursor", place.as_str())]))
}

fn line(audience: Audience, item: &CaseSummary, calendar: &WorkingCalendar, now: DateTime<Utc>) -> Value {
    let due = item.application.state.due();
    let days_left = due.map(|due| calendar.working_days_between(taipei::day(now), due.date));
    let assignee = item.assignee_name.as_deref().unwrap_or_default();
    context! { assignee, days_left, ..shown::case(&item.application, &[], audience, now) }
}

/// Officers to choose from, by name.
fn officers(names: &OfficerNames) -> Value {
    let mut names: Vec<_> = names.iter().collect();
    names.sort_unstable_by_key(|(_, name)| *name);
    names.into_iter().map(|(id, name)| context! { id => id.to_string(), name }).collect()
}

#[handler]
pub(crate) async fn show(page: OfficerPage<'_>, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let services = &page.app.services;
    let now = services.clock.now();
    let filter = filter(&query, &page.officer, now);
    let Queue { cases, calendar, officers: names } =
        page.or_problem(services.read_cases.queue(&page.officer, &filter).await, "/officer")?;
    let missing = calendar.missing_years(taipei::day(now));
    let asked = FIELDS.map(|name| (name, value(&query, name).to_owned()));
    let audience = Audience::officer(page.lang);
    let with = context! {
        cases => cases.items.iter().map(|item| line(audience, item, &calendar, now)).collect::<Value>(),
        states => StateName::ALL.iter().map(|state| state.as_str()).collect::<Value>(),
        officers => officers(&names),
        filter => Value::from_pairs(asked),
        next => cases.next.map(|place| next_page(&query, &place)),
        missing_years => missing.into_iter().collect::<Value>(),
    };
    Ok(page.show(StatusCode::OK, "officer/queue.html", with))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_asks_the_same() {
        let query: FormValues = [("q", "甲 公司"), ("state", "approved"), ("overdue", ""), ("page", "x")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let text = "2026-11-30.1764000000000000.01a20947-c02a-7d0d-ba79-6c400c7f8e91";
        let place = QueuePlace::parse(text).unwrap();
        let expected = format!("state=approved&q=%E7%94%B2%20%E5%85%AC%E5%8F%B8&cursor={text}");
        assert_eq!(next_page(&query, &place), expected);
    }
}
