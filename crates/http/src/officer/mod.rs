//! The officer console: sign in, the queue, a case and its steps.

pub(crate) mod accounts;
pub(crate) mod api;
pub(crate) mod invitation;
pub(crate) mod own;
mod passkey;
pub(crate) mod sign_in;

use poem::{Route, RouteMethod};

use crate::{application, audit, docs, mail, organisation, sweep, template, usage, worklist};

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
    "/officer" => get(worklist::page::show);
    "/officer/applications" => get(application::queue::show);
    "/officer/sign-in" => get(sign_in::form) post(sign_in::sign_in);
    "/officer/sign-in/passkey" => post(sign_in::with_passkey);
    "/officer/sign-in/provider" => get(sign_in::to_provider);
    "/officer/sign-in/callback" => get(sign_in::from_provider);
    "/officer/sign-out" => post(sign_in::sign_out);
    "/officer/sign-out-everywhere" => post(sign_in::sign_out_everywhere);
    "/officer/invitation" => get(invitation::ask) post(invitation::take_up);
    "/officer/account" => get(own::show) post(own::end_session);
    "/officer/account/passkeys" => post(own::add_passkey);
    "/officer/account/passkeys/remove" => post(own::remove_passkey);
    "/officer/accounts" => get(accounts::list) post(accounts::add);
    "/officer/accounts/:username" => get(accounts::show_account);
    "/officer/accounts/:username/:step" [accounts::STEPS] => post(accounts::take_step);
    "/officer/notices" => get(organisation::page::open_notices);
    "/officer/mail" => get(mail::page::dead_letters);
    "/officer/mail/:id" => post(mail::page::send_again);
    "/officer/audit" => get(audit::page::search);
    "/officer/audit/export" => get(audit::page::export);
    "/officer/audit/:seq" => get(audit::page::show_entry);
    "/officer/sweeps" => get(sweep::page::list) post(sweep::page::begin);
    "/officer/sweeps/:id" => get(sweep::page::worklist);
    "/officer/sweeps/:id/:step" [sweep::page::STEPS] => post(sweep::page::take_step);
    "/officer/usage" => get(usage::page::show);
    "/officer/usage/export" => get(usage::page::export);
    "/officer/waiting" => get(organisation::page::waiting);
    "/officer/organisations/:ubn" => get(organisation::page::show_organisation);
    "/officer/organisations/:ubn/:step" [organisation::page::STEPS] => post(organisation::page::take_step);
    "/officer/applications/:id" => get(application::page::show_case);
    "/officer/applications/:id/:step" [application::page::STEPS] => get(application::page::back) post(application::page::take_step);
    "/officer/guide" => get(docs::officer_guide);
    "/officer/templates" => get(template::page::list) post(template::page::add);
    "/officer/templates/:id" => post(template::page::change);
}
