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
use poem::{Response, Route, RouteMethod};

use crate::page::{Page, see_other};

/// The pages, each with what it is for; of a path with `:step`, which steps there are.
macro_rules! pages {
    ($($path:literal $([$steps:path])? => $($method:ident($handler:path))+;)*) => {
        /// The routes of the pages.
        pub(crate) fn routes(route: Route) -> Route {
            route$(.at($path, RouteMethod::new()$(.$method($handler))+))*
        }

        /// Method and path of every page of the console, steps in full: what a test of who is let in has to go through.
        pub fn pages() -> Vec<(&'static str, String)> {
            let mut all = Vec::new();
            $(for step in pages!(@steps $($steps)?) {
                $(all.push((stringify!($method), $path.replace(":step", step)));)+
            })*
            all
        }
    };
    (@steps) => { [""] };
    (@steps $steps:path) => { $steps };
}

pages! {
    "/officer" => get(queue::show);
    "/officer/sign-in" => get(sign_in::form) post(sign_in::sign_in);
    "/officer/sign-in/provider" => get(sign_in::to_provider);
    "/officer/sign-in/callback" => get(sign_in::from_provider);
    "/officer/sign-out" => post(sign_in::sign_out);
    "/officer/sign-out-everywhere" => post(sign_in::sign_out_everywhere);
    "/officer/notices" => get(organisation::open_notices);
    "/officer/mail" => get(mail::dead_letters);
    "/officer/mail/:id" => post(mail::send_again);
    "/officer/audit" => get(audit::search);
    "/officer/audit/export" => get(audit::export);
    "/officer/sweeps" => get(sweep::list) post(sweep::begin);
    "/officer/sweeps/:id" => get(sweep::worklist);
    "/officer/sweeps/:id/:step" [sweep::STEPS] => post(sweep::take_step);
    "/officer/usage" => get(usage::show);
    "/officer/usage/export" => get(usage::export);
    "/officer/waiting" => get(organisation::waiting);
    "/officer/organisations/:ubn" => get(organisation::show_organisation);
    "/officer/organisations/:ubn/:step" [organisation::STEPS] => post(organisation::take_step);
    "/officer/applications/:id" => get(case::show_case);
    "/officer/applications/:id/:step" [case::STEPS] => post(case::take_step);
    "/officer/applications/:id/:step/preview" [case::STEPS] => post(case::preview);
    "/officer/templates" => get(templates::list) post(templates::add);
    "/officer/templates/:id" => post(templates::change);
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
