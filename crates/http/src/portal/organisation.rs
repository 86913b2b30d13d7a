//! Where an organisation stands (圖8), and what it can do next.

use chrono::{DateTime, Utc};
use idcheck_domain::{
    access::{Access, Ground},
    key::Environment,
    notice::{Notice, NoticeState},
    organisation::Organisation,
    plan::{ImprovementPlan, PlanState},
    value::Reason,
};
use idcheck_usecases::acts::Progress;
use minijinja::{Value, context};
use poem::{
    Response, handler,
    http::{StatusCode, header},
    web::Query,
};

use crate::{
    application::show::{self, Audience},
    kernel::{
        i18n::Lang,
        page::{FormValues, Opener, Page, PostedForm, query_string, see_other, value},
        view::{deadline, moment},
    },
    operations::{Document, Format},
    usage::charts,
};

/// Where the organisation of this browser's session stands; without one the reader is led to a new one.
async fn own(page: &Page<'_>) -> poem::Result<Progress> {
    let progress = match page.own_token() {
        Some(token) => page.app.services.read_own.execute(token).await,
        None => Ok(None),
    };
    let progress = page.or_problem(progress, "/progress")?;
    progress.ok_or_else(|| poem::Error::from_response(see_other("/progress")))
}

/// What is shown while the session lasts.
#[handler]
pub(crate) async fn stands(page: Page<'_>) -> poem::Result<Response> {
    Ok(organisation(&page, &own(&page).await?))
}

/// The operations document, as a page or to be kept.
#[handler]
pub(crate) async fn operations(page: Page<'_>, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let format = Format::parse(value(&query, "format")).ok_or_else(|| page.not_found("/organisation"))?;
    let progress = own(&page).await?;
    let document = Document::of(&progress, &page.app.config.base_url, page.lang);
    let document = document.ok_or_else(|| page.not_found("/organisation"))?;
    if format == Format::Html {
        let with = context! { title => document.title(), html => document.html(), own => true };
        return Ok(page.show(StatusCode::OK, "operations.html", Opener::Isolated, with));
    }
    let name = format!("attachment; filename=\"operations-{}.pdf\"", progress.ubn);
    let response = Response::builder()
        .header(header::CONTENT_TYPE, "application/pdf")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::CONTENT_DISPOSITION, name)
        .body(document.pdf());
    Ok(response)
}

/// Forgets the session in this browser.
#[handler]
pub(crate) fn leave(page: Page<'_>, _: PostedForm) -> Response {
    let mut response = see_other("/progress");
    page.set_cookie(&mut response, Page::OWN_COOKIE, "", "Strict");
    response
}

fn organisation(page: &Page<'_>, progress: &Progress) -> Response {
    let now = progress.queried_at;
    let audience = Audience::applicant(page.lang);
    let cases = progress.cases.iter().map(|c| show::case(&c.application, &c.history, audience, now));
    let with = context! {
        ubn => progress.ubn.to_string(),
        queried_at => moment(now),
        session_ends => moment(progress.session.expires_at),
        organisation => progress.organisation.as_ref().map(|held| held_by(page.lang, held, now)),
        next => next(progress),
        cases => cases.collect::<Value>(),
        notices => progress.notices.iter().map(|notice| told(notice, now)).collect::<Value>(),
        plans => progress.plans.iter().map(plan).collect::<Value>(),
        usage => progress.usage.as_ref().map(charts),
    };
    page.show(StatusCode::OK, "organisation.html", Opener::Isolated, with)
}

fn held_by(lang: Lang, organisation: &Organisation, now: DateTime<Utc>) -> Value {
    let access = &organisation.access;
    context! {
        access_since => access.since().map(moment), access_reason => show::access_reason(lang, access),
        contact => show::contact(&organisation.contact),
        ..show::organisation(organisation, now)
    }
}

/// A notice as its organisation sees it.
fn told(notice: &Notice, now: DateTime<Utc>) -> Value {
    let due = notice.state.due();
    let sendings = notice.sendings.iter().map(|sending| {
        context! {
            message => sending.message.as_str(), sent_at => moment(sending.sent_at), due => deadline(sending.due),
            explanation => sending.explanation.as_ref().map(|(text, _)| text.as_str()),
        }
    });
    context! {
        id => notice.id.to_string(), rule => notice.rule.as_str(), state => notice.state.as_str(),
        waits => matches!(notice.state, NoticeState::Sent { .. }),
        due => due.map(deadline), overdue => due.is_some_and(|due| due.is_over(now)),
        sendings => sendings.collect::<Value>(),
    }
}

fn plan(plan: &ImprovementPlan) -> Value {
    let ruling = plan.state.ruling();
    context! {
        plan => plan.plan.as_str(), state => plan.state.as_str(), filed_at => moment(plan.filed_at),
        note => ruling.and_then(|ruling| ruling.note.as_ref()).map(Reason::as_str),
    }
}

/// A thing to do: the key of its words, and where it is done.
fn step(words: &str, path: &str, with: &[(&str, &str)]) -> Value {
    let query = query_string(with.iter().copied());
    context! { words, href => format!("{path}?{query}") }
}

/// What to do next, the most urgent first; empty when there is nothing to do but wait.
fn next(progress: &Progress) -> Value {
    let ubn = progress.ubn.to_string();
    let mut steps = Vec::new();
    let waiting = |notice: &&Notice| matches!(notice.state, NoticeState::Sent { .. });
    for notice in progress.notices.iter().filter(waiting) {
        let id = notice.id.to_string();
        steps.push(step("next-explain", "/acts/explain", &[("ubn", &ubn), ("/noticeId", &id)]));
    }
    let mut open = false;
    for case in progress.cases.iter().map(|case| &case.application).filter(|case| case.is_open()) {
        open = true;
        for asked in case.clarifications.iter().filter(|asked| asked.answer.is_none()) {
            let (case, asked) = (case.id.to_string(), asked.id.0.to_string());
            let with = [("ubn", &*ubn), ("/applicationId", &case), ("/clarificationId", &asked)];
            steps.push(step("next-answer", "/acts/answerClarification", &with));
        }
    }
    let access = progress.organisation.as_ref().map(|held| &held.access);
    let filed = progress.plans.iter().any(|plan| matches!(plan.state, PlanState::Filed));
    let apply = || step("next-apply", "/apply", &[("ubn", &ubn)]);
    match access {
        Some(Access::Active { .. }) => {
            let keys = progress.organisation.iter().flat_map(|held| &held.keys);
            let mut in_force =
                keys.filter(|key| key.in_force() && key.environment == Environment::Production);
            if in_force.next().is_none() {
                steps.push(step("next-register-key", "/acts/registerKey", &[("ubn", &ubn)]));
            }
            steps.push(step("next-operations", "/organisation/operations-document", &[]));
        }
        Some(Access::Revoked { ground: Ground::Abuse | Ground::Conduct, may_return: false, .. }) => {
            if !filed {
                steps.push(step("next-plan", "/acts/submitImprovementPlan", &[("ubn", &ubn)]));
            }
        }
        Some(Access::Revoked { ground: Ground::NotRegistered, may_return: false, .. }) => {
            steps.push(context! { words => "next-registration" });
        }
        _ if open => {}
        None | Some(Access::None | Access::Suspended { .. } | Access::Revoked { .. }) => steps.push(apply()),
    }
    steps.into_iter().collect()
}
