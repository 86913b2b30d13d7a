//! Files beside answers and explanations: name and bytes are sealed, and belong to one act or end.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    application::ClarificationId,
    attachment::{Attachment, AttachmentId, FileReference, FileType, Owner},
    notice::NoticeId,
    value::{FileName, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{
    AttachFile, Attachments, CommitError, FileRoom, FileSender, OwnedFile, SentFile, StoreError,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Statement, Value};
use uuid::Uuid;

use crate::kernel::{
    cell::{corrupt, micros},
    store::{Store, cell},
    vault::Vault,
    versioned::failed,
};

const TABLE: &str = "attachments";

/// A file, if there is room for it. Each parameter says its type, which PostgreSQL can't see in a SELECT.
const KEEP: &str = "INSERT INTO attachments \
    (id, digest, file_type, size, sender, origin, expires_at, sealed_name, sealed) \
    SELECT $1, $2, CAST($3 AS text), CAST($4 AS bigint), $5, CAST($6 AS text), CAST($7 AS bigint), $8, $9 \
    WHERE (SELECT count(*) FROM attachments WHERE origin = $6 AND expires_at > CAST($10 AS bigint)) \
    < CAST($11 AS bigint) \
    AND (SELECT count(*) FROM attachments WHERE expires_at > CAST($10 AS bigint)) < CAST($12 AS bigint)";

/// What is told of a file without its bytes.
const HEAD: &str = "id, digest, file_type, size, sender, expires_at, owner, sealed_name";

/// One row or none: a file that waits for exactly this act's sender, unchanged.
const ATTACH: &str = "UPDATE attachments SET expires_at = NULL, ubn = $1, owner = $2, place = $3, signed_at = $4 \
    WHERE id = $5 AND digest = $6 AND owner IS NULL AND expires_at > $4 AND ";

/// Each part is sealed to its own place: nothing of one file opens as another's.
fn place(id: AttachmentId, part: &str) -> String {
    format!("attachment:{id}:{part}")
}

fn owner_text(owner: Owner) -> String {
    match owner {
        Owner::Clarification(id) => format!("clarification:{id}"),
        Owner::Explanation { notice, sending } => format!("explanation:{notice}:{sending}"),
    }
}

fn owner_of(text: &str) -> Option<Owner> {
    match text.split(':').collect::<Vec<_>>().as_slice() {
        ["clarification", id] => Some(Owner::Clarification(ClarificationId(Uuid::try_parse(id).ok()?))),
        ["explanation", id, sending] => Some(Owner::Explanation {
            notice: NoticeId(Uuid::try_parse(id).ok()?),
            sending: sending.parse().ok()?,
        }),
        _ => None,
    }
}

/// A file without its bytes.
fn head(vault: &Vault, row: &QueryResult) -> Result<Attachment, StoreError> {
    let id = AttachmentId(cell(row, "id")?);
    let digest: Vec<u8> = cell(row, "digest")?;
    let file_type: String = cell(row, "file_type")?;
    let size: i64 = cell(row, "size")?;
    let sealed: Vec<u8> = cell(row, "sealed_name")?;
    let name = vault.open(&place(id, "name"), &sealed).map_err(|_| corrupt(TABLE, "sealed_name"))?;
    let name = std::str::from_utf8(&name).ok().and_then(|name| FileName::parse(name).ok());
    Ok(Attachment {
        reference: FileReference { id, digest: digest.try_into().map_err(|_| corrupt(TABLE, "digest"))? },
        name: name.ok_or_else(|| corrupt(TABLE, "sealed_name"))?,
        file_type: FileType::parse(&file_type).ok_or_else(|| corrupt(TABLE, "file_type"))?,
        size: usize::try_from(size).map_err(|_| corrupt(TABLE, "size"))?,
    })
}

/// `$first`, `$first+1`… for so many values.
fn places(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

#[async_trait]
impl Attachments for Store {
    async fn keep(&self, file: &SentFile, bytes: &[u8], room: &FileRoom) -> Result<bool, StoreError> {
        let SentFile { attachment, sender, expires_at } = file;
        let id = attachment.reference.id;
        let seal =
            |part, secret| self.vault.seal(&place(id, part), secret).map_err(|_| StoreError::Unavailable);
        let values: [Value; 12] = [
            id.0.into(),
            Vec::from(attachment.reference.digest).into(),
            attachment.file_type.media_type().into(),
            i64::try_from(attachment.size).unwrap_or(i64::MAX).into(),
            sender.map(Vec::from).into(),
            room.origin.to_string().into(),
            micros(*expires_at).into(),
            seal("name", attachment.name.as_str().as_bytes())?.into(),
            seal("bytes", bytes)?.into(),
            micros(room.now).into(),
            i64::from(room.of_origin).into(),
            i64::from(room.of_all).into(),
        ];
        Ok(self.put(KEEP, Vec::from(values)).await? == 1)
    }

    async fn waiting(
        &self,
        files: &[FileReference],
        sender: FileSender,
        now: DateTime<Utc>,
    ) -> Result<Vec<Attachment>, StoreError> {
        let sql = format!(
            "SELECT {HEAD} FROM attachments WHERE owner IS NULL AND expires_at > $1 AND id IN ({})",
            places(2, files.len())
        );
        let values = std::iter::once(micros(now).into()).chain(files.iter().map(|file| file.id.0.into()));
        let mut found = Vec::new();
        for row in self.rows(&sql, values.collect()).await? {
            let sent_by: Option<Vec<u8>> = cell(&row, "sender")?;
            if sent_by.as_deref() == sender.as_ref().map(<[u8; 32]>::as_slice) {
                found.push(head(&self.vault, &row)?);
            }
        }
        let one = |file: &FileReference| found.iter().find(|found| found.reference == *file).cloned();
        Ok(files.iter().filter_map(one).collect())
    }

    async fn discard(&self, file: FileReference, sender: FileSender) -> Result<(), StoreError> {
        let (of_sender, mut values) = of_sender(sender, 3);
        let sql = format!(
            "DELETE FROM attachments WHERE id = $1 AND digest = $2 AND owner IS NULL AND {of_sender}"
        );
        values.splice(0..0, [file.id.0.into(), Vec::from(file.digest).into()]);
        self.put(&sql, values).await.map(drop)
    }

    async fn of_owners(&self, owners: &[Owner]) -> Result<Vec<(Owner, Attachment)>, StoreError> {
        let sql = format!(
            "SELECT {HEAD} FROM attachments WHERE owner IN ({}) ORDER BY owner, place",
            places(1, owners.len())
        );
        let values = owners.iter().map(|owner| owner_text(*owner).into()).collect();
        let rows = self.rows(&sql, values).await?;
        let one = |row: QueryResult| {
            let owner: String = cell(&row, "owner")?;
            let owner = owner_of(&owner).ok_or_else(|| corrupt(TABLE, "owner"))?;
            Ok((owner, head(&self.vault, &row)?))
        };
        rows.into_iter().map(one).collect()
    }

    async fn read(&self, id: AttachmentId) -> Result<Option<OwnedFile>, StoreError> {
        let sql = format!("SELECT {HEAD}, ubn, sealed FROM attachments WHERE id = $1 AND owner IS NOT NULL");
        let rows = self.rows(&sql, vec![id.0.into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (ubn, owner): (String, String) = (cell(row, "ubn")?, cell(row, "owner")?);
        let sealed: Vec<u8> = cell(row, "sealed")?;
        let bytes = self.vault.open(&place(id, "bytes"), &sealed).map_err(|_| corrupt(TABLE, "sealed"))?;
        let attachment = head(&self.vault, row)?;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
        if digest.as_ref() != attachment.reference.digest {
            return Err(corrupt(TABLE, "digest"));
        }
        Ok(Some(OwnedFile {
            ubn: UnifiedBusinessNumber::parse(&ubn).map_err(|_| corrupt(TABLE, "ubn"))?,
            owner: owner_of(&owner).ok_or_else(|| corrupt(TABLE, "owner"))?,
            attachment,
            bytes: bytes.to_vec(),
        }))
    }
}

/// The condition for a sender, and its value for the parameter of this number.
fn of_sender(sender: FileSender, number: usize) -> (String, Vec<Value>) {
    match sender {
        Some(session) => (format!("sender = ${number}"), vec![Vec::from(session).into()]),
        None => ("sender IS NULL".to_owned(), Vec::new()),
    }
}

/// Gives a file to the act that it was signed with.
pub(crate) async fn attach(tx: &DatabaseTransaction, file: &AttachFile) -> Result<(), CommitError> {
    let (of_sender, sender) = of_sender(file.sender, 7);
    let values: [Value; 6] = [
        file.ubn.as_str().into(),
        owner_text(file.owner).into(),
        i64::try_from(file.place).unwrap_or(i64::MAX).into(),
        micros(file.at).into(),
        file.file.id.0.into(),
        Vec::from(file.file.digest).into(),
    ];
    let values = values.into_iter().chain(sender);
    let statement =
        Statement::from_sql_and_values(tx.get_database_backend(), format!("{ATTACH}{of_sender}"), values);
    let written: Result<_, DbErr> = tx.execute_raw(statement).await;
    if written.map_err(failed)?.rows_affected() == 1 { Ok(()) } else { Err(CommitError::FileUnknown) }
}
