//! The verification API: two profiles of one use case, each in production and in the sandbox.
//!
//! Plain endpoints: no framework of documents in the way of the calls that are made millions of times. The document
//! gets them from `openapi.json` beside this file.

mod legacy;
mod strict;

use std::{sync::Arc, time::Duration};

use idcheck_domain::key::Environment;
use idcheck_usecases::{ports::Exceeded, verify::Arrival};
use poem::{
    Request, Response, Route, get,
    http::{HeaderValue, StatusCode, header},
    post,
};

pub(crate) use legacy::Legacy;
pub(crate) use strict::Strict;

use crate::{client_address::client_address, state::App};

/// What of the API document these calls are.
pub(crate) const DOCUMENT: &str = include_str!("openapi.json");

/// The greatest size of all headers together.
const MAX_HEADERS: usize = 16 * 1024;

/// The four calls.
pub(crate) fn routes(routes: Route) -> Route {
    use Environment::{Production, Sandbox};
    routes
        .at("/integration/rwv2c2", get(Legacy(Production)))
        .at("/integration/rwv2c2/", get(Legacy(Production)))
        .at("/api/v1/verifications", post(Strict(Production)))
        .at("/sandbox/integration/rwv2c2", get(Legacy(Sandbox)))
        .at("/sandbox/integration/rwv2c2/", get(Legacy(Sandbox)))
        .at("/sandbox/api/v1/verifications", post(Strict(Sandbox)))
}

/// Why a query does not even reach check 1.
enum Unheard {
    HeadersTooLarge,
    /// It has no address that can be read, and so no registered one.
    NoAddress,
}

fn app(request: &Request) -> poem::Result<&Arc<App>> {
    request.data().ok_or_else(|| poem::Error::from_status(StatusCode::INTERNAL_SERVER_ERROR))
}

fn arrival<'r>(request: &'r Request, app: &App, environment: Environment) -> Result<Arrival<'r>, Unheard> {
    let size: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > MAX_HEADERS {
        return Err(Unheard::HeadersTooLarge);
    }
    let address = client_address(request, &app.config.trusted_proxies).ok_or(Unheard::NoAddress)?;
    Ok(Arrival { token: bearer(request), address, environment })
}

/// The token after the scheme `Bearer`, whose case does not matter (RFC 9110 §11.1).
fn bearer(request: &Request) -> Option<&str> {
    let value = request.header(header::AUTHORIZATION)?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// How long a client waits that could not be served.
const AWAY: Duration = Duration::from_secs(5);

/// Whole seconds, rounded up, at least one (RFC 9110 §10.2.3).
fn seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

fn retry_after(response: &mut Response, wait: Duration) {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
}

/// `Retry-After`, and the limit with what is left of it (draft-ietf-httpapi-ratelimit-headers-10).
fn rate_limit(response: &mut Response, exceeded: &Exceeded) {
    retry_after(response, exceeded.retry_after);
    let name = exceeded.limit.as_str();
    let policy = format!("\"{name}\";q={};w={}", exceeded.allowed, seconds(exceeded.window));
    let left = format!("\"{name}\";r=0;t={}", seconds(exceeded.retry_after));
    for (header, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(header, value);
        }
    }
}

/// RFC 6750 §3.
fn challenge(response: &mut Response, token_sent: bool) {
    let challenge = if token_sent { "Bearer error=\"invalid_token\"" } else { "Bearer" };
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
}
