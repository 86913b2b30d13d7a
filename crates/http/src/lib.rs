//! What the service says over HTTP: portal, officer console, JSON API, verification API, health.
//!
//! Handlers parse, call one use case, render. This crate knows ports and use cases only: no database, no key, no clock
//! of its own.

mod api;
mod audit;
mod case;
mod chart;
mod client_address;
mod connections;
mod docs;
mod health;
mod i18n;
mod officer;
mod operations;
mod page;
mod portal;
mod problem;
mod show;
mod state;
mod surface;
mod usage;
mod verify;
mod view;

use std::sync::Arc;

use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Route, get,
    http::{HeaderValue, StatusCode, header},
    middleware::AddData,
};
use tokio::time::Instant;

pub use connections::Bounded;
pub use state::{App, HttpConfig, Readiness, Refresh, Services};
pub use surface::Surface;

use crate::{api::RequestId, i18n::Lang, page::Page, problem::Problem};

/// Largest body taken.
const MAX_BODY: usize = 256 * 1024;

/// The service, as far as this process serves it.
pub fn routes(app: App) -> impl Endpoint<Output = Response> {
    let app = Arc::new(app);
    let api = api::routes(&app.config.base_url);
    let routes = Route::new()
        .nest("/api/v1", api)
        .at("/livez", get(health::live))
        .at("/readyz", get(health::ready))
        .at("/metrics", get(health::metrics));
    let routes = docs::routes(officer::routes(portal::routes(verify::routes(routes))));
    let entropy = Arc::clone(&app.services.entropy);
    let clock = Arc::clone(&app.services.clock);
    routes.with(AddData::new(Arc::clone(&app))).around(move |next, mut request: Request| {
        let id = RequestId(entropy.uuid(clock.now()).to_string());
        let app = Arc::clone(&app);
        let (surface, begun) = (Surface::of(request.uri().path()), Instant::now());
        async move {
            let lang = Lang::of_header(&request);
            request.extensions_mut().insert(id.clone());
            let reader = page_reader(&request, &app);
            let elsewhere = surface.is_some_and(|surface| !app.config.surfaces.contains(&surface));
            let answered = if elsewhere {
                Err(poem::Error::from_status(StatusCode::NOT_FOUND))
            } else {
                match bounded(&mut request).await {
                    Ok(()) => next.call(request).await,
                    Err(error) => Err(error),
                }
            };
            let mut response = match answered {
                Ok(response) => response.into_response(),
                Err(error) if error.is_from_response() => error.into_response(),
                // What the framework refuses, in the same words as everything else.
                Err(error) => refusal(&Problem::of_status(error.status()), reader.as_ref(), lang, &id.0),
            };
            seal(&mut response, &id.0, app.config.secure_cookies);
            measure(surface, response.status(), begun);
            Ok(response)
        }
    })
}

/// Rate, errors and duration of each surface.
fn measure(surface: Option<Surface>, status: StatusCode, begun: Instant) {
    let surface = surface.map_or("shared", Surface::as_str);
    let status = match status.as_u16() {
        ..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        500.. => "5xx",
    };
    metrics::histogram!("idcheck_http_request_seconds", "surface" => surface, "status" => status)
        .record(begun.elapsed());
}

/// The request's head, where a browser asks for a page: enough to make one when nothing else does.
fn page_reader(request: &Request, app: &Arc<App>) -> Option<Request> {
    let of_programs = |prefix| request.uri().path().starts_with(prefix);
    let reads_pages = request.header(header::ACCEPT).is_some_and(|accept| accept.contains("text/html"));
    if !reads_pages || of_programs("/api/") || of_programs("/integration/") {
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

/// A page for who reads pages, a problem for programs.
fn refusal(problem: &Problem, reader: Option<&Request>, lang: Lang, request_id: &str) -> Response {
    match reader.map(Page::of) {
        Some(Ok(page)) => page.problem(problem, "/"),
        _ => problem.response(lang, request_id),
    }
}

/// Reads the body to its end, or to the bound: nothing behind it is read.
async fn bounded(request: &mut Request) -> poem::Result<()> {
    if request.method().is_safe() {
        return Ok(());
    }
    let body = request.take_body().into_bytes_limit(MAX_BODY).await?;
    request.set_body(body);
    Ok(())
}

/// Headers of every response.
fn seal(response: &mut Response, request_id: &str, over_tls: bool) {
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
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
}

/// The OpenAPI document.
pub fn openapi_document() -> String {
    api::document()
}
