//! The verification API, legacy profile: the Ministry's envelope around a [`Verdict`].
//!
//! A plain handler: no framework of documents in the way of the one call that is made millions of times.

use std::{sync::Arc, time::Duration};

use idcheck_domain::{key::Environment, verification::VerificationResult};
use idcheck_usecases::{ports::TokenRefusal, verify::Verdict};
use poem::{
    IntoResponse, Request, Response, handler,
    http::{StatusCode, header},
    web::Data,
};
use serde::Serialize;

use crate::{client_address::client_address, state::App};

/// The greatest size of all headers together.
const MAX_HEADERS: usize = 16 * 1024;

/// `GET /integration/rwv2c2`.
#[handler]
pub(crate) async fn legacy(request: &Request, Data(app): Data<&Arc<App>>) -> Response {
    let size: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > MAX_HEADERS {
        return envelope(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers too large", Rd::NONE, None);
    }
    let Some(address) = client_address(request, &app.config.trusted_proxies) else {
        return respond(Verdict::AddressNotRegistered);
    };
    let token = bearer(request);
    respond(app.services.verify.execute(token, address, Environment::Production).await)
}

/// The token after the scheme `Bearer`, whose case does not matter (RFC 9110 §11.1).
fn bearer(request: &Request) -> Option<&str> {
    let value = request.header(header::AUTHORIZATION)?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// An RS code and its message; the Ministry's words.
struct Rd {
    code: &'static str,
    message: &'static str,
}

impl Rd {
    const NONE: Self = Self { code: "", message: "" };
    const ANSWERED: Self = Self { code: "RS7009", message: "查詢作業完成" };
    const ACCOUNT: Self = Self {
        code: "RS3811",
        message: "連結機關作業管理資料未建, 請重新輸入(請檢查 orgId、apId 是否正確)",
    };
    const CONDITION: Self = Self { code: "RS3822", message: "查詢條件值,不符規定" };
    const UNAVAILABLE: Self = Self { code: "RS7007", message: "網路傳送錯誤" };
}

fn respond(verdict: Verdict) -> Response {
    match verdict {
        Verdict::Result(result) => envelope(StatusCode::OK, "OK", Rd::ANSWERED, Some(result)),
        Verdict::AccountMismatch => envelope(StatusCode::OK, "OK", Rd::ACCOUNT, None),
        Verdict::ConditionMalformed => envelope(StatusCode::OK, "OK", Rd::CONDITION, None),
        Verdict::Token(refusal) => {
            let mut response = envelope(StatusCode::UNAUTHORIZED, token_message(refusal), Rd::NONE, None);
            let challenge = match refusal {
                TokenRefusal::Missing => "Bearer",
                _ => "Bearer error=\"invalid_token\"",
            };
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static(challenge));
            response
        }
        Verdict::AddressNotRegistered => {
            envelope(StatusCode::FORBIDDEN, "address not registered", Rd::NONE, None)
        }
        Verdict::AccessEnded => {
            envelope(StatusCode::FORBIDDEN, "access suspended or revoked", Rd::NONE, None)
        }
        Verdict::TooMany { retry_after: wait } => {
            retry_after(envelope(StatusCode::TOO_MANY_REQUESTS, "too many requests", Rd::NONE, None), wait)
        }
        Verdict::Unavailable => {
            let response =
                envelope(StatusCode::SERVICE_UNAVAILABLE, "service unavailable", Rd::UNAVAILABLE, None);
            retry_after(response, Duration::from_secs(5))
        }
    }
}

const fn token_message(refusal: TokenRefusal) -> &'static str {
    match refusal {
        TokenRefusal::Missing => "token missing",
        TokenRefusal::Malformed => "token malformed",
        TokenRefusal::KeyUnknown => "key unknown",
        TokenRefusal::SignatureInvalid => "signature invalid",
        TokenRefusal::NotYetValid => "not yet valid",
        TokenRefusal::Expired => "expired",
        TokenRefusal::AlreadyUsed => "already used",
    }
}

/// Whole seconds, rounded up, at least one (RFC 9110 §10.2.3).
fn retry_after(mut response: Response, wait: Duration) -> Response {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    if let Ok(value) = header::HeaderValue::try_from(seconds.max(1).to_string()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// Every value is a string, in this order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    http_code: &'a str,
    http_message: &'a str,
    rd_code: &'a str,
    rd_message: &'a str,
    response_data: ResponseData<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    check_id_card_apply: Option<&'a str>,
}

#[expect(clippy::needless_pass_by_value, reason = "constants, written at the call")]
fn envelope(status: StatusCode, message: &str, rd: Rd, result: Option<VerificationResult>) -> Response {
    let digit = result.map(|result| result.code().to_string());
    let body = Envelope {
        http_code: status.as_str(),
        http_message: message,
        rd_code: rd.code,
        rd_message: rd.message,
        response_data: ResponseData { check_id_card_apply: digit.as_deref() },
    };
    Response::builder()
        .status(status)
        .content_type("application/json")
        .header(header::CACHE_CONTROL, "no-store")
        .body(serde_json::to_vec(&body).unwrap_or_default())
        .into_response()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::{Duration, TokenRefusal, Verdict, VerificationResult, respond};

    #[tokio::test]
    async fn the_envelope_of_every_verdict() {
        let mut verdicts: Vec<_> = VerificationResult::ALL.into_iter().map(Verdict::Result).collect();
        verdicts.extend(
            [
                TokenRefusal::Missing,
                TokenRefusal::Malformed,
                TokenRefusal::KeyUnknown,
                TokenRefusal::SignatureInvalid,
                TokenRefusal::NotYetValid,
                TokenRefusal::Expired,
                TokenRefusal::AlreadyUsed,
            ]
            .map(Verdict::Token),
        );
        verdicts.extend([
            Verdict::AddressNotRegistered,
            Verdict::AccessEnded,
            Verdict::AccountMismatch,
            Verdict::ConditionMalformed,
            Verdict::TooMany { retry_after: Duration::from_millis(1200) },
            Verdict::Unavailable,
        ]);
        let mut table = String::new();
        for verdict in verdicts {
            let response = respond(verdict);
            let (parts, body) = response.into_parts();
            let header = |name| parts.headers.get(name).map_or("-", |v| v.to_str().unwrap());
            let _ = writeln!(
                table,
                "{verdict:?}\n  {} {} {}\n  {}",
                parts.status,
                header("www-authenticate"),
                header("retry-after"),
                body.into_string().await.unwrap()
            );
        }
        insta::assert_snapshot!(table);
    }
}
