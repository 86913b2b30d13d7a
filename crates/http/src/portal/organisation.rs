//! Where an organisation stands (圖8), and what it can do next.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    access::{Access, Ground},
    calendar::DueDate,
    key::Environment,
    notice::{Notice, NoticeState},
    organisation::Organisation,
    plan::{ImprovementPlan, PlanState},
    sandbox::{self, Played},
    taipei,
    value::Reason,
};
use idcheck_usecases::{acts::Progress, ports::Used};
use minijinja::{Value, context};
use poem::{
    Response, handler,
    http::{StatusCode, header},
    web::{Path, Query},
};

use crate::{
    application::show::{self, Audience},
    attachment,
    kernel::{
        i18n::Lang,
        page::{FormValues, Opener, Page, PostedForm, query_string, see_other, value},
        view::{deadline, moment},
    },
    operations::{Document, Format},
    portal::webhook,
    usage::charts,
};

/// Where the organisation of this browser's session stands; without one the reader is led to a new one.
pub(crate) async fn own(page: &Page<'_>) -> poem::Result<Progress> {
    let progress = match page.own_token() {
        Some(token) => page.app.services.read_own.execute(token).await,
        None => Ok(None),
    };
    let progress = page.or_problem(progress, "/progress")?;
    progress.ok_or_else(|| poem::Error::from_response(see_other("/progress")))
}

/// What is shown while the session lasts: the overview.
#[handler]
pub(crate) async fn stands(page: Page<'_>) -> poem::Result<Response> {
    let progress = own(&page).await?;
    let owners: Vec<_> = progress.notices.iter().flat_map(attachment::of_notice).collect();
    let files = attachment::page::listed(&page, &owners, "/organisation").await?;
    Ok(shown(&page, "overview", "organisation/overview.html", &progress, context! { files }))
}

/// The other views, by their names.
const VIEWS: [(&str, &str); 4] = [
    ("cases", "organisation/cases.html"),
    ("keys", "organisation/keys.html"),
    ("contact", "organisation/contact.html"),
    ("usage", "organisation/usage.html"),
];

/// `GET /organisation/:view`.
#[handler]
pub(crate) async fn show_view(page: Page<'_>, Path(name): Path<String>) -> poem::Result<Response> {
    let view = VIEWS.iter().find(|(view, _)| *view == name);
    let (view, template) = view.ok_or_else(|| page.not_found("/organisation"))?;
    let progress = own(&page).await?;
    let with = match *view {
        "contact" => context! { webhook => webhook::shown(&page, progress.ubn).await? },
        _ => context! {},
    };
    Ok(shown(&page, view, template, &progress, with))
}

/// `GET /organisation/cases/:number`: one case with its history.
#[handler]
pub(crate) async fn show_case(page: Page<'_>, Path(number): Path<String>) -> poem::Result<Response> {
    let progress = own(&page).await?;
    let case = progress.cases.iter().find(|case| case.application.case_number.as_str() == number);
    let case = case.ok_or_else(|| page.not_found("/organisation/cases"))?;
    let audience = Audience::applicant(page.lang);
    let files = attachment::of_case(&case.application);
    let files = attachment::page::listed(&page, &files, "/organisation/cases").await?;
    let case = show::case(&case.application, &case.history, audience, progress.queried_at);
    Ok(shown(&page, "cases", "organisation/case.html", &progress, context! { case, files }))
}

/// The operations document, as a page or to be kept.
#[handler]
pub(crate) async fn operations(page: Page<'_>, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let format = Format::parse(value(&query, "format")).ok_or_else(|| page.not_found("/organisation"))?;
    let progress = own(&page).await?;
    let document = Document::of(&progress, &page.app.config.base_url, page.lang);
    let document = document.ok_or_else(|| page.not_found("/organisation"))?;
    if format == Format::Html {
        let asked = Environment::parse(value(&query, "environment")).unwrap_or(Environment::Sandbox);
        let document = document.asking_in(asked, &progress);
        let programs = Document::programs().map(|(name, file)| context! { name, file }).collect::<Value>();
        let environment = document.environment().as_str();
        let with = context! { html => document.folded_html(), environment, programs };
        return Ok(shown(&page, "operations", "organisation/operations.html", &progress, with));
    }
    let pdf = document.pdf(Arc::clone(&page.app.config)).await;
    let pdf = page.or_problem(pdf, "/organisation")?;
    let name = format!("attachment; filename=\"operations-{}.pdf\"", progress.ubn);
    let response = Response::builder()
        .header(header::CONTENT_TYPE, "application/pdf")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::CONTENT_DISPOSITION, name)
        .body(pdf);
    Ok(response)
}

/// `GET /organisation/operations-document/programs/:file`: a program that runs as it was downloaded.
#[handler]
pub(crate) async fn program(
    page: Page<'_>,
    Path(file): Path<String>,
    Query(query): Query<FormValues>,
) -> poem::Result<Response> {
    let progress = own(&page).await?;
    let asked = Environment::parse(value(&query, "environment")).unwrap_or(Environment::Sandbox);
    let document = Document::of(&progress, &page.app.config.base_url, page.lang);
    let program = document.and_then(|document| document.asking_in(asked, &progress).program(&file));
    let program = program.ok_or_else(|| page.not_found("/organisation/operations-document"))?;
    let response = Response::builder()
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\""))
        .body(program);
    Ok(response)
}

/// Tries a question in the sandbox: the token is made and signed in the browser, whose private key goes nowhere.
#[handler]
pub(crate) async fn try_out(page: Page<'_>) -> poem::Result<Response> {
    let progress = own(&page).await?;
    let played = sandbox::PLAYED.iter().map(|(number, played)| {
        let words = match played {
            Played::Result(result) => format!("try-result-{}", result.code()),
            Played::Refusal(_) => "try-refusal".to_owned(),
        };
        context! { number => *number, words => page.lang.t(&words) }
    });
    let with =
        context! { numbers => played.collect::<Value>(), environment => Environment::Sandbox.as_str() };
    Ok(shown(&page, "try", "organisation/try.html", &progress, with))
}

/// Forgets the session in this browser.
#[handler]
pub(crate) fn leave(page: Page<'_>, _: PostedForm) -> Response {
    let mut response = see_other("/progress");
    page.set_cookie(&mut response, Page::OWN_COOKIE, "", "Strict");
    response
}

/// A view of the organisation's page, below what all of them begin with.
fn shown(page: &Page<'_>, view: &str, template: &str, progress: &Progress, with: Value) -> Response {
    page.show(
        StatusCode::OK,
        template,
        Opener::Isolated,
        context! { view, ..context! { ..with, ..told(page.lang, progress) } },
    )
}

fn told(lang: Lang, progress: &Progress) -> Value {
    let now = progress.queried_at;
    let audience = Audience::applicant(lang);
    let cases = progress.cases.iter().map(|c| show::case(&c.application, &c.history, audience, now));
    let held = progress.organisation.as_ref();
    let newest = progress.cases.first().map(|case| &case.application);
    let company = held.map(|held| held.name.as_str()).or(newest.map(|case| case.company_name.as_str()));
    let keys = held.map(|held| held.keys.iter().filter(|key| key.in_force(now)).count());
    context! {
        ubn => progress.ubn.to_string(),
        company => company.unwrap_or_else(|| progress.ubn.as_str()),
        account => held.and_then(|held| held.account).map(|account| account.to_string()),
        access => held.map_or("none", |held| held.access.as_str()),
        queried_at => moment(now),
        session_ends => moment(progress.session.expires_at),
        organisation => held.is_some(),
        next => next(progress),
        case_count => progress.cases.len(),
        key_count => keys.unwrap_or_default(),
        cases => cases.collect::<Value>(),
        notices => progress.notices.iter().map(|one| notice(one, now)).collect::<Value>(),
        plans => progress.plans.iter().map(plan).collect::<Value>(),
        usage => progress.usage.as_ref().map(charts),
        ..held.map_or_else(nothing_held, |held| held_by(lang, held, progress))
    }
}

/// Before the first case there is nothing else.
fn nothing_held() -> Value {
    context! {
        access_since => (), access_reason => (), person => (), cut_over => (), hosts => Value::from(Vec::<Value>::new()),
        keys => Value::from(Vec::<Value>::new()),
    }
}

fn held_by(lang: Lang, organisation: &Organisation, progress: &Progress) -> Value {
    let now = progress.queried_at;
    let access = &organisation.access;
    let next = organisation.addresses.as_ref().and_then(|plan| plan.next.as_ref());
    // What was changed over and does not overlap any more is what is shown.
    let next = next.filter(|next| now < next.overlap_until.max(next.at));
    let cut_over = next.map(|next| {
        let addresses = next.addresses.as_slice().iter().map(ToString::to_string).collect::<Value>();
        context! { at => moment(next.at), until => moment(next.overlap_until), addresses }
    });
    let shown = show::organisation(organisation, now, &progress.uses);
    let current = organisation.addresses.as_ref().map(|plan| plan.shown(now).as_slice());
    let hosts = current.unwrap_or_default().iter().map(|host| {
        let used = progress.uses.iter().find(|kept| kept.used == Used::Address(host.ip()));
        context! { address => host.to_string(), used_at => used.map(|kept| moment(kept.at)) }
    });
    context! {
        access_since => access.since().map(moment), access_reason => show::access_reason(lang, access),
        person => show::contact(&organisation.contact), cut_over,
        hosts => hosts.collect::<Value>(), keys => shown.get_attr("keys").unwrap_or_default(),
    }
}

/// A notice as its organisation sees it.
fn notice(notice: &Notice, now: DateTime<Utc>) -> Value {
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

/// A thing to do: the key of its words, where it is done, and until when.
fn step(words: &str, path: &str, with: &[(&str, &str)], due: Option<DueDate>) -> Value {
    let query = query_string(with.iter().copied());
    context! { words, href => format!("{path}?{query}"), due => due.map(deadline) }
}

/// What to do next, the most urgent first; empty when there is nothing to do but wait.
fn next(progress: &Progress) -> Value {
    let (ubn, now) = (progress.ubn.to_string(), progress.queried_at);
    let mut steps = Vec::new();
    let waiting = |notice: &&Notice| matches!(notice.state, NoticeState::Sent { .. });
    for notice in progress.notices.iter().filter(waiting) {
        let id = notice.id.to_string();
        let with = [("ubn", &*ubn), ("/noticeId", &id)];
        steps.push(step("next-explain", "/acts/explain", &with, notice.state.due()));
    }
    let mut open = false;
    for case in progress.cases.iter().map(|case| &case.application).filter(|case| case.is_open()) {
        open = true;
        for asked in case.clarifications.iter().filter(|asked| asked.answer.is_none()) {
            let (case, id) = (case.id.to_string(), asked.id.0.to_string());
            let with = [("ubn", &*ubn), ("/applicationId", &case), ("/clarificationId", &id)];
            steps.push(step("next-answer", "/acts/answerClarification", &with, Some(asked.due)));
        }
    }
    let held = progress.organisation.as_ref();
    let own = [("ubn", &*ubn)];
    let has_key = |environment| {
        held.is_some_and(|held| {
            held.keys.iter().any(|key| key.in_force(now) && key.environment == environment)
        })
    };
    let filed = progress.plans.iter().any(|plan| matches!(plan.state, PlanState::Filed));
    match held.map(|held| &held.access) {
        Some(Access::Active { .. }) => {
            let unused = progress.usage.as_ref().is_none_or(|usage| usage.total().queries() == 0);
            if !has_key(Environment::Production) {
                steps.push(step("next-register-key", "/acts/registerKey", &own, None));
            }
            // Who asks already has it.
            if unused {
                steps.push(step("next-iss-key", "/acts/revealIssKey", &own, None));
                steps.push(step("next-operations", "/organisation/operations-document", &[], None));
            }
        }
        Some(Access::Revoked { ground: Ground::Abuse | Ground::Conduct, may_return: false, .. }) => {
            if !filed {
                steps.push(step("next-plan", "/acts/submitImprovementPlan", &own, None));
            }
        }
        Some(Access::Revoked { ground: Ground::NotRegistered, may_return: false, .. }) => {
            steps.push(context! { words => "next-registration", due => () });
        }
        _ if open => {
            if has_key(Environment::Sandbox) {
                steps.push(step("next-operations", "/organisation/operations-document", &[], None));
            } else {
                steps.push(step("next-sandbox", "/acts/registerKey", &own, None));
            }
        }
        None | Some(Access::None | Access::Suspended { .. } | Access::Revoked { .. }) => {
            steps.push(step("next-apply", "/apply", &own, None));
        }
    }
    steps.extend(keys_end(progress));
    steps.extend(card_ends(progress));
    steps.into_iter().collect()
}

/// From when on it is told that a key or the card that signed last ends.
const ENDS_SOON: TimeDelta = TimeDelta::days(90);

/// Keys that end soon, each with its day; one that has ended is not there any more.
fn keys_end(progress: &Progress) -> Vec<Value> {
    let (now, ubn) = (progress.queried_at, progress.ubn.to_string());
    let keys = progress.organisation.iter().flat_map(|held| &held.keys).filter(|key| key.in_force(now));
    let mut ends: Vec<_> =
        keys.filter_map(|key| key.expires_at).filter(|end| *end - now < ENDS_SOON).collect();
    ends.sort_unstable();
    let due = |end| DueDate { date: taipei::day(end - TimeDelta::seconds(1)), provisional: false };
    ends.into_iter()
        .map(|end| step("next-key-ends", "/acts/registerKey", &[("ubn", &ubn)], Some(due(end))))
        .collect()
}

/// The card that signed the newest case ends soon, or has ended: acts need another one.
fn card_ends(progress: &Progress) -> Option<Value> {
    let card = &progress.cases.first()?.application.card;
    let soon = card.not_after - progress.queried_at < ENDS_SOON;
    let due = DueDate { date: taipei::day(card.not_after), provisional: false };
    soon.then(|| context! { words => "next-card", due => deadline(due) })
}
