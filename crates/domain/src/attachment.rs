//! Files beside an answer to a clarification or an explanation of a notice (附件, **decided**): a letter, a contract, a picture of a
//! screen. Which kinds, how many, how large; what is signed of one.

use std::fmt;

use uuid::Uuid;

use crate::{
    Violation, application::ClarificationId, identity::identity, notice::NoticeId, value::FileName,
    words::words,
};

identity!(
    /// Identity of a file.
    AttachmentId
);

/// The most files of one answer.
pub const MAX_FILES: usize = 5;

/// The greatest size of one file, in bytes: 5 MiB, a page as a telephone photographs it.
pub const MAX_BYTES: usize = 5 * 1024 * 1024;

words! {
    /// What a file may be. It is told by its content and never by its name.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum FileType(media_type) {
        /// A document.
        Pdf = "application/pdf",
        /// A picture without loss.
        Png = "image/png",
        /// A photograph.
        Jpeg = "image/jpeg",
    }
}

impl FileType {
    /// What a file is by its first bytes (ISO 32000-1 §7.5.2, PNG §5.2, ISO 10918-1 B.2.1); none of these where something else
    /// stands before them, as in a file that is a page and a document at once.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let begins = |with: &[u8]| bytes.starts_with(with);
        Self::ALL.into_iter().find(|kind| match kind {
            Self::Pdf => begins(b"%PDF-"),
            Self::Png => begins(b"\x89PNG\r\n\x1a\n"),
            Self::Jpeg => begins(b"\xff\xd8\xff"),
        })
    }

    /// What the name of such a file ends with, without the full stop.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }
}

/// What an act says of a file: its identity and the SHA-256 of its bytes, so that the card signs the bytes. As text
/// `<identity>.<64 hexadecimal digits>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileReference {
    /// Which file.
    pub id: AttachmentId,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
}

impl FileReference {
    /// Reads the text.
    ///
    /// # Errors
    /// [`Violation::FileUnknown`]: nothing else could be one that the service gave.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let read = || {
            let (id, digest) = text.split_once('.')?;
            let id = Uuid::try_parse(id).ok()?;
            if digest.len() != 64 || !digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
                return None;
            }
            let mut bytes = [0; 32];
            for (byte, place) in bytes.iter_mut().zip(0..) {
                *byte = u8::from_str_radix(digest.get(2 * place..2 * place + 2)?, 16).ok()?;
            }
            Some(Self { id: AttachmentId(id), digest: bytes })
        };
        read().ok_or(Violation::FileUnknown)
    }
}

impl fmt::Display for FileReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.id)?;
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a file belongs to once its act was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The answer to a clarification (注意事項 五).
    Clarification(ClarificationId),
    /// The explanation of a notice (注意事項 九), of the sending of this number from 1: what is asked again is explained again.
    Explanation {
        /// The notice.
        notice: NoticeId,
        /// The sending.
        sending: usize,
    },
}

/// A file, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What is said of it.
    pub reference: FileReference,
    /// Its name, as whoever sent it had it.
    pub name: FileName,
    /// What it is.
    pub file_type: FileType,
    /// Its size in bytes.
    pub size: usize,
}

/// Whether a set of files may stand in one act.
///
/// # Errors
/// [`Violation::TooMany`], [`Violation::Duplicate`].
pub fn check_set(files: &[FileReference]) -> Result<(), Violation> {
    if files.len() > MAX_FILES {
        return Err(Violation::TooMany { max: MAX_FILES });
    }
    let twice =
        |(place, file): (usize, &FileReference)| files[..place].iter().any(|other| other.id == file.id);
    if files.iter().enumerate().any(twice) { Err(Violation::Duplicate) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ID: &str = "01980000-0000-7000-8000-000000000001";

    #[test]
    fn a_reference_is_read_as_it_is_written() {
        let text = format!("{ID}.{}", "0f".repeat(32));
        let read = FileReference::parse(&text).unwrap();
        assert_eq!(read.digest, [15; 32]);
        assert_eq!(read.to_string(), text);
    }

    #[rstest]
    #[case("")]
    #[case(ID)]
    #[case(&format!("{ID}."))]
    #[case(&format!("{ID}.{}", "0f".repeat(31)))]
    #[case(&format!("{ID}.{}", "0F".repeat(32)))]
    #[case(&format!("{ID}.{}", "+f".repeat(32)))]
    #[case(&format!("{ID}.{}é", "0".repeat(62)))]
    #[case(&format!("x.{}", "0f".repeat(32)))]
    fn nothing_else_is_a_reference(#[case] text: &str) {
        assert_eq!(FileReference::parse(text), Err(Violation::FileUnknown));
    }

    #[test]
    fn a_set_has_a_bound_and_names_each_file_once() {
        let file = |number: u128, digest| FileReference { id: AttachmentId(Uuid::from_u128(number)), digest };
        let files: Vec<_> = (0..6).map(|number| file(number, [0; 32])).collect();
        assert_eq!(check_set(&files[..5]), Ok(()));
        assert_eq!(check_set(&files), Err(Violation::TooMany { max: 5 }));
        assert_eq!(check_set(&[file(1, [0; 32]), file(1, [1; 32])]), Err(Violation::Duplicate));
    }
}
