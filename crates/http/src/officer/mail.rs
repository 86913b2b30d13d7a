//! Mails that were given up.

use minijinja::{Value, context};
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Form, Path},
};
use uuid::Uuid;

use idcheck_domain::officer::{Permission, permits};

use idcheck_usecases::ports::MailError;

use super::officer;
use crate::{
    page::{FormValues, Opener, Page, see_other},
    problem::Problem,
    view::moment,
};

#[handler]
pub(super) async fn dead_letters(request: &Request) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    let services = &page.app.services;
    let mails = match services.dead_letters.list(&officer).await {
        Ok(mails) => mails,
        Err(refusal) => return Ok(page.problem(&refusal.into(), "/officer")),
    };
    let mails = mails.iter().map(|mail| {
        let text = services.composer.compose(&mail.message);
        context! {
            id => mail.id.to_string(), to => mail.to.as_str(), subject => text.subject, plain => text.plain,
            queued_at => moment(mail.queued_at), attempts => mail.attempts,
            failure => mail.failure.map(MailError::as_str),
        }
    });
    let with = context! {
        officer => &officer.username,
        may_send => permits(officer.role, Permission::ReviewCases),
        mails => mails.collect::<Value>(),
    };
    Ok(page.show(StatusCode::OK, "officer/mail.html", Opener::Isolated, with))
}

#[handler]
pub(super) async fn send_again(
    request: &Request,
    Path(id): Path<String>,
    Form(form): Form<FormValues>,
) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    if !page.ours(&form) {
        return Ok(page.foreign("/officer/mail"));
    }
    let Ok(id) = Uuid::try_parse(&id) else {
        return Ok(page.problem(&Problem::not_found(), "/officer/mail"));
    };
    match page.app.services.dead_letters.send_again(&officer, id).await {
        Ok(()) => Ok(see_other("/officer/mail")),
        Err(refusal) => Ok(page.problem(&refusal.into(), "/officer/mail")),
    }
}
