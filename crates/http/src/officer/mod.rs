//! The officer console: sign in, the queue, a case and its steps.

mod audit;
mod case;
mod mail;
mod organisation;
mod sweep;

use chrono::{DateTime, Utc};
use idcheck_domain::{
    application::{Kind, StateName},
    taipei,
};
use idcheck_usecases::{
    officers::SignInRefusal,
    ports::{ApplicationFilter, Officer, SessionToken},
};
use minijinja::{Value, context};
use poem::{
    Request, Response, Route, get, handler,
    http::StatusCode,
    post,
    web::{Form, Query},
};

use crate::{
    page::{FormValues, Opener, Page, see_other, value},
    problem::Problem,
    show::{self, Reader},
};

const COOKIE: &str = "idcheck-officer";
const PAGE: u16 = 50;

/// The pages.
pub(crate) fn routes(route: Route) -> Route {
    route
        .at("/officer", get(queue))
        .at("/officer/sign-in", get(sign_in_form).post(sign_in))
        .at("/officer/sign-out", post(sign_out))
        .at("/officer/notices", get(organisation::open_notices))
        .at("/officer/mail", get(mail::dead_letters))
        .at("/officer/mail/:id", post(mail::send_again))
        .at("/officer/audit", get(audit::search))
        .at("/officer/audit/export", get(audit::export))
        .at("/officer/sweeps", get(sweep::list).post(sweep::begin))
        .at("/officer/sweeps/:id", get(sweep::worklist))
        .at("/officer/sweeps/:id/:step", post(sweep::take_step))
        .at("/officer/waiting", get(organisation::waiting))
        .at("/officer/organisations/:ubn", get(organisation::show_organisation))
        .at("/officer/organisations/:ubn/:step", post(organisation::take_step))
        .at("/officer/applications/:id", get(case::show_case))
        .at("/officer/applications/:id/:step", post(case::take_step))
}

/// The officer of this browser's session.
async fn officer(page: &Page<'_>) -> Result<Officer, Response> {
    let token = page.officer_token().and_then(SessionToken::parse);
    let resumed = match token {
        Some(token) => page.app.services.sign_in.resume(&token).await,
        None => Ok(None),
    };
    match resumed {
        Ok(Some(officer)) => Ok(officer),
        Ok(None) => Err(see_other("/officer/sign-in")),
        Err(error) => Err(page.problem(&error.into(), "/officer")),
    }
}

fn sign_in_page(page: &Page<'_>, username: &str, refused: Option<&Problem>) -> Response {
    let status = refused.map_or(StatusCode::OK, Problem::status);
    let errors = refused.map(|problem| context! { id => "username", message => problem.detail(page.lang) });
    let with = context! { username, errors => errors.into_iter().collect::<Value>() };
    page.show(status, "officer/sign-in.html", Opener::Isolated, with)
}

#[handler]
fn sign_in_form(request: &Request) -> poem::Result<Response> {
    Ok(sign_in_page(&Page::of(request)?, "", None))
}

#[handler]
async fn sign_in(request: &Request, Form(typed): Form<FormValues>) -> poem::Result<Response> {
    let page = Page::of(request)?;
    if !page.ours(&typed) {
        return Ok(page.foreign("/officer/sign-in"));
    }
    let username = value(&typed, "username").trim();
    let (password, totp) = (value(&typed, "password"), value(&typed, "totp").trim());
    match page.app.services.sign_in.open(username, password, totp).await {
        Ok(opened) => {
            let mut response = see_other("/officer");
            page.set_cookie(&mut response, COOKIE, opened.token.expose(), "Strict");
            Ok(response)
        }
        Err(refusal @ SignInRefusal::Refused) => Ok(sign_in_page(&page, username, Some(&refusal.into()))),
        Err(refusal @ SignInRefusal::Store(_)) => Ok(page.problem(&refusal.into(), "/officer/sign-in")),
    }
}

#[handler]
async fn sign_out(request: &Request, Form(typed): Form<FormValues>) -> poem::Result<Response> {
    let page = Page::of(request)?;
    if !page.ours(&typed) {
        return Ok(page.foreign("/officer"));
    }
    if let Some(token) = page.officer_token().and_then(SessionToken::parse)
        && let Err(error) = page.app.services.sign_in.close(&token).await
    {
        return Ok(page.problem(&error.into(), "/officer"));
    }
    let mut response = see_other("/officer/sign-in");
    page.set_cookie(&mut response, COOKIE, "", "Strict");
    Ok(response)
}

fn filter(query: &FormValues, officer: &Officer, now: DateTime<Utc>) -> ApplicationFilter {
    let given = |name: &str| Some(value(query, name).trim().to_owned()).filter(|text| !text.is_empty());
    ApplicationFilter {
        state: StateName::parse(value(query, "state")),
        kind: Kind::parse(value(query, "kind")),
        assignee: (value(query, "assignee") == "me").then_some(officer.id),
        overdue_at: (value(query, "overdue") == "true").then_some(now),
        text: given("q"),
        cursor: given("cursor").filter(|c| c.len() <= 12 && c.bytes().all(|b| b.is_ascii_digit())),
        limit: PAGE,
    }
}

/// The same question, from the cursor on. The text asked for is left out: it may be personal.
fn next_page(query: &FormValues, cursor: &str) -> String {
    let known = |name: &str| ["state", "kind", "assignee", "overdue"].contains(&name);
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
    let kept = query.iter().filter(|(name, text)| known(name) && plain(text));
    kept.fold(format!("cursor={cursor}"), |all, (name, text)| format!("{all}&{name}={text}"))
}

#[handler]
async fn queue(request: &Request, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    let now = page.app.services.clock.now();
    let filter = filter(&query, &officer, now);
    let found = match page.app.services.read_cases.queue(&officer, &filter).await {
        Ok(found) => found,
        Err(refusal) => return Ok(page.problem(&refusal.into(), "/officer")),
    };
    let calendar = match page.app.services.read_cases.calendar().await {
        Ok(calendar) => calendar,
        Err(refusal) => return Ok(page.problem(&refusal.into(), "/officer")),
    };
    let today = taipei::day(now);
    let missing = calendar.missing_years(today);
    let cases = found.items.iter().map(|item| {
        let assignee = item.assignee_name.as_deref().unwrap_or_default();
        let due = item.application.state.due();
        let days_left = due.map(|due| calendar.working_days_between(today, due.date));
        context! { assignee, days_left, ..show::case(&item.application, &[], Reader::Officer, now) }
    });
    let field = |name: &str| value(&query, name).to_owned();
    let with = context! {
        officer => officer.username,
        cases => cases.collect::<Value>(),
        states => StateName::ALL.iter().map(|state| state.as_str()).collect::<Value>(),
        filter => context! {
            state => field("state"), kind => field("kind"), q => field("q"), overdue => field("overdue"),
            assignee => field("assignee"),
        },
        next => found.next.map(|cursor| next_page(&query, &cursor)),
        missing_years => missing.into_iter().collect::<Value>(),
    };
    Ok(page.show(StatusCode::OK, "officer/queue.html", Opener::Isolated, with))
}
