//! The strict profile: JSON in, JSON or a problem (RFC 9457) out.

use idcheck_domain::{key::Environment, verification::VerificationResult};
use idcheck_usecases::verify::Verdict;
use poem::{
    Endpoint, Request, Response,
    http::{StatusCode, header},
};
use serde::Serialize;

use crate::{
    kernel::{i18n::Lang, problem::Problem, session::RequestId},
    verify::{AWAY, HeadersTooLarge, app, arrival, challenge, rate_limit, retry_after},
};

/// The greatest body; four short texts take a hundred bytes.
const MAX_BODY: usize = 4 * 1024;

/// `POST /api/v1/verifications`.
pub(crate) struct Strict(pub(crate) Environment);

impl Endpoint for Strict {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let body = request.take_body().into_bytes().await?;
        let app = app(&request)?;
        let words = Words {
            lang: Lang::of_header(&request),
            request_id: request.data::<RequestId>().map_or("", |id| id.0.as_str()),
        };
        if body.len() > MAX_BODY {
            return Ok(words.problem(&Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE)));
        }
        Ok(match arrival(&request, app, self.0) {
            Ok(arrival) => words.respond(app.services.verify.strict(arrival, &body).await),
            Err(HeadersTooLarge) => {
                words.simple(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "problem-headers-too-large")
            }
        })
    }
}

/// An answer. `result` is the kind, `code` the digit of the legacy profile.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'r> {
    result: &'static str,
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts_left: Option<u8>,
    request_id: &'r str,
}

const fn word(result: VerificationResult) -> &'static str {
    match result {
        VerificationResult::Match => "match",
        VerificationResult::FirstMismatch
        | VerificationResult::SecondMismatch
        | VerificationResult::ThirdMismatch => "mismatch",
        VerificationResult::Locked => "locked",
        VerificationResult::OutOfUse => "outOfUse",
        VerificationResult::ReportedLost => "reportedLost",
        VerificationResult::UserSuspended => "userSuspended",
    }
}

/// What a response is worded with.
struct Words<'r> {
    lang: Lang,
    request_id: &'r str,
}

impl Words<'_> {
    fn respond(&self, verdict: Verdict) -> Response {
        match verdict {
            Verdict::Result(result) => self.answer(result),
            Verdict::Token(refusal) => {
                let mut response = self.problem(&refusal.into());
                challenge(&mut response, refusal);
                response
            }
            Verdict::AddressNotRegistered(address) => self.problem(&Problem::address_not_registered(address)),
            Verdict::AccessEnded => self.simple(StatusCode::FORBIDDEN, "problem-access-ended"),
            // The sandbox plays it; a strict token names no account.
            Verdict::AccountMismatch => self.problem(&Problem::content(Vec::new())),
            Verdict::ConditionMalformed(violations) if violations.is_empty() => {
                self.problem(&Problem::of_status(StatusCode::BAD_REQUEST))
            }
            Verdict::ConditionMalformed(violations) => self.problem(&Problem::content(violations)),
            Verdict::TooMany(exceeded) => {
                let mut response = self.simple(StatusCode::TOO_MANY_REQUESTS, "problem-too-many-requests");
                rate_limit(&mut response, &exceeded);
                response
            }
            Verdict::Unavailable => {
                let mut response = self.problem(&Problem::of_status(StatusCode::SERVICE_UNAVAILABLE));
                retry_after(&mut response, AWAY);
                response
            }
        }
    }

    fn answer(&self, result: VerificationResult) -> Response {
        let answer = Answer {
            result: word(result),
            code: result.code().to_string(),
            attempts_left: result.attempts_left(),
            request_id: self.request_id,
        };
        Response::builder()
            .content_type("application/json")
            .header(header::CACHE_CONTROL, "no-store")
            .body(serde_json::to_vec(&answer).unwrap_or_default())
    }

    fn simple(&self, status: StatusCode, title: &'static str) -> Response {
        self.problem(&Problem::simple(status, title))
    }

    fn problem(&self, problem: &Problem) -> Response {
        problem.response(self.lang, self.request_id)
    }
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write, time::Duration};

    use idcheck_domain::Violation;
    use idcheck_usecases::{
        FieldViolation,
        ports::{Exceeded, LimitName},
    };
    use serde_json::Value;

    use idcheck_usecases::ports::TokenRefusal;

    use super::{Lang, Verdict, VerificationResult, Words};
    use crate::verify::DOCUMENT;

    fn every_verdict() -> Vec<Verdict> {
        let mut verdicts: Vec<_> = VerificationResult::ALL.into_iter().map(Verdict::Result).collect();
        verdicts.extend(TokenRefusal::ALL.map(Verdict::Token));
        let violation = Violation::PersonIdChecksum;
        verdicts.extend([
            Verdict::AddressNotRegistered([203, 0, 113, 9].into()),
            Verdict::AccessEnded,
            Verdict::ConditionMalformed(Vec::new()),
            Verdict::ConditionMalformed(vec![FieldViolation { pointer: "/personId".to_owned(), violation }]),
            Verdict::TooMany(Exceeded {
                limit: LimitName::DailyQuota,
                allowed: 100_000,
                window: Duration::from_hours(24),
                retry_after: Duration::from_mins(90),
            }),
            Verdict::Unavailable,
        ]);
        verdicts
    }

    #[tokio::test]
    async fn the_response_of_every_verdict() {
        let mut table = String::new();
        for lang in [Lang::ZhHantTw, Lang::En] {
            for verdict in every_verdict() {
                let response = Words { lang, request_id: "r" }.respond(verdict.clone());
                let (parts, body) = response.into_parts();
                let header = |name| parts.headers.get(name).map_or("-", |v| v.to_str().unwrap());
                let _ = writeln!(
                    table,
                    "{verdict:?}\n  {} {} {} {} {}\n  {}",
                    parts.status,
                    header("content-type"),
                    header("www-authenticate"),
                    header("retry-after"),
                    header("ratelimit"),
                    body.into_string().await.unwrap()
                );
            }
        }
        insta::assert_snapshot!(table);
    }

    /// The document is written by hand: what it lists is what is answered.
    #[tokio::test]
    async fn the_document_lists_every_status_type_and_result() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let operation = &document["paths"]["/api/v1/verifications"]["post"];
        let types = document["components"]["schemas"]["VerificationProblem"]["properties"]["type"]["enum"]
            .as_array()
            .unwrap();
        let results = document["components"]["schemas"]["VerificationAnswer"]["properties"]["result"]["enum"]
            .as_array()
            .unwrap();
        let (mut told_types, mut told_results) = (Vec::new(), Vec::new());
        for verdict in every_verdict() {
            let (parts, body) = Words { lang: Lang::En, request_id: "r" }.respond(verdict).into_parts();
            let status = parts.status.as_str();
            assert!(operation["responses"].get(status).is_some(), "{status} is not documented");
            let body: Value = serde_json::from_str(&body.into_string().await.unwrap()).unwrap();
            told_types.extend(body.get("type").cloned());
            told_results.extend(body.get("result").cloned());
        }
        for (listed, told) in [(types, told_types), (results, told_results)] {
            for word in &told {
                assert!(listed.contains(word), "{word} is not documented");
            }
            for word in listed {
                let elsewhere = ["/problems/too-large", "/problems/headers-too-large"];
                let known = told.contains(word) || elsewhere.iter().any(|e| word == e);
                assert!(known, "{word} is documented and never told");
            }
        }
    }
}
