//! Officers' accounts, for admins.

use idcheck_domain::officer::Role;
use idcheck_usecases::{
    officer::{KeptBy, NewCredential, OfficerRefusal, ShownOnce},
    ports::{ListedOfficer, ListedSession, SessionId},
};
use minijinja::{Value, context};
use poem::{Response, handler, http::StatusCode, web::Path};

use crate::kernel::{
    officer_page::OfficerPage,
    page::{FormValues, PostedForm, see_other, text, value},
    problem::Problem,
    view::moment,
};

const HOME: &str = "/officer/accounts";

/// What can be done with an account, as the last part of a path.
pub(crate) const STEPS: &[&str] = &["role", "close", "open", "reset", "end-session"];

/// Whether an account can be used, in a word.
pub(super) fn state(listed: &ListedOfficer, now: chrono::DateTime<chrono::Utc>) -> &'static str {
    match (listed.closed, listed.invited_until, listed.locked_until) {
        (true, ..) => "closed",
        (false, Some(until), _) if until <= now => "invitationOver",
        (false, Some(_), _) => "invited",
        (false, None, Some(until)) if now < until => "locked",
        _ => "open",
    }
}

fn row(listed: &ListedOfficer, now: chrono::DateTime<chrono::Utc>) -> Value {
    let until = listed.invited_until.or(listed.locked_until).map(moment);
    context! {
        username => &listed.officer.username, role => listed.officer.role.as_str(), state => state(listed, now), until,
        method => if listed.by_provider { "provider" } else { "password" },
        signed_in => listed.signed_in_at.map(moment),
    }
}

pub(super) fn sessions(sessions: &[ListedSession]) -> Value {
    let row = |session: &ListedSession| {
        context! {
            id => &session.id.0, address => &session.origin.address, browser => &session.origin.browser,
            opened => moment(session.opened_at), used => moment(session.used_at), current => session.current,
        }
    };
    sessions.iter().map(row).collect()
}

impl OfficerPage<'_> {
    fn kept_by(&self) -> KeptBy {
        KeptBy::Officer(self.officer.clone())
    }

    /// The list with the form, and what is wrong with what was typed.
    async fn accounts(&self, typed: &FormValues, refused: Option<&Problem>) -> poem::Result<Response> {
        let services = &self.app.services;
        let listed = self.or_problem(services.officers.list(&self.kept_by()).await, "/officer")?;
        let now = services.clock.now();
        let methods = services.sign_in.methods();
        let status = refused.map_or(StatusCode::OK, Problem::status);
        let with = context! {
            accounts => listed.iter().map(|listed| row(listed, now)).collect::<Value>(),
            roles => Role::ALL.map(Role::as_str), local => methods.local(), provider => methods.provider().is_some(),
            typed => context! { username => value(typed, "username"), role => value(typed, "role"), subject => value(typed, "subject") },
            errors => refused.into_iter().flat_map(|problem| self.field_errors(problem)).collect::<Value>(),
        };
        Ok(self.show(status, "officer/accounts.html", with))
    }

    /// What is wrong, by field; what belongs to none is laid to the user name.
    fn field_errors(&self, problem: &Problem) -> Vec<Value> {
        let told = problem.told(self.lang);
        if told.errors.is_empty() {
            return vec![context! { id => "username", message => told.detail }];
        }
        let error = |error: &crate::kernel::problem::FieldProblem| {
            context! { id => error.pointer.trim_start_matches('/'), message => &error.message }
        };
        told.errors.iter().map(error).collect()
    }

    /// The code of an invitation, shown once.
    fn invited(&self, username: &str, shown: Option<ShownOnce>) -> Response {
        let Some(ShownOnce::Invitation { code, until }) = shown else {
            return see_other(&format!("{HOME}/{username}"));
        };
        let with = context! { username, code, until => moment(until), base_url => &self.app.config.base_url };
        self.show(StatusCode::OK, "officer/invited.html", with)
    }
}

#[handler]
pub(crate) async fn list(page: OfficerPage<'_>) -> poem::Result<Response> {
    page.accounts(&FormValues::new(), None).await
}

/// How the officer is going to sign in: with the subject that was typed, or by an invitation.
const fn credential(subject: &str) -> NewCredential<'_> {
    if subject.is_empty() { NewCredential::Invitation } else { NewCredential::Subject(subject) }
}

#[handler]
pub(crate) async fn add(page: OfficerPage<'_>, PostedForm(form): PostedForm) -> poem::Result<Response> {
    let (username, subject) = (text(&form, "username"), text(&form, "subject"));
    let role = Role::parse(value(&form, "role")).ok_or_else(|| page.not_found(HOME))?;
    let new = credential(&subject);
    match page.app.services.officers.add(&page.kept_by(), &username, role, new).await {
        Ok((_, shown)) => Ok(page.invited(&username, shown)),
        Err(refusal @ (OfficerRefusal::Username | OfficerRefusal::Subject | OfficerRefusal::Taken)) => {
            page.accounts(&form, Some(&refusal.into())).await
        }
        Err(refusal) => Ok(page.problem(&refusal.into(), HOME)),
    }
}

#[handler]
pub(crate) async fn show_account(
    page: OfficerPage<'_>,
    Path(username): Path<String>,
) -> poem::Result<Response> {
    let services = &page.app.services;
    let read = services.officers.account(&page.kept_by(), &username).await;
    let (listed, open) = page.or_problem(read, HOME)?;
    let methods = services.sign_in.methods();
    let with = context! {
        account => row(&listed, services.clock.now()), sessions => sessions(&open),
        roles => Role::ALL.map(Role::as_str), own => listed.officer.id == page.officer.id,
        local => methods.local(), provider => methods.provider().is_some(),
    };
    Ok(page.show(StatusCode::OK, "officer/account.html", with))
}

#[handler]
pub(crate) async fn take_step(
    page: OfficerPage<'_>,
    Path((username, step)): Path<(String, String)>,
    PostedForm(form): PostedForm,
) -> poem::Result<Response> {
    let (officers, by) = (&page.app.services.officers, page.kept_by());
    let here = format!("{HOME}/{username}");
    let done = match step.as_str() {
        "role" => {
            let role = Role::parse(value(&form, "role")).ok_or_else(|| page.not_found(HOME))?;
            officers.set_role(&by, &username, role).await
        }
        "close" => officers.set_closed(&by, &username, true).await,
        "open" => officers.set_closed(&by, &username, false).await,
        "end-session" => {
            officers.end_session(&by, &username, &SessionId(value(&form, "session").to_owned())).await
        }
        "reset" => {
            let subject = text(&form, "subject");
            let shown = officers.reset(&by, &username, credential(&subject)).await;
            return Ok(page.invited(&username, page.or_problem(shown, &here)?));
        }
        _ => return Err(page.not_found(HOME)),
    };
    page.or_problem(done, &here)?;
    Ok(see_other(&here))
}
