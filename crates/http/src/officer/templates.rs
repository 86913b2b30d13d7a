//! Templates of reasons: a list for who reviews, forms for admins.

use idcheck_domain::{
    officer::{Permission, permits},
    template::{ReasonTemplate, TemplateId, TemplateUse},
    value::{Reason, TemplateTitle},
};
use idcheck_usecases::{FieldViolation, casework::TemplateDraft, ports::Versioned};
use minijinja::{Value, context};
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Form, Path},
};
use uuid::Uuid;

use super::officer;
use crate::{
    page::{FormValues, Opener, Page, see_other, value},
    problem::Problem,
};

const HOME: &str = "/officer/templates";

fn row(template: &Versioned<ReasonTemplate>) -> Value {
    let Versioned { value, version } = template;
    context! {
        id => value.id.to_string(), version, used_for => value.used_for.as_str(), title => value.title.as_str(),
        text => value.text.as_str(), in_use => value.in_use,
    }
}

#[handler]
pub(super) async fn list(request: &Request) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    let templates = match page.app.services.templates.list(&officer).await {
        Ok(templates) => templates,
        Err(refusal) => return Ok(page.problem(&refusal.into(), "/officer")),
    };
    let with = context! {
        officer => &officer.username,
        templates => templates.iter().map(row).collect::<Value>(),
        uses => TemplateUse::ALL.map(TemplateUse::as_str),
        may_edit => permits(officer.role, Permission::ManageOfficers),
    };
    Ok(page.show(StatusCode::OK, "officer/templates.html", Opener::Isolated, with))
}

/// What was typed, or everything that is wrong with it.
fn draft(form: &FormValues) -> Result<TemplateDraft, Problem> {
    let typed = |name| value(form, name).replace("\r\n", "\n");
    let (title, text) = (TemplateTitle::parse(&typed("title")), Reason::parse(&typed("text")));
    let used_for = TemplateUse::parse(value(form, "use")).ok_or_else(Problem::not_found)?;
    match (title, text) {
        (Ok(title), Ok(text)) => {
            Ok(TemplateDraft { used_for, title, text, in_use: value(form, "in_use") == "true" })
        }
        (title, text) => {
            let wrong = [("/title", title.err()), ("/text", text.err())];
            let wrong = wrong.into_iter().filter_map(|(pointer, violation)| {
                violation.map(|violation| FieldViolation { pointer: pointer.to_owned(), violation })
            });
            Err(Problem::content(wrong.collect()))
        }
    }
}

/// Adds a template where no identity is given, else writes it anew.
async fn write(request: &Request, id: Option<&str>, form: &FormValues) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    if !page.ours(form) {
        return Ok(page.foreign(HOME));
    }
    let draft = match draft(form) {
        Ok(draft) => draft,
        Err(problem) => return Ok(page.problem(&problem, HOME)),
    };
    let templates = &page.app.services.templates;
    let written = match id.map(|id| (Uuid::try_parse(id), value(form, "version").parse::<i64>())) {
        None => templates.add(&officer, draft).await,
        Some((Ok(id), Ok(version))) => templates.change(&officer, TemplateId(id), version, draft).await,
        Some(_) => return Ok(page.problem(&Problem::not_found(), HOME)),
    };
    Ok(match written {
        Ok(_) => see_other(HOME),
        Err(refusal) => page.problem(&refusal.into(), HOME),
    })
}

#[handler]
pub(super) async fn add(request: &Request, Form(form): Form<FormValues>) -> poem::Result<Response> {
    write(request, None, &form).await
}

#[handler]
pub(super) async fn change(
    request: &Request,
    Path(id): Path<String>,
    Form(form): Form<FormValues>,
) -> poem::Result<Response> {
    write(request, Some(&id), &form).await
}
