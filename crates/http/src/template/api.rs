//! Officers: templates of reasons, and the mail that a step would send.

use idcheck_domain::{
    Violation,
    application::ApplicationId,
    template::{self, TemplateId, TemplateUse},
    value::{Narrative, Reason, TemplateTitle},
};
use idcheck_usecases::{Fields, application::ReviewCommand, ports::Versioned, template::TemplateDraft};
use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use crate::{
    application::api::version,
    kernel::{body::Described, failure::Failure, session::SignedIn, tag::Tag},
};

pub(crate) struct TemplatesApi;

/// A text to begin with.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct ReasonTemplate {
    id: Uuid,
    /// To be named by a change.
    version: i64,
    /// `clarification`, `approve` or `reject`.
    #[oai(rename = "use")]
    used_for: String,
    title: String,
    /// `{caseNumber}`, `{company}` and `{due}` stand for the case's.
    text: String,
    /// `inUse` or `outOfUse`; only the former is offered.
    state: String,
}

/// All templates.
#[derive(Debug, Object)]
struct ReasonTemplates {
    /// By use, then in the order in which they were added.
    templates: Vec<ReasonTemplate>,
}

/// A template as an admin writes it.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, rename_all = "camelCase")]
struct TemplateRequest {
    /// `clarification`, `approve` or `reject`.
    #[oai(rename = "use")]
    used_for: String,
    /// 60 characters at most.
    title: String,
    /// 1,000 characters at most.
    text: String,
    /// `inUse` or `outOfUse`; only the former is offered.
    state: String,
}

/// A template written anew.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, rename_all = "camelCase")]
struct TemplateChangeRequest {
    /// `clarification`, `approve` or `reject`.
    #[oai(rename = "use")]
    used_for: String,
    /// 60 characters at most.
    title: String,
    /// 1,000 characters at most.
    text: String,
    /// `inUse` or `outOfUse`; only the former is offered.
    state: String,
    /// The version that was read.
    #[oai(validator(minimum(value = "1")))]
    version: i64,
}

#[derive(ApiResponse)]
enum Added {
    /// The template.
    #[oai(status = 201)]
    Created(Json<ReasonTemplate>),
}

/// A step that is not taken yet.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct PreviewRequest {
    /// `clarification`, `approve` or `reject`.
    step: String,
    /// The question, note or reason.
    text: Option<String>,
    /// The version that was read.
    #[oai(validator(minimum(value = "1")))]
    version: i64,
}

/// The mail that a step would send.
#[derive(Debug, Object)]
struct Preview {
    to: String,
    subject: String,
    text: String,
}

const fn state(in_use: bool) -> &'static str {
    if in_use { "inUse" } else { "outOfUse" }
}

fn template_of(read: &Versioned<template::ReasonTemplate>) -> ReasonTemplate {
    let value = &read.value;
    ReasonTemplate {
        id: value.id.0,
        version: read.version,
        used_for: value.used_for.as_str().to_owned(),
        title: value.title.as_str().to_owned(),
        text: value.text.as_str().to_owned(),
        state: state(value.in_use).to_owned(),
    }
}

fn draft(fields: &mut Fields<'_>) -> Option<TemplateDraft> {
    let used_for = |text: &str| TemplateUse::parse(text).ok_or(Violation::ValueUnknown);
    let used_for = fields.required("/use", used_for);
    let title = fields.required("/title", TemplateTitle::parse);
    let text = fields.required("/text", Reason::parse);
    let in_use = fields.required("/state", |text| match text {
        "inUse" => Ok(true),
        "outOfUse" => Ok(false),
        _ => Err(Violation::ValueUnknown),
    });
    let ((used_for, title), (text, in_use)) = used_for.zip(title).zip(text.zip(in_use))?;
    Some(TemplateDraft { used_for, title, text, in_use })
}

fn command(fields: &mut Fields<'_>) -> Option<ReviewCommand> {
    let step = |text: &str| TemplateUse::parse(text).ok_or(Violation::ValueUnknown);
    Some(match fields.required("/step", step)? {
        TemplateUse::Clarification => {
            ReviewCommand::RequestClarification { question: fields.required("/text", Narrative::parse)? }
        }
        TemplateUse::Approve => ReviewCommand::Approve { note: fields.optional("/text", Reason::parse) },
        TemplateUse::Reject => ReviewCommand::Reject { reason: fields.required("/text", Reason::parse)? },
    })
}

#[OpenApi(tag = "Tag::Officer")]
impl TemplatesApi {
    /// Texts to begin with when asking or deciding.
    #[oai(path = "/officer/templates", method = "get", operation_id = "listTemplates")]
    async fn list(&self, signed_in: SignedIn) -> Result<Json<ReasonTemplates>, Failure> {
        let templates = signed_in.app.services.templates.list(&signed_in.officer).await;
        let templates = signed_in.or_failure(templates)?.iter().map(template_of).collect();
        Ok(Json(ReasonTemplates { templates }))
    }

    /// Adds a template; for admins.
    #[oai(path = "/officer/templates", method = "post", operation_id = "addTemplate")]
    async fn add(
        &self,
        signed_in: SignedIn,
        body: Json<Described<TemplateRequest>>,
    ) -> Result<Added, Failure> {
        let draft = signed_in.read(&body.0.0, draft)?;
        let added = signed_in.app.services.templates.add(&signed_in.officer, draft).await;
        Ok(Added::Created(Json(template_of(&signed_in.or_failure(added)?))))
    }

    /// Writes a template anew; for admins.
    #[oai(path = "/officer/templates/:id", method = "post", operation_id = "changeTemplate")]
    async fn change(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<TemplateChangeRequest>>,
    ) -> Result<Json<ReasonTemplate>, Failure> {
        let id = TemplateId(signed_in.uuid(&id.0)?);
        let (draft, version) = signed_in.read(&body.0.0, |fields| {
            let draft = draft(fields);
            draft.zip(version(fields))
        })?;
        let templates = &signed_in.app.services.templates;
        let changed = templates.change(&signed_in.officer, id, version, draft).await;
        Ok(Json(template_of(&signed_in.or_failure(changed)?)))
    }

    /// The mail that a step would send; nothing is changed.
    #[oai(path = "/officer/applications/:id/preview", method = "post", operation_id = "previewDecisionMail")]
    async fn preview(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<PreviewRequest>>,
    ) -> Result<Json<Preview>, Failure> {
        let id = ApplicationId(signed_in.uuid(&id.0)?);
        let (command, version) = signed_in.read(&body.0.0, |fields| {
            let command = command(fields);
            command.zip(version(fields))
        })?;
        let services = &signed_in.app.services;
        let mail = services.review.preview(&signed_in.officer, id, version, &command).await;
        let mail = signed_in.or_failure(mail)?;
        let (to, text) = (mail.to.as_str().to_owned(), mail.text);
        Ok(Json(Preview { to, subject: text.subject, text: text.plain }))
    }
}
