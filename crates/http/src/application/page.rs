//! One case and the steps of its review.

use std::collections::HashMap;

use idcheck_domain::{
    Violation,
    access::Access,
    application::{Action, ApplicationId},
    value::{Narrative, Reason},
};
use idcheck_usecases::{
    FieldViolation, Refusal,
    application::{CaseFile, Preview, ReviewCommand},
    ports::Task,
};
use minijinja::{Value, context};
use poem::{Response, handler, http::StatusCode, web::Path};
use uuid::Uuid;

use crate::{
    application::{
        difference::differences,
        show::{self as shown, Audience},
    },
    attachment,
    kernel::{
        officer_page::OfficerPage,
        page::{FormValues, PostedForm, see_other, text, value},
        problem::Problem,
        view::moment,
    },
    organisation::page::notice,
};

/// What is decided in the panel beside a case, with a text: by the names in its form, in the order in which they are offered.
const DECISIONS: [(&str, Action); 5] = [
    ("approve", Action::Approve),
    ("propose-approval", Action::ProposeApproval),
    ("clarification", Action::RequestClarification),
    ("reject", Action::Reject),
    ("return-to-review", Action::ReturnToReview),
];
pub(crate) const STEPS: [&str; 3] = ["claim", "release", "decide"];
/// What a button of the panel asks for instead of the decision itself.
const PREVIEW: &str = "preview";
const TEMPLATE: &str = "template:";

/// The panel as it was sent, or as it opens.
#[derive(Default)]
struct Panel {
    step: String,
    text: String,
    /// What is wrong with the text.
    violation: Option<FieldViolation>,
    /// Why nothing was done.
    refused: Option<Problem>,
    /// The mail that would be sent.
    preview: Option<Preview>,
}

/// The templates of a step; a proposal is begun with those of the approval that it is for.
fn used_for(step: &str) -> &str {
    if step == "propose-approval" { "approve" } else { step }
}

/// The decisions that can be offered, each with its templates.
fn decisions(file: &CaseFile) -> Value {
    let offered = DECISIONS.iter().filter(|(_, action)| file.steps.contains(action));
    let decision = |(name, _): &(&'static str, Action)| {
        let templates = file.templates.iter().map(|template| &template.value);
        let templates =
            templates.filter(|template| template.in_use && template.used_for.as_str() == used_for(name));
        let templates =
            templates.map(|one| context! { id => one.id.to_string(), title => one.title.as_str() });
        context! {
            name => *name, templates => templates.collect::<Value>(),
        }
    };
    offered.map(decision).collect()
}

/// The cases before and after this one on the officer's worklist.
async fn neighbours(page: &OfficerPage<'_>, id: ApplicationId) -> (Option<String>, Option<String>) {
    let Ok(work) = page.app.services.worklist.execute(&page.officer).await else { return (None, None) };
    let cases = work.items.into_iter().filter_map(|item| match item.task {
        Task::Case { id, .. } => Some(id),
        _ => None,
    });
    let cases: Vec<_> = cases.collect();
    let here = cases.iter().position(|case| *case == id);
    let link = |case: &ApplicationId| format!("/officer/applications/{case}");
    let before = here.and_then(|here| cases.get(here.checked_sub(1)?)).map(link);
    // Of a case that waits no more the first that does is next.
    let next = cases.get(here.map_or(0, |here| here + 1)).map(link);
    (before, next)
}

async fn case_page(page: &OfficerPage<'_>, file: &CaseFile, panel: &Panel) -> poem::Result<Response> {
    let now = page.app.services.clock.now();
    let audience = Audience::officer(page.lang);
    let errors =
        panel.violation.as_ref().map(|violation| context! { id => "text", message => page.words(violation) });
    let total = file.usage.total();
    let names = HashMap::new();
    let compared = differences(page.lang, file, now).map(|all| {
        all.into_iter().map(|one| context! { field => one.name, is => one.is, asked => one.asked })
    });
    let case = &file.application;
    let (before, next) = neighbours(page, case.id).await;
    let files = attachment::page::listed(page, &attachment::of_case(case), "/officer").await?;
    let asked = decisions(file);
    let mail = panel.preview.as_ref().map(|preview| {
        context! { to => preview.to.as_str(), subject => &preview.text.subject, plain => &preview.text.plain }
    });
    let refused = panel.refused.as_ref();
    let with = context! {
        case => shown::case(case, &file.history, audience, now),
        consent => context! {
            notice => case.consent.notice_version(), conduct => case.consent.conduct_version(),
            given_at => moment(case.consent.given_at()),
        },
        version => file.version, days_left => file.days_left,
        compared => compared.map(Iterator::collect::<Value>),
        card_status => file.card_today.map(shown::card_status),
        registered => shown::registered(&file.registered, &case.company_name),
        access => file.organisation.as_ref().map_or("none", |o| o.access.as_str()),
        ground => file.organisation.as_ref().and_then(|held| ground(&held.access)),
        plan => file.plans.first().map(|plan| context! {
            text => plan.value.plan.as_str(), filed_at => moment(plan.value.filed_at),
        }),
        former_access => file.former_access.as_ref().map(Access::as_str),
        former => file.former.iter().map(|case| shown::case(case, &[], audience, now)).collect::<Value>(),
        notices => file.notices.iter().map(|read| notice(read, &names, now)).collect::<Value>(),
        open_notices => file.notices.iter().filter(|read| read.value.state.is_open()).map(|_| 1).sum::<u32>(),
        usage => context! {
            queries => total.queries(), wrong => total.wrong(), lock_outs => total.lock_outs(),
            refused => total.refused(), share => share(total.wrong(), total.queries()),
        },
        claims => file.steps.contains(&Action::Claim), releases => file.steps.contains(&Action::Release),
        decisions => asked, step => &panel.step, text => &panel.text, mail,
        error => errors.as_ref().map(|error| error.get_attr("message").unwrap_or_default()),
        refused => refused.map(|problem| problem.told(page.lang)).map(|told| {
            context! { title => told.title, detail => told.detail }
        }),
        errors => errors.into_iter().collect::<Value>(),
        before, next, files,
    };
    let status = match (refused, &panel.violation) {
        (Some(problem), _) => problem.status(),
        (None, Some(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        (None, None) => StatusCode::OK,
    };
    Ok(page.show(status, "officer/case.html", with))
}

/// Why access was revoked.
const fn ground(access: &Access) -> Option<&'static str> {
    match access {
        Access::Revoked { ground, .. } => Some(ground.as_str()),
        Access::None | Access::Active { .. } | Access::Suspended { .. } => None,
    }
}

/// Per mille of so many, as a percentage with one digit.
fn share(part: u64, all: u64) -> Option<String> {
    let mille = (part * 1000 + all / 2).checked_div(all)?;
    Some(format!("{}.{}", mille / 10, mille % 10))
}

/// The case with its panel as it opens: the note that was proposed stands in the second officer's field.
#[handler]
pub(crate) async fn show_case(page: OfficerPage<'_>, Path(id): Path<String>) -> poem::Result<Response> {
    let id = Uuid::try_parse(&id).map_err(|_| page.not_found("/officer"))?;
    let file = read(&page, ApplicationId(id)).await?;
    let proposed = file.application.state.proposal().and_then(|proposal| proposal.note.as_ref());
    let text = proposed.map(|note| note.as_str().to_owned()).unwrap_or_default();
    case_page(&page, &file, &Panel { text, ..Panel::default() }).await
}

async fn read(page: &OfficerPage<'_>, id: ApplicationId) -> poem::Result<CaseFile> {
    page.or_problem(page.app.services.read_cases.case(&page.officer, id).await, "/officer")
}

/// A text that may be left out.
fn noted(typed: &str) -> Result<Option<Reason>, Violation> {
    if typed.is_empty() { Ok(None) } else { Reason::parse(typed).map(Some) }
}

/// The decision that the panel asks for; `None` for a name that is none.
fn command(step: &str, typed: &str) -> Option<Result<ReviewCommand, Violation>> {
    let (_, action) = DECISIONS.iter().find(|(name, _)| *name == step)?;
    Some(match action {
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

/// A template's text, below what was typed.
fn with_template(file: &CaseFile, id: &str, panel: Panel) -> Panel {
    let Some(found) = file.templates.iter().find(|template| template.value.id.to_string() == id) else {
        return panel;
    };
    let added = found.value.filled(&file.application);
    let text = if panel.text.is_empty() { added } else { format!("{}\n{added}", panel.text) };
    let belongs = used_for(&panel.step) == found.value.used_for.as_str();
    let step = if belongs { panel.step } else { found.value.used_for.as_str().to_owned() };
    Panel { step, text, ..Panel::default() }
}

/// What the panel asks for: a template, a preview, or the decision. Whatever comes of it, what was typed stays.
async fn decide(page: &OfficerPage<'_>, id: ApplicationId, form: &FormValues) -> poem::Result<Response> {
    let panel = Panel { step: value(form, "step").to_owned(), text: text(form, "text"), ..Panel::default() };
    let go = value(form, "go");
    let version = value(form, "version").parse::<i64>();
    let again = async |panel: Panel| {
        let file = read(page, id).await?;
        let panel = match go.strip_prefix(TEMPLATE) {
            Some(template) => with_template(&file, template, panel),
            None => panel,
        };
        // The form is given the version that is shown: whoever read another one is told, whatever was asked for.
        let stale = panel.refused.is_none() && version.as_ref() != Ok(&file.version);
        let refused = if stale { Some(Refusal::Stale.into()) } else { panel.refused };
        case_page(page, &file, &Panel { refused, ..panel }).await
    };
    if go.starts_with(TEMPLATE) {
        return again(panel).await;
    }
    let (Some(command), Ok(version)) = (command(&panel.step, &panel.text), version.clone()) else {
        return Err(page.not_found("/officer"));
    };
    let command = match command {
        Ok(command) => command,
        Err(violation) => {
            let violation = Some(FieldViolation { pointer: "/text".to_owned(), violation });
            return again(Panel { violation, ..panel }).await;
        }
    };
    let review = &page.app.services.review;
    if go == PREVIEW {
        return match review.preview(&page.officer, id, version, &command).await {
            Ok(preview) => again(Panel { preview: Some(preview), ..panel }).await,
            Err(refusal) => refused(page, refusal, panel, again).await,
        };
    }
    match review.execute(&page.officer, id, Some(version), &command).await {
        Ok(_) => Ok(see_other(&format!("/officer/applications/{id}"))),
        Err(refusal) => refused(page, refusal, panel, again).await,
    }
}

/// What is refused is told above the panel; to whom the case may not be shown, on a page of its own.
async fn refused(
    page: &OfficerPage<'_>,
    refusal: Refusal,
    panel: Panel,
    again: impl AsyncFnOnce(Panel) -> poem::Result<Response>,
) -> poem::Result<Response> {
    if matches!(refusal, Refusal::Forbidden | Refusal::Unknown) {
        return page.or_problem(Err(refusal), "/officer");
    }
    again(Panel { refused: Some(refusal.into()), ..panel }).await
}

/// What a form answered has no address of its own: whoever loads it anew, or in the other language, is at the case.
#[handler]
pub(crate) fn back(_: OfficerPage<'_>, Path((id, _)): Path<(String, String)>) -> Response {
    see_other(&format!("/officer/applications/{id}"))
}

#[handler]
pub(crate) async fn take_step(
    page: OfficerPage<'_>,
    Path((id, step)): Path<(String, String)>,
    PostedForm(form): PostedForm,
) -> poem::Result<Response> {
    let home = format!("/officer/applications/{id}");
    let id = ApplicationId(Uuid::try_parse(&id).map_err(|_| page.not_found("/officer"))?);
    let command = match step.as_str() {
        "claim" => ReviewCommand::Claim,
        "release" => ReviewCommand::Release,
        "decide" => return decide(&page, id, &form).await,
        _ => return Err(page.not_found("/officer")),
    };
    let version = value(&form, "version").parse().map_err(|_| page.not_found("/officer"))?;
    page.or_problem(
        page.app.services.review.execute(&page.officer, id, Some(version), &command).await,
        &home,
    )?;
    Ok(see_other(&home))
}
