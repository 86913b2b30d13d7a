//! An officer's own account: sessions and passkeys.

use idcheck_domain::{Violation, officer::Permission, value::PasskeyName};
use idcheck_usecases::{
    officer::PasskeyRefusal,
    ports::{SessionId, SessionToken},
};
use minijinja::{Value, context};
use poem::{Response, handler, http::StatusCode};

use super::{accounts::sessions, passkey};
use crate::kernel::{
    officer_page::OfficerPage,
    page::{PostedForm, see_other, text, value},
    problem::Problem,
};

const OWN: &str = "/officer/account";

/// The officer's own account.
#[handler]
pub(crate) async fn show(page: OfficerPage<'_>) -> poem::Result<Response> {
    own_page(&page, Typed::default()).await
}

/// The page of one's own account, with what was typed to add a passkey.
async fn own_page(page: &OfficerPage<'_>, typed: Typed) -> poem::Result<Response> {
    let token = page.officer_token().and_then(SessionToken::parse);
    let open = page.app.services.sign_in.sessions(&page.officer, token.as_ref()).await;
    let open = page.or_problem(open, OWN)?;
    let held = page.or_problem(page.app.services.sign_in.own_passkeys(&page.officer).await, OWN)?;
    let known = held.iter().map(|held| passkey::identity(&held.half.credential)).collect::<Value>();
    let user = passkey::identity(page.officer.id.0.as_bytes());
    let service = page.lang.t("console-name");
    let config = passkey::config(page, context! { user, username => &page.officer.username, known, service });
    let errors = typed.error.iter().map(|(id, message)| context! { id => *id, message }).collect::<Value>();
    let error = |field| typed.error.as_ref().filter(|(at, _)| *at == field).map(|(_, message)| message);
    let status = if typed.error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let with = context! {
        sessions => sessions(&open), manages => page.permits(Permission::ManageOfficers),
        offered => config.is_some(), passkey => config,
        passkeys => held.iter().map(passkey::shown).collect::<Value>(),
        errors, name => &typed.name, name_error => error("passkey-name"), totp_error => error("passkey-totp"),
    };
    Ok(page.show(status, "officer/own.html", with))
}

#[handler]
pub(crate) async fn end_session(
    page: OfficerPage<'_>,
    PostedForm(form): PostedForm,
) -> poem::Result<Response> {
    let id = SessionId(value(&form, "session").to_owned());
    let ended = page.app.services.sign_in.end_session(&page.officer, &id).await;
    if page.or_problem(ended, OWN)? { Ok(see_other(OWN)) } else { Err(page.not_found(OWN)) }
}

/// What a form to add a passkey said, and what was wrong with it.
#[derive(Default)]
struct Typed {
    name: String,
    /// The field and what is told at it; of what is no field's, `passkey`.
    error: Option<(&'static str, String)>,
}

/// `POST /officer/account/passkeys`.
#[handler]
pub(crate) async fn add_passkey(
    page: OfficerPage<'_>,
    PostedForm(form): PostedForm,
) -> poem::Result<Response> {
    let typed = text(&form, "name");
    let again = async |field, message: String| {
        own_page(&page, Typed { name: typed.clone(), error: Some((field, message)) }).await
    };
    let name = match PasskeyName::parse(&typed) {
        Ok(name) => name,
        Err(violation) => return again("passkey-name", page.lang.violation(violation)).await,
    };
    let made = passkey::made(&form);
    let sign_in = &page.app.services.sign_in;
    let code = value(&form, "totp");
    match sign_in.add_passkey(&page.officer, name, code, &made, page.session()).await {
        Ok(()) => Ok(see_other(&format!("{OWN}#passkeys"))),
        Err(PasskeyRefusal::Code) => {
            again("passkey-totp", page.lang.violation(Violation::SecondFactorWrong)).await
        }
        Err(refusal @ (PasskeyRefusal::NotMade | PasskeyRefusal::NotAdded)) => {
            let problem = Problem::from(refusal);
            again("passkey", problem.detail(page.lang)).await
        }
        Err(refusal) => page.or_problem(Err(refusal), OWN),
    }
}

/// `POST /officer/account/passkeys/remove`.
#[handler]
pub(crate) async fn remove_passkey(
    page: OfficerPage<'_>,
    PostedForm(form): PostedForm,
) -> poem::Result<Response> {
    let credential = passkey::bytes(&form, "id");
    let removed = page.app.services.sign_in.remove_passkey(&page.officer, &credential).await;
    page.or_problem(removed, OWN)?;
    Ok(see_other(&format!("{OWN}#passkeys")))
}
