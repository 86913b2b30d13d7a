//! Problems as the document knows them.

use poem::http::StatusCode;
use poem_openapi::{ApiResponse, Object, payload::Json};

use crate::kernel::{
    i18n::Lang,
    problem::{FieldProblem, Problem},
};

/// A field and what is wrong with it.
#[derive(Debug, Object)]
struct FieldError {
    /// JSON pointer into the content.
    pointer: String,
    /// What is wrong and what to do, for people.
    message: String,
    /// The same for programs: a stable word.
    code: String,
}

/// An error (RFC 9457).
#[derive(Debug, Object)]
#[oai(rename = "Problem", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(crate) struct ProblemBody {
    /// A stable name of the problem.
    r#type: String,
    /// What it is, in the reader's language.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What to do, in the reader's language.
    detail: String,
    /// The request, to be named when asking for help.
    request_id: String,
    /// The fields that break rules.
    errors: Option<Vec<FieldError>>,
}

/// Every problem that a call can end in.
#[derive(ApiResponse)]
pub(crate) enum Failure {
    /// The request can't be read.
    #[oai(status = 400, content_type = "application/problem+json")]
    BadRequest(Json<ProblemBody>),
    /// No valid session, or sign-in refused.
    #[oai(status = 401, content_type = "application/problem+json")]
    Unauthorised(Json<ProblemBody>),
    /// The role does not permit it.
    #[oai(status = 403, content_type = "application/problem+json")]
    Forbidden(Json<ProblemBody>),
    /// There is no such thing.
    #[oai(status = 404, content_type = "application/problem+json")]
    NotFound(Json<ProblemBody>),
    /// Spent, expired, stale, or refused by a state or a precondition.
    #[oai(status = 409, content_type = "application/problem+json")]
    Conflict(Json<ProblemBody>),
    /// The body is too large.
    #[oai(status = 413, content_type = "application/problem+json")]
    TooLarge(Json<ProblemBody>),
    /// The body is not JSON by its type.
    #[oai(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(Json<ProblemBody>),
    /// Fields, a signature or a card are refused.
    #[oai(status = 422, content_type = "application/problem+json")]
    Unprocessable(Json<ProblemBody>),
    /// Too many of these from one address; `Retry-After` says how long to wait.
    #[oai(status = 429, content_type = "application/problem+json")]
    TooMany(Json<ProblemBody>),
    /// Not possible now; the same request may pass later.
    #[oai(status = 503, content_type = "application/problem+json")]
    Unavailable(Json<ProblemBody>),
}

impl Failure {
    pub(crate) fn of(problem: &Problem, lang: Lang, request_id: &str) -> Self {
        let told = problem.told(lang);
        let errors: Vec<_> = told
            .errors
            .into_iter()
            .map(|FieldProblem { pointer, message, code }| FieldError {
                pointer,
                message,
                code: code.to_owned(),
            })
            .collect();
        let body = Json(ProblemBody {
            r#type: told.r#type,
            title: told.title,
            status: problem.status().as_u16(),
            detail: told.detail,
            request_id: request_id.to_owned(),
            errors: (!errors.is_empty()).then_some(errors),
        });
        match problem.status() {
            StatusCode::UNAUTHORIZED => Self::Unauthorised(body),
            StatusCode::FORBIDDEN => Self::Forbidden(body),
            StatusCode::NOT_FOUND => Self::NotFound(body),
            StatusCode::CONFLICT => Self::Conflict(body),
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge(body),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType(body),
            StatusCode::UNPROCESSABLE_ENTITY => Self::Unprocessable(body),
            StatusCode::TOO_MANY_REQUESTS => Self::TooMany(body),
            StatusCode::BAD_REQUEST => Self::BadRequest(body),
            _ => Self::Unavailable(body),
        }
    }
}
