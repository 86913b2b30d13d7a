//! Reading what the service replied. A reply is data of a stranger: bounded, parsed, never echoed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use idcheck_domain::key::Profile;
use serde::Deserialize;

use crate::{answer::Answer, refusal::Refusal};

/// A reply, whole.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// The service's clock, in whole seconds.
    pub(crate) date: Option<DateTime<Utc>>,
    pub(crate) request_id: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// What a reply says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The question was answered.
    Answer {
        /// The answer.
        answer: Answer,
        /// The service's name for the request, when it gave one.
        request_id: Option<String>,
    },
    /// Refused before comparing.
    Refused(Refusal),
    /// The token was recorded before.
    AlreadyUsed,
    /// 429.
    TooMany,
    /// 503.
    Unavailable,
    /// A status that does not tell whether the question was recorded.
    Undecided {
        /// The HTTP status.
        status: u16,
    },
    /// An answer is expected here, and it can't be read.
    Unreadable,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Envelope {
    http_code: String,
    http_message: String,
    rd_code: String,
    response_data: ResponseData,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ResponseData {
    check_id_card_apply: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StrictAnswer {
    result: String,
    code: String,
    attempts_left: Option<u8>,
    request_id: Option<String>,
}

/// RFC 9457 §3.1.
#[derive(Deserialize)]
struct Problem {
    r#type: String,
    status: Option<u16>,
}

/// Reads the body of a reply that was kept, in either profile; `status` where the body does not hold it.
pub fn read(status: Option<u16>, body: &[u8]) -> Reading {
    let envelope = serde_json::from_slice::<Envelope>(body).ok().filter(|e| !e.http_code.is_empty());
    if let Some(envelope) = envelope {
        let status = status.or_else(|| envelope.http_code.parse().ok()).unwrap_or_default();
        return legacy(status, Some(envelope));
    }
    let told = || serde_json::from_slice::<Problem>(body).ok()?.status;
    strict(status.or_else(told).unwrap_or(200), body)
}

impl Reply {
    pub(crate) fn reading(&self, profile: Profile) -> Reading {
        let reading = match profile {
            Profile::Legacy => legacy(self.status, serde_json::from_slice(&self.body).ok()),
            Profile::Strict => strict(self.status, &self.body),
        };
        match reading {
            Reading::Answer { answer, request_id } => {
                Reading::Answer { answer, request_id: request_id.or_else(|| self.request_id.clone()) }
            }
            reading => reading,
        }
    }
}

/// Of statuses that both profiles share, whoever gave them.
fn shared(status: u16) -> Reading {
    match status {
        429 => Reading::TooMany,
        503 => Reading::Unavailable,
        431 => Reading::Refused(Refusal::HeadersTooLarge),
        408 | 500.. => Reading::Undecided { status },
        0..300 => Reading::Unreadable,
        _ => Reading::Refused(Refusal::Unexpected { status }),
    }
}

fn legacy(status: u16, envelope: Option<Envelope>) -> Reading {
    let Some(envelope) = envelope else { return shared(status) };
    match (status, envelope.rd_code.as_str(), envelope.http_message.as_str()) {
        (200, "RS7009", _) => {
            let digit = envelope.response_data.check_id_card_apply;
            digit
                .and_then(|digit| Answer::from_digit(&digit))
                .map_or(Reading::Unreadable, |answer| Reading::Answer { answer, request_id: None })
        }
        (200, "RS3811", _) => Reading::Refused(Refusal::AccountMismatch),
        (200, "RS3822", _) => Reading::Refused(Refusal::QuestionMalformed),
        (200, "RS7007", _) => Reading::Unavailable,
        (401, _, "already used") => Reading::AlreadyUsed,
        (401 | 403 | 431, _, message) => {
            Refusal::from_legacy_message(message).map_or_else(|| shared(status), Reading::Refused)
        }
        _ => shared(status),
    }
}

fn strict(status: u16, body: &[u8]) -> Reading {
    if status == 200 {
        return serde_json::from_slice(body).ok().and_then(strict_answer).unwrap_or(Reading::Unreadable);
    }
    let problem = serde_json::from_slice::<Problem>(body).ok();
    let name = problem.as_ref().and_then(|problem| problem.r#type.rsplit('/').next()).unwrap_or_default();
    match (status, name) {
        (401, "already-used") => Reading::AlreadyUsed,
        (401 | 403 | 422 | 431, name) if Refusal::from_code(name).is_some() => {
            Refusal::from_code(name).map_or_else(|| shared(status), Reading::Refused)
        }
        (400 | 422, _) if problem.is_some() => Reading::Refused(Refusal::QuestionMalformed),
        _ => shared(status),
    }
}

/// An answer whose parts agree with each other.
fn strict_answer(told: StrictAnswer) -> Option<Reading> {
    let answer = Answer::from_digit(&told.code)?;
    let same_count = match (answer, told.attempts_left) {
        (Answer::Mismatch { attempts_left }, Some(told)) => told == attempts_left,
        // A locked number has 0 left; for the others the count says nothing.
        _ => true,
    };
    let agree = answer.code() == told.result && same_count;
    agree.then_some(Reading::Answer { answer, request_id: told.request_id.filter(|id| is_plain(id)) })
}

/// Whether a request id is short and plain; any other is not taken over into the company's logs.
pub(crate) fn is_plain(request_id: &str) -> bool {
    request_id.len() <= 64 && request_id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::{Answer, Reading, Refusal, is_plain, read};

    fn envelope(code: &str, message: &str, rd: &str, data: &serde_json::Value) -> Vec<u8> {
        json!({"httpCode": code, "httpMessage": message, "rdCode": rd, "rdMessage": "", "responseData": data})
            .to_string()
            .into_bytes()
    }

    #[rstest]
    #[case("200", "OK", "RS3811", Reading::Refused(Refusal::AccountMismatch))]
    #[case("200", "OK", "RS3822", Reading::Refused(Refusal::QuestionMalformed))]
    #[case("401", "token missing", "", Reading::Refused(Refusal::TokenMissing))]
    #[case("401", "token malformed", "", Reading::Refused(Refusal::TokenMalformed))]
    #[case("401", "key unknown", "", Reading::Refused(Refusal::KeyUnknown))]
    #[case("401", "signature invalid", "", Reading::Refused(Refusal::SignatureInvalid))]
    #[case("401", "not yet valid", "", Reading::Refused(Refusal::NotYetValid))]
    #[case("401", "expired", "", Reading::Refused(Refusal::Expired))]
    #[case("401", "already used", "", Reading::AlreadyUsed)]
    #[case("401", "something new", "", Reading::Refused(Refusal::Unexpected { status: 401 }))]
    #[case("403", "address not registered", "", Reading::Refused(Refusal::AddressNotRegistered))]
    #[case("403", "address not registered: 203.0.113.9", "", Reading::Refused(Refusal::AddressNotRegistered))]
    #[case("403", "access suspended or revoked", "", Reading::Refused(Refusal::AccessEnded))]
    #[case("429", "too many requests", "", Reading::TooMany)]
    #[case("431", "headers too large", "", Reading::Refused(Refusal::HeadersTooLarge))]
    #[case("503", "service unavailable", "RS7007", Reading::Unavailable)]
    #[case("200", "OK", "RS9999", Reading::Unreadable)]
    #[case("200", "OK", "RS7009", Reading::Unreadable)]
    fn every_legacy_row(
        #[case] code: &str,
        #[case] message: &str,
        #[case] rd: &str,
        #[case] expected: Reading,
    ) {
        assert_eq!(read(None, &envelope(code, message, rd, &json!({}))), expected);
    }

    #[test]
    fn every_answer_in_both_profiles() {
        let strict = [
            ("match", None),
            ("mismatch", Some(2)),
            ("mismatch", Some(1)),
            ("mismatch", Some(0)),
            ("locked", Some(0)),
            ("outOfUse", None),
            ("reportedLost", None),
            ("userSuspended", None),
        ];
        for (digit, (result, attempts)) in ["1", "2", "3", "4", "5", "6", "7", "8"].iter().zip(strict) {
            let answer = Answer::from_digit(digit).unwrap();
            let legacy = envelope("200", "OK", "RS7009", &json!({"checkIdCardApply": digit}));
            assert_eq!(read(None, &legacy), Reading::Answer { answer, request_id: None });
            let body = json!({"result": result, "code": digit, "attemptsLeft": attempts, "requestId": "r-1"});
            let expected = Reading::Answer { answer, request_id: Some("r-1".to_owned()) };
            assert_eq!(read(Some(200), body.to_string().as_bytes()), expected);
        }
    }

    #[rstest]
    #[case(json!({"result": "match", "code": "2", "requestId": "r"}))]
    #[case(json!({"result": "mismatch", "code": "2", "attemptsLeft": 1, "requestId": "r"}))]
    #[case(json!({"result": "match", "code": 1}))]
    #[case(json!({}))]
    fn an_answer_that_contradicts_itself_is_none(#[case] body: serde_json::Value) {
        assert_eq!(read(Some(200), body.to_string().as_bytes()), Reading::Unreadable);
    }

    #[test]
    fn every_problem_type() {
        for refusal in Refusal::all() {
            let body = json!({"type": format!("/problems/{}", refusal.code()), "status": 401}).to_string();
            assert_eq!(read(None, body.as_bytes()), Reading::Refused(refusal));
        }
        let used =
            json!({"type": "https://idcheck.example/problems/already-used", "status": 401}).to_string();
        assert_eq!(read(None, used.as_bytes()), Reading::AlreadyUsed);
        let content = json!({"type": "/problems/content", "status": 422}).to_string();
        assert_eq!(read(None, content.as_bytes()), Reading::Refused(Refusal::QuestionMalformed));
    }

    #[test]
    fn a_strange_request_id_is_dropped() {
        for (id, taken) in [("0192-abc", true), ("", true), ("a b", false), ("<script>", false)] {
            assert_eq!(is_plain(id), taken, "{id}");
        }
        let body = json!({"result": "match", "code": "1", "requestId": "a\nb"}).to_string();
        assert_eq!(
            read(Some(200), body.as_bytes()),
            Reading::Answer { answer: Answer::Match, request_id: None }
        );
    }

    proptest::proptest! {
        /// Whatever comes: no panic, and an answer only from a 200 that holds one.
        #[test]
        fn no_reply_breaks_the_reader(status in 0_u16..1000, body in ".{0,80}") {
            let reading = read(Some(status), body.as_bytes());
            proptest::prop_assert!(!matches!(reading, Reading::Answer { .. }), "{body}");
        }
    }

    #[test]
    fn replies_of_something_between() {
        for (status, expected) in [
            (502, Reading::Undecided { status: 502 }),
            (504, Reading::Undecided { status: 504 }),
            (500, Reading::Undecided { status: 500 }),
            (503, Reading::Unavailable),
            (301, Reading::Refused(Refusal::Unexpected { status: 301 })),
            (404, Reading::Refused(Refusal::Unexpected { status: 404 })),
            (204, Reading::Unreadable),
            (200, Reading::Unreadable),
        ] {
            assert_eq!(read(Some(status), b"<html>"), expected);
        }
    }
}
