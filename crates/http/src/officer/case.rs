//! One case and the steps of its review.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use idcheck_domain::{
    Violation,
    application::{ApplicationId, State, StateName},
    officer::{Permission, permits},
    template::ReasonTemplate,
    value::{Narrative, Reason},
};
use idcheck_usecases::{
    FieldViolation,
    ports::{Officer, Versioned},
    review::{CaseFile, ReviewCommand},
};
use minijinja::{Value, context};
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Form, Path, Query},
};
use uuid::Uuid;

use super::{officer, organisation::notice};
use crate::{
    case::{Beside, differences},
    page::{FormValues, Opener, Page, see_other, value},
    problem::Problem,
    show::{self as shown, Audience},
};

/// The steps by their names in the path; what is not named here is no step.
pub(super) const STEPS: [&str; 5] = ["claim", "release", "clarification", "approve", "reject"];
/// Those that take no text.
const WITHOUT_TEXT: [&str; 2] = ["claim", "release"];

/// The steps that a state may admit; whether it does is decided with the step. An open question bars a rejection until its time
/// is over.
fn possible(state: &State, now: DateTime<Utc>) -> &'static [&'static str] {
    if state.due().is_some_and(|due| state.name() == StateName::ClarificationRequested && !due.is_over(now)) {
        return &[];
    }
    match state.name() {
        StateName::Received => &["claim"],
        StateName::UnderReview => &["claim", "release", "clarification", "approve", "reject"],
        StateName::ClarificationRequested => &["reject"],
        StateName::Approved | StateName::Rejected | StateName::Withdrawn => &[],
    }
}

/// A text that stands in a step's field when the page opens: of a template, or typed before, and then perhaps wrong.
struct Typed<'t> {
    step: &'t str,
    text: String,
    violation: Option<FieldViolation>,
}

type Templates = [Versioned<ReasonTemplate>];

/// The steps that can be offered, each with its templates and what stands in its field.
fn steps(page: &Page<'_>, file: &CaseFile, templates: &Templates, typed: Option<&Typed<'_>>) -> Value {
    let possible = possible(&file.application.state, page.app.services.clock.now());
    let offered = STEPS.iter().filter(|name| possible.contains(name));
    let step = |name: &&str| {
        let own = typed.filter(|typed| typed.step == *name);
        let templates = templates.iter().map(|template| &template.value);
        let templates = templates.filter(|template| template.in_use && template.used_for.as_str() == *name);
        let templates =
            templates.map(|one| context! { id => one.id.to_string(), title => one.title.as_str() });
        context! {
            name => *name, text => !WITHOUT_TEXT.contains(name), templates => templates.collect::<Value>(),
            error => own.and_then(|typed| typed.violation.as_ref()).map(|violation| page.words(violation)),
            value => own.map_or("", |typed| typed.text.as_str()),
        }
    };
    offered.map(step).collect()
}

fn case_page(
    page: &Page<'_>,
    officer: &Officer,
    file: &CaseFile,
    (beside, templates): (&Beside, &Templates),
    typed: Option<&Typed<'_>>,
) -> Response {
    let now = page.app.services.clock.now();
    let wrong = typed.and_then(|typed| Some((typed.step, typed.violation.as_ref()?)));
    let errors = wrong.map(|(step, violation)| {
        context! { id => format!("{step}-text"), message => page.words(violation) }
    });
    let total = beside.usage.total();
    let names = HashMap::new();
    let compared = differences(page.lang, file, now).map(|all| {
        all.into_iter().map(|one| context! { field => one.name, is => one.is, asked => one.asked })
    });
    let with = context! {
        officer => &officer.username,
        case => shown::case(&file.application, &file.history, Audience::officer(page.lang), now),
        version => file.version, days_left => beside.days_left,
        compared => compared.map(Iterator::collect::<Value>),
        card_status => file.card_today.map(shown::card_status),
        registered => shown::registered(&beside.registered, &file.application.company_name),
        access => file.organisation.as_ref().map_or("none", |o| o.access.as_str()),
        former => file.former.iter().map(|case| shown::case(case, &[], Audience::officer(page.lang), now)).collect::<Value>(),
        notices => file.notices.iter().map(|read| notice(read, &names, now)).collect::<Value>(),
        usage => context! {
            queries => total.queries(), wrong => total.wrong(), lock_outs => total.lock_outs(),
            refused => total.refused(),
        },
        may_review => permits(officer.role, Permission::ReviewCases),
        steps => steps(page, file, templates, typed),
        errors => errors.into_iter().collect::<Value>(),
    };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page.show(status, "officer/case.html", Opener::Isolated, with)
}

/// The template that the address asks for, filled in for the case.
fn template<'t>(file: &CaseFile, templates: &'t Templates, id: &str) -> Option<Typed<'t>> {
    let found = templates.iter().find(|template| template.value.id.to_string() == id)?;
    let text = found.value.filled(&file.application);
    Some(Typed { step: found.value.used_for.as_str(), text, violation: None })
}

/// `?template=` puts that template's text into its step's field.
#[handler]
pub(super) async fn show_case(
    request: &Request,
    Path(id): Path<String>,
    Query(query): Query<FormValues>,
) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    Ok(open(&page, &officer, &id, value(&query, "template"), None).await)
}

async fn open(
    page: &Page<'_>,
    officer: &Officer,
    id: &str,
    chosen: &str,
    typed: Option<Typed<'_>>,
) -> Response {
    let Ok(id) = Uuid::try_parse(id) else { return page.problem(&Problem::not_found(), "/officer") };
    let file = match page.app.services.read_cases.case(officer, ApplicationId(id)).await {
        Ok(file) => file,
        Err(refusal) => return page.problem(&refusal.into(), "/officer"),
    };
    let services = &page.app.services;
    let read = async {
        let beside = Beside::read(services, &file).await?;
        Ok::<_, Problem>((beside, services.templates.list(officer).await?))
    };
    match read.await {
        Ok((beside, templates)) => {
            let typed = typed.or_else(|| template(&file, &templates, chosen));
            case_page(page, officer, &file, (&beside, &templates), typed.as_ref())
        }
        Err(problem) => page.problem(&problem, "/officer"),
    }
}

/// The step that a form asks for; `None` for a name that is no step.
fn command(step: &str, typed: &str) -> Option<Result<ReviewCommand, Violation>> {
    let reason = || if typed.is_empty() { Err(Violation::Required) } else { Reason::parse(typed) };
    let narrative = || if typed.is_empty() { Err(Violation::Required) } else { Narrative::parse(typed) };
    if !STEPS.contains(&step) {
        return None;
    }
    Some(match step {
        "claim" => Ok(ReviewCommand::Claim),
        "release" => Ok(ReviewCommand::Release),
        "clarification" => narrative().map(|question| ReviewCommand::RequestClarification { question }),
        "approve" if typed.is_empty() => Ok(ReviewCommand::Approve { note: None }),
        "approve" => Reason::parse(typed).map(|note| ReviewCommand::Approve { note: Some(note) }),
        "reject" => reason().map(|reason| ReviewCommand::Reject { reason }),
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
async fn asked(
    page: &Page<'_>,
    officer: &Officer,
    (id, step): (&str, &str),
    form: &FormValues,
) -> Result<Asked, Response> {
    if !page.ours(form) {
        return Err(page.foreign("/officer"));
    }
    let text = value(form, "text").replace("\r\n", "\n").trim().to_owned();
    let (Ok(case), Some(command), Ok(version)) =
        (Uuid::try_parse(id), command(step, &text), value(form, "version").parse::<i64>())
    else {
        return Err(page.problem(&Problem::not_found(), "/officer"));
    };
    match command {
        Ok(command) => Ok(Asked { case: ApplicationId(case), version, command, text }),
        Err(violation) => {
            let violation = Some(FieldViolation { pointer: "/text".to_owned(), violation });
            Err(open(page, officer, id, "", Some(Typed { step, text, violation })).await)
        }
    }
}

#[handler]
pub(super) async fn take_step(
    request: &Request,
    Path((id, step)): Path<(String, String)>,
    Form(form): Form<FormValues>,
) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let home = format!("/officer/applications/{id}");
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    let asked = match asked(&page, &officer, (&id, &step), &form).await {
        Ok(asked) => asked,
        Err(response) => return Ok(response),
    };
    let services = &page.app.services;
    match services.review.execute(&officer, asked.case, Some(asked.version), &asked.command).await {
        Ok(_) => Ok(see_other(&home)),
        Err(refusal) => Ok(page.problem(&refusal.into(), &home)),
    }
}

/// Shows the mail that a step would send, with a button that takes the step as it is.
#[handler]
pub(super) async fn preview(
    request: &Request,
    Path((id, step)): Path<(String, String)>,
    Form(form): Form<FormValues>,
) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    let asked = match asked(&page, &officer, (&id, &step), &form).await {
        Ok(asked) => asked,
        Err(response) => return Ok(response),
    };
    let services = &page.app.services;
    match services.review.preview(&officer, asked.case, asked.version, &asked.command).await {
        Ok(mail) => {
            let composed = services.composer.compose(&mail.message);
            let with = context! {
                officer => &officer.username, id, step, version => asked.version, text => asked.text,
                mail => context! { to => mail.to.as_str(), subject => composed.subject, plain => composed.plain },
            };
            Ok(page.show(StatusCode::OK, "officer/preview.html", Opener::Isolated, with))
        }
        Err(refusal) => Ok(page.problem(&refusal.into(), &format!("/officer/applications/{id}"))),
    }
}
