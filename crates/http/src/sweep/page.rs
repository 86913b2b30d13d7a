//! The yearly sweep: begin it, and its worklist.

use idcheck_domain::{
    company::Finding,
    officer::{OfficerId, Permission},
    sweep::{Sweep, SweepId, SweepItem},
    value::{Reason, UnifiedBusinessNumber},
};
use idcheck_usecases::{
    FieldViolation, OfficerNames,
    sweep::{SweepFile, SweptBy},
};
use minijinja::{Value, context};
use poem::{Response, handler, http::StatusCode, web::Path};
use uuid::Uuid;

use crate::kernel::{
    officer_page::OfficerPage,
    page::{PostedForm, see_other, text, value},
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
pub(crate) async fn list(page: OfficerPage<'_>) -> poem::Result<Response> {
    let sweeps = page.or_problem(page.app.services.sweeps.list(&page.officer).await, "/officer")?;
    let with = context! {
        may_begin => page.permits(Permission::GovernAccess),
        sweeps => sweeps.value.iter().map(|one| sweep(one, &sweeps.officers)).collect::<Value>(),
    };
    Ok(page.show(StatusCode::OK, "officer/sweeps.html", with))
}

#[handler]
pub(crate) async fn begin(page: OfficerPage<'_>, _: PostedForm) -> poem::Result<Response> {
    let begun = page.app.services.sweeps.begin(SweptBy::Officer(&page.officer)).await;
    Ok(see_other(&format!("{HOME}/{}", page.or_problem(begun, HOME)?.value.id)))
}

/// A reason that breaks a rule, and whose.
struct Refused<'t> {
    ubn: &'t str,
    typed: &'t str,
    violation: FieldViolation,
}

fn worklist_page(page: &OfficerPage<'_>, file: &SweepFile, refused: Option<&Refused<'_>>) -> Response {
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
        sweep => sweep(&file.sweep, names),
        counts, unread => file.unread(),
        waiting => shown(&waiting),
        settled => shown(&rest.into_iter().filter(|item| item.outcome.ruling().is_some()).collect::<Vec<_>>()),
        may_keep => page.permits(Permission::GovernAccess),
        may_confirm => file.sweep.may_be_confirmed(page.officer.id, page.officer.role),
        own => file.sweep.begun_by == Some(page.officer.id),
        refused => refused.map(|refused| context! { ubn => refused.ubn, typed => refused.typed, message => &message }),
        errors => errors.into_iter().collect::<Value>(),
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page.show(status, "officer/sweep.html", with)
}

async fn open(page: &OfficerPage<'_>, id: SweepId, refused: Option<&Refused<'_>>) -> poem::Result<Response> {
    let file = page.app.services.sweeps.file(&page.officer, id).await;
    Ok(worklist_page(page, &page.or_problem(file, HOME)?, refused))
}

#[handler]
pub(crate) async fn worklist(page: OfficerPage<'_>, Path(id): Path<String>) -> poem::Result<Response> {
    let id = Uuid::try_parse(&id).map_err(|_| page.not_found(HOME))?;
    open(&page, SweepId(id), None).await
}

/// The steps by their names in the path; what is not named here is no step.
pub(crate) const STEPS: [&str; 3] = ["confirm-all", "confirm", "keep"];

#[handler]
pub(crate) async fn take_step(
    page: OfficerPage<'_>,
    Path((id, step)): Path<(String, String)>,
    PostedForm(form): PostedForm,
) -> poem::Result<Response> {
    let sweep = Uuid::try_parse(&id).map(SweepId).map_err(|_| page.not_found(HOME))?;
    let (typed, number) = (text(&form, "text"), value(&form, "ubn"));
    let (sweeps, officer) = (&page.app.services.sweeps, &page.officer);
    let taken = match (step.as_str(), UnifiedBusinessNumber::parse(number)) {
        ("confirm-all", _) => sweeps.confirm_all(officer, sweep).await.map(drop),
        ("confirm", Ok(ubn)) => sweeps.confirm(officer, sweep, ubn).await,
        ("keep", Ok(ubn)) => match Reason::parse(&typed) {
            Ok(reason) => sweeps.keep(officer, sweep, ubn, &reason).await,
            Err(violation) => {
                let violation = FieldViolation { pointer: "/text".to_owned(), violation };
                let refused = Refused { ubn: number, typed: &typed, violation };
                return open(&page, sweep, Some(&refused)).await;
            }
        },
        _ => return Err(page.not_found(HOME)),
    };
    let back = format!("{HOME}/{id}");
    page.or_problem(taken, &back)?;
    Ok(see_other(&back))
}
