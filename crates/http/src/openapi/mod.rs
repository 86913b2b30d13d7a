//! The JSON API as a whole: all calls below `/api/v1` and their document, which is made of the same types.

mod acts;
mod document;

use poem::{IntoResponse, Route, endpoint::make_sync};
use poem_openapi::{LicenseObject, OpenApiService};

use crate::{
    application, attachment, audit, mail, notice, officer, operations, organisation, portal, public_register,
    sweep, template, usage, worklist,
};

/// All calls of the API.
type Calls = (
    portal::api::ApplicantApi,
    attachment::api::AttachmentsApi,
    operations::api::OrganisationApi,
    public_register::api::RegisterApi,
    application::api::OfficerApi,
    organisation::api::CaseworkApi,
    notice::api::NoticesApi,
    mail::api::MailApi,
    sweep::api::SweepsApi,
    audit::api::AuditApi,
    usage::api::UsageApi,
    worklist::api::WorklistApi,
    template::api::TemplatesApi,
    officer::api::AccountsApi,
);

fn service(base_url: &str) -> OpenApiService<Calls, ()> {
    let title = "國民身分證領補換資料查驗作業 API 介接服務";
    let calls = (
        portal::api::ApplicantApi,
        attachment::api::AttachmentsApi,
        operations::api::OrganisationApi,
        public_register::api::RegisterApi,
        application::api::OfficerApi,
        organisation::api::CaseworkApi,
        notice::api::NoticesApi,
        mail::api::MailApi,
        sweep::api::SweepsApi,
        audit::api::AuditApi,
        usage::api::UsageApi,
        worklist::api::WorklistApi,
        template::api::TemplatesApi,
        officer::api::AccountsApi,
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
