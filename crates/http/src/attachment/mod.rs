//! Files beside answers and explanations: sent, listed, downloaded.

pub(crate) mod api;
pub(crate) mod page;

use idcheck_domain::{
    application::Application,
    attachment::{Attachment, Owner},
    notice::Notice,
};
use idcheck_usecases::ports::OwnedFile;

/// What the files of a case can belong to.
pub(crate) fn of_case(case: &Application) -> Vec<Owner> {
    let answered = case.clarifications.iter().filter(|asked| asked.answer.is_some());
    answered.map(|asked| Owner::Clarification(asked.id)).collect()
}

/// What the files of a notice can belong to.
pub(crate) fn of_notice(notice: &Notice) -> impl Iterator<Item = Owner> {
    let numbered = notice.sendings.iter().zip(1..);
    let explained = numbered.filter(|(sending, _)| sending.explanation.is_some());
    explained.map(|(_, sending)| Owner::Explanation { notice: notice.id, sending })
}

/// The file's name as it is saved: what it ends with tells what it is, whatever it was called.
fn saved_as(file: &Attachment) -> String {
    let (name, extension) = (file.name.as_str(), file.file_type.extension());
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase().replace("jpeg", "jpg"));
    if ending.as_deref() == Some(extension) { name.to_owned() } else { format!("{name}.{extension}") }
}

/// Saved and never shown: a file of strangers must not become a page of this service (RFC 6266, RFC 8187).
fn disposition(file: &Attachment) -> String {
    let plain = format!("{}.{}", file.reference.id, file.file_type.extension());
    let byte = |b: u8| match b {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' => char::from(b).to_string(),
        _ => format!("%{b:02X}"),
    };
    let named: String = saved_as(file).bytes().map(byte).collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{named}")
}

/// Where a browser shows it all the same, it runs nothing.
const POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox";

/// A file as a page's response.
fn download(file: OwnedFile) -> poem::Response {
    use poem::http::header;
    poem::Response::builder()
        .header(header::CONTENT_TYPE, file.attachment.file_type.media_type())
        .header(header::CONTENT_DISPOSITION, disposition(&file.attachment))
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .header(header::CACHE_CONTROL, "no-store")
        .body(file.bytes)
}

#[cfg(test)]
mod tests {
    use idcheck_domain::{
        attachment::{AttachmentId, FileReference, FileType},
        value::FileName,
    };
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_file_is_saved_as_what_it_is() {
        for (name, file_type, expected) in [
            ("合約.pdf", FileType::Pdf, "%E5%90%88%E7%B4%84.pdf"),
            ("a.PDF", FileType::Pdf, "a.PDF"),
            ("photo.jpeg", FileType::Jpeg, "photo.jpeg"),
            ("photo", FileType::Jpeg, "photo.jpg"),
            ("合約.exe", FileType::Pdf, "%E5%90%88%E7%B4%84.exe.pdf"),
            ("a\"; filename=b.html", FileType::Png, "a%22%3B%20filename%3Db.html.png"),
        ] {
            let reference = FileReference { id: AttachmentId(Uuid::nil()), digest: [0; 32] };
            let file = Attachment { reference, name: FileName::parse(name).unwrap(), file_type, size: 1 };
            let plain = format!("{}.{}", Uuid::nil(), file_type.extension());
            let expected = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{expected}");
            assert_eq!(disposition(&file), expected);
        }
    }
}
