//! What the service says over HTTP: portal, officer console, JSON API, verification API, health.
//!
//! Handlers parse, call one use case, render. This crate knows ports and use cases only: no database, no key, no clock
//! of its own.

#![allow(clippy::needless_pass_by_value, reason = "what a handler asks of its request comes by value")]

mod application;
mod attachment;
mod audit;
mod demo;
mod docs;
mod kernel;
mod mail;
mod notice;
mod officer;
mod openapi;
mod operations;
mod organisation;
mod portal;
mod public_register;
mod sweep;
mod template;
mod usage;
mod verify;
mod worklist;

use std::sync::Arc;

use idcheck_domain::attachment::{MAX_BYTES, MAX_FILES};
use idcheck_usecases::ports::Exceeded;
use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Route, get,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::AddData,
};
use tokio::time::Instant;
use tracing::{Instrument, Span};

pub use kernel::connections::Bounded;
pub use kernel::desk::{DemoCard, DemoDesk, DemoMail, DemoOfficer};
pub use kernel::doors::SIGN_IN_CALLBACK;
pub use kernel::pdf::Fonts;
pub use kernel::state::{App, Contact, HttpConfig, Readiness, Services};
pub use kernel::surface::Surface;
pub use officer::pages as officer_pages;

use crate::kernel::{
    bodies, client_address, doors, durations, health, i18n::Lang, json, methods, page::Page,
    problem::Problem, session::RequestId,
};

const MAX_BODY: usize = 256 * 1024;

/// The greatest body that brings files: as many of the greatest as one act may have, and the form around them.
const MAX_FILES_BODY: usize = MAX_FILES * MAX_BYTES + MAX_BODY;

/// The service, as far as this process serves it.
pub fn routes(app: App) -> impl Endpoint<Output = Response> {
    let app = Arc::new(app);
    let api = openapi::routes(&app.config.base_url);
    let routes = Route::new()
        .nest("/api/v1", api)
        .at("/livez", get(health::live))
        .at("/readyz", get(health::ready))
        .at("/metrics", get(health::metrics));
    let routes = attachment::page::routes(officer::routes(portal::routes(verify::routes(routes))));
    let routes = demo::routes(docs::routes(routes));
    let entropy = Arc::clone(&app.services.entropy);
    let clock = Arc::clone(&app.services.clock);
    routes.with(AddData::new(Arc::clone(&app))).around(move |next, mut request: Request| {
        let id = RequestId(entropy.uuid(clock.now()).to_string());
        let app = Arc::clone(&app);
        single_slashes(&mut request);
        let (surface, begun) = (Surface::of(request.uri().path()), Instant::now());
        let sandbox = request.uri().path().starts_with("/sandbox/");
        let span = span_of(&request, surface, &id);
        let answer = async move {
            request.extensions_mut().insert(id.clone());
            let asked = Asked::of(&request, &app);
            let elsewhere = surface.is_some_and(|surface| !app.config.surfaces.contains(&surface));
            let answered = if elsewhere {
                Err(Refused::Status(StatusCode::NOT_FOUND))
            } else {
                match admitted(&mut request, &app).await {
                    Ok(()) => next.call(request).await.map_err(Refused::of),
                    Err(refused) => Err(refused),
                }
            };
            let mut response = match answered {
                Ok(response) => response.into_response(),
                Err(refused) => asked.refusal(refused, &id.0),
            };
            seal(&mut response, &id.0, app.config.secure_cookies);
            note(surface, sandbox, response.status(), begun, &id);
            Ok(response)
        };
        answer.instrument(span)
    })
}

/// Makes one slash of several where the verification API is asked.
fn single_slashes(request: &mut Request) {
    if let Some(path) = verify::without_doubled_slashes(request.uri().path()) {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(uri) = (path + &query).parse() {
            *request.uri_mut() = uri;
        }
    }
}

/// What stands beside each line of the log that a request leads to. Of a query nothing but its failure is told, which names its
/// identity itself: there are too many for more.
fn span_of(request: &Request, surface: Option<Surface>, id: &RequestId) -> Span {
    if surface == Some(Surface::Verify) {
        return Span::none();
    }
    let (surface, method) = (surface.map_or("shared", Surface::as_str), request.method());
    let path: String = request.uri().path().chars().take(MAX_LOGGED_PATH).collect();
    // Of the greatest level, so that it stands beside whatever is let through.
    tracing::error_span!("request", id = %id.0, surface, %method, ?path)
}

/// Characters of a path in the log.
const MAX_LOGGED_PATH: usize = 120;

/// Counts and tells how a request ended.
fn note(surface: Option<Surface>, sandbox: bool, status: StatusCode, begun: Instant, id: &RequestId) {
    durations::record(surface, sandbox, status, begun.elapsed());
    let (status, ms) = (status.as_u16(), u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
    match surface {
        Some(Surface::Verify) if status >= 500 && !sandbox => {
            tracing::warn!(id = %id.0, surface = "verify", status, ms, "a query was not answered");
        }
        Some(Surface::Verify) => {}
        // Probes and scrapes come every few seconds.
        None if status < 500 => tracing::debug!(status, ms, "answered"),
        _ if status >= 500 => tracing::warn!(status, ms, "not answered"),
        _ => tracing::info!(status, ms, "answered"),
    }
}

/// Why a request got no answer of its own.
enum Refused {
    /// The framework's response as it is.
    Response(Response),
    Status(StatusCode),
    Problem(Problem),
    TooMany(Exceeded),
}

impl Refused {
    fn of(error: poem::Error) -> Self {
        if error.is_from_response() {
            Self::Response(error.into_response())
        } else {
            Self::Status(error.status())
        }
    }
}

/// What of a request a refusal needs.
struct Asked {
    method: Method,
    path: String,
    lang: Lang,
    reader: Option<Request>,
}

impl Asked {
    fn of(request: &Request, app: &Arc<App>) -> Self {
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            lang: Lang::of_header(request),
            reader: page_reader(request, app),
        }
    }

    /// What is refused, in the same words as everything else: a page for who reads pages, the Ministry's envelope where old
    /// clients ask, a problem for programs.
    fn refusal(&self, refused: Refused, request_id: &str) -> Response {
        let (problem, exceeded) = match refused {
            Refused::Response(response) => return response,
            Refused::Status(status) if verify::is_legacy(&self.path) => return verify::refused(status),
            Refused::Status(status) => (Problem::of_status(status), None),
            Refused::Problem(problem) => (problem, None),
            Refused::TooMany(exceeded) => (Problem::too_many(), Some(exceeded)),
        };
        let mut response = match self.reader.as_ref().map(Page::of) {
            Some(Ok(page)) => page.problem(&problem, "/"),
            _ => problem.response(self.lang, request_id),
        };
        if let Some(exceeded) = exceeded {
            verify::rate_limit(&mut response, &exceeded);
        }
        if response.status() == StatusCode::METHOD_NOT_ALLOWED
            && let Some(allowed) = methods::allowed(&self.path, &self.method)
        {
            response.headers_mut().insert(header::ALLOW, allowed);
        }
        response
    }
}

/// Whether a request is heard: its address did not come too often, its body is within bounds and sound.
async fn admitted(request: &mut Request, app: &App) -> Result<(), Refused> {
    if let Some(door) = doors::door(request.method(), request.uri().path()) {
        let origin = client_address::origin(request, &app.config.trusted_proxies);
        app.services.rates.enter(door, origin.address).map_err(Refused::TooMany)?;
    }
    // U+0000 is in nothing that could be found, and PostgreSQL has no such text.
    if request.uri().query().is_some_and(|query| query.contains("%00")) {
        return Err(Refused::Status(StatusCode::BAD_REQUEST));
    }
    bounded(request).await?;
    let of_the_api = request.uri().path().starts_with("/api/v1/") && !request.method().is_safe();
    if of_the_api && request.content_type().is_some_and(|kind| kind.starts_with("application/json")) {
        let body = request.take_body().into_vec().await.map_err(|error| Refused::of(error.into()))?;
        // The body of a query is bound to its token by its bytes, and read where the token is.
        let body = if Surface::of(request.uri().path()) == Some(Surface::Verify) {
            body
        } else {
            json::sound(body).map_err(Refused::Problem)?
        };
        request.set_body(body);
    }
    Ok(())
}

/// The request's head, where a browser asks for a page: enough to make one when nothing else does.
fn page_reader(request: &Request, app: &Arc<App>) -> Option<Request> {
    let of_programs = |prefix| request.uri().path().starts_with(prefix);
    let reads_pages = request.header(header::ACCEPT).is_some_and(|accept| accept.contains("text/html"));
    if !reads_pages || of_programs("/api/") || verify::is_legacy(request.uri().path()) {
        return None;
    }
    let mut head = Request::builder().method(request.method().clone()).uri(request.original_uri().clone());
    for name in [header::COOKIE, header::ACCEPT_LANGUAGE] {
        head = request.headers().get_all(&name).iter().fold(head, |head, value| head.header(&name, value));
    }
    let mut head = head.finish();
    head.set_data(Arc::clone(app));
    head.set_data(request.data::<RequestId>().cloned()?);
    Some(head)
}

/// Whether files may come with a request.
fn brings_files(request: &Request) -> bool {
    let path = request.uri().path();
    let form = request.content_type().is_some_and(|kind| kind.starts_with("multipart/form-data"));
    path == "/api/v1/attachments" || (form && (path.starts_with("/acts/") || path.starts_with("/drafts/")))
}

/// Reads the body to its end, or to the bound: nothing behind it is read.
async fn bounded(request: &mut Request) -> Result<(), Refused> {
    if request.method().is_safe() {
        return Ok(());
    }
    let body = request.take_body();
    let read = if brings_files(request) {
        bodies::read_files(body, MAX_FILES_BODY).await
    } else {
        bodies::read(body, MAX_BODY).await
    };
    let (body, held) = read.map_err(Refused::Status)?;
    request.set_body(body);
    // It is given back when the request is over.
    request.set_data(Arc::new(held));
    Ok(())
}

/// Headers of every response.
fn seal(response: &mut Response, request_id: &str, over_tls: bool) {
    let unauthorised = response.status() == StatusCode::UNAUTHORIZED;
    let too_many = response.status() == StatusCode::TOO_MANY_REQUESTS;
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if over_tls {
        // RFC 6797 §6.1: a year, for this host.
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if unauthorised {
        // RFC 9110 §15.5.2: every 401 names the scheme.
        headers.entry(header::WWW_AUTHENTICATE).or_insert(HeaderValue::from_static("Bearer"));
    }
    if too_many {
        // Where no rate says it exactly, as with too many open challenges: a minute.
        headers.entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("60"));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
}

pub fn openapi_document() -> String {
    openapi::document()
}
