//! The JSON API: `/api/v1`. Handlers read a body, call one use case, render; the document is made of the same types.

#![allow(clippy::result_large_err, reason = "a failure is the response itself, made once")]

mod applicant;
mod body;
mod document;
mod failure;
mod officer;
mod officer_audit;
mod officer_casework;
mod officer_mail;
mod officer_notices;
mod officer_sweeps;
mod officer_templates;
mod officer_usage;
mod organisation;
mod register;
mod render;
mod render_casework;
mod session;
mod shape;

use poem::{IntoResponse, Route, endpoint::make_sync};
use poem_openapi::{LicenseObject, OpenApiService, Tags};

pub(crate) use failure::Failure;
pub(crate) use officer::assigned;
use session::{Context, SignedIn};

/// What of the document belongs together.
#[derive(Tags)]
enum Tag {
    /// What an applicant does with the card: ask for a challenge, sign it, prove it.
    Applicant,
    /// What an officer does, after signing in.
    Officer,
    /// What anyone may read.
    Public,
}

/// The identity of a request, told in `X-Request-Id` and in every problem.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// All calls of the API.
type Calls = (
    applicant::ApplicantApi,
    organisation::OrganisationApi,
    register::RegisterApi,
    officer::OfficerApi,
    officer_casework::CaseworkApi,
    officer_notices::NoticesApi,
    officer_mail::MailApi,
    officer_sweeps::SweepsApi,
    officer_audit::AuditApi,
    officer_usage::UsageApi,
    officer_templates::TemplatesApi,
);

fn service(base_url: &str) -> OpenApiService<Calls, ()> {
    let title = "國民身分證領補換資料查驗作業 API 介接服務";
    let calls = (
        applicant::ApplicantApi,
        organisation::OrganisationApi,
        register::RegisterApi,
        officer::OfficerApi,
        officer_casework::CaseworkApi,
        officer_notices::NoticesApi,
        officer_mail::MailApi,
        officer_sweeps::SweepsApi,
        officer_audit::AuditApi,
        officer_usage::UsageApi,
        officer_templates::TemplatesApi,
    );
    OpenApiService::new(calls, title, env!("CARGO_PKG_VERSION"))
        .description(
            "Companies apply with their business-certificate card for access to the verification of national ID card \
             data; officers review. Every error is application/problem+json with a stable type; texts are in \
             zh-Hant-TW or en by Accept-Language.",
        )
        .license(LicenseObject::new("Apache-2.0").url("https://www.apache.org/licenses/LICENSE-2.0"))
        .server(base_url)
        .url_prefix("/api/v1")
}

/// The routes below `/api/v1`, the document among them.
pub(crate) fn routes(base_url: &str) -> Route {
    let service = service(base_url);
    let document = document::of(&service.spec(), base_url);
    let document = make_sync(move |_| document.clone().with_content_type("application/json"));
    Route::new().nest("/", service).at("/openapi.json", document)
}

/// The OpenAPI document, the same for every installation.
pub(crate) fn document() -> String {
    document::of(&service(document::EXAMPLE).spec(), document::EXAMPLE)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn the_document_holds_the_calls_of_both_kinds() {
        let document: Value = serde_json::from_str(&super::document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        for path in [
            "/api/v1/challenges",
            "/api/v1/verifications",
            "/integration/rwv2c2",
            "/sandbox/api/v1/verifications",
        ] {
            assert!(paths.contains_key(path), "{path}");
        }
        let schemas = document["components"]["schemas"].as_object().unwrap();
        assert!(schemas.contains_key("Problem") && schemas.contains_key("VerificationAnswer"));
        assert_eq!(document["tags"].as_array().unwrap().len(), 4);
        assert!(document["components"]["securitySchemes"]["VerificationToken"].is_object());
    }
}
