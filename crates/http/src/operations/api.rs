//! What an organisation reads with the session of its progress query.

use std::sync::Arc;

use idcheck_usecases::{
    acts::Progress,
    ports::{CallFailure, ListedCall, StoreError},
};
use minijinja::context;
use poem_openapi::{
    ApiResponse, Object, OpenApi, ResponseContent, SecurityScheme,
    auth::Bearer,
    param::{Path, Query},
    payload::{Binary, Html, Json},
};
use uuid::Uuid;

use crate::{
    kernel::{
        failure::Failure,
        problem::Problem,
        session::Context,
        shape::{Time, time},
        tag::Tag,
        view,
    },
    operations::{Document, Format},
    portal::webhook,
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

/// A call to the organisation's address.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct WebhookCall {
    /// `webhook-id` of the call.
    id: Uuid,
    /// What happened, such as `case.approved`.
    r#type: String,
    happened_at: Time,
    /// `delivered`, `waiting`, `retried` or `givenUp`.
    state: String,
    delivered_at: Option<Time>,
    /// When it is tried again.
    next_at: Option<Time>,
    /// How often it failed.
    failures: u32,
    /// Why it failed last: `host`, `connection`, `timeout`, or the status of the answer.
    failure: Option<String>,
}

/// The organisation's address and its last calls.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct WebhookState {
    url: String,
    set_at: Time,
    /// Newest first.
    calls: Vec<WebhookCall>,
}

fn call_of(call: &ListedCall) -> WebhookCall {
    WebhookCall {
        id: call.id,
        r#type: call.message.event().map_or("", |event| event.kind).to_owned(),
        happened_at: time(call.queued_at),
        state: webhook::state(call).to_owned(),
        delivered_at: call.delivered_at.map(time),
        next_at: call.due_at.map(time),
        failures: call.attempts,
        failure: call.failure.map(CallFailure::code),
    }
}

#[derive(ResponseContent)]
enum Form {
    Page(Html<String>),
    #[oai(content_type = "application/pdf")]
    Pdf(Binary<Vec<u8>>),
}

#[derive(ApiResponse)]
enum Again {
    /// It is made again within seconds.
    #[oai(status = 204)]
    Queued,
}

impl Context {
    /// The organisation of a session.
    pub(crate) async fn own(&self, token: &OrganisationToken) -> Result<Progress, Failure> {
        let progress = self.or_failure(self.app.services.read_own.execute(&token.0.token).await)?;
        progress.ok_or_else(|| self.failure(Problem::unauthorised()))
    }
}

#[OpenApi(tag = "Tag::Applicant")]
impl OrganisationApi {
    /// The address that is called when something happens to the organisation, and its last calls.
    #[oai(path = "/organisations/me/webhook", method = "get", operation_id = "readWebhook")]
    async fn webhook(
        &self,
        context: Context,
        token: OrganisationToken,
    ) -> Result<Json<WebhookState>, Failure> {
        let progress = context.own(&token).await?;
        let read = context.or_failure(webhook::read(&context.app, progress.ubn).await)?;
        let (webhook, calls) = read.ok_or_else(|| context.failure(Problem::not_found()))?;
        Ok(Json(WebhookState {
            url: webhook.url.as_str().to_owned(),
            set_at: time(webhook.set_at),
            calls: calls.iter().map(call_of).collect(),
        }))
    }

    /// Makes a call again that was given up.
    #[oai(
        path = "/organisations/me/webhook/calls/:id/repeat",
        method = "post",
        operation_id = "repeatWebhookCall"
    )]
    async fn call_again(
        &self,
        context: Context,
        token: OrganisationToken,
        id: Path<String>,
    ) -> Result<Again, Failure> {
        let progress = context.own(&token).await?;
        let (id, services) = (context.uuid(&id.0)?, &context.app.services);
        let again = services.webhooks.call_again(progress.ubn, id, services.clock.now()).await;
        if context.or_failure(again)? {
            Ok(Again::Queued)
        } else {
            Err(context.failure(Problem::not_found()))
        }
    }

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
        let progress = context.own(&token).await?;
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
