//! One case and the steps of its review.

use idcheck_domain::{
    Violation,
    application::{ApplicationId, StateName},
    company::CompanyRecord,
    officer::{Permission, permits},
    value::{Narrative, Reason},
};
use idcheck_usecases::{
    FieldViolation,
    ports::{Officer, RegisterError},
    review::{CaseFile, ReviewCommand},
};
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
    show::{self as shown, Reader},
};

/// The steps by their names in the path, and whether each takes a text.
const STEPS: [(&str, bool); 5] =
    [("claim", false), ("release", false), ("clarification", true), ("approve", true), ("reject", true)];

/// The steps that a state may admit; whether it does is decided with the step.
const fn possible(state: StateName) -> &'static [&'static str] {
    match state {
        StateName::Received => &["claim"],
        StateName::UnderReview => &["claim", "release", "clarification", "approve", "reject"],
        StateName::ClarificationRequested => &["reject"],
        StateName::Approved | StateName::Rejected | StateName::Withdrawn => &[],
    }
}

/// A step whose text breaks a rule, with the text.
struct Refused<'t> {
    step: &'t str,
    typed: &'t str,
    violation: FieldViolation,
}

/// What the company register says about the applicant.
type Registered = Result<Option<CompanyRecord>, RegisterError>;

fn case_page(
    page: &Page<'_>,
    officer: &Officer,
    (file, registered): (&CaseFile, &Registered),
    refused: Option<&Refused<'_>>,
) -> Response {
    let now = page.app.services.clock.now();
    let possible = possible(file.application.state.name());
    let steps = STEPS.iter().filter(|(name, _)| possible.contains(name)).map(|(name, text)| {
        let own = refused.filter(|refused| refused.step == *name);
        context! {
            name => *name, text => *text,
            error => own.map(|refused| page.words(&refused.violation)),
            value => own.map_or("", |refused| refused.typed),
        }
    });
    let errors = refused.map(|refused| {
        context! { id => format!("{}-text", refused.step), message => page.words(&refused.violation) }
    });
    let others = file.former.iter().map(|case| shown::case(case, &[], Reader::Officer, now));
    let with = context! {
        officer => &officer.username,
        case => shown::case(&file.application, &file.history, Reader::Officer, now),
        version => file.version,
        card_status => file.card_today.map(shown::card_status),
        registered => shown::registered(registered, &file.application.company_name),
        access => file.organisation.as_ref().map_or("none", |o| o.access.as_str()),
        former => others.collect::<Value>(),
        may_review => permits(officer.role, Permission::ReviewCases),
        steps => steps.collect::<Value>(),
        errors => errors.into_iter().collect::<Value>(),
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page.show(status, "officer/case.html", Opener::Isolated, with)
}

#[handler]
pub(super) async fn show_case(request: &Request, Path(id): Path<String>) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    Ok(open(&page, &officer, &id, None).await)
}

async fn open(page: &Page<'_>, officer: &Officer, id: &str, refused: Option<&Refused<'_>>) -> Response {
    let Ok(id) = Uuid::try_parse(id) else { return page.problem(&Problem::not_found(), "/officer") };
    match page.app.services.read_cases.case(officer, ApplicationId(id)).await {
        Ok(file) => {
            let registered = page.app.services.sweeps.registered(file.application.ubn).await;
            case_page(page, officer, (&file, &registered), refused)
        }
        Err(refusal) => page.problem(&refusal.into(), "/officer"),
    }
}

/// The step that a form asks for; `None` for a name that is no step.
fn command(step: &str, typed: &str) -> Option<Result<ReviewCommand, Violation>> {
    let reason = || if typed.is_empty() { Err(Violation::Required) } else { Reason::parse(typed) };
    let narrative = || if typed.is_empty() { Err(Violation::Required) } else { Narrative::parse(typed) };
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
    if !page.ours(&form) {
        return Ok(page.foreign("/officer"));
    }
    let typed = value(&form, "text").replace("\r\n", "\n");
    let typed = typed.trim();
    let (Ok(case), Some(command), Ok(version)) =
        (Uuid::try_parse(&id), command(&step, typed), value(&form, "version").parse::<i64>())
    else {
        return Ok(page.problem(&Problem::not_found(), "/officer"));
    };
    let command = match command {
        Ok(command) => command,
        Err(violation) => {
            let violation = FieldViolation { pointer: "/text".to_owned(), violation };
            let refused = Refused { step: &step, typed, violation };
            return Ok(open(&page, &officer, &id, Some(&refused)).await);
        }
    };
    let services = &page.app.services;
    match services.review.execute(&officer, ApplicationId(case), Some(version), &command).await {
        Ok(_) => {
            services.refresh.refresh().await;
            Ok(see_other(&home))
        }
        Err(refusal) => Ok(page.problem(&refusal.into(), &home)),
    }
}
