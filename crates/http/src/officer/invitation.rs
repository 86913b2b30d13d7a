//! Taking up an invitation: its code first, then a password and the second factor.

use idcheck_domain::Violation;
use idcheck_usecases::{
    FieldViolation,
    officer::{Invitation, InvitationRefusal, SecondFactor, SignInRefusal},
};
use minijinja::{Value, context};
use poem::{Response, handler, http::StatusCode};
use qrcode::{Color, QrCode};

use super::sign_in::{COOKIE, level};
use crate::kernel::{
    page::{FormValues, Opener, Page, PostedForm, see_other, text, value},
    problem::Problem,
};

const HERE: &str = "/officer/invitation";

/// What authenticators read (Google's Key Uri Format).
fn key_uri(username: &str, secret: &str) -> String {
    format!("otpauth://totp/idcheck:{username}?secret={secret}&issuer=idcheck")
}

/// A picture of a text, as the path of an SVG whose squares are one wide; with its width.
fn picture(text: &str) -> Option<(String, usize)> {
    use std::fmt::Write as _;
    let code = QrCode::new(text).ok()?;
    let mut path = String::new();
    for (place, _) in code.to_colors().iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        let _ = write!(path, "M{} {}h1v1h-1z", place % code.width(), place / code.width());
    }
    Some((path, code.width()))
}

fn code_page(page: &Page<'_>, username: &str, refused: Option<&Problem>) -> Response {
    let status = refused.map_or(StatusCode::OK, Problem::status);
    let error = refused.map(|problem| context! { id => "username", message => problem.detail(page.lang) });
    let with =
        context! { username, factor => Value::from(()), errors => error.into_iter().collect::<Value>() };
    page.show(status, "officer/invitation.html", Opener::Isolated, with)
}

fn factor_page(
    page: &Page<'_>,
    form: &FormValues,
    SecondFactor(secret): &SecondFactor,
    wrong: Option<(&str, Violation)>,
) -> Response {
    let secret = base32::encode(base32::Alphabet::Rfc4648 { padding: false }, secret);
    let username = text(form, "username");
    let picture = picture(&key_uri(&username, &secret));
    let picture = picture.map(|(path, width)| context! { path, width });
    // In groups, to be typed.
    let groups = secret.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned());
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let error = wrong.map(|(field, violation)| {
        let violation = FieldViolation { pointer: format!("/{field}"), violation };
        context! { id => field, message => page.words(&violation) }
    });
    let with = context! {
        username, code => text(form, "code"), errors => error.into_iter().collect::<Value>(),
        factor => context! { secret => groups.collect::<Vec<_>>().join(" "), picture },
    };
    page.show(status, "officer/invitation.html", Opener::Isolated, with)
}

#[handler]
pub(crate) fn ask(page: Page<'_>) -> Response {
    if page.app.services.sign_in.methods().local() {
        return code_page(&page, "", None);
    }
    page.problem(&SignInRefusal::NotOffered.into(), super::sign_in::HOME)
}

#[handler]
pub(crate) async fn take_up(page: Page<'_>, PostedForm(typed): PostedForm) -> poem::Result<Response> {
    let (username, code) = (text(&typed, "username"), text(&typed, "code"));
    let sign_in = &page.app.services.sign_in;
    let refused = |refusal: SignInRefusal| match refusal {
        SignInRefusal::Refused => {
            let problem = Problem::simple(StatusCode::UNAUTHORIZED, "problem-invitation-refused");
            code_page(&page, &username, Some(&problem))
        }
        refusal => page.problem(&refusal.into(), HERE),
    };
    let invitation: Invitation = match level(sign_in.invitation(&username, &code)).await {
        Ok(invitation) => invitation,
        Err(refusal) => return Ok(refused(refusal)),
    };
    if !typed.iter().any(|(name, _)| name == "password") {
        return Ok(factor_page(&page, &typed, &invitation.factor, None));
    }
    let (password, totp) = (value(&typed, "password"), value(&typed, "totp"));
    match sign_in.take_up(&username, &invitation, password, totp, &page.origin()).await {
        Ok(opened) => {
            let mut response = see_other("/officer");
            page.set_cookie(&mut response, COOKIE, opened.token.expose(), "Strict");
            Ok(response)
        }
        Err(InvitationRefusal::Password) => {
            let wrong = ("password", Violation::PasswordLength);
            Ok(factor_page(&page, &typed, &invitation.factor, Some(wrong)))
        }
        Err(InvitationRefusal::Totp) => {
            let wrong = ("totp", Violation::SecondFactorWrong);
            Ok(factor_page(&page, &typed, &invitation.factor, Some(wrong)))
        }
        Err(InvitationRefusal::SignIn(refusal)) => Ok(refused(refusal)),
    }
}
