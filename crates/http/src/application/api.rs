//! Officers: session, queue, cases, steps of a review.

use chrono::{DateTime, FixedOffset};
use idcheck_domain::{
    Violation,
    application::{ApplicationId, Kind, StateName},
    officer::OfficerId,
    taipei,
    value::{Narrative, Reason},
};
use idcheck_usecases::{
    FieldViolation, Fields,
    application::ReviewCommand,
    ports::{ApplicationFilter, Assigned, Officer, QueuePlace},
};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{
    application::{
        dto::{Queue, queue_item},
        file::{Case, case_of},
    },
    kernel::{
        body::Described,
        failure::Failure,
        session::{Context, SignedIn},
        shape::{ApproveRequest, ClarificationRequest, RejectRequest, ReturnRequest, SessionRequest},
        tag::Tag,
    },
    officer::sign_in::level,
};

pub(crate) struct OfficerApi;

/// A session that was opened.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct Session {
    /// To be sent as bearer token.
    token: String,
    expires_at: DateTime<FixedOffset>,
}

#[derive(ApiResponse)]
enum Opened {
    /// The session.
    #[oai(status = 201)]
    Created(Json<Session>),
}

#[derive(ApiResponse)]
enum Closed {
    /// The session is over.
    #[oai(status = 204)]
    Done,
}

/// Entries of a page of the queue.
const PAGE: u16 = 50;

impl SignedIn {
    async fn case(&self, id: ApplicationId) -> Result<Json<Case>, Failure> {
        let services = &self.app.services;
        let file = self.or_failure(services.read_cases.case(&self.officer, id).await)?;
        Ok(Json(case_of(self.lang, &file, services.clock.now())))
    }

    async fn step(
        &self,
        id: &str,
        version: Option<i64>,
        command: ReviewCommand,
    ) -> Result<Json<Case>, Failure> {
        let id = ApplicationId(self.uuid(id)?);
        let review = &self.app.services.review;
        self.or_failure(review.execute(&self.officer, id, version, &command).await)?;
        self.case(id).await
    }
}

#[OpenApi(tag = "Tag::Officer")]
impl OfficerApi {
    /// Signs in with password and second factor.
    #[oai(path = "/officer/session", method = "post", operation_id = "signIn")]
    async fn open(&self, context: Context, body: Json<Described<SessionRequest>>) -> Result<Opened, Failure> {
        let ((username, password), totp) = context.read(&body.0.0, |fields| {
            let text = |text: &str| Ok(text.to_owned());
            let username = fields.required("/username", text);
            // A password may begin or end with blanks.
            let password = fields.required("/password", text).and(fields.verbatim("/password"));
            username.zip(password.map(str::to_owned)).zip(fields.required("/totp", text))
        })?;
        let opened =
            level(context.app.services.sign_in.open(&username, &password, &totp, &context.origin)).await;
        let opened = context.or_failure(opened)?;
        Ok(Opened::Created(Json(Session {
            token: opened.token.expose().to_owned(),
            expires_at: taipei::local(opened.expires_at),
        })))
    }

    /// Signs out.
    #[oai(path = "/officer/session", method = "delete", operation_id = "signOut")]
    async fn close(&self, signed_in: SignedIn) -> Result<Closed, Failure> {
        signed_in.or_failure(signed_in.app.services.sign_in.close(&signed_in.token).await)?;
        Ok(Closed::Done)
    }

    /// Signs out everywhere: all sessions of the officer are over.
    #[oai(path = "/officer/sessions", method = "delete", operation_id = "signOutEverywhere")]
    async fn close_everywhere(&self, signed_in: SignedIn) -> Result<Closed, Failure> {
        let closed = signed_in.app.services.sign_in.close_everywhere(&signed_in.officer).await;
        signed_in.or_failure(closed)?;
        Ok(Closed::Done)
    }

    /// The queue: oldest due first; the open cases unless a state or a text is asked for.
    #[oai(path = "/officer/applications", method = "get", operation_id = "listApplications")]
    #[expect(clippy::too_many_arguments, reason = "one for each parameter of the query")]
    async fn queue(
        &self,
        signed_in: SignedIn,
        state: Query<Option<String>>,
        kind: Query<Option<String>>,
        /// The identity of an officer, `me`, or `none` for cases that nobody works on.
        assignee: Query<Option<String>>,
        /// `true` for cases whose deadline is over.
        overdue: Query<Option<String>>,
        /// Case number, UBN, the beginning of either, or part of the company's name; capitals, full width, blanks, and 台 or 臺 don't count.
        q: Query<Option<String>>,
        cursor: Query<Option<String>>,
    ) -> Result<Json<Queue>, Failure> {
        let given = Given {
            state: given(state.0),
            kind: given(kind.0),
            assignee: given(assignee.0),
            overdue: given(overdue.0),
            text: given(q.0),
            cursor: given(cursor.0),
        };
        let services = &signed_in.app.services;
        let now = services.clock.now();
        let filter = given.filter(&signed_in.officer, now).map_err(|v| signed_in.content(v))?;
        let queue = services.read_cases.queue(&signed_in.officer, &filter).await;
        let page = signed_in.or_failure(queue)?.cases;
        Ok(Json(Queue {
            applications: page.items.iter().map(|item| queue_item(item, now)).collect(),
            next_cursor: page.next.map(|place| place.to_string()),
        }))
    }

    /// One case with everything that a decision needs.
    #[oai(path = "/officer/applications/:id", method = "get", operation_id = "readApplication")]
    async fn case(&self, signed_in: SignedIn, id: Path<String>) -> Result<Json<Case>, Failure> {
        let id = ApplicationId(signed_in.uuid(&id.0)?);
        signed_in.case(id).await
    }

    /// Takes the case on, or over.
    #[oai(path = "/officer/applications/:id/claim", method = "post", operation_id = "claimApplication")]
    async fn claim(&self, signed_in: SignedIn, id: Path<String>) -> Result<Json<Case>, Failure> {
        signed_in.step(&id.0, None, ReviewCommand::Claim).await
    }

    /// Lets go of the case.
    #[oai(path = "/officer/applications/:id/release", method = "post", operation_id = "releaseApplication")]
    async fn release(&self, signed_in: SignedIn, id: Path<String>) -> Result<Json<Case>, Failure> {
        signed_in.step(&id.0, None, ReviewCommand::Release).await
    }

    /// Asks the applicant.
    #[oai(
        path = "/officer/applications/:id/clarification",
        method = "post",
        operation_id = "requestClarification"
    )]
    async fn clarify(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<ClarificationRequest>>,
    ) -> Result<Json<Case>, Failure> {
        let question = signed_in.read(&body.0.0, |fields| fields.required("/question", Narrative::parse))?;
        signed_in.step(&id.0, None, ReviewCommand::RequestClarification { question }).await
    }

    /// Proposes to approve the case as it was read, where that takes two officers; another one approves it then.
    #[oai(
        path = "/officer/applications/:id/propose-approval",
        method = "post",
        operation_id = "proposeApproval"
    )]
    async fn propose_approval(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<ApproveRequest>>,
    ) -> Result<Json<Case>, Failure> {
        let (note, version) = signed_in.read(&body.0.0, note_and_version)?;
        signed_in.step(&id.0, Some(version), ReviewCommand::ProposeApproval { note }).await
    }

    /// Gives a proposed approval back to the review, as it was read.
    #[oai(
        path = "/officer/applications/:id/return-to-review",
        method = "post",
        operation_id = "returnToReview"
    )]
    async fn return_to_review(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<ReturnRequest>>,
    ) -> Result<Json<Case>, Failure> {
        let (reason, version) = signed_in.read(&body.0.0, |fields| {
            let reason = fields.optional("/reason", Reason::parse);
            version(fields).map(|version| (reason, version))
        })?;
        signed_in.step(&id.0, Some(version), ReviewCommand::ReturnToReview { reason }).await
    }

    /// Approves the case as it was read; where that takes two officers, what another one proposed.
    #[oai(path = "/officer/applications/:id/approve", method = "post", operation_id = "approveApplication")]
    async fn approve(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<ApproveRequest>>,
    ) -> Result<Json<Case>, Failure> {
        let (note, version) = signed_in.read(&body.0.0, note_and_version)?;
        signed_in.step(&id.0, Some(version), ReviewCommand::Approve { note }).await
    }

    /// Rejects the case as it was read.
    #[oai(path = "/officer/applications/:id/reject", method = "post", operation_id = "rejectApplication")]
    async fn reject(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<RejectRequest>>,
    ) -> Result<Json<Case>, Failure> {
        let (reason, version) = signed_in
            .read(&body.0.0, |fields| fields.required("/reason", Reason::parse).zip(version(fields)))?;
        signed_in.step(&id.0, Some(version), ReviewCommand::Reject { reason }).await
    }
}

fn note_and_version(fields: &mut Fields<'_>) -> Option<(Option<Reason>, i64)> {
    let note = fields.optional("/note", Reason::parse);
    version(fields).map(|version| (note, version))
}

/// The version that was read: a whole number from 1, never text.
pub(crate) fn version(fields: &mut Fields<'_>) -> Option<i64> {
    match fields.integer("/version") {
        Some(version) if version >= 1 => Some(version),
        Some(_) => {
            fields.refuse("/version", Violation::ValueUnknown);
            None
        }
        None => {
            if !fields.given("/version") {
                fields.refuse("/version", Violation::Required);
            }
            None
        }
    }
}

/// A parameter that is there and not empty.
fn given(parameter: Option<String>) -> Option<String> {
    parameter.filter(|text| !text.trim().is_empty())
}

/// Whose work is asked for: `me`, `none`, or an officer's identity.
pub(crate) fn assigned(text: &str, officer: &Officer) -> Option<Assigned> {
    match text {
        "me" => Some(Assigned::To(officer.id)),
        "none" => Some(Assigned::Nobody),
        id => Uuid::try_parse(id).ok().map(|id| Assigned::To(OfficerId(id))),
    }
}

struct Given {
    state: Option<String>,
    kind: Option<String>,
    assignee: Option<String>,
    overdue: Option<String>,
    text: Option<String>,
    cursor: Option<String>,
}

impl Given {
    fn filter(
        self,
        officer: &Officer,
        now: DateTime<chrono::Utc>,
    ) -> Result<ApplicationFilter, Vec<FieldViolation>> {
        let mut violations = Vec::new();
        let mut refuse = |name: &str| {
            let violation = Violation::ValueUnknown;
            violations.push(FieldViolation { pointer: format!("/{name}"), violation });
        };
        let mut filter = ApplicationFilter { limit: PAGE, text: self.text, ..ApplicationFilter::default() };
        if let Some(state) = self.state {
            filter.state = StateName::parse(&state);
            filter.state.is_none().then(|| refuse("state"));
        }
        if let Some(kind) = self.kind {
            filter.kind = Kind::parse(&kind);
            filter.kind.is_none().then(|| refuse("kind"));
        }
        if let Some(assignee) = self.assignee {
            filter.assigned = assigned(&assignee, officer);
            filter.assigned.is_none().then(|| refuse("assignee"));
        }
        match self.overdue.as_deref() {
            Some("true") => filter.overdue_at = Some(now),
            Some("false") | None => {}
            Some(_) => refuse("overdue"),
        }
        if let Some(cursor) = self.cursor {
            filter.after = QueuePlace::parse(&cursor);
            filter.after.is_none().then(|| refuse("cursor"));
        }
        if violations.is_empty() { Ok(filter) } else { Err(violations) }
    }
}
