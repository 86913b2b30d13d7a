//! Templates of reasons: a list for who reviews, forms for admins.

use idcheck_domain::{
    officer::Permission,
    template::{ReasonTemplate, TemplateId, TemplateUse},
    value::{Reason, TemplateTitle},
};
use idcheck_usecases::{FieldViolation, ports::Versioned, template::TemplateDraft};
use minijinja::{Value, context};
use poem::{Response, handler, http::StatusCode, web::Path};
use uuid::Uuid;

use crate::kernel::{
    officer_page::OfficerPage,
    page::{FormValues, PostedForm, see_other, value},
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
pub(crate) async fn list(page: OfficerPage<'_>) -> poem::Result<Response> {
    let templates = page.or_problem(page.app.services.templates.list(&page.officer).await, "/officer")?;
    let with = context! {
        templates => templates.iter().map(row).collect::<Value>(),
        uses => TemplateUse::ALL.map(TemplateUse::as_str),
        may_edit => page.permits(Permission::ManageOfficers),
    };
    Ok(page.show(StatusCode::OK, "officer/templates.html", with))
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
async fn write(page: &OfficerPage<'_>, id: Option<&str>, form: &FormValues) -> poem::Result<Response> {
    let draft = page.or_problem(draft(form), HOME)?;
    let (templates, officer) = (&page.app.services.templates, &page.officer);
    let written = match id.map(|id| (Uuid::try_parse(id), value(form, "version").parse::<i64>())) {
        None => templates.add(officer, draft).await,
        Some((Ok(id), Ok(version))) => templates.change(officer, TemplateId(id), version, draft).await,
        Some(_) => return Err(page.not_found(HOME)),
    };
    page.or_problem(written, HOME)?;
    Ok(see_other(HOME))
}

#[handler]
pub(crate) async fn add(page: OfficerPage<'_>, PostedForm(form): PostedForm) -> poem::Result<Response> {
    write(&page, None, &form).await
}

#[handler]
pub(crate) async fn change(
    page: OfficerPage<'_>,
    Path(id): Path<String>,
    PostedForm(form): PostedForm,
) -> poem::Result<Response> {
    write(&page, Some(&id), &form).await
}
