//! The applicant's pages: read the notices, fill in, check, sign, see.

mod about;
pub(crate) mod api;
mod draft;
mod dto;
mod fields;
mod organisation;
mod sign;
mod spelling;
mod steps;
pub(crate) mod webhook;

use idcheck_domain::consent::{CONDUCT_VERSION, NOTICE_VERSION};
use idcheck_usecases::acts::ActName;
use minijinja::context;
use poem::{Request, Response, Route, get, handler, http::StatusCode, post, web::Query};

use crate::kernel::{
    page::{FormValues, Opener, Page, value},
    view::{self, moment},
};

pub(crate) use organisation::own;

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
        .at("/apply/form", get(open_form))
        .at("/progress", get(progress))
        .at("/organisation", get(organisation::stands))
        .at("/organisation/:view", get(organisation::show_view))
        .at("/organisation/cases/:number", get(organisation::show_case))
        .at("/organisation/operations-document", get(organisation::operations))
        .at("/organisation/operations-document/programs/:file", get(organisation::program))
        .at("/organisation/try", get(organisation::try_out))
        .at("/organisation/webhook/calls/:id", post(webhook::again))
        .at("/organisation/leave", post(organisation::leave))
        .at("/acts/:act", get(draft::act_form).post(draft::begin))
        .at("/drafts/:id/:step", get(draft::show).post(draft::save))
        .at("/drafts/:id/sign", post(draft::sign))
        .at("/drafts/:id/discard", post(draft::discard))
        .at("/sign/:id", get(sign::show_challenge).post(sign::prove_challenge))
        .at("/sign/:id/again", post(sign::issue_again))
        .at("/sign/:id/form", get(sign::change_content))
        .at("/sign/:id/done", get(sign::done))
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

/// One chooses the kind here, or comes with it.
#[handler]
async fn open_form(
    page: Page<'_>,
    request: &Request,
    Query(query): Query<FormValues>,
) -> poem::Result<Response> {
    match ActName::parse(value(&query, "kind")).filter(|act| steps::files_a_case(*act)) {
        Some(act) => draft::start(&page, request, act, &query).await,
        None => Ok(page.show(StatusCode::OK, "kind.html", Opener::Isolated, context! {})),
    }
}

#[handler]
async fn progress(
    page: Page<'_>,
    request: &Request,
    Query(query): Query<FormValues>,
) -> poem::Result<Response> {
    draft::start(&page, request, ActName::Progress, &query).await
}

/// The keys of the labels of all fields.
#[cfg(test)]
pub(crate) fn labels() -> Vec<String> {
    ActName::ALL.into_iter().flat_map(fields::names).map(|name| fields::label(&name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::i18n::Lang;

    /// A text that is missing ends the test.
    #[test]
    fn every_form_is_made_in_every_language_and_state() {
        let hidden = ["/keyId", "/noticeId", "/applicationId", "/clarificationId"];
        let typed: FormValues = hidden.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        let shared = context! { csrf => "", here => "/?", request_id => "" };
        for act in ActName::ALL {
            for lang in Lang::ALL {
                draft::rendered(lang, act, &typed, &shared);
                sign::rendered(lang, act, &shared);
            }
        }
    }

    /// Every field is asked for on one page of its form, and on one only; the consent where everything is shown.
    #[test]
    fn every_field_is_asked_for_once() {
        for act in ActName::ALL {
            for name in fields::names(act) {
                let asked = steps::steps(act).iter().filter(|step| step.asks(&name)).count();
                assert_eq!(asked, usize::from(name != fields::CONSENT), "{act:?} {name}");
            }
        }
    }

    /// What a form was typed into comes back as the same form, whatever the act.
    #[test]
    fn a_form_is_had_back_from_its_content() {
        let ubn = idcheck_domain::value::UnifiedBusinessNumber::parse("04595257").unwrap();
        let typed = [
            ("hosts", "8.8.8.8"),
            ("hosts", "8.8.4.4"),
            ("/reason", "機房搬遷\n第二行"),
            ("/contact/mobile", "0912345678"),
            ("/overlapDays", "3"),
            ("/environment", "sandbox"),
            ("consent", "108-06 108-06"),
            ("/keyId", "0198"),
        ];
        for cut_over in ["115/12/01 09:00", "2026-12-01T01:00:00Z", "soon"] {
            let typed = typed.into_iter().chain([("/cutOverAt", cut_over)]);
            let typed: FormValues = typed.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
            for act in ActName::ALL {
                let content = fields::content(act, &typed);
                let back = fields::typed(act, ubn, &content);
                assert_eq!(fields::content(act, &back), content, "{act:?}");
                for (name, text) in back.iter().filter(|(name, text)| name != "ubn" && !text.is_empty()) {
                    assert!(typed.contains(&(name.clone(), text.clone())), "{act:?} {name}");
                }
            }
        }
    }
}
