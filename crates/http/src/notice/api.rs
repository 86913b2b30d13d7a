//! Officers: notices of abnormal use (注意事項 九).

use idcheck_domain::{
    Violation,
    notice::{MAX_DAYS, NoticeId},
    value::{Narrative, Reason},
};
use idcheck_usecases::{Fields, notice::NoticeStep};
use poem_openapi::{Object, OpenApi, param::Path, payload::Json};

use crate::{
    application::api::version,
    kernel::{body::Described, failure::Failure, session::SignedIn, tag::Tag},
    notice::dto::{Notice, notice_of},
};

pub(crate) struct NoticesApi;

/// A notice to be sent, or a further question.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct SendRequest {
    /// What is to be explained; mailed to the organisation.
    message: String,
    /// Working days to explain, 1 to 30.
    #[oai(validator(minimum(value = "1"), maximum(value = "30")))]
    days: i64,
    /// The version that was read.
    #[oai(validator(minimum(value = "1")))]
    version: i64,
}

/// An explanation accepted.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct AcceptRequest {
    /// A note for the organisation.
    note: Option<String>,
    /// The version that was read.
    #[oai(validator(minimum(value = "1")))]
    version: i64,
}

/// A notice put away unsent.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct DismissRequest {
    /// Why; not told to the organisation.
    reason: String,
    /// The version that was read.
    #[oai(validator(minimum(value = "1")))]
    version: i64,
}

/// Open notices.
#[derive(Debug, Object)]
struct OpenNotices {
    /// Overdue ones on top.
    notices: Vec<Notice>,
}

impl SignedIn {
    async fn take(&self, id: &str, version: i64, step: &NoticeStep) -> Result<Json<Notice>, Failure> {
        let id = NoticeId(self.uuid(id)?);
        let services = &self.app.services;
        let taken = self.or_failure(services.notices.take(&self.officer, id, version, step).await)?;
        Ok(Json(notice_of(&taken.value, Some(&taken.officers), services.clock.now())))
    }
}

#[OpenApi(tag = "Tag::Officer")]
impl NoticesApi {
    /// The open notices: overdue ones on top, then by deadline, then those not sent yet.
    #[oai(path = "/officer/notices", method = "get", operation_id = "listNotices")]
    async fn list(&self, signed_in: SignedIn) -> Result<Json<OpenNotices>, Failure> {
        let services = &signed_in.app.services;
        let open = signed_in.or_failure(services.notices.open(&signed_in.officer).await)?;
        let now = services.clock.now();
        Ok(Json(OpenNotices {
            notices: open.value.iter().map(|read| notice_of(read, Some(&open.officers), now)).collect(),
        }))
    }

    /// One notice.
    #[oai(path = "/officer/notices/:id", method = "get", operation_id = "readNotice")]
    async fn notice(&self, signed_in: SignedIn, id: Path<String>) -> Result<Json<Notice>, Failure> {
        let id = NoticeId(signed_in.uuid(&id.0)?);
        let services = &signed_in.app.services;
        let read = signed_in.or_failure(services.notices.find(&signed_in.officer, id).await)?;
        Ok(Json(notice_of(&read.value, Some(&read.officers), services.clock.now())))
    }

    /// Sends a notice with a deadline, or asks again after an explanation.
    #[oai(path = "/officer/notices/:id/send", method = "post", operation_id = "sendNotice")]
    async fn send(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<SendRequest>>,
    ) -> Result<Json<Notice>, Failure> {
        let ((message, days), version) = signed_in.read(&body.0.0, |fields| {
            let message = fields.required("/message", Narrative::parse);
            message.zip(days(fields)).zip(version(fields))
        })?;
        signed_in.take(&id.0, version, &NoticeStep::Send { message, days }).await
    }

    /// Accepts the explanation.
    #[oai(path = "/officer/notices/:id/accept", method = "post", operation_id = "acceptExplanation")]
    async fn accept(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<AcceptRequest>>,
    ) -> Result<Json<Notice>, Failure> {
        let (note, version) = signed_in.read(&body.0.0, |fields| {
            let note = fields.optional("/note", Reason::parse);
            version(fields).map(|version| (note, version))
        })?;
        signed_in.take(&id.0, version, &NoticeStep::Accept { note }).await
    }

    /// Puts a notice away unsent, or takes back one that was sent and not explained; the company is told of the latter.
    #[oai(path = "/officer/notices/:id/dismiss", method = "post", operation_id = "dismissNotice")]
    async fn dismiss(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<DismissRequest>>,
    ) -> Result<Json<Notice>, Failure> {
        let (reason, version) = signed_in
            .read(&body.0.0, |fields| fields.required("/reason", Reason::parse).zip(version(fields)))?;
        signed_in.take(&id.0, version, &NoticeStep::Dismiss { reason }).await
    }
}

/// Working days to explain.
fn days(fields: &mut Fields<'_>) -> Option<u32> {
    let days = fields.integer("/days").map(u32::try_from);
    match days {
        Some(Ok(days)) if (1..=MAX_DAYS).contains(&days) => Some(days),
        Some(_) => {
            fields.refuse("/days", Violation::ValueUnknown);
            None
        }
        None => {
            if !fields.given("/days") {
                fields.refuse("/days", Violation::Required);
            }
            None
        }
    }
}
