//! The hash chain over decisions, acts and batches of verifications.
//!
//! Each entry's hash covers the one before, so that a change, a gap or another order shows; the head tells where the
//! chain ends, so that a cut shows too. Whoever appends holds the head's row until the commit: the order of the
//! chain is the order of the commits, over all nodes.

use std::collections::HashMap;

use aws_lc_rs::digest::{Context, SHA256};
use idcheck_usecases::ports::{AuditAction, AuditEntry, RecordedEntry};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Statement,
};
use serde::{Deserialize, Serialize};

use crate::{chain::entity as chain_entry, kernel::vault::HASH_LEN, ledger::entity as record};

/// Kind of an entry that tells of an act, a decision or a look.
pub(crate) const KIND_AUDIT: &str = "audit";
/// Kind of an entry that tells of a batch of verifications.
pub(crate) const KIND_BATCH: &str = "batch";

/// Where the chain ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: i64,
    pub(crate) hash: Vec<u8>,
}

/// Reads the head and keeps every other writer from it until the transaction ends.
pub(crate) async fn lock_head(tx: &DatabaseTransaction) -> Result<Head, DbErr> {
    // On SQLite the transaction itself is the lock: it began as a writer.
    let sql = match tx.get_database_backend() {
        DbBackend::Postgres => "SELECT seq, hash FROM chain_head WHERE id = 1 FOR UPDATE",
        _ => "SELECT seq, hash FROM chain_head WHERE id = 1",
    };
    head(tx, sql).await
}

async fn head<C: ConnectionTrait>(db: &C, sql: &str) -> Result<Head, DbErr> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row =
        db.query_one_raw(statement).await?.ok_or_else(|| DbErr::RecordNotFound("chain_head".to_owned()))?;
    Ok(Head { seq: row.try_get("", "seq")?, hash: row.try_get("", "hash")? })
}

fn hash_of(previous: &[u8], seq: i64, at: i64, kind: &str, body: &str) -> Vec<u8> {
    let mut hash = Context::new(&SHA256);
    hash.update(previous);
    hash.update(&seq.to_be_bytes());
    hash.update(&at.to_be_bytes());
    hash.update(format!("{}:{kind}{}:{body}", kind.len(), body.len()).as_bytes());
    hash.finish().as_ref().to_vec()
}

/// An entry that is not written yet.
pub(crate) struct Link {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) kind: &'static str,
    pub(crate) body: String,
    pub(crate) hash: Vec<u8>,
}

/// The entry that comes after `head`.
pub(crate) fn link(head: &Head, at: i64, kind: &'static str, body: String) -> Link {
    let seq = head.seq + 1;
    let hash = hash_of(&head.hash, seq, at, kind, &body);
    Link { seq, at, kind, body, hash }
}

/// Appends an entry; `head` becomes the new end. [`store_head`] makes it the chain's.
pub(crate) async fn append(
    tx: &DatabaseTransaction,
    head: &mut Head,
    at: i64,
    kind: &'static str,
    body: String,
) -> Result<(), DbErr> {
    let Link { seq, at, kind, body, hash } = link(head, at, kind, body);
    let row = chain_entry::Model { seq, at, kind: kind.to_owned(), body, hash: hash.clone() };
    chain_entry::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    *head = Head { seq, hash };
    Ok(())
}

/// Writes the new end of the chain.
pub(crate) async fn store_head(tx: &DatabaseTransaction, head: &Head) -> Result<(), DbErr> {
    let sql = "UPDATE chain_head SET seq = $1, hash = $2 WHERE id = 1";
    let values = [head.seq.into(), head.hash.clone().into()];
    tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    Ok(())
}

#[derive(Serialize)]
struct AuditJson<'a> {
    actor: String,
    action: String,
    subject: String,
    detail: &'a str,
}

#[derive(Deserialize)]
struct AuditRead {
    actor: String,
    action: String,
    subject: String,
    detail: String,
}

/// The entry of a body.
pub(crate) fn audit_entry(body: &str) -> Option<RecordedEntry> {
    let AuditRead { actor, action, subject, detail } = serde_json::from_str(body).ok()?;
    Some(RecordedEntry { actor, action, subject, detail })
}

/// The number of the last entry.
pub(crate) async fn end<C: ConnectionTrait>(db: &C) -> Result<i64, DbErr> {
    Ok(head(db, "SELECT seq, hash FROM chain_head WHERE id = 1").await?.seq)
}

/// The body of an audit entry.
pub(crate) fn audit_body(entry: &AuditEntry) -> String {
    let json = AuditJson {
        actor: entry.actor.to_string(),
        action: entry.action.to_string(),
        subject: entry.subject.to_string(),
        detail: &entry.detail,
    };
    serde_json::to_string(&json).unwrap_or_default()
}

/// A record as a batch's entry tells of it.
#[derive(Clone, Copy)]
pub(crate) struct RecordView<'r> {
    pub(crate) position: i32,
    pub(crate) at: i64,
    pub(crate) ubn: &'r str,
    pub(crate) environment: &'r str,
    pub(crate) user_id: &'r str,
    pub(crate) address: &'r str,
    pub(crate) person_hash: Option<&'r [u8]>,
    pub(crate) outcome: &'r str,
    /// Of attempts since they are recorded.
    pub(crate) neighbours: Option<&'r [u8]>,
}

/// The body of a batch's entry: how many records, and the digest over all of them in order.
pub(crate) fn batch_body<'r>(records: impl ExactSizeIterator<Item = RecordView<'r>>) -> String {
    let mut hash = Context::new(&SHA256);
    let count = records.len();
    // Everything of a record in one piece: what a digest costs is mostly the call.
    let (mut bytes, mut person) = (Vec::with_capacity(256), [0; 2 * HASH_LEN]);
    for r in records {
        bytes.clear();
        bytes.extend_from_slice(&r.position.to_be_bytes());
        bytes.extend_from_slice(&r.at.to_be_bytes());
        let longer;
        let person = match r.person_hash {
            None => "",
            // Records from before it was kept have the digest that they had.
            Some(hash) if let Some(neighbours) = r.neighbours => {
                longer = format!("{}+{}", hex::encode(hash), hex::encode(neighbours));
                &longer
            }
            // Where nobody changed it, it has its length.
            Some(hash) if hex::encode_to_slice(hash, &mut person).is_ok() => {
                std::str::from_utf8(&person).unwrap_or_default()
            }
            Some(hash) => {
                longer = hex::encode(hash);
                &longer
            }
        };
        // The length before each text, so that no two lists of texts are the same bytes.
        for text in [r.ubn, r.environment, r.user_id, r.address, person, r.outcome] {
            bytes.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        hash.update(&bytes);
    }
    format!("records={count} digest={}", hex::encode(hash.finish()))
}

impl record::Model {
    fn view(&self) -> RecordView<'_> {
        RecordView {
            position: self.position,
            at: self.at,
            ubn: &self.ubn,
            environment: &self.environment,
            user_id: &self.user_id,
            address: &self.address,
            person_hash: self.person_hash.as_deref(),
            outcome: &self.outcome,
            neighbours: self.neighbours.as_deref(),
        }
    }
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its hash is not that of its content and the entry before.
    Hash,
    /// The entry is missing: the next one there has a higher number.
    Missing,
    /// The records under its number are not those that it tells of.
    Records,
    /// The chain ends before its head, or runs on behind it.
    Head,
}

/// The outcome of walking the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainReport {
    pub entries: u64,
    /// Verification records checked against their entries.
    pub records: u64,
    /// The first bad entry and what is wrong with it.
    pub first_bad: Option<(i64, Fault)>,
    /// Where the database went on from a backup.
    pub gaps: Vec<Gap>,
    /// Batches whose records were removed after the time for which they are kept.
    pub removed: u64,
}

/// A time whose entries are lost: the database went on from a backup. Instants in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The entry that tells of it.
    pub seq: i64,
    /// The last entry before.
    pub from: i64,
    /// When the database went on.
    pub until: i64,
}

/// Entries of one page; each may be a batch of some hundred records.
const PAGE: u64 = 200;

/// Walks the chain from entry `from`, taking the hash of the entry before it as given. Of the batches up to `removed` the
/// records may be gone: an entry of the chain says so.
pub(crate) async fn verify<C: ConnectionTrait>(
    db: &C,
    from: i64,
    removed: i64,
    mut progress: impl FnMut(i64, i64) + Send,
) -> Result<ChainReport, DbErr> {
    // Read before the head: an entry's transaction moves the head too, so whatever is behind the head never was right.
    let greatest = greatest_seq(db).await?;
    let end = head(db, "SELECT seq, hash FROM chain_head WHERE id = 1").await?;
    let mut report = ChainReport { entries: 0, records: 0, first_bad: None, gaps: Vec::new(), removed: 0 };
    let from = from.max(1);
    let before = chain_entry::Entity::find_by_id(from - 1).one(db).await?;
    let mut at = before.as_ref().map_or(0, |entry| entry.at);
    let mut last = Head { seq: from - 1, hash: before.map_or_else(|| vec![0; 32], |entry| entry.hash) };
    loop {
        let page = chain_entry::Entity::find()
            .filter(chain_entry::Column::Seq.gt(last.seq))
            .filter(chain_entry::Column::Seq.lte(end.seq))
            .order_by_asc(chain_entry::Column::Seq)
            .limit(PAGE)
            .all(db)
            .await?;
        let Some(page_end) = page.last().map(|entry| entry.seq) else { break };
        let mut records = records_between(db, last.seq + 1, page_end).await?;
        for entry in page {
            let under = records.remove(&entry.seq).unwrap_or_default();
            let gone = under.is_empty() && entry.kind == KIND_BATCH && entry.seq <= removed;
            if let Some((seq, fault)) =
                fault_of(&last, &entry, &under).filter(|(_, fault)| !(gone && *fault == Fault::Records))
            {
                report.first_bad = Some((seq, fault));
                return Ok(report);
            }
            report.entries += 1;
            report.removed += u64::from(gone);
            if audit_entry(&entry.body)
                .is_some_and(|told| told.action == AuditAction::DatabaseRestored.to_string())
            {
                report.gaps.push(Gap { seq: entry.seq, from: at, until: entry.at });
            }
            at = entry.at;
            report.records += u64::try_from(under.len()).unwrap_or_default();
            last = Head { seq: entry.seq, hash: entry.hash };
        }
        progress(last.seq, end.seq);
    }
    if last.seq != end.seq || last.hash != end.hash || greatest > end.seq {
        report.first_bad = Some((last.seq + 1, Fault::Head));
    }
    Ok(report)
}

/// The greatest number that an entry or a record has.
async fn greatest_seq<C: ConnectionTrait>(db: &C) -> Result<i64, DbErr> {
    let sql = "SELECT max(seq) AS seq FROM (SELECT max(seq) AS seq FROM audit_chain \
               UNION ALL SELECT max(seq) AS seq FROM verification_records) AS numbers";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let greatest: Option<i64> = row.map(|row| row.try_get("", "seq")).transpose()?.flatten();
    Ok(greatest.unwrap_or(0))
}

async fn records_between<C: ConnectionTrait>(
    db: &C,
    first: i64,
    last: i64,
) -> Result<HashMap<i64, Vec<record::Model>>, DbErr> {
    let rows = record::Entity::find()
        .filter(record::Column::Seq.between(first, last))
        .order_by_asc(record::Column::Seq)
        .order_by_asc(record::Column::Position)
        .all(db)
        .await?;
    let mut records: HashMap<i64, Vec<record::Model>> = HashMap::new();
    for row in rows {
        records.entry(row.seq).or_default().push(row);
    }
    Ok(records)
}

/// What is wrong with the entry that follows `last`, with the records under its number.
fn fault_of(last: &Head, entry: &chain_entry::Model, records: &[record::Model]) -> Option<(i64, Fault)> {
    if entry.seq != last.seq + 1 {
        return Some((last.seq + 1, Fault::Missing));
    }
    if entry.hash != hash_of(&last.hash, entry.seq, entry.at, &entry.kind, &entry.body) {
        return Some((entry.seq, Fault::Hash));
    }
    let told = match entry.kind.as_str() {
        KIND_BATCH => entry.body == batch_body(records.iter().map(record::Model::view)),
        _ => records.is_empty(),
    };
    (!told).then_some((entry.seq, Fault::Records))
}

#[allow(unreachable_pub, reason = "sea-orm's derives ask for pub")]
pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_chain")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        pub at: i64,
        pub kind: String,
        pub body: String,
        pub hash: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written once is to be checked for ever: the digest of a batch is that of these bytes (made by another program).
    #[test]
    fn a_batch_is_told_of_as_ever() {
        let record = |position, at, texts: [&str; 5], person_hash: Option<Vec<u8>>| record::Model {
            seq: 7,
            position,
            at,
            ubn: texts[0].to_owned(),
            environment: texts[1].to_owned(),
            user_id: texts[2].to_owned(),
            address: texts[3].to_owned(),
            person_hash,
            neighbours: None,
            outcome: texts[4].to_owned(),
        };
        let mut records = [
            record(
                0,
                1_795_870_528_987_675,
                ["04595257", "production", "user1", "8.8.8.8", "2"],
                Some(vec![0xab; 32]),
            ),
            record(1, -1, ["04595257", "sandbox", "", "::1", "tokenTimes"], None),
        ];
        let body = |records: &[record::Model]| batch_body(records.iter().map(record::Model::view));
        let told = "records=2 digest=a5c754ff2cc9f12314d10fbd804288911abf011a1b3d7b4939787e02a82a9a55";
        assert_eq!(body(&records), told);
        records[0].neighbours = Some(vec![0xcd; 16]);
        let with = "records=2 digest=946f84eb6fd060c2dfee184c90d8a10c725c4c12ae98462b339a70b69b60ecbe";
        assert_eq!(body(&records), with);
        records[0].neighbours = None;
        // A hash that was made longer, shorter or empty shows.
        for other in [vec![0xab; 33], vec![0xab; 31], Vec::new()] {
            records[0].person_hash = Some(other);
            assert_ne!(body(&records), told);
        }
    }
}
