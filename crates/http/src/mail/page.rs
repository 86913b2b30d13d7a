//! Mails that were given up.

use idcheck_domain::officer::Permission;
use idcheck_usecases::{mail::DeadLetter, ports::MailError};
use minijinja::{Value, context};
use poem::{Response, handler, http::StatusCode, web::Path};
use uuid::Uuid;

use crate::kernel::{
    officer_page::OfficerPage,
    page::{PostedForm, see_other},
    view::moment,
};

const HOME: &str = "/officer/mail";

#[handler]
pub(crate) async fn dead_letters(page: OfficerPage<'_>) -> poem::Result<Response> {
    let letters = page.or_problem(page.app.services.dead_letters.list(&page.officer).await, "/officer")?;
    let letter = |DeadLetter { mail, text }: &DeadLetter| {
        context! {
            id => mail.id.to_string(), to => mail.to.as_str(), subject => text.subject.clone(), plain => text.plain.clone(),
            queued_at => moment(mail.queued_at), attempts => mail.attempts,
            failure => mail.failure.map(MailError::as_str),
        }
    };
    let with = context! {
        may_send => page.permits(Permission::ReviewCases),
        mails => letters.iter().map(letter).collect::<Value>(),
    };
    Ok(page.show(StatusCode::OK, "officer/mail.html", with))
}

#[handler]
pub(crate) async fn send_again(
    page: OfficerPage<'_>,
    Path(id): Path<String>,
    _: PostedForm,
) -> poem::Result<Response> {
    let id = Uuid::try_parse(&id).map_err(|_| page.not_found(HOME))?;
    page.or_problem(page.app.services.dead_letters.send_again(&page.officer, id).await, HOME)?;
    Ok(see_other(HOME))
}
