//! The officer console: sign in, the queue, a case and its steps.

mod audit;
mod case;
mod mail;
mod organisation;
mod queue;
pub(crate) mod sign_in;
mod sweep;
mod templates;
mod usage;

use idcheck_usecases::ports::{Officer, SessionToken};
use poem::{Response, Route, get, post};

use crate::page::{Page, see_other};

/// The pages.
pub(crate) fn routes(route: Route) -> Route {
    route
        .at("/officer", get(queue::show))
        .at("/officer/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .at("/officer/sign-in/provider", get(sign_in::to_provider))
        .at("/officer/sign-in/callback", get(sign_in::from_provider))
        .at("/officer/sign-out", post(sign_in::sign_out))
        .at("/officer/sign-out-everywhere", post(sign_in::sign_out_everywhere))
        .at("/officer/notices", get(organisation::open_notices))
        .at("/officer/mail", get(mail::dead_letters))
        .at("/officer/mail/:id", post(mail::send_again))
        .at("/officer/audit", get(audit::search))
        .at("/officer/audit/export", get(audit::export))
        .at("/officer/sweeps", get(sweep::list).post(sweep::begin))
        .at("/officer/sweeps/:id", get(sweep::worklist))
        .at("/officer/sweeps/:id/:step", post(sweep::take_step))
        .at("/officer/usage", get(usage::show))
        .at("/officer/usage/export", get(usage::export))
        .at("/officer/waiting", get(organisation::waiting))
        .at("/officer/organisations/:ubn", get(organisation::show_organisation))
        .at("/officer/organisations/:ubn/:step", post(organisation::take_step))
        .at("/officer/applications/:id", get(case::show_case))
        .at("/officer/applications/:id/:step", post(case::take_step))
        .at("/officer/applications/:id/:step/preview", post(case::preview))
        .at("/officer/templates", get(templates::list).post(templates::add))
        .at("/officer/templates/:id", post(templates::change))
}

/// The officer of this browser's session.
async fn officer(page: &Page<'_>) -> Result<Officer, Response> {
    let token = page.officer_token().and_then(SessionToken::parse);
    let resumed = match token {
        Some(token) => page.app.services.sign_in.resume(&token).await,
        None => Ok(None),
    };
    match resumed {
        Ok(Some(officer)) => Ok(officer),
        Ok(None) => Err(see_other("/officer/sign-in")),
        Err(error) => Err(page.problem(&error.into(), "/officer")),
    }
}
