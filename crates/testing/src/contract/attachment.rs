//! The contract of [`Attachments`], written through [`Changes`] where an act was signed with them.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    application::ClarificationId,
    attachment::{Attachment, AttachmentId, FileReference, FileType, Owner},
    notice::NoticeId,
    value::{FileName, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{
    AttachFile, Attachments, Change, Changes, Clock, CommitError, FileRoom, FileSender, OwnedFile, SentFile,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    FixedClock,
    builders::{audit, ubn},
};

const HERE: FileSender = Some([1; 32]);
const THERE: FileSender = Some([2; 32]);

fn bytes(number: u8) -> Vec<u8> {
    [b"%PDF-1.7 ".to_vec(), vec![number; 100_000]].concat()
}

fn sent(number: u8, sender: FileSender, clock: &FixedClock) -> SentFile {
    let bytes = bytes(number);
    let digest = Sha256::digest(&bytes).into();
    let reference = FileReference { id: AttachmentId(Uuid::from_u128(number.into())), digest };
    let name = FileName::parse("王小明 '\"{}.pdf").unwrap();
    let attachment = Attachment { reference, name, file_type: FileType::Pdf, size: bytes.len() };
    SentFile { attachment, sender, expires_at: clock.now() + TimeDelta::days(2) }
}

fn attach(file: &SentFile, owner: Owner, place: usize, clock: &FixedClock) -> AttachFile {
    let (file, sender) = (file.attachment.reference, file.sender);
    AttachFile { file, sender, ubn: ubn(1), owner, place, at: clock.now() }
}

fn change(files: Vec<AttachFile>) -> Change {
    Change { files, audit: audit(), ..Change::default() }
}

/// A file that an act of this organisation was signed with.
pub async fn signed_by(store: &(impl Attachments + Changes), who: UnifiedBusinessNumber, at: DateTime<Utc>) {
    let id = Uuid::from_u128(who.as_str().parse().unwrap_or(1));
    let clock = FixedClock::default();
    clock.set(at);
    let mut file = sent(1, HERE, &clock);
    file.attachment.reference.id = AttachmentId(id);
    let room = FileRoom { origin: IpAddr::from([192, 0, 2, 1]), of_origin: 9, of_all: 9, now: at };
    assert!(store.keep(&file, &bytes(1), &room).await.unwrap());
    let owner = Owner::Clarification(ClarificationId(id));
    store.commit(change(vec![AttachFile { ubn: who, ..attach(&file, owner, 0, &clock) }])).await.unwrap();
}

/// Kept in an address's room, for their sender; one act has each, whoever comes second has none of it.
pub async fn suite(
    store: &(impl Attachments + Changes),
    other: &(impl Attachments + Changes),
    clock: &FixedClock,
) {
    let now = clock.now();
    let here = IpAddr::from([192, 0, 2, 1]);
    let room = |of_origin, of_all| FileRoom { origin: here, of_origin, of_all, now };
    let files: Vec<_> =
        (1..=4).map(|number| sent(number, if number == 4 { None } else { HERE }, clock)).collect();
    for file in &files[..3] {
        assert!(
            store
                .keep(
                    file,
                    &bytes(u8::try_from(file.attachment.reference.id.0.as_u128()).unwrap()),
                    &room(3, 9)
                )
                .await
                .unwrap()
        );
    }
    assert!(!other.keep(&files[3], &bytes(4), &room(3, 9)).await.unwrap(), "the address has no room");
    assert!(!other.keep(&files[3], &bytes(4), &room(9, 3)).await.unwrap(), "there is no room at all");
    let elsewhere = FileRoom { origin: IpAddr::from([192, 0, 2, 2]), ..room(1, 4) };
    assert!(other.keep(&files[3], &bytes(4), &elsewhere).await.unwrap());
    let late = FileRoom { now: now + TimeDelta::days(2), ..room(1, 1) };
    assert!(store.keep(&sent(5, THERE, clock), &bytes(5), &late).await.unwrap(), "what ended takes no room");

    // Found as they were sent, by their sender, in the order asked for; nothing else is.
    let references: Vec<_> = files.iter().map(|file| file.attachment.reference).collect();
    let asked = [references[1], references[0], references[3]];
    let heads = |numbers: &[usize]| numbers.iter().map(|n| files[*n].attachment.clone()).collect::<Vec<_>>();
    assert_eq!(other.waiting(&asked, HERE, now).await.unwrap(), heads(&[1, 0]));
    assert_eq!(store.waiting(&asked, None, now).await.unwrap(), heads(&[3]));
    assert_eq!(store.waiting(&asked, THERE, now).await.unwrap(), []);
    assert_eq!(store.waiting(&asked, HERE, now + TimeDelta::days(2)).await.unwrap(), []);
    let changed = FileReference { digest: [7; 32], ..references[0] };
    assert_eq!(store.waiting(&[changed], HERE, now).await.unwrap(), []);
    assert_eq!(store.read(references[0].id).await.unwrap(), None, "nobody reads what nobody signed");

    // Only the sender takes one back.
    for (file, sender) in
        [(references[2], THERE), (references[2], None), (changed, HERE), (references[3], HERE)]
    {
        store.discard(file, sender).await.unwrap();
    }
    assert_eq!(store.waiting(&references[..3], HERE, now).await.unwrap().len(), 3);
    store.discard(references[2], HERE).await.unwrap();
    assert_eq!(other.waiting(&references[..3], HERE, now).await.unwrap(), heads(&[0, 1]));

    signed(store, other, &files, clock).await;
}

async fn signed(
    store: &(impl Attachments + Changes),
    other: &(impl Attachments + Changes),
    files: &[SentFile],
    clock: &FixedClock,
) {
    let answer = Owner::Clarification(ClarificationId(Uuid::from_u128(90)));
    let notice = NoticeId(Uuid::from_u128(91));
    let explanation = |sending| Owner::Explanation { notice, sending };
    // Of another sender, changed, ended, taken back: the whole change is refused and nothing of it is there.
    let good = attach(&files[0], answer, 0, clock);
    let with = |file: FileReference| AttachFile { file, ..good.clone() };
    let refused = [
        AttachFile { sender: THERE, ..good.clone() },
        AttachFile { sender: None, ..good.clone() },
        with(FileReference { digest: [7; 32], ..good.file }),
        with(files[2].attachment.reference),
        AttachFile { at: clock.now() + TimeDelta::days(2), ..good.clone() },
    ];
    for wrong in refused {
        let commit = store.commit(change(vec![good.clone(), wrong.clone()])).await;
        assert_eq!(commit, Err(CommitError::FileUnknown), "{wrong:?}");
    }
    assert_eq!(store.of_owners(&[answer]).await.unwrap(), []);

    // Two acts name the same file, on two nodes.
    let (first, second) = (attach(&files[0], answer, 1, clock), attach(&files[0], explanation(1), 0, clock));
    let (first, second) = tokio::join!(store.commit(change(vec![first])), other.commit(change(vec![second])));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    assert_eq!(first.and(second), Err(CommitError::FileUnknown));
    let rest = vec![attach(&files[1], answer, 0, clock), attach(&files[3], explanation(2), 0, clock)];
    other.commit(change(rest)).await.unwrap();

    let found = store.of_owners(&[answer, explanation(1), explanation(2)]).await.unwrap();
    let of = |owner| found.iter().filter(move |(of, _)| *of == owner).map(|(_, file)| file.clone());
    assert_eq!(found.len(), 3);
    assert_eq!(of(explanation(2)).collect::<Vec<_>>(), [files[3].attachment.clone()]);
    assert_eq!(of(answer).next(), Some(files[1].attachment.clone()), "in the order of the act");
    let read =
        OwnedFile { ubn: ubn(1), owner: answer, attachment: files[1].attachment.clone(), bytes: bytes(2) };
    assert_eq!(store.read(files[1].attachment.reference.id).await.unwrap(), Some(read));
    assert_eq!(store.waiting(&[files[1].attachment.reference], HERE, clock.now()).await.unwrap(), []);
    store.discard(files[1].attachment.reference, HERE).await.unwrap();
    assert!(other.read(files[1].attachment.reference.id).await.unwrap().is_some(), "what was signed stays");
}
