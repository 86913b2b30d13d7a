//! Officers' accounts and sessions.

#![allow(clippy::result_large_err, reason = "a failure is the response itself, made once")]

use chrono::{DateTime, FixedOffset};
use idcheck_domain::{Violation, officer::Role, taipei};
use idcheck_usecases::{
    officer::{KeptBy, NewCredential, OfficerRefusal, ShownOnce},
    ports::{ListedOfficer, ListedSession, SessionId},
};
use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json};

use super::accounts::state;
use crate::kernel::{body::Described, failure::Failure, problem::Problem, session::SignedIn, tag::Tag};

pub(crate) struct AccountsApi;

/// An officer's account.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Account {
    username: String,
    /// `reviewer`, `supervisor`, `auditor` or `admin`.
    role: String,
    /// `open`, `locked` after failures to sign in, `invited`, `invitationOver` or `closed`.
    state: String,
    /// `password` with a second factor, or `provider`.
    sign_in_method: String,
    /// Until when the invitation can be taken up.
    invited_until: Option<DateTime<FixedOffset>>,
    locked_until: Option<DateTime<FixedOffset>>,
    last_sign_in_at: Option<DateTime<FixedOffset>>,
}

/// All accounts.
#[derive(Debug, Object)]
struct Accounts {
    /// By user name.
    accounts: Vec<Account>,
}

/// A session that lives.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct OpenSession {
    /// By which it is ended; nobody can sign in with it.
    id: String,
    /// Where the sign-in came from.
    address: String,
    /// What the browser says it is.
    browser: String,
    opened_at: DateTime<FixedOffset>,
    /// To the minute.
    last_used_at: DateTime<FixedOffset>,
    /// Whether it is the one that asks.
    current: bool,
}

/// Sessions that live.
#[derive(Debug, Object)]
struct OpenSessions {
    /// Last used first.
    sessions: Vec<OpenSession>,
}

/// A new account.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct AccountRequest {
    /// 3 to 32 lower-case letters, digits, `.` or `-`, a letter first.
    username: String,
    /// `reviewer`, `supervisor`, `auditor` or `admin`.
    role: String,
    /// The officer's subject at the identity provider; without one the officer is invited.
    subject: Option<String>,
}

/// Another role.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct RoleRequest {
    /// `reviewer`, `supervisor`, `auditor` or `admin`.
    role: String,
}

/// A new way to sign in.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct ResetRequest {
    /// The officer's subject at the identity provider; without one the officer is invited.
    subject: Option<String>,
}

/// What the officer signs in with for the first time.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct NewSignIn {
    /// The code of the invitation, shown only now; none where the identity provider vouches.
    invitation_code: Option<String>,
    /// Until when it can be taken up.
    invited_until: Option<DateTime<FixedOffset>>,
}

#[derive(ApiResponse)]
enum Added {
    /// The account was made.
    #[oai(status = 201)]
    Created(Json<NewSignIn>),
}

#[derive(ApiResponse)]
enum Done {
    /// It is done.
    #[oai(status = 204)]
    Done,
}

fn account(listed: &ListedOfficer, now: DateTime<chrono::Utc>) -> Account {
    Account {
        username: listed.officer.username.clone(),
        role: listed.officer.role.as_str().to_owned(),
        state: state(listed, now).to_owned(),
        sign_in_method: if listed.by_provider { "provider" } else { "password" }.to_owned(),
        invited_until: listed.invited_until.map(taipei::local),
        locked_until: listed.locked_until.map(taipei::local),
        last_sign_in_at: listed.signed_in_at.map(taipei::local),
    }
}

fn sessions(listed: Vec<ListedSession>) -> Json<OpenSessions> {
    let session = |session: ListedSession| OpenSession {
        id: session.id.0,
        address: session.origin.address,
        browser: session.origin.browser,
        opened_at: taipei::local(session.opened_at),
        last_used_at: taipei::local(session.used_at),
        current: session.current,
    };
    Json(OpenSessions { sessions: listed.into_iter().map(session).collect() })
}

fn shown(shown: Option<ShownOnce>) -> Json<NewSignIn> {
    Json(match shown {
        Some(ShownOnce::Invitation { code, until }) => {
            NewSignIn { invitation_code: Some(code), invited_until: Some(taipei::local(until)) }
        }
        Some(ShownOnce::Factor(_)) | None => NewSignIn { invitation_code: None, invited_until: None },
    })
}

fn role(text: &str) -> Result<Role, Violation> {
    Role::parse(text).ok_or(Violation::ValueUnknown)
}

impl SignedIn {
    fn kept_by(&self) -> KeptBy {
        KeptBy::Officer(self.officer.clone())
    }

    fn done(&self, outcome: Result<(), OfficerRefusal>) -> Result<Done, Failure> {
        self.or_failure(outcome)?;
        Ok(Done::Done)
    }
}

fn credential(subject: Option<&String>) -> NewCredential<'_> {
    subject.map_or(NewCredential::Invitation, |subject| NewCredential::Subject(subject))
}

#[OpenApi(tag = "Tag::Officer")]
impl AccountsApi {
    /// Officers' accounts; for admins.
    #[oai(path = "/officer/accounts", method = "get", operation_id = "listAccounts")]
    async fn list(&self, signed_in: SignedIn) -> Result<Json<Accounts>, Failure> {
        let services = &signed_in.app.services;
        let listed = signed_in.or_failure(services.officers.list(&signed_in.kept_by()).await)?;
        let now = services.clock.now();
        Ok(Json(Accounts { accounts: listed.iter().map(|listed| account(listed, now)).collect() }))
    }

    /// Adds an officer, by an invitation or with a subject at the identity provider; for admins.
    #[oai(path = "/officer/accounts", method = "post", operation_id = "addAccount")]
    async fn add(
        &self,
        signed_in: SignedIn,
        body: Json<Described<AccountRequest>>,
    ) -> Result<Added, Failure> {
        let ((username, role), subject) = signed_in.read(&body.0.0, |fields| {
            let any = |text: &str| Ok(text.to_owned());
            let named = fields.required("/username", any).zip(fields.required("/role", role));
            let subject = fields.optional("/subject", any);
            named.map(|named| (named, subject))
        })?;
        let officers = &signed_in.app.services.officers;
        let added = officers.add(&signed_in.kept_by(), &username, role, credential(subject.as_ref())).await;
        Ok(Added::Created(shown(signed_in.or_failure(added)?.1)))
    }

    /// Another role, from the officer's next request on; for admins.
    #[oai(path = "/officer/accounts/:username/role", method = "post", operation_id = "changeRole")]
    async fn set_role(
        &self,
        signed_in: SignedIn,
        username: Path<String>,
        body: Json<Described<RoleRequest>>,
    ) -> Result<Done, Failure> {
        let role = signed_in.read(&body.0.0, |fields| fields.required("/role", role))?;
        signed_in
            .done(signed_in.app.services.officers.set_role(&signed_in.kept_by(), &username.0, role).await)
    }

    /// Closes an account, which ends its sessions; for admins.
    #[oai(path = "/officer/accounts/:username/close", method = "post", operation_id = "closeAccount")]
    async fn close(&self, signed_in: SignedIn, username: Path<String>) -> Result<Done, Failure> {
        let officers = &signed_in.app.services.officers;
        signed_in.done(officers.set_closed(&signed_in.kept_by(), &username.0, true).await)
    }

    /// Opens a closed account again; for admins.
    #[oai(path = "/officer/accounts/:username/open", method = "post", operation_id = "openAccount")]
    async fn open(&self, signed_in: SignedIn, username: Path<String>) -> Result<Done, Failure> {
        let officers = &signed_in.app.services.officers;
        signed_in.done(officers.set_closed(&signed_in.kept_by(), &username.0, false).await)
    }

    /// A new way to sign in, for who lost the old one; ends all sessions and lifts the lock. For admins.
    #[oai(path = "/officer/accounts/:username/reset", method = "post", operation_id = "resetAccount")]
    async fn reset(
        &self,
        signed_in: SignedIn,
        username: Path<String>,
        body: Json<Described<ResetRequest>>,
    ) -> Result<Json<NewSignIn>, Failure> {
        let subject = signed_in
            .read(&body.0.0, |fields| Some(fields.optional("/subject", |text: &str| Ok(text.to_owned()))))?;
        let officers = &signed_in.app.services.officers;
        let reset = officers.reset(&signed_in.kept_by(), &username.0, credential(subject.as_ref())).await;
        Ok(shown(signed_in.or_failure(reset)?))
    }

    /// An officer's sessions; for admins.
    #[oai(
        path = "/officer/accounts/:username/sessions",
        method = "get",
        operation_id = "listSessionsOfAccount"
    )]
    async fn sessions_of(
        &self,
        signed_in: SignedIn,
        username: Path<String>,
    ) -> Result<Json<OpenSessions>, Failure> {
        let read = signed_in.app.services.officers.account(&signed_in.kept_by(), &username.0).await;
        Ok(sessions(signed_in.or_failure(read)?.1))
    }

    /// Ends one session of an officer; for admins.
    #[oai(
        path = "/officer/accounts/:username/sessions/:session",
        method = "delete",
        operation_id = "endSessionOfAccount"
    )]
    async fn end_session_of(
        &self,
        signed_in: SignedIn,
        username: Path<String>,
        session: Path<String>,
    ) -> Result<Done, Failure> {
        let (officers, id) = (&signed_in.app.services.officers, SessionId(session.0));
        signed_in.done(officers.end_session(&signed_in.kept_by(), &username.0, &id).await)
    }

    /// One's own sessions.
    #[oai(path = "/officer/sessions", method = "get", operation_id = "listSessions")]
    async fn own_sessions(&self, signed_in: SignedIn) -> Result<Json<OpenSessions>, Failure> {
        let sign_in = &signed_in.app.services.sign_in;
        let read = sign_in.sessions(&signed_in.officer, Some(&signed_in.token)).await;
        Ok(sessions(signed_in.or_failure(read)?))
    }

    /// Ends one of one's own sessions.
    #[oai(path = "/officer/sessions/:session", method = "delete", operation_id = "endSession")]
    async fn end_own_session(&self, signed_in: SignedIn, session: Path<String>) -> Result<Done, Failure> {
        let ended =
            signed_in.app.services.sign_in.end_session(&signed_in.officer, &SessionId(session.0)).await;
        if signed_in.or_failure(ended)? {
            Ok(Done::Done)
        } else {
            Err(signed_in.failure(Problem::not_found()))
        }
    }
}
