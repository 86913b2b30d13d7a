//! Pages of the console: who is not signed in sees none of them.

use std::ops::Deref;

use idcheck_domain::officer::{Permission, permits};
use idcheck_usecases::ports::{Officer, SessionToken, WorkCounts};
use minijinja::{Value, context};
use poem::{
    FromRequest, Request, RequestBody, Response,
    http::{Method, StatusCode},
};

use super::page::{Opener, Page, see_other};

/// A page of the console, for an officer who is signed in; everybody else is led to sign in.
pub(crate) struct OfficerPage<'r> {
    page: Page<'r>,
    pub(crate) officer: Officer,
    /// How much waits for the officer, on a page that is read.
    pub(crate) counts: Option<WorkCounts>,
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
            Some(officer) => {
                let read = request.method() == Method::GET;
                let counts = if read { page.app.services.worklist.counts(&officer).await } else { Ok(None) };
                let counts = page.or_problem(counts, "/officer")?;
                Ok(Self { page, officer, counts })
            }
            None => Err(poem::Error::from_response(see_other("/officer/sign-in"))),
        }
    }
}

impl OfficerPage<'_> {
    /// The page from its template, with the officer's name and what its role finds in the navigation.
    pub(crate) fn show(&self, status: StatusCode, template: &str, with: Value) -> Response {
        let may = context! {
            review => self.permits(Permission::ReviewCases), read => self.permits(Permission::ReadCases),
            audit => self.permits(Permission::ReadAudit), manage => self.permits(Permission::ManageOfficers),
        };
        let waits = self.counts.map(|counts| context! { all => counts.total(), notices => counts.notices });
        let role = self.officer.role.as_str();
        let with = context! { officer => &self.officer.username, role, may, waits, ..with };
        self.page.show(status, template, Opener::Isolated, with)
    }

    /// Whether the officer's role permits it.
    pub(crate) fn permits(&self, permission: Permission) -> bool {
        permits(self.officer.role, permission)
    }
}
