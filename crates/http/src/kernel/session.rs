//! What a handler of the API is given of its request: the service, the language, and who is signed in.

#![allow(clippy::result_large_err, reason = "a failure is the response itself, made once")]

use std::sync::Arc;

use idcheck_domain::value::UnifiedBusinessNumber;
use idcheck_usecases::{
    Content, FieldViolation, Fields,
    ports::{Officer, SessionOrigin, SessionToken},
};
use poem::{FromRequest, IntoResponse, Request, RequestBody, http::StatusCode};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, SecurityScheme, auth::Bearer, registry::Registry,
};
use uuid::Uuid;

use crate::kernel::{
    body::flatten, browser::session_origin, failure::Failure, i18n::Lang, problem::Problem, state::App,
};

/// The identity of a request, told in `X-Request-Id` and in every problem.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// The service, the reader's language and the request's identity.
pub(crate) struct Context {
    pub(crate) app: Arc<App>,
    pub(crate) lang: Lang,
    /// From where a sign-in would come.
    pub(crate) origin: SessionOrigin,
    request_id: String,
}

impl<'a> FromRequest<'a> for Context {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let app = request.data::<Arc<App>>();
        let app = app.ok_or_else(|| poem::Error::from_status(StatusCode::INTERNAL_SERVER_ERROR))?;
        let request_id = request.data::<RequestId>().map_or_else(String::new, |id| id.0.clone());
        let origin = session_origin(request, app);
        Ok(Self { app: Arc::clone(app), lang: Lang::of_header(request), origin, request_id })
    }
}

impl Context {
    pub(crate) fn failure(&self, problem: impl Into<Problem>) -> Failure {
        Failure::of(&problem.into(), self.lang, &self.request_id)
    }

    /// What a use case gave, or the response that its refusal is.
    pub(crate) fn or_failure<T>(&self, outcome: Result<T, impl Into<Problem>>) -> Result<T, Failure> {
        outcome.map_err(|refusal| self.failure(refusal))
    }

    pub(crate) fn content(&self, violations: Vec<FieldViolation>) -> Failure {
        self.failure(Problem::content(violations))
    }

    /// Reads a body; every broken rule is told at once.
    pub(crate) fn read<T>(
        &self,
        body: &serde_json::Value,
        read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Result<T, Failure> {
        let content: Content = flatten(body).map_err(|wrong| self.content(wrong))?;
        let mut fields = Fields::of(&content);
        let value = read(&mut fields);
        fields.finish(value).map_err(|wrong| self.content(wrong))
    }

    /// An identity in the path; what is none is not there.
    pub(crate) fn uuid(&self, text: &str) -> Result<Uuid, Failure> {
        Uuid::try_parse(text).map_err(|_| self.failure(Problem::not_found()))
    }

    /// A number in the path; what is none is not there.
    pub(crate) fn ubn(&self, text: &str) -> Result<UnifiedBusinessNumber, Failure> {
        UnifiedBusinessNumber::parse(text).map_err(|_| self.failure(Problem::not_found()))
    }
}

/// The token of `POST /officer/session`.
#[derive(SecurityScheme)]
#[oai(ty = "bearer", rename = "officerSession")]
struct OfficerToken(Bearer);

/// The officer who is signed in; a call without a session that lives is answered with 401.
pub(crate) struct SignedIn {
    context: Context,
    pub(crate) officer: Officer,
    pub(crate) token: SessionToken,
}

impl std::ops::Deref for SignedIn {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.context
    }
}

impl<'a> ApiExtractor<'a> for SignedIn {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        OfficerToken::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        OfficerToken::security_schemes()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let token = <OfficerToken as ApiExtractor<'a>>::from_request(request, body, options).await?;
        let context = <Context as FromRequest<'a>>::from_request(request, body).await?;
        let token = SessionToken::parse(&token.0.token);
        let resumed = match &token {
            Some(token) => context.or_failure(context.app.services.sign_in.resume(token).await),
            None => Ok(None),
        };
        match (resumed, token) {
            (Ok(Some(officer)), Some(token)) => Ok(Self { context, officer, token }),
            (Ok(_), _) => Err(response(context.failure(Problem::unauthorised()))),
            (Err(failure), _) => Err(response(failure)),
        }
    }
}

fn response(failure: Failure) -> poem::Error {
    poem::Error::from_response(failure.into_response())
}
