//! Files beside an answer or an explanation: sent before the act, named and signed by it, read by its parties.

use std::{net::IpAddr, sync::Arc};

use chrono::TimeDelta;
use idcheck_domain::{
    Violation,
    attachment::{Attachment, AttachmentId, FileReference, FileType, MAX_BYTES, Owner},
    officer::Permission,
    value::{FileName, UnifiedBusinessNumber},
};
use sha2::{Digest, Sha256};

use crate::{
    kernel::{Refusal, content::FieldViolation, network, permit},
    ports::{
        Attachments, AuditAction, AuditEntry, AuditSubject, Changes, Clock, Entropy, FileRoom, FileSender,
        Officer, OwnedFile, SentFile, StoreError,
    },
};

/// How long a file waits for its act: longer than the draft of an unhurried applicant.
const LIFE: TimeDelta = TimeDelta::days(2);

/// Why a file was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileRefusal {
    /// `/name` or `/content` breaks a rule.
    #[error("the file breaks {} rules", .0.len())]
    Content(Vec<FieldViolation>),
    /// As many wait as may, from the same address or in all.
    #[error("too many files wait for their signature")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What files need.
#[derive(Clone)]
pub struct AttachmentPorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Files.
    pub attachments: Arc<dyn Attachments>,
    /// Where a look at a file is noted.
    pub changes: Arc<dyn Changes>,
    /// How many files from one address may wait.
    pub of_address: u32,
    /// How many files may wait in all.
    pub of_all: u32,
}

/// Keeps files and gives them to those who may read them.
#[derive(Clone)]
pub struct KeepAttachments {
    ports: AttachmentPorts,
}

/// What a file is by its content, if it may be kept.
fn judged(name: &str, bytes: &[u8]) -> Result<(FileName, FileType), Vec<FieldViolation>> {
    let mut wrong = Vec::new();
    let mut refuse = |pointer: &str, violation| {
        wrong.push(FieldViolation { pointer: pointer.to_owned(), violation });
    };
    // Browsers of old sent the whole path.
    let own = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = FileName::parse(own).map_err(|violation| refuse("/name", violation)).ok();
    let file_type = FileType::of(bytes);
    match file_type {
        _ if bytes.is_empty() => refuse("/content", Violation::Required),
        _ if bytes.len() > MAX_BYTES => refuse("/content", Violation::FileTooLarge { max: MAX_BYTES >> 20 }),
        None => refuse("/content", Violation::FileTypeRefused),
        Some(_) => {}
    }
    if wrong.is_empty() { name.zip(file_type).ok_or(wrong) } else { Err(wrong) }
}

impl KeepAttachments {
    /// Creates it with these ports.
    pub fn new(ports: AttachmentPorts) -> Self {
        Self { ports }
    }

    /// Keeps a file that somebody at an address sends, for an act to come.
    ///
    /// # Errors
    /// [`FileRefusal`].
    pub async fn keep(
        &self,
        name: &str,
        bytes: &[u8],
        sender: FileSender,
        from: IpAddr,
    ) -> Result<Attachment, FileRefusal> {
        let (name, file_type) = judged(name, bytes).map_err(FileRefusal::Content)?;
        let AttachmentPorts { clock, entropy, attachments, of_address, of_all, .. } = &self.ports;
        let now = clock.now();
        let reference =
            FileReference { id: AttachmentId(entropy.uuid(now)), digest: Sha256::digest(bytes).into() };
        let attachment = Attachment { reference, name, file_type, size: bytes.len() };
        let file = SentFile { attachment, sender, expires_at: now + LIFE };
        let room = FileRoom { origin: network(from), of_origin: *of_address, of_all: *of_all, now };
        if attachments.keep(&file, bytes, &room).await? {
            Ok(file.attachment)
        } else {
            Err(FileRefusal::TooMany)
        }
    }

    /// Those of these files that this sender sent and that still wait for an act.
    ///
    /// # Errors
    /// The store's.
    pub async fn waiting(
        &self,
        files: &[FileReference],
        sender: FileSender,
    ) -> Result<Vec<Attachment>, StoreError> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        self.ports.attachments.waiting(files, sender, self.ports.clock.now()).await
    }

    /// Removes a file that is not wanted.
    ///
    /// # Errors
    /// The store's.
    pub async fn discard(&self, file: FileReference, sender: FileSender) -> Result<(), StoreError> {
        self.ports.attachments.discard(file, sender).await
    }

    /// The files of each of these: for who was shown what they belong to.
    ///
    /// # Errors
    /// The store's.
    pub async fn of_owners(&self, owners: &[Owner]) -> Result<Vec<(Owner, Attachment)>, StoreError> {
        if owners.is_empty() { Ok(Vec::new()) } else { self.ports.attachments.of_owners(owners).await }
    }

    /// A file for an officer; the look is in the audit log.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::Unknown`] or the store's.
    pub async fn read(&self, officer: &Officer, id: AttachmentId) -> Result<OwnedFile, Refusal> {
        permit(officer, Permission::ReadCases)?;
        let file = self.ports.attachments.read(id).await?.ok_or(Refusal::Unknown)?;
        let entry =
            AuditEntry::new(officer, AuditAction::AttachmentRead, AuditSubject::Organisation(file.ubn));
        self.ports.changes.note(entry.detail(format!("file:{id}"))).await?;
        Ok(file)
    }

    /// A file for the organisation that sent it.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], also for another organisation's, or the store's.
    pub async fn read_own(&self, ubn: UnifiedBusinessNumber, id: AttachmentId) -> Result<OwnedFile, Refusal> {
        let file = self.ports.attachments.read(id).await?;
        file.filter(|file| file.ubn == ubn).ok_or(Refusal::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(name: &str, bytes: &[u8]) -> Vec<(String, Violation)> {
        let wrong = judged(name, bytes).unwrap_err();
        wrong.into_iter().map(|wrong| (wrong.pointer, wrong.violation)).collect()
    }

    #[test]
    fn a_file_is_what_its_content_is() {
        for (bytes, expected) in [
            (&b"%PDF-1.7\n"[..], FileType::Pdf),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", FileType::Png),
            (b"\xff\xd8\xff\xe0\0\x10JFIF\0", FileType::Jpeg),
        ] {
            let (name, file_type) = judged("C:\\掃描\\合約.exe", bytes).unwrap();
            assert_eq!((name.as_str(), file_type), ("合約.exe", expected));
        }
        let other = vec![("/content".to_owned(), Violation::FileTypeRefused)];
        for bytes in [
            &b"MZ\x90\0"[..],
            b"<html><script>",
            b"PK\x03\x04",
            b"GIF89a",
            b"<html>%PDF-1.7",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        ] {
            assert_eq!(broken("a.pdf", bytes), other);
        }
    }

    #[test]
    fn name_and_size_have_bounds_and_all_is_told_at_once() {
        let content = |violation| ("/content".to_owned(), violation);
        assert_eq!(broken("a.pdf", b""), [content(Violation::Required)]);
        let mut large = b"%PDF-1.7".to_vec();
        large.resize(MAX_BYTES, 0);
        assert!(judged("a.pdf", &large).is_ok());
        large.push(0);
        assert_eq!(broken("a.pdf", &large), [content(Violation::FileTooLarge { max: 5 })]);
        assert_eq!(
            broken("a/", b"x"),
            [("/name".to_owned(), Violation::Required), content(Violation::FileTypeRefused)]
        );
        assert_eq!(broken("a\u{202e}fdp.exe", b"%PDF-")[0].1, Violation::ControlCharacter);
        assert_eq!(broken(&"長".repeat(101), b"%PDF-")[0].1, Violation::TooLong { max: 100 });
    }
}
