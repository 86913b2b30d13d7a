//! The yearly sweep: begin it, and its worklist.

use idcheck_domain::{
    Violation,
    company::{Finding, Sweep, SweepId, SweepItem},
    officer::{OfficerId, Permission, permits},
    value::{Reason, UnifiedBusinessNumber},
};
use idcheck_usecases::Refusal;
use idcheck_usecases::{
    FieldViolation,
    casework::{OfficerNames, SweepFile, SweptBy},
    ports::Officer,
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
    view::moment,
};

const HOME: &str = "/officer/sweeps";

fn name(names: &OfficerNames, id: Option<OfficerId>) -> Option<&String> {
    id.and_then(|id| names.get(&id))
}

fn sweep(sweep: &Sweep, names: &OfficerNames) -> Value {
    context! {
        id => sweep.id.to_string(), begun_at => moment(sweep.begun_at), begun_by => name(names, sweep.begun_by),
        register_of => sweep.register_of.map(moment),
    }
}

fn item(item: &SweepItem, names: &OfficerNames) -> Value {
    let ruling = item.outcome.ruling();
    context! {
        ubn => item.ubn.to_string(), name => item.name.as_str(), waits => item.waits(),
        finding => item.finding.as_ref().map(Finding::as_str),
        detail => item.finding.as_ref().and_then(Finding::detail),
        revocable => item.finding.as_ref().and_then(Finding::reason).is_some(),
        outcome => item.outcome.as_str(),
        decided_by => name(names, ruling.map(|ruling| ruling.by)),
        decided_at => ruling.map(|ruling| moment(ruling.at)),
        note => ruling.and_then(|ruling| ruling.note.as_ref()).map(Reason::as_str),
    }
}

#[handler]
pub(super) async fn list(request: &Request) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    let services = &page.app.services;
    let read = async {
        let sweeps = services.sweeps.list(&officer).await?;
        Ok::<_, Refusal>((sweeps, services.organisations.names().await?))
    };
    let (sweeps, names) = match read.await {
        Ok(read) => read,
        Err(refusal) => return Ok(page.problem(&refusal.into(), "/officer")),
    };
    let with = context! {
        officer => &officer.username,
        may_begin => permits(officer.role, Permission::GovernAccess),
        sweeps => sweeps.iter().map(|one| sweep(one, &names)).collect::<Value>(),
    };
    Ok(page.show(StatusCode::OK, "officer/sweeps.html", Opener::Isolated, with))
}

#[handler]
pub(super) async fn begin(request: &Request, Form(form): Form<FormValues>) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    if !page.ours(&form) {
        return Ok(page.foreign(HOME));
    }
    match page.app.services.sweeps.begin(SweptBy::Officer(&officer)).await {
        Ok(begun) => Ok(see_other(&format!("{HOME}/{}", begun.id))),
        Err(refusal) => Ok(page.problem(&refusal.into(), HOME)),
    }
}

/// A reason that breaks a rule, and whose.
struct Refused<'t> {
    ubn: &'t str,
    typed: &'t str,
    violation: FieldViolation,
}

fn worklist_page(
    page: &Page<'_>,
    officer: &Officer,
    file: &SweepFile,
    refused: Option<&Refused<'_>>,
) -> Response {
    let names = &file.officers;
    let (waiting, rest): (Vec<_>, Vec<_>) =
        file.items.iter().map(|read| &read.value).partition(|item| item.waits());
    let shown = |items: &[&SweepItem]| items.iter().map(|one| item(one, names)).collect::<Value>();
    let counts = ["matches", "nameDiffers", "notFound", "dissolved"]
        .map(|word| context! { word, count => file.found(word) });
    let message = refused.map(|refused| page.words(&refused.violation)).unwrap_or_default();
    let errors =
        refused.map(|refused| context! { id => format!("keep-{}", refused.ubn), message => &message });
    let with = context! {
        officer => &officer.username,
        sweep => sweep(&file.sweep, names),
        counts, unread => file.unread(),
        waiting => shown(&waiting),
        settled => shown(&rest.into_iter().filter(|item| item.outcome.ruling().is_some()).collect::<Vec<_>>()),
        may_keep => permits(officer.role, Permission::GovernAccess),
        may_confirm => permits(officer.role, Permission::Confirm) && file.sweep.begun_by != Some(officer.id),
        own => file.sweep.begun_by == Some(officer.id),
        refused => refused.map(|refused| context! { ubn => refused.ubn, typed => refused.typed, message => &message }),
        errors => errors.into_iter().collect::<Value>(),
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page.show(status, "officer/sweep.html", Opener::Isolated, with)
}

async fn open(page: &Page<'_>, officer: &Officer, id: SweepId, refused: Option<&Refused<'_>>) -> Response {
    match page.app.services.sweeps.file(officer, id).await {
        Ok(file) => worklist_page(page, officer, &file, refused),
        Err(refusal) => page.problem(&refusal.into(), HOME),
    }
}

#[handler]
pub(super) async fn worklist(request: &Request, Path(id): Path<String>) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    match Uuid::try_parse(&id) {
        Ok(id) => Ok(open(&page, &officer, SweepId(id), None).await),
        Err(_) => Ok(page.problem(&Problem::not_found(), HOME)),
    }
}

/// The steps by their names in the path; what is not named here is no step.
pub(super) const STEPS: [&str; 3] = ["confirm-all", "confirm", "keep"];

#[handler]
pub(super) async fn take_step(
    request: &Request,
    Path((id, step)): Path<(String, String)>,
    Form(form): Form<FormValues>,
) -> poem::Result<Response> {
    let page = Page::of(request)?;
    let officer = match officer(&page).await {
        Ok(officer) => officer,
        Err(response) => return Ok(response),
    };
    if !page.ours(&form) {
        return Ok(page.foreign(HOME));
    }
    let Ok(sweep) = Uuid::try_parse(&id).map(SweepId) else {
        return Ok(page.problem(&Problem::not_found(), HOME));
    };
    if !STEPS.contains(&step.as_str()) {
        return Ok(page.problem(&Problem::not_found(), HOME));
    }
    let typed = value(&form, "text").replace("\r\n", "\n");
    let (typed, number) = (typed.trim(), value(&form, "ubn"));
    let sweeps = &page.app.services.sweeps;
    let taken = match (step.as_str(), UnifiedBusinessNumber::parse(number)) {
        ("confirm-all", _) => sweeps.confirm_all(&officer, sweep).await.map(drop),
        ("confirm", Ok(ubn)) => sweeps.confirm(&officer, sweep, ubn).await,
        ("keep", Ok(ubn)) => match Reason::parse(typed) {
            Ok(reason) => sweeps.keep(&officer, sweep, ubn, &reason).await,
            Err(violation) => {
                let violation = if typed.is_empty() { Violation::Required } else { violation };
                let violation = FieldViolation { pointer: "/text".to_owned(), violation };
                let refused = Refused { ubn: number, typed, violation };
                return Ok(open(&page, &officer, sweep, Some(&refused)).await);
            }
        },
        _ => return Ok(page.problem(&Problem::not_found(), HOME)),
    };
    let back = format!("{HOME}/{id}");
    match taken {
        Ok(()) => Ok(see_other(&back)),
        Err(refusal) => Ok(page.problem(&refusal.into(), &back)),
    }
}
