//! Officers: mails that were given up.

use chrono::{DateTime, FixedOffset};
use idcheck_domain::taipei;
use idcheck_usecases::mail;
use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use crate::kernel::{failure::Failure, session::SignedIn, tag::Tag};

pub(crate) struct MailApi;

/// A mail that was given up.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct DeadLetter {
    id: Uuid,
    to: String,
    subject: String,
    queued_at: DateTime<FixedOffset>,
    /// How often sending failed.
    attempts: u32,
    /// Why, the last time: `temporary`, where the mail server could not be reached or did not take it, or `permanent`, where
    /// it refused the mail.
    failure: Option<String>,
}

/// Mails that were given up.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct DeadLetters {
    /// Newest first.
    dead_letters: Vec<DeadLetter>,
}

#[derive(ApiResponse)]
enum Queued {
    /// The mail is in the outbox again.
    #[oai(status = 204)]
    Done,
}

#[OpenApi(tag = "Tag::Officer")]
impl MailApi {
    /// The mails that were given up.
    #[oai(path = "/officer/mail/dead-letters", method = "get", operation_id = "listDeadLetters")]
    async fn list(&self, signed_in: SignedIn) -> Result<Json<DeadLetters>, Failure> {
        let services = &signed_in.app.services;
        let mails = services.dead_letters.list(&signed_in.officer).await;
        let mails = signed_in.or_failure(mails)?;
        let letter = |mail::DeadLetter { mail, text }| DeadLetter {
            id: mail.id,
            to: mail.to.as_str().to_owned(),
            subject: text.subject,
            queued_at: taipei::local(mail.queued_at),
            attempts: mail.attempts,
            failure: mail.failure.map(|failure| failure.as_str().to_owned()),
        };
        Ok(Json(DeadLetters { dead_letters: mails.into_iter().map(letter).collect() }))
    }

    /// Sends a mail again that was given up; it keeps its Message-ID.
    #[oai(
        path = "/officer/mail/dead-letters/:id/send",
        method = "post",
        operation_id = "sendDeadLetterAgain"
    )]
    async fn send_again(&self, signed_in: SignedIn, id: Path<String>) -> Result<Queued, Failure> {
        let id = signed_in.uuid(&id.0)?;
        let sent = signed_in.app.services.dead_letters.send_again(&signed_in.officer, id).await;
        signed_in.or_failure(sent)?;
        Ok(Queued::Done)
    }
}
