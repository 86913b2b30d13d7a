//! Threat 18: secrets and ID numbers are nowhere in the database's files as they are.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    attachment::{Attachment, AttachmentId, FileReference, FileType},
    key::Environment,
    officer::{OfficerId, Role},
    value::{FileName, IssKey},
    verification::CardStatus,
};
use idcheck_persistence::LedgerWriter;
use idcheck_testing::{
    FixedClock,
    builders::{person, register_row, ubn},
    contract::ledger::{ORGANISATION, admission, question},
    database::TempDatabase,
};
use idcheck_usecases::ports::{
    Attachments, Change, Changes, Clock, FileRoom, GivenIssKey, HouseholdRegister, Ledger, Officer,
    OfficerCredential, OfficerSessions, Officers, SentFile, SessionOrigin, SessionToken,
};
use uuid::Uuid;

const FILE_NAME: &str = "王小明的合約.pdf";

fn sent_file(bytes: &[u8], now: DateTime<Utc>) -> SentFile {
    let reference = FileReference { id: AttachmentId(Uuid::from_u128(7)), digest: [7; 32] };
    let name = FileName::parse(FILE_NAME).unwrap();
    let attachment = Attachment { reference, name, file_type: FileType::Pdf, size: bytes.len() };
    SentFile { attachment, sender: None, expires_at: now + TimeDelta::days(2) }
}

const TOTP: &[u8] = b"a second factor of 20";

#[tokio::test]
async fn nothing_secret_stands_in_the_files() {
    let database = TempDatabase::sqlite().await;
    let store = database.store().await;
    let rows: Vec<_> = (0..50).map(|n| register_row(n, CardStatus::Normal)).collect();
    store.import(&rows).await.unwrap();
    let iss_key = IssKey::parse("e3yMEJMEppYGbb37BxVaOSX00btXCASk").unwrap();
    let given = GivenIssKey {
        ubn: ubn(ORGANISATION),
        environment: Environment::Production,
        iss_key: iss_key.clone(),
    };
    store.commit(Change { iss_key: Some(given), ..admission(ORGANISATION) }).await.unwrap();
    let officer =
        Officer { id: OfficerId(Uuid::from_u128(1)), username: "lin".to_owned(), role: Role::Reviewer };
    let now = FixedClock::default().now();
    let local = OfficerCredential::Local { password_hash: "hash".to_owned(), totp_secret: TOTP.to_vec() };
    let entry = idcheck_testing::builders::audit_entry();
    assert!(store.add(officer.clone(), local, now, entry).await.unwrap());
    let token = SessionToken::new([0xab; 32]);
    store.open(&token, officer.id, &SessionOrigin::default(), now, now + TimeDelta::hours(1)).await.unwrap();
    let ledger = LedgerWriter::start(&store);
    // Number 60 is in no register; it was only asked about.
    ledger.record(question(60, 100, "a-token-id")).await.unwrap();

    let bytes = [b"%PDF-".as_slice(), b"what an applicant scanned"].concat();
    let file = sent_file(&bytes, now);
    let room = FileRoom { origin: [8, 8, 8, 8].into(), of_origin: 1, of_all: 1, now };
    assert!(store.keep(&file, &bytes, &room).await.unwrap());

    let mut secrets: Vec<Vec<u8>> = (0..=60).map(|n| person(n).expose().as_bytes().to_vec()).collect();
    secrets.push(iss_key.expose().as_bytes().to_vec());
    secrets.push(TOTP.to_vec());
    secrets.push(bytes);
    secrets.push(FILE_NAME.as_bytes().to_vec());
    secrets.push(token.expose().as_bytes().to_vec());
    secrets.push(vec![0xab; 32]);
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(database.folder().unwrap()).unwrap() {
        seen.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let stands = |bytes: &[u8]| seen.windows(bytes.len()).any(|window| window == bytes);
    assert!(stands(b"user1"), "the search finds what is there");
    assert!(!stands(b"a-token-id"), "a token is kept as a digest");
    for (number, secret) in secrets.iter().enumerate() {
        assert!(!stands(secret), "secret {number} stands in the files");
    }
}
