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

use std::ops::Deref;

use idcheck_domain::officer::{Permission, permits};
use idcheck_usecases::ports::{Officer, SessionToken};
use minijinja::{Value, context};
use poem::{FromRequest, Request, RequestBody, Response, Route, RouteMethod, http::StatusCode};

use crate::page::{Opener, Page, see_other};

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

/// A page of the console, for an officer who is signed in; everybody else is led to sign in.
pub(crate) struct OfficerPage<'r> {
    page: Page<'r>,
    officer: Officer,
}

impl<'r> Deref for OfficerPage<'r> {
    type Target = Page<'r>;

    fn deref(&self) -> &Page<'r> {
        &self.page
    }
}

impl<'a> FromRequest<'a> for OfficerPage<'a> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let page = Page::of(request)?;
        let token = page.officer_token().and_then(SessionToken::parse);
        let resumed = match token {
            Some(token) => page.app.services.sign_in.resume(&token).await,
            None => Ok(None),
        };
        match page.or_problem(resumed, "/officer")? {
            Some(officer) => Ok(Self { page, officer }),
            None => Err(poem::Error::from_response(see_other("/officer/sign-in"))),
        }
    }
}

impl OfficerPage<'_> {
    /// The page from its template, with the officer's name.
    fn show(&self, status: StatusCode, template: &str, with: Value) -> Response {
        let with = context! { officer => &self.officer.username, ..with };
        self.page.show(status, template, Opener::Isolated, with)
    }

    /// Whether the officer's role permits it.
    fn permits(&self, permission: Permission) -> bool {
        permits(self.officer.role, permission)
    }
}
