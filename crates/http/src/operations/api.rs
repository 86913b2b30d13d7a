//! What an organisation reads with the session of its progress query.

use std::sync::Arc;

use idcheck_usecases::ports::StoreError;
use minijinja::context;
use poem_openapi::{
    ApiResponse, OpenApi, ResponseContent, SecurityScheme,
    auth::Bearer,
    param::Query,
    payload::{Binary, Html},
};

use crate::{
    kernel::{failure::Failure, problem::Problem, session::Context, tag::Tag, view},
    operations::{Document, Format},
};

pub(crate) struct OrganisationApi;

/// `session.token` of a progress query.
#[derive(SecurityScheme)]
#[oai(ty = "bearer", rename = "organisationSession")]
pub(crate) struct OrganisationToken(pub(crate) Bearer);

/// No script, nothing from elsewhere: the page's own style only.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(ApiResponse)]
enum Told {
    /// The document: as a page, or as PDF, A4.
    #[oai(status = 200)]
    Document(
        Form,
        #[oai(header = "Content-Security-Policy")] Option<String>,
        #[oai(header = "Content-Disposition")] Option<String>,
        #[oai(header = "Cache-Control")] String,
    ),
}

#[derive(ResponseContent)]
enum Form {
    Page(Html<String>),
    #[oai(content_type = "application/pdf")]
    Pdf(Binary<Vec<u8>>),
}

#[OpenApi(tag = "Tag::Applicant")]
impl OrganisationApi {
    /// The organisation's operations document: account, addresses, keys in force, programs, results and refusals. Never an
    /// Iss Key or a private key.
    #[oai(
        path = "/organisations/me/operations-document",
        method = "get",
        operation_id = "readOperationsDocument"
    )]
    async fn operations_document(
        &self,
        context: Context,
        token: OrganisationToken,
        /// `html` or `pdf`; `html` without it.
        format: Query<Option<String>>,
    ) -> Result<Told, Failure> {
        let format = Format::parse(format.0.as_deref().unwrap_or_default());
        let format = format.ok_or_else(|| {
            let violation = idcheck_domain::Violation::ValueUnknown;
            context.failure(Problem::content(vec![crate::kernel::body::refused("/format", violation)]))
        })?;
        let own = &context.app.services.read_own;
        let progress = own.execute(&token.0.token).await.map_err(|error| context.failure(error))?;
        let progress = progress.ok_or_else(|| context.failure(Problem::unauthorised()))?;
        let document = Document::of(&progress, &context.app.config.base_url, context.lang);
        let document = document.ok_or_else(|| context.failure(Problem::not_found()))?;
        let private = "no-store".to_owned();
        if format == Format::Pdf {
            let name = format!("attachment; filename=\"operations-{}.pdf\"", progress.ubn);
            let pdf = document.pdf(Arc::clone(&context.app.config)).await;
            let pdf = pdf.map_err(|error| context.failure(error))?;
            return Ok(Told::Document(Form::Pdf(Binary(pdf)), None, Some(name), private));
        }
        let with = context! {
            title => document.title(), html => document.html(), own => false, csrf => "", here => "/?",
        };
        let html = view::render("operations.html", context.lang, "", with).map_err(|error| {
            tracing::error!(%error, "the operations document can't be made");
            context.failure(StoreError::Unavailable)
        })?;
        Ok(Told::Document(Form::Page(Html(html)), Some(POLICY.to_owned()), None, private))
    }
}
