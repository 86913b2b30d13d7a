//! Files in the API: sent before an act that names them, listed and read by officers, read by their organisation.

use base64::{Engine, engine::general_purpose::STANDARD};
use idcheck_domain::{
    Violation,
    application::ApplicationId,
    attachment::{Attachment, AttachmentId, MAX_BYTES, Owner},
    notice::NoticeId,
};
use idcheck_usecases::ports::OwnedFile;
use poem::Request;
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::Path,
    payload::{Binary, Json},
};
use uuid::Uuid;

use crate::{
    attachment::{POLICY, disposition, of_case, of_notice},
    kernel::{
        body::Described,
        client_address::origin,
        failure::Failure,
        session::{Context, SignedIn},
        tag::Tag,
    },
    operations::api::OrganisationToken,
};

pub(crate) struct AttachmentsApi;

/// A file to be named by an act: PDF, PNG or JPEG by its content.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct FileRequest {
    /// Its name.
    #[oai(validator(max_length = 100))]
    name: String,
    /// Its bytes in base64 (RFC 4648 §4), 5 MiB of them at most.
    content: String,
}

/// A file that waits for its act.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct SentAttachment {
    /// For `attachments` of the act's content. It holds the SHA-256 of the bytes, which the card signs with it.
    reference: String,
    name: String,
    /// By the content: `application/pdf`, `image/png` or `image/jpeg`.
    media_type: String,
    /// In bytes.
    size: u64,
}

#[derive(ApiResponse)]
enum Kept {
    /// It waits two days for an act.
    #[oai(status = 201)]
    Created(Json<SentAttachment>),
}

/// A file that an act was signed with.
#[derive(Debug, Object)]
#[oai(rename = "Attachment", rename_all = "camelCase", skip_serializing_if_is_none)]
struct AttachmentObject {
    id: Uuid,
    /// Of the answer to this clarification.
    clarification_id: Option<Uuid>,
    /// Of the explanation of the notice's sending of this number, from 1.
    sending: Option<u64>,
    name: String,
    /// By the content: `application/pdf`, `image/png` or `image/jpeg`.
    media_type: String,
    /// In bytes.
    size: u64,
    /// Of the bytes, in hexadecimal digits.
    sha256: String,
}

/// Files.
#[derive(Debug, Object)]
struct Attachments {
    attachments: Vec<AttachmentObject>,
}

#[derive(ApiResponse)]
enum File {
    /// The file's bytes, to be saved and not shown; what it is stands where it is listed.
    #[oai(status = 200)]
    Bytes(
        Binary<Vec<u8>>,
        #[oai(header = "Content-Disposition")] String,
        #[oai(header = "Content-Security-Policy")] String,
        #[oai(header = "Cache-Control")] String,
    ),
}

fn file_of(file: OwnedFile) -> File {
    let disposition = disposition(&file.attachment);
    File::Bytes(Binary(file.bytes), disposition, POLICY.to_owned(), "no-store".to_owned())
}

fn size(file: &Attachment) -> u64 {
    u64::try_from(file.size).unwrap_or(u64::MAX)
}

fn attachment_of((owner, file): &(Owner, Attachment)) -> AttachmentObject {
    let (clarification, sending) = match *owner {
        Owner::Clarification(id) => (Some(id.0), None),
        Owner::Explanation { sending, .. } => (None, u64::try_from(sending).ok()),
    };
    AttachmentObject {
        id: file.reference.id.0,
        clarification_id: clarification,
        sending,
        name: file.name.as_str().to_owned(),
        media_type: file.file_type.media_type().to_owned(),
        size: size(file),
        sha256: hex::encode(file.reference.digest),
    }
}

impl SignedIn {
    async fn files(&self, owners: &[Owner]) -> Result<Json<Attachments>, Failure> {
        let found = self.or_failure(self.app.services.attachments.of_owners(owners).await)?;
        Ok(Json(Attachments { attachments: found.iter().map(attachment_of).collect() }))
    }
}

/// Bytes in base64; what is too long is not even decoded.
fn decoded(text: &str) -> Result<Vec<u8>, Violation> {
    if text.len() / 4 * 3 > MAX_BYTES + 3 {
        return Err(Violation::FileTooLarge { max: MAX_BYTES >> 20 });
    }
    STANDARD.decode(text).map_err(|_| Violation::WrongType)
}

#[OpenApi]
impl AttachmentsApi {
    /// Keeps a file for an act that will name it: `answerClarification` or `explain`.
    #[oai(path = "/attachments", method = "post", operation_id = "sendAttachment", tag = "Tag::Applicant")]
    async fn send(
        &self,
        context: Context,
        request: &Request,
        body: Json<Described<FileRequest>>,
    ) -> Result<Kept, Failure> {
        let (name, bytes) = context.read(&body.0.0, |fields| {
            let name = fields.required("/name", |name| Ok(name.to_owned()));
            name.zip(fields.required("/content", decoded))
        })?;
        let from = origin(request, &context.app.config.trusted_proxies).address;
        let kept = context.app.services.attachments.keep(&name, &bytes, None, from).await;
        let kept = context.or_failure(kept)?;
        Ok(Kept::Created(Json(SentAttachment {
            reference: kept.reference.to_string(),
            name: kept.name.as_str().to_owned(),
            media_type: kept.file_type.media_type().to_owned(),
            size: size(&kept),
        })))
    }

    /// A file that the organisation sent.
    #[oai(
        path = "/organisations/me/attachments/:id",
        method = "get",
        operation_id = "readOwnAttachment",
        tag = "Tag::Applicant"
    )]
    async fn own(
        &self,
        context: Context,
        token: OrganisationToken,
        id: Path<String>,
    ) -> Result<File, Failure> {
        let services = &context.app.services;
        let progress = context.own(&token).await?;
        let id = AttachmentId(context.uuid(&id.0)?);
        let file = services.attachments.read_own(progress.ubn, id).await;
        Ok(file_of(context.or_failure(file)?))
    }

    /// The files of a case's answers.
    #[oai(
        path = "/officer/applications/:id/attachments",
        method = "get",
        operation_id = "listApplicationAttachments",
        tag = "Tag::Officer"
    )]
    async fn of_application(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
    ) -> Result<Json<Attachments>, Failure> {
        let id = ApplicationId(signed_in.uuid(&id.0)?);
        let file = signed_in.app.services.read_cases.case(&signed_in.officer, id).await;
        let file = signed_in.or_failure(file)?;
        signed_in.files(&of_case(&file.application)).await
    }

    /// The files of a notice's explanations.
    #[oai(
        path = "/officer/notices/:id/attachments",
        method = "get",
        operation_id = "listNoticeAttachments",
        tag = "Tag::Officer"
    )]
    async fn of_notice(&self, signed_in: SignedIn, id: Path<String>) -> Result<Json<Attachments>, Failure> {
        let id = NoticeId(signed_in.uuid(&id.0)?);
        let read = signed_in.app.services.notices.find(&signed_in.officer, id).await;
        let read = signed_in.or_failure(read)?;
        signed_in.files(&of_notice(&read.value.value).collect::<Vec<_>>()).await
    }

    /// A file, for officers.
    #[oai(
        path = "/officer/attachments/:id",
        method = "get",
        operation_id = "readAttachment",
        tag = "Tag::Officer"
    )]
    async fn read(&self, signed_in: SignedIn, id: Path<String>) -> Result<File, Failure> {
        let id = AttachmentId(signed_in.uuid(&id.0)?);
        let file = signed_in.app.services.attachments.read(&signed_in.officer, id).await;
        Ok(file_of(signed_in.or_failure(file)?))
    }
}
