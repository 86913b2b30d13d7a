//! What every page shares: language, browser session, CSRF token, headers, words for refusals.

use std::sync::Arc;

use idcheck_usecases::{FieldViolation, ports::SessionOrigin};
use minijinja::{Value, context};
use poem::{
    FromRequest, Request, RequestBody, Response,
    http::{HeaderValue, StatusCode, Uri, header},
    web::{Form, Multipart},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::kernel::{browser::session_origin, i18n::Lang, problem::Problem, state::App, view};

/// A posted form, in the order of its fields.
pub(crate) type FormValues = Vec<(String, String)>;

/// The value of a field.
pub(crate) fn value<'f>(form: &'f FormValues, name: &str) -> &'f str {
    form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

/// The text of a field, without what browsers and people put around it.
pub(crate) fn text(form: &FormValues, name: &str) -> String {
    value(form, name).replace("\r\n", "\n").trim().to_owned()
}

/// The value of a cookie.
fn cookie<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let headers = request.headers().get_all(header::COOKIE);
    let mut pairs = headers.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs.find_map(|pair| pair.trim().split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

fn is_token(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Which other windows a page may talk to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opener {
    Isolated,
    /// The popup of the signing component (measured: `same-origin` breaks it).
    Popups,
}

/// A page under way.
pub(crate) struct Page<'r> {
    pub(crate) app: &'r Arc<App>,
    pub(crate) lang: Lang,
    pub(crate) request_id: String,
    here: String,
    switched: bool,
    session: String,
    fresh: bool,
    nonce: String,
    request: &'r Request,
}

impl<'r> Page<'r> {
    /// The page of this request.
    ///
    /// # Errors
    /// 500 when the service was put together without its state.
    pub(crate) fn of(request: &'r Request) -> poem::Result<Self> {
        let app = request.data::<Arc<App>>();
        let app = app.ok_or_else(|| poem::Error::from_status(StatusCode::INTERNAL_SERVER_ERROR))?;
        let query: FormValues = request.params().unwrap_or_default();
        let switch = Some(value(&query, "lang")).filter(|lang| !lang.is_empty());
        let lang = Lang::of_page(switch, cookie(request, &cookie_name(app, "lang")), request);
        let entropy = &app.services.entropy;
        let known = cookie(request, &cookie_name(app, "idcheck-session")).filter(|token| is_token(token));
        let get = request.method().is_safe();
        Ok(Self {
            app,
            lang,
            request_id: request
                .data::<crate::kernel::session::RequestId>()
                .map_or_else(String::new, |id| id.0.clone()),
            here: if get { here(request.original_uri()) } else { behind(request.original_uri().path()) },
            switched: switch.is_some(),
            session: known.map_or_else(|| hex::encode(entropy.bytes::<32>()), str::to_owned),
            fresh: known.is_none(),
            nonce: hex::encode(entropy.bytes::<16>()),
            request,
        })
    }

    /// Whether the browser sent its session: what is kept for it now it will find again.
    pub(crate) fn is_known(&self) -> bool {
        !self.fresh
    }

    /// SHA-256 of the browser session: what a challenge is bound to.
    pub(crate) fn session(&self) -> [u8; 32] {
        Sha256::digest(self.session.as_bytes()).into()
    }

    /// The officer's token that the browser sent.
    pub(crate) fn officer_token(&self) -> Option<&str> {
        cookie(self.request, &cookie_name(self.app, "idcheck-officer"))
    }

    /// Keeps an organisation's session while the browser is there.
    pub(crate) const OWN_COOKIE: &'static str = "idcheck-organisation";

    /// From where the browser signs in.
    pub(crate) fn origin(&self) -> SessionOrigin {
        session_origin(self.request, self.app)
    }

    /// The organisation's session that the browser sent.
    pub(crate) fn own_token(&self) -> Option<&str> {
        cookie(self.request, &cookie_name(self.app, Self::OWN_COOKIE))
    }

    /// Keeps a try to sign in with the identity provider while the browser is there.
    pub(crate) const ATTEMPT_COOKIE: &'static str = "idcheck-sign-in";

    /// The try to sign in that this browser began.
    pub(crate) fn attempt(&self) -> Option<&str> {
        cookie(self.request, &cookie_name(self.app, Self::ATTEMPT_COOKIE))
    }

    /// Derived from the session cookie, which no script can read: another site can neither know nor set it.
    fn csrf(&self) -> String {
        hex::encode(Sha256::digest(format!("csrf:{}", self.session)))
    }

    /// Whether the form was made for this browser.
    fn ours(&self, form: &FormValues) -> bool {
        !self.fresh && bool::from(self.csrf().as_bytes().ct_eq(value(form, "csrf").as_bytes()))
    }

    /// The page from its template.
    pub(crate) fn show(&self, status: StatusCode, template: &str, opener: Opener, with: Value) -> Response {
        let contact = &self.app.config.contact;
        let [chinese, english] = &contact.agency;
        let contact = context! {
            agency => if self.lang == Lang::En { english } else { chinese },
            phone => &contact.phone, email => &contact.email,
        };
        let with = context! {
            csrf => self.csrf(), here => &self.here, path => self.request.original_uri().path(), request_id => &self.request_id, contact,
            demo => self.app.services.demo.is_some(), own_page => self.own_token().is_some_and(|token| !token.is_empty()), ..with
        };
        match view::render(template, self.lang, &self.nonce, with) {
            Ok(html) => self.sealed(status, opener, html),
            Err(error) => {
                tracing::error!(%error, template, "a page can't be made");
                Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR).response(self.lang, &self.request_id)
            }
        }
    }

    fn sealed(&self, status: StatusCode, opener: Opener, html: String) -> Response {
        let csp = format!(
            "default-src 'none'; style-src 'self' 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src 'self'; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            nonce = self.nonce
        );
        let coop = match opener {
            Opener::Isolated => "same-origin",
            Opener::Popups => "same-origin-allow-popups",
        };
        let mut response = Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
            .header(header::CONTENT_SECURITY_POLICY, csp)
            .header("cross-origin-opener-policy", coop)
            .header(header::CACHE_CONTROL, "no-store")
            .header(header::VARY, "Accept-Language, Cookie")
            .body(html);
        if self.fresh {
            self.set_cookie(&mut response, "idcheck-session", &self.session, "Lax");
        }
        if self.switched {
            self.set_plain_cookie(&mut response);
        }
        response
    }

    /// Sets a cookie of the session's kind; an empty value removes it.
    pub(crate) fn set_cookie(&self, response: &mut Response, name: &str, value: &str, same_site: &str) {
        let secure = if self.app.config.secure_cookies { "; Secure" } else { "" };
        let age = if value.is_empty() { "; Max-Age=0" } else { "" };
        let name = cookie_name(self.app, name);
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}{secure}{age}");
        append(response, &text);
    }

    fn set_plain_cookie(&self, response: &mut Response) {
        let secure = if self.app.config.secure_cookies { "; Secure" } else { "" };
        let (name, lang) = (cookie_name(self.app, "lang"), self.lang.tag());
        let text = format!("{name}={lang}; Path=/; Max-Age=31536000; SameSite=Lax{secure}");
        append(response, &text);
    }

    /// A refusal as a page.
    pub(crate) fn problem(&self, problem: &Problem, home: &str) -> Response {
        let told = problem.told(self.lang);
        let errors: Value = told.errors.iter().map(|error| error.message.clone()).collect();
        let problem_told = context! { title => told.title, detail => told.detail, errors };
        let with = context! { problem => problem_told, home };
        self.show(problem.status(), "problem.html", Opener::Isolated, with)
    }

    /// What a use case gave; its refusal is shown instead of the page.
    pub(crate) fn or_problem<T>(
        &self,
        outcome: Result<T, impl Into<Problem>>,
        home: &str,
    ) -> poem::Result<T> {
        outcome.map_err(|refusal| poem::Error::from_response(self.problem(&refusal.into(), home)))
    }

    /// There is no such page.
    pub(crate) fn not_found(&self, home: &str) -> poem::Error {
        poem::Error::from_response(self.problem(&Problem::not_found(), home))
    }

    /// What is wrong with a field, in words.
    pub(crate) fn words(&self, violation: &FieldViolation) -> String {
        self.lang.violation(violation.violation)
    }
}

impl<'a> FromRequest<'a> for Page<'a> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Self::of(request)
    }
}

/// A posted form that was made for this browser; no other is read.
pub(crate) struct PostedForm(pub(crate) FormValues);

impl<'a> FromRequest<'a> for PostedForm {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let Form(values) = Form::<FormValues>::from_request(request, body).await?;
        ours(request, values).map(Self)
    }
}

/// A file that came with a form.
pub(crate) struct PostedFile {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// A posted form that may bring files, as `PostedForm`.
pub(crate) struct PostedFiles {
    pub(crate) values: FormValues,
    pub(crate) files: Vec<PostedFile>,
}

impl<'a> FromRequest<'a> for PostedFiles {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        if !request.content_type().is_some_and(|kind| kind.starts_with("multipart/form-data")) {
            let PostedForm(values) = PostedForm::from_request(request, body).await?;
            return Ok(Self { values, files: Vec::new() });
        }
        let (mut values, mut files) = (Vec::new(), Vec::new());
        let unread = |_| poem::Error::from_status(StatusCode::BAD_REQUEST);
        let mut parts = Multipart::from_request(request, body).await?;
        while let Some(part) = parts.next_field().await? {
            let name = part.name().unwrap_or_default().to_owned();
            match part.file_name().map(str::to_owned) {
                // A field without a choice comes as a file without name or bytes.
                Some(file) => {
                    let bytes = part.bytes().await.map_err(unread)?;
                    if !(file.is_empty() && bytes.is_empty()) {
                        files.push(PostedFile { name: file, bytes });
                    }
                }
                None => values.push((name, part.text().await.map_err(unread)?)),
            }
        }
        Ok(Self { values: ours(request, values)?, files })
    }
}

/// A form's values, if it was made for this browser.
fn ours(request: &Request, values: FormValues) -> poem::Result<FormValues> {
    let page = Page::of(request)?;
    if page.ours(&values) {
        return Ok(values);
    }
    let path = request.uri().path();
    let home = HOMES.iter().find(|(beginning, _)| path.starts_with(beginning)).map_or("/", |(_, home)| home);
    let problem = Problem::named(StatusCode::FORBIDDEN, "form-foreign".to_owned(), "problem-form-foreign");
    Err(poem::Error::from_response(page.problem(&problem, home)))
}

/// Where a form that is not read leads back to, by how its path begins.
const HOMES: [(&str, &str); 13] = [
    ("/officer/mail", "/officer/mail"),
    ("/officer/sweeps", "/officer/sweeps"),
    ("/officer/templates", "/officer/templates"),
    ("/officer/sign-in", "/officer/sign-in"),
    ("/officer/invitation", "/officer/invitation"),
    ("/officer/accounts", "/officer/accounts"),
    ("/officer/account", "/officer/account"),
    ("/officer", "/officer"),
    ("/organisation", "/organisation"),
    ("/apply", "/apply/form"),
    ("/acts", "/progress"),
    ("/drafts", "/"),
    ("/progress", "/progress"),
];

/// This page without its choice of language, up to where the choice is put.
fn here(uri: &Uri) -> String {
    let kept = uri.query().into_iter().flat_map(|query| query.split('&'));
    let kept = kept.filter(|pair| !pair.is_empty() && !pair.starts_with("lang="));
    kept.fold(format!("{}?", uri.path()), |here, pair| here + pair + "&")
}

/// Where the choice of language leads to from what a form answered, which has no address of its own: to the page that the form is on.
fn behind(path: &str) -> String {
    match path.trim_matches('/').split('/').collect::<Vec<_>>().as_slice() {
        ["officer", of @ ("applications" | "organisations"), id, _] => format!("/officer/{of}/{id}?"),
        ["officer", of, ..] => format!("/officer/{of}?"),
        _ => "/?".to_owned(),
    }
}

/// `__Host-` binds a cookie to this host and to TLS; the loopback demo has no TLS.
fn cookie_name(app: &App, name: &str) -> String {
    if app.config.secure_cookies { format!("__Host-{name}") } else { name.to_owned() }
}

fn append(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Named values as the query of an address (RFC 3986 §2.1); empty ones are left out.
pub(crate) fn query_string<'v>(pairs: impl IntoIterator<Item = (&'v str, &'v str)>) -> String {
    let encoded = |text: &str| {
        let byte = |b: u8| {
            if b.is_ascii_alphanumeric() || b"-._".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        };
        text.bytes().map(byte).collect::<String>()
    };
    let given = pairs.into_iter().filter(|(_, text)| !text.is_empty());
    given.map(|(name, text)| format!("{name}={}", encoded(text))).collect::<Vec<_>>().join("&")
}

/// Goes on at another page.
pub(crate) fn see_other(to: &str) -> Response {
    Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, to).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_answered_leads_back_to_its_page() {
        for (path, expected) in [
            ("/officer/applications/0198/decide", "/officer/applications/0198?"),
            ("/officer/organisations/04595257/revoke", "/officer/organisations/04595257?"),
            ("/officer/accounts", "/officer/accounts?"),
            ("/officer/accounts/lin/reset", "/officer/accounts?"),
            ("/officer/sign-in", "/officer/sign-in?"),
            ("/drafts/0198/sign", "/?"),
        ] {
            assert_eq!(behind(path), expected);
        }
    }

    #[test]
    fn the_switch_of_language_keeps_the_rest_of_the_address() {
        for (uri, expected) in [
            ("/apply", "/apply?"),
            ("/apply/form?kind=apply&lang=en", "/apply/form?kind=apply&"),
            ("/officer?lang=en&state=received&q=%E7%94%B2", "/officer?state=received&q=%E7%94%B2&"),
        ] {
            assert_eq!(here(&uri.parse().unwrap()), expected);
        }
    }
}
