//! The legacy profile: the Ministry's envelope around a [`Verdict`].

use idcheck_domain::{key::Environment, verification::VerificationResult};
use idcheck_usecases::{ports::TokenRefusal, verify::Verdict};
use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderValue, Method, StatusCode, header},
};
use serde::Serialize;

use crate::verify::{AWAY, HeadersTooLarge, app, arrival, challenge, rate_limit, retry_after};

/// `GET /integration/rwv2c2`.
pub(crate) struct Legacy(pub(crate) Environment);

impl Endpoint for Legacy {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        // HEAD would ask, and tell nobody the answer.
        if request.method() != Method::GET {
            return Ok(refused(StatusCode::METHOD_NOT_ALLOWED));
        }
        let app = app(&request)?;
        Ok(match arrival(&request, app, self.0) {
            Ok(arrival) => respond(&app.services.verify.legacy(arrival).await),
            Err(HeadersTooLarge) => refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        })
    }
}

/// What is refused before it is a query, in the envelope that old clients read.
pub(crate) fn refused(status: StatusCode) -> Response {
    if status.is_server_error() {
        return respond(&Verdict::Unavailable);
    }
    let message = match status {
        StatusCode::NOT_FOUND => "no such call",
        StatusCode::METHOD_NOT_ALLOWED => "method not allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "body too large",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "headers too large",
        _ => "request malformed",
    };
    let mut response = envelope(status, message, Rd::NONE, None);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    }
    response
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

fn respond(verdict: &Verdict) -> Response {
    match verdict {
        Verdict::Result(result) => envelope(StatusCode::OK, "OK", Rd::ANSWERED, Some(*result)),
        Verdict::AccountMismatch => envelope(StatusCode::OK, "OK", Rd::ACCOUNT, None),
        Verdict::ConditionMalformed(_) => envelope(StatusCode::OK, "OK", Rd::CONDITION, None),
        Verdict::Token(refusal) => {
            let mut response = envelope(StatusCode::UNAUTHORIZED, token_message(*refusal), Rd::NONE, None);
            challenge(&mut response, *refusal);
            response
        }
        Verdict::AddressNotRegistered(address) => {
            envelope(StatusCode::FORBIDDEN, &format!("address not registered: {address}"), Rd::NONE, None)
        }
        Verdict::AccessEnded => {
            envelope(StatusCode::FORBIDDEN, "access suspended or revoked", Rd::NONE, None)
        }
        Verdict::TooMany(exceeded) => {
            let mut response = envelope(StatusCode::TOO_MANY_REQUESTS, "too many requests", Rd::NONE, None);
            rate_limit(&mut response, exceeded);
            response
        }
        Verdict::Unavailable => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let mut response = envelope(status, "service unavailable", Rd::UNAVAILABLE, None);
            retry_after(&mut response, AWAY);
            response
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
        TokenRefusal::WrongAudience => "audience wrong",
        TokenRefusal::WrongDigest => "digest wrong",
    }
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
    use std::{fmt::Write, time::Duration};

    use idcheck_usecases::ports::{Exceeded, LimitName};

    use super::{TokenRefusal, Verdict, VerificationResult, respond};

    #[tokio::test]
    async fn the_envelope_of_every_verdict() {
        let mut verdicts: Vec<_> = VerificationResult::ALL.into_iter().map(Verdict::Result).collect();
        verdicts.extend(TokenRefusal::ALL.map(Verdict::Token));
        verdicts.extend([
            Verdict::AddressNotRegistered([203, 0, 113, 9].into()),
            Verdict::AccessEnded,
            Verdict::AccountMismatch,
            Verdict::ConditionMalformed(Vec::new()),
            Verdict::TooMany(Exceeded {
                limit: LimitName::OrganisationRate,
                allowed: 50,
                window: Duration::from_secs(1),
                retry_after: Duration::from_millis(1200),
            }),
            Verdict::Unavailable,
        ]);
        let mut table = String::new();
        for verdict in verdicts {
            let response = respond(&verdict);
            let (parts, body) = response.into_parts();
            let header = |name| parts.headers.get(name).map_or("-", |v| v.to_str().unwrap());
            let _ = writeln!(
                table,
                "{verdict:?}\n  {} {} {} {} {}\n  {}",
                parts.status,
                header("www-authenticate"),
                header("retry-after"),
                header("ratelimit-policy"),
                header("ratelimit"),
                body.into_string().await.unwrap()
            );
        }
        insta::assert_snapshot!(table);
    }
}
