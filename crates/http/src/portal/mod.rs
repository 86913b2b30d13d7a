//! The applicant's pages: read the notices, fill in, check, sign, see.

pub(crate) mod api;
mod dto;
mod fields;
mod organisation;
mod sign;
mod spelling;

use idcheck_domain::{
    Violation,
    consent::{CONDUCT_VERSION, NOTICE_VERSION},
};
use idcheck_usecases::{FieldViolation, acts::ActName};
use minijinja::{Value, context};
use poem::{
    Response, Route, get, handler,
    http::StatusCode,
    post,
    web::{Path, Query},
};

use crate::kernel::{
    i18n::Lang,
    page::{FormValues, Opener, Page, PostedForm, value},
    view::{self, moment},
};

pub(crate) fn routes(route: Route) -> Route {
    route
        .at("/", get(home))
        .at("/apply", get(notices))
        .at("/conduct", get(conduct))
        .at("/privacy", get(privacy))
        .at("/accessibility", get(accessibility))
        .at("/sitemap", get(sitemap))
        .at("/design", get(design))
        .at("/register", get(crate::public_register::page::show))
        .at("/apply/form", get(open_form).post(form_again))
        .at("/apply/check", post(check))
        .at("/progress", get(progress))
        .at("/organisation", get(organisation::stands))
        .at("/organisation/operations-document", get(organisation::operations))
        .at("/organisation/leave", post(organisation::leave))
        .at("/acts/:act", get(act_form).post(sign::issue_challenge))
        .at("/sign/:id", get(sign::show_challenge).post(sign::prove_challenge))
        .at("/sign/:id/again", post(sign::issue_again))
        .at("/sign/:id/form", get(sign::change_content))
        .at("/applications/:number", get(sign::accepted))
        .at("/assets/:name", get(view::serve_asset))
}

#[handler]
fn home(page: Page<'_>) -> Response {
    page.show(StatusCode::OK, "home.html", Opener::Isolated, context! {})
}

#[handler]
fn notices(page: Page<'_>) -> Response {
    let with = context! {
        title => "notices-title", prefix => "notice", count => 11, version => NOTICE_VERSION, next => true,
    };
    page.show(StatusCode::OK, "articles.html", Opener::Isolated, with)
}

#[handler]
fn conduct(page: Page<'_>) -> Response {
    let with = context! {
        title => "conduct-title", prefix => "conduct", count => 5, version => CONDUCT_VERSION, next => false,
    };
    page.show(StatusCode::OK, "articles.html", Opener::Isolated, with)
}

/// Version of the privacy notice and of the accessibility statement: the ROC year and month in which they were written.
const STATEMENTS: &str = "115-11";

/// 個人資料保護法第八條: what who enters data is told.
#[handler]
fn privacy(page: Page<'_>) -> Response {
    let with = context! {
        title => "privacy-title", prefix => "privacy", count => 8, version => STATEMENTS, next => false,
    };
    page.show(StatusCode::OK, "articles.html", Opener::Isolated, with)
}

#[handler]
fn accessibility(page: Page<'_>) -> Response {
    let with = context! {
        title => "accessibility-title", prefix => "accessibility", count => 5, version => STATEMENTS, next => false,
    };
    page.show(StatusCode::OK, "articles.html", Opener::Isolated, with)
}

#[handler]
fn sitemap(page: Page<'_>) -> Response {
    page.show(StatusCode::OK, "sitemap.html", Opener::Isolated, context! {})
}

/// The parts that pages are made of, each shown once: for who writes or tests a page.
#[handler]
fn design(page: Page<'_>) -> Response {
    let with = context! { at => moment(page.app.services.clock.now()) };
    page.show(StatusCode::OK, "design.html", Opener::Isolated, with)
}

/// Whether the act files a case, which is shown for checking before it is signed.
const fn files_a_case(act: ActName) -> bool {
    matches!(act, ActName::Apply | ActName::ChangeAddress | ActName::Suspend)
}

/// The form of an act with what was typed and what is wrong.
fn fill_in(page: &Page<'_>, act: ActName, form: &FormValues, wrong: &[FieldViolation]) -> Response {
    // A private key is not sent around once more.
    let leaked = wrong.iter().any(|wrong| wrong.violation == Violation::PrivateKey);
    let shown: FormValues = if leaked { without(form, &[fields::PUBLIC_KEY]) } else { form.clone() };
    let form = &shown;
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page.show(status, "form.html", Opener::Isolated, filled_in(page.lang, act, form, wrong))
}

fn filled_in(lang: Lang, act: ActName, form: &FormValues, wrong: &[FieldViolation]) -> Value {
    let action = if files_a_case(act) {
        format!("/apply/check?kind={}", act.as_str())
    } else {
        format!("/acts/{}", act.as_str())
    };
    context! {
        act => act.as_str(),
        action,
        fields => fields::shown(lang, act, form, wrong),
        errors => fields::summary(lang, act, wrong),
        component_note => files_a_case(act) || act == ActName::Progress,
    }
}

fn kind(query: &FormValues) -> Option<ActName> {
    ActName::parse(value(query, "kind")).filter(|act| files_a_case(*act))
}

#[handler]
fn open_form(page: Page<'_>, Query(query): Query<FormValues>) -> Response {
    match kind(&query) {
        Some(act) => fill_in(&page, act, &of_link(&query), &[]),
        None => page.show(StatusCode::OK, "kind.html", Opener::Isolated, context! {}),
    }
}

/// A form without these fields.
fn without(form: &FormValues, names: &[&str]) -> FormValues {
    form.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect()
}

/// What a link may fill in: neither consent nor a key comes from whoever made the link.
fn of_link(query: &FormValues) -> FormValues {
    without(query, &[fields::CONSENT, fields::PUBLIC_KEY])
}

/// Back from checking, with everything kept.
#[handler]
fn form_again(
    page: Page<'_>,
    Query(query): Query<FormValues>,
    PostedForm(typed): PostedForm,
) -> poem::Result<Response> {
    let act = kind(&query).ok_or_else(|| page.not_found("/apply/form"))?;
    Ok(fill_in(&page, act, &typed, &[]))
}

/// Everything that is wrong with a form.
fn violations(page: &Page<'_>, act: ActName, typed: &FormValues) -> Vec<FieldViolation> {
    let content = fields::content(act, typed);
    let issue = &page.app.services.issue_challenge;
    let mut wrong = match fields::ubn(typed) {
        Ok(ubn) => issue.validate(act, ubn, &content).err().unwrap_or_default(),
        Err(violation) => {
            // The rest is told too; no rule but that of the former number depends on the number.
            let any = idcheck_domain::value::UnifiedBusinessNumber::parse("00000005");
            let rest = any.ok().and_then(|any| issue.validate(act, any, &content).err());
            std::iter::once(violation).chain(rest.unwrap_or_default()).collect()
        }
    };
    // Two versions make one box.
    let box_of = |pointer: &str| wrong.iter().find(|v| v.pointer == pointer).map(|v| v.violation);
    if box_of("/consent/noticeVersion") == box_of("/consent/conductVersion") {
        wrong.retain(|v| v.pointer != "/consent/conductVersion");
    }
    wrong
}

#[handler]
fn check(
    page: Page<'_>,
    Query(query): Query<FormValues>,
    PostedForm(typed): PostedForm,
) -> poem::Result<Response> {
    let act = kind(&query).ok_or_else(|| page.not_found("/apply/form"))?;
    let typed = fields::understood(act, &typed);
    let wrong = violations(&page, act, &typed);
    if !wrong.is_empty() {
        return Ok(fill_in(&page, act, &typed, &wrong));
    }
    let with = context! { act => act.as_str(), fields => fields::shown(page.lang, act, &typed, &[]) };
    Ok(page.show(StatusCode::OK, "check.html", Opener::Isolated, with))
}

#[handler]
fn progress(page: Page<'_>, Query(query): Query<FormValues>) -> Response {
    fill_in(&page, ActName::Progress, &of_link(&query), &[])
}

#[handler]
fn act_form(
    page: Page<'_>,
    Path(act): Path<String>,
    Query(query): Query<FormValues>,
) -> poem::Result<Response> {
    let act = ActName::parse(&act).ok_or_else(|| page.not_found("/progress"))?;
    Ok(fill_in(&page, act, &of_link(&query), &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that is missing ends the test.
    #[test]
    fn every_form_is_made_in_every_language_and_state() {
        let hidden = ["/keyId", "/noticeId", "/applicationId", "/clarificationId"];
        let typed: FormValues = hidden.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        let shared = context! { csrf => "", here => "/?", request_id => "" };
        for act in ActName::ALL {
            for lang in Lang::ALL {
                for (form, wrong) in
                    [(&Vec::new(), Vec::new()), (&typed, Vec::new()), (&typed, fields::all_wrong(act))]
                {
                    let with = context! { ..filled_in(lang, act, form, &wrong), ..shared.clone() };
                    let page = view::render("form.html", lang, "n", with).unwrap();
                    assert_eq!(page.matches("<li><a href=\"#").count(), wrong.len(), "{act:?}");
                }
                let with = context! { act => act.as_str(), fields => fields::shown(lang, act, &typed, &[]) };
                view::render("check.html", lang, "n", context! { ..with, ..shared.clone() }).unwrap();
                sign::rendered(lang, act, &shared);
            }
        }
    }

    /// What a form was typed into comes back as the same form, whatever the act.
    #[test]
    fn a_form_is_had_back_from_its_content() {
        let ubn = idcheck_domain::value::UnifiedBusinessNumber::parse("04595257").unwrap();
        let typed = [
            ("hosts", "8.8.8.8\n8.8.4.4"),
            ("/reason", "機房搬遷\n第二行"),
            ("/contact/mobile", "0912345678"),
            ("/overlapDays", "3"),
            ("/environment", "sandbox"),
            ("consent", "108-06 108-06"),
            ("/keyId", "0198"),
        ];
        for cut_over in ["2026-12-01T09:00", "2026-12-01T01:00:00Z", "soon"] {
            let typed = typed.into_iter().chain([("/cutOverAt", cut_over)]);
            let typed: FormValues = typed.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
            for act in ActName::ALL {
                let content = fields::content(act, &typed);
                let back = fields::typed(act, ubn, &content);
                assert_eq!(fields::content(act, &back), content, "{act:?}");
                for (name, text) in back.iter().filter(|(name, _)| name != "ubn") {
                    assert_eq!(text, value(&typed, name), "{act:?} {name}");
                }
            }
        }
    }
}
