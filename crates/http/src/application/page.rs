//! One case and the steps of its review.

use std::collections::HashMap;

use idcheck_domain::{
    Violation,
    application::{Action, ApplicationId},
    value::{Narrative, Reason},
};
use idcheck_usecases::{
    FieldViolation,
    application::{CaseFile, ReviewCommand},
};
use minijinja::{Value, context};
use poem::{
    Response, handler,
    http::StatusCode,
    web::{Path, Query},
};
use uuid::Uuid;

use crate::{
    application::{
        difference::differences,
        show::{self as shown, Audience},
    },
    kernel::{
        officer_page::OfficerPage,
        page::{FormValues, PostedForm, see_other, text, value},
    },
    organisation::page::notice,
};

/// The steps by their names in the path.
const PATHS: [(&str, Action); 7] = [
    ("claim", Action::Claim),
    ("release", Action::Release),
    ("clarification", Action::RequestClarification),
    ("propose-approval", Action::ProposeApproval),
    ("approve", Action::Approve),
    ("return-to-review", Action::ReturnToReview),
    ("reject", Action::Reject),
];
pub(crate) const STEPS: [&str; 7] =
    [PATHS[0].0, PATHS[1].0, PATHS[2].0, PATHS[3].0, PATHS[4].0, PATHS[5].0, PATHS[6].0];

/// A text that stands in a step's field when the page opens: of a template, or typed before, and then perhaps wrong.
struct Typed<'t> {
    step: &'t str,
    text: String,
    violation: Option<FieldViolation>,
}

/// The steps that can be offered, each with its templates and what stands in its field.
fn steps(page: &OfficerPage<'_>, file: &CaseFile, typed: Option<&Typed<'_>>) -> Value {
    let offered = PATHS.iter().filter(|(_, action)| file.steps.contains(action));
    let step = |(name, action): &(&'static str, Action)| {
        let own = typed.filter(|typed| typed.step == *name);
        let templates = file.templates.iter().map(|template| &template.value);
        // A proposal is begun with the texts of the approval that it is for.
        let begun = if *action == Action::ProposeApproval { "approve" } else { name };
        let templates = templates.filter(|template| template.in_use && template.used_for.as_str() == begun);
        let templates =
            templates.map(|one| context! { id => one.id.to_string(), title => one.title.as_str() });
        context! {
            name => *name, text => !matches!(action, Action::Claim | Action::Release),
            templates => templates.collect::<Value>(),
            error => own.and_then(|typed| typed.violation.as_ref()).map(|violation| page.words(violation)),
            value => own.map_or("", |typed| typed.text.as_str()),
        }
    };
    offered.map(step).collect()
}

fn case_page(page: &OfficerPage<'_>, file: &CaseFile, typed: Option<&Typed<'_>>) -> Response {
    let now = page.app.services.clock.now();
    let audience = Audience::officer(page.lang);
    let wrong = typed.and_then(|typed| Some((typed.step, typed.violation.as_ref()?)));
    let errors = wrong.map(|(step, violation)| {
        context! { id => format!("{step}-text"), message => page.words(violation) }
    });
    let total = file.usage.total();
    let names = HashMap::new();
    let compared = differences(page.lang, file, now).map(|all| {
        all.into_iter().map(|one| context! { field => one.name, is => one.is, asked => one.asked })
    });
    let with = context! {
        case => shown::case(&file.application, &file.history, audience, now),
        version => file.version, days_left => file.days_left,
        compared => compared.map(Iterator::collect::<Value>),
        card_status => file.card_today.map(shown::card_status),
        registered => shown::registered(&file.registered, &file.application.company_name),
        access => file.organisation.as_ref().map_or("none", |o| o.access.as_str()),
        former => file.former.iter().map(|case| shown::case(case, &[], audience, now)).collect::<Value>(),
        notices => file.notices.iter().map(|read| notice(read, &names, now)).collect::<Value>(),
        usage => context! {
            queries => total.queries(), wrong => total.wrong(), lock_outs => total.lock_outs(),
            refused => total.refused(),
        },
        steps => steps(page, file, typed),
        errors => errors.into_iter().collect::<Value>(),
    };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page.show(status, "officer/case.html", with)
}

/// The template that the address asks for, filled in for the case.
fn template<'t>(file: &'t CaseFile, id: &str) -> Option<Typed<'t>> {
    let found = file.templates.iter().find(|template| template.value.id.to_string() == id)?;
    let text = found.value.filled(&file.application);
    let proposes = file.steps.contains(&Action::ProposeApproval);
    let step = match found.value.used_for.as_str() {
        "approve" if proposes => "propose-approval",
        step => step,
    };
    Some(Typed { step, text, violation: None })
}

/// The note that was proposed stands in the second officer's field.
fn proposed(file: &CaseFile) -> Option<Typed<'static>> {
    let proposal = file.application.state.proposal()?;
    let text = proposal.note.as_ref()?.as_str().to_owned();
    Some(Typed { step: "approve", text, violation: None })
}

/// `?template=` puts that template's text into its step's field.
#[handler]
pub(crate) async fn show_case(
    page: OfficerPage<'_>,
    Path(id): Path<String>,
    Query(query): Query<FormValues>,
) -> poem::Result<Response> {
    open(&page, &id, value(&query, "template"), None).await
}

async fn open(
    page: &OfficerPage<'_>,
    id: &str,
    chosen: &str,
    typed: Option<Typed<'_>>,
) -> poem::Result<Response> {
    let id = Uuid::try_parse(id).map_err(|_| page.not_found("/officer"))?;
    let file = page.app.services.read_cases.case(&page.officer, ApplicationId(id)).await;
    let file = page.or_problem(file, "/officer")?;
    let typed = typed.or_else(|| template(&file, chosen)).or_else(|| proposed(&file));
    Ok(case_page(page, &file, typed.as_ref()))
}

/// A text that may be left out.
fn noted(typed: &str) -> Result<Option<Reason>, Violation> {
    if typed.is_empty() { Ok(None) } else { Reason::parse(typed).map(Some) }
}

/// The step that a form asks for; `None` for a name that is no step.
fn command(step: &str, typed: &str) -> Option<Result<ReviewCommand, Violation>> {
    let (_, action) = PATHS.iter().find(|(name, _)| *name == step)?;
    Some(match action {
        Action::Claim => Ok(ReviewCommand::Claim),
        Action::Release => Ok(ReviewCommand::Release),
        Action::RequestClarification => {
            Narrative::parse(typed).map(|question| ReviewCommand::RequestClarification { question })
        }
        Action::ProposeApproval => noted(typed).map(|note| ReviewCommand::ProposeApproval { note }),
        Action::Approve => noted(typed).map(|note| ReviewCommand::Approve { note }),
        Action::ReturnToReview => noted(typed).map(|reason| ReviewCommand::ReturnToReview { reason }),
        Action::Reject => Reason::parse(typed).map(|reason| ReviewCommand::Reject { reason }),
        _ => return None,
    })
}

/// A step that was asked for, in good order.
struct Asked {
    case: ApplicationId,
    version: i64,
    command: ReviewCommand,
    text: String,
}

/// Reads a form; what is not in order is answered at once.
async fn asked(page: &OfficerPage<'_>, (id, step): (&str, &str), form: &FormValues) -> poem::Result<Asked> {
    let text = text(form, "text");
    let (Ok(case), Some(command), Ok(version)) =
        (Uuid::try_parse(id), command(step, &text), value(form, "version").parse::<i64>())
    else {
        return Err(page.not_found("/officer"));
    };
    match command {
        Ok(command) => Ok(Asked { case: ApplicationId(case), version, command, text }),
        Err(violation) => {
            let violation = Some(FieldViolation { pointer: "/text".to_owned(), violation });
            let again = open(page, id, "", Some(Typed { step, text, violation })).await?;
            Err(poem::Error::from_response(again))
        }
    }
}

#[handler]
pub(crate) async fn take_step(
    page: OfficerPage<'_>,
    Path((id, step)): Path<(String, String)>,
    PostedForm(form): PostedForm,
) -> poem::Result<Response> {
    let home = format!("/officer/applications/{id}");
    let asked = asked(&page, (&id, &step), &form).await?;
    let review = &page.app.services.review;
    let taken = review.execute(&page.officer, asked.case, Some(asked.version), &asked.command).await;
    page.or_problem(taken, &home)?;
    Ok(see_other(&home))
}

/// Shows the mail that a step would send, with a button that takes the step as it is.
#[handler]
pub(crate) async fn preview(
    page: OfficerPage<'_>,
    Path((id, step)): Path<(String, String)>,
    PostedForm(form): PostedForm,
) -> poem::Result<Response> {
    let asked = asked(&page, (&id, &step), &form).await?;
    let review = &page.app.services.review;
    let preview = review.preview(&page.officer, asked.case, asked.version, &asked.command).await;
    let preview = page.or_problem(preview, &format!("/officer/applications/{id}"))?;
    let mail = context! {
        to => preview.to.as_str(), subject => preview.text.subject, plain => preview.text.plain,
    };
    let with = context! { id, step, version => asked.version, text => asked.text, mail };
    Ok(page.show(StatusCode::OK, "officer/preview.html", with))
}
