//! `/register`: the organisations that may ask, for the public.

use idcheck_usecases::ports::RegisteredOrganisation;
use minijinja::{Value, context};
use poem::{Response, handler, http::StatusCode, web::Query};

use crate::kernel::{
    i18n::Lang,
    page::{FormValues, Opener, Page, value},
    view,
};

/// Whether a line of the register has what is looked for.
fn found(organisation: &RegisteredOrganisation, text: &str) -> bool {
    organisation.ubn.as_str().contains(text) || organisation.name.as_str().contains(text)
}

fn line(lang: Lang, organisation: &RegisteredOrganisation) -> Value {
    context! {
        ubn => organisation.ubn.as_str(), name => organisation.name.as_str(),
        purpose => lang.purpose(&organisation.purpose), since => view::moment(organisation.since),
    }
}

#[handler]
pub(crate) async fn show(page: Page<'_>, Query(query): Query<FormValues>) -> poem::Result<Response> {
    let q = value(&query, "q").trim();
    let all = page.or_problem(page.app.services.public_register.read().await, "/")?.organisations;
    let found: Value = all.iter().filter(|one| found(one, q)).map(|one| line(page.lang, one)).collect();
    Ok(page.show(StatusCode::OK, "register.html", Opener::Isolated, context! { q, found }))
}
