//! The verification API: two profiles of one use case, each in production and in the sandbox.
//!
//! Plain endpoints: no framework of documents in the way of the calls that are made millions of times. The document
//! gets them from `openapi.json` beside this file.

mod legacy;
mod strict;

use std::{sync::Arc, time::Duration};

use idcheck_domain::key::Environment;
use idcheck_usecases::{
    ports::{Exceeded, TokenRefusal},
    verify::Arrival,
};
use poem::{
    Request, Response, Route,
    http::{HeaderValue, StatusCode, header},
    post,
};

pub(crate) use legacy::{Legacy, refused};
pub(crate) use strict::Strict;

use crate::kernel::{
    client_address::{Origin, origin},
    state::App,
    surface::Surface,
};

/// What of the API document these calls are.
pub(crate) const DOCUMENT: &str = include_str!("openapi.json");

/// The greatest size of all headers together.
const MAX_HEADERS: usize = 16 * 1024;

pub(crate) fn routes(routes: Route) -> Route {
    use Environment::{Production, Sandbox};
    routes
        .at("/integration/rwv2c2", Legacy(Production))
        .at("/integration/rwv2c2/", Legacy(Production))
        .at("/api/v1/verifications", post(Strict(Production)))
        .at("/sandbox/integration/rwv2c2", Legacy(Sandbox))
        .at("/sandbox/integration/rwv2c2/", Legacy(Sandbox))
        .at("/sandbox/api/v1/verifications", post(Strict(Sandbox)))
}

/// Whether whatever is asked at a path is answered in the Ministry's envelope.
pub(crate) fn is_legacy(path: &str) -> bool {
    let path = path.strip_prefix("/sandbox").unwrap_or(path);
    path.strip_prefix("/integration").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path without doubled slashes, where it has some and is one of the verification API's: a base URL that ends in a slash
/// makes them.
pub(crate) fn without_doubled_slashes(path: &str) -> Option<String> {
    if !path.contains("//") {
        return None;
    }
    let mut single = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    (Surface::of(&single) == Some(Surface::Verify)).then_some(single)
}

/// Why a query does not even reach check 1: too large headers.
struct HeadersTooLarge;

fn app(request: &Request) -> poem::Result<&Arc<App>> {
    request.data().ok_or_else(|| poem::Error::from_status(StatusCode::INTERNAL_SERVER_ERROR))
}

fn arrival<'r>(
    request: &'r Request,
    app: &App,
    environment: Environment,
) -> Result<Arrival<'r>, HeadersTooLarge> {
    let size: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > MAX_HEADERS {
        return Err(HeadersTooLarge);
    }
    let Origin { address, known } = origin(request, &app.config.trusted_proxies);
    Ok(Arrival { token: bearer(request), address, address_known: known, environment })
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
pub(crate) fn rate_limit(response: &mut Response, exceeded: &Exceeded) {
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

/// RFC 6750 §3: what is wrong with the token, the claim and the remedy; the words are for whoever writes the program.
fn challenge(response: &mut Response, refusal: TokenRefusal) {
    let challenge = match remedy(refusal) {
        Some(remedy) => format!("Bearer error=\"invalid_token\", error_description=\"{remedy}\""),
        None => "Bearer".to_owned(),
    };
    if let Ok(value) = HeaderValue::try_from(challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
}

/// None where no token was sent.
const fn remedy(refusal: TokenRefusal) -> Option<&'static str> {
    Some(match refusal {
        TokenRefusal::Missing => return None,
        TokenRefusal::Malformed => {
            "send a JWT in compact form with every claim of its profile once; iat, exp and nbf are whole seconds since 1970"
        }
        TokenRefusal::KeyUnknown => {
            "no organisation has this Iss Key here: check iss, and whether the call is the sandbox's"
        }
        TokenRefusal::SignatureInvalid => {
            "no key in force verifies the signature with its algorithm: check the key and alg"
        }
        TokenRefusal::NotYetValid => "iat or nbf lies ahead: set the clock",
        TokenRefusal::Expired => "exp is over, or too long after iat: make a new token for each query",
        TokenRefusal::AlreadyUsed => "jti was used before: make a new token for each query",
        TokenRefusal::WrongAudience => "aud must be the base URL of this service, without a slash at its end",
        TokenRefusal::WrongDigest => {
            "digest must be the SHA-256 of the bytes of the body, as base64url without padding"
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{is_legacy, without_doubled_slashes};

    #[test]
    fn whose_a_path_is_does_not_depend_on_its_slashes() {
        for (path, single) in [
            ("//integration/rwv2c2/", Some("/integration/rwv2c2/")),
            ("/integration//rwv2c2", Some("/integration/rwv2c2")),
            ("//sandbox///integration/rwv2c2", Some("/sandbox/integration/rwv2c2")),
            ("//api/v1/verifications", Some("/api/v1/verifications")),
            ("//officer", None),
            ("/integration/rwv2c2", None),
        ] {
            assert_eq!(without_doubled_slashes(path).as_deref(), single, "{path}");
        }
        for (path, legacy) in [
            ("/integration/rwv2c2", true),
            ("/integration", true),
            ("/integration/", true),
            ("/sandbox/integration/other", true),
            ("/integrations", false),
            ("/sandbox/api/v1/verifications", false),
            ("/api/v1/verifications", false),
        ] {
            assert_eq!(is_legacy(path), legacy, "{path}");
        }
    }
}
