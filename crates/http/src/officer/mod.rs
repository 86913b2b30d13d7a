//! The officer console: sign in, the queue, a case and its steps.

mod audit;
mod case;
mod mail;
mod organisation;
mod queue;
mod sweep;
mod templates;
mod usage;

use idcheck_usecases::{
    officers::SignInRefusal,
    ports::{Officer, SessionToken},
};
use minijinja::{Value, context};
use poem::{Request, Response, Route, get, handler, http::StatusCode, post, web::Form};

use crate::{
    page::{FormValues, Opener, Page, see_other, value},
    problem::Problem,
};

const COOKIE: &str = "idcheck-officer";

/// The pages.
pub(crate) fn routes(route: Route) -> Route {
    route
        .at("/officer", get(queue::show))
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
        .at("/officer/usage", get(usage::show))
        .at("/officer/usage/export", get(usage::export))
        .at("/officer/waiting", get(organisation::waiting))
        .at("/officer/organisations/:ubn", get(organisation::show_organisation))
        .at("/officer/organisations/:ubn/:step", post(organisation::take_step))
        .at("/officer/applications/:id", get(case::show_case))
        .at("/officer/applications/:id/:step", post(case::take_step))
        .at("/officer/applications/:id/:step/preview", post(case::preview))
        .at("/officer/templates", get(templates::list).post(templates::add))
        .at("/officer/templates/:id", post(templates::change))
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
