//! Signing in and out: with password and second factor, or through the identity provider.

use std::time::Duration;

use idcheck_usecases::{
    officer::{OpenedSession, ProviderAnswer, SignInRefusal},
    ports::{SessionToken, SignInAttempt},
};
use minijinja::{Value, context};
use poem::{
    Response, handler,
    http::{HeaderValue, StatusCode, header},
    web::Query,
};
use tokio::time::{Instant, sleep_until};

use super::passkey;
use crate::kernel::{
    officer_page::OfficerPage,
    page::{FormValues, Opener, Page, PostedForm, see_other, value},
    problem::Problem,
};

pub(super) const COOKIE: &str = "idcheck-officer";
pub(super) const HOME: &str = "/officer/sign-in";

fn sign_in_page(page: &Page<'_>, username: &str, refused: Option<&Problem>) -> Response {
    let methods = page.app.services.sign_in.methods();
    let status = refused.map_or(StatusCode::OK, Problem::status);
    // What the provider refused belongs to no field.
    let field = if methods.local() { "username" } else { "main" };
    let errors = refused.map(|problem| context! { id => field, message => problem.detail(page.lang) });
    let passkey = passkey::config(page, context! {});
    let with = context! {
        offered => passkey.is_some(), passkey,
        username, errors => errors.into_iter().collect::<Value>(),
        local => methods.local(), provider => methods.provider().is_some(),
    };
    page.show(status, "officer/sign-in.html", Opener::Isolated, with)
}

/// A passkey was not taken; which of the reasons it was is not told.
fn passkey_refused() -> Problem {
    Problem::named(StatusCode::UNAUTHORIZED, "sign-in-refused".to_owned(), "problem-passkey-refused")
}

#[handler]
pub(crate) fn form(page: Page<'_>) -> Response {
    sign_in_page(&page, "", None)
}

/// Refusals leave on the quarter of a second: a name that is known is not told by the time that counting a failure takes.
pub(crate) async fn level<T>(
    opening: impl Future<Output = Result<T, SignInRefusal>>,
) -> Result<T, SignInRefusal> {
    const STEP: Duration = Duration::from_millis(250);
    let begun = Instant::now();
    let outcome = opening.await;
    if outcome.is_err() {
        let steps = begun.elapsed().as_millis() / STEP.as_millis() + 1;
        sleep_until(begun + STEP * u32::try_from(steps).unwrap_or(1)).await;
    }
    outcome
}

#[handler]
pub(crate) async fn sign_in(page: Page<'_>, PostedForm(typed): PostedForm) -> poem::Result<Response> {
    let username = value(&typed, "username").trim();
    let (password, totp) = (value(&typed, "password"), value(&typed, "totp").trim());
    match level(page.app.services.sign_in.open(username, password, totp, &page.origin())).await {
        Ok(opened) => {
            let mut response = see_other("/officer");
            page.set_cookie(&mut response, COOKIE, opened.token.expose(), "Strict");
            Ok(response)
        }
        Err(refusal @ SignInRefusal::Refused) => Ok(sign_in_page(&page, username, Some(&refusal.into()))),
        Err(refusal) => Ok(page.problem(&refusal.into(), HOME)),
    }
}

/// `POST /officer/sign-in/passkey`.
#[handler]
pub(crate) async fn with_passkey(page: Page<'_>, PostedForm(said): PostedForm) -> poem::Result<Response> {
    let used = passkey::used(&said);
    let (session, origin) = (page.session(), page.origin());
    let opening = page.app.services.sign_in.open_with_passkey(&used, session, &origin);
    match level(opening).await {
        Ok(opened) => {
            let mut response = see_other("/officer");
            page.set_cookie(&mut response, COOKIE, opened.token.expose(), "Strict");
            Ok(response)
        }
        Err(SignInRefusal::Refused) => {
            let refused = passkey_refused();
            Ok(sign_in_page(&page, "", Some(&refused)))
        }
        Err(refusal) => Ok(page.problem(&refusal.into(), HOME)),
    }
}

/// Off to the identity provider.
#[handler]
pub(crate) async fn to_provider(page: Page<'_>) -> poem::Result<Response> {
    let (attempt, url) = page.or_problem(page.app.services.sign_in.begin().await, HOME)?;
    let mut response = see_other(&url);
    private(&mut response);
    // `Lax`: the provider's page sends the browser back.
    page.set_cookie(&mut response, Page::ATTEMPT_COOKIE, &attempt.expose(), "Lax");
    Ok(response)
}

/// Back from the identity provider.
#[handler]
pub(crate) async fn from_provider(page: Page<'_>, Query(query): Query<FormValues>) -> Response {
    let member = |name| Some(value(&query, name)).filter(|text| !text.is_empty()).map(str::to_owned);
    let answer = ProviderAnswer {
        code: member("code"),
        state: member("state").unwrap_or_default(),
        issuer: member("iss"),
    };
    let attempt = page.attempt().and_then(SignInAttempt::parse);
    let mut response = match page.app.services.sign_in.finish(attempt.as_ref(), &answer, &page.origin()).await
    {
        Ok(opened) => signed_in(&page, &opened),
        Err(SignInRefusal::Store(error)) => page.problem(&error.into(), HOME),
        Err(refusal) => sign_in_page(&page, "", Some(&refusal.into())),
    };
    // An attempt is good once.
    page.set_cookie(&mut response, Page::ATTEMPT_COOKIE, "", "Lax");
    response
}

/// A page of ours that goes on by itself: a redirect would still count as the provider's, and browsers keep a `Strict` cookie
/// back from what another site began.
fn signed_in(page: &Page<'_>, opened: &OpenedSession) -> Response {
    let mut response = page.show(StatusCode::OK, "officer/signed-in.html", Opener::Isolated, context! {});
    page.set_cookie(&mut response, COOKIE, opened.token.expose(), "Strict");
    response
}

#[handler]
pub(crate) async fn sign_out(page: Page<'_>, _: PostedForm) -> poem::Result<Response> {
    if let Some(token) = page.officer_token().and_then(SessionToken::parse) {
        page.or_problem(page.app.services.sign_in.close(&token).await, "/officer")?;
    }
    Ok(signed_out(&page))
}

#[handler]
pub(crate) async fn sign_out_everywhere(page: OfficerPage<'_>, _: PostedForm) -> poem::Result<Response> {
    page.or_problem(page.app.services.sign_in.close_everywhere(&page.officer).await, "/officer")?;
    Ok(signed_out(&page))
}

fn signed_out(page: &Page<'_>) -> Response {
    let mut response = see_other(HOME);
    page.set_cookie(&mut response, COOKIE, "", "Strict");
    response
}

fn private(response: &mut Response) {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a refusal took, it is told a whole number of quarters of a second after it was asked for.
    #[tokio::test(start_paused = true)]
    async fn refusals_leave_on_a_grid() {
        for (took, told) in [(0, 250), (20, 250), (27, 250), (249, 250), (250, 500), (600, 750)] {
            let begun = Instant::now();
            let outcome = level::<()>(async {
                tokio::time::sleep(Duration::from_millis(took)).await;
                Err(SignInRefusal::Refused)
            });
            assert!(outcome.await.is_err());
            assert_eq!(begun.elapsed().as_millis(), told, "{took}");
        }
        let begun = Instant::now();
        assert!(level(async { Ok(()) }).await.is_ok());
        assert!(begun.elapsed().is_zero(), "who is let in does not wait");
    }
}
