//! The log that a database keeps: what the writer asks of it.

use std::collections::HashSet;

use chrono::NaiveDate;

use crate::{
    chain::{Head, Link, RecordView},
    ledger::{
        batch::{Asked, Failed, Token, Writes},
        register::Cards,
        state::{End, Tail},
    },
};

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appended {
    Done,
    /// The chain ended elsewhere, or the register was changed; nothing was written.
    Missed,
    /// A token was used before; nothing was written, and the transaction, where there is one, is over.
    Replayed,
}

/// A batch that is to be appended behind an entry.
pub(crate) struct Batch<'b> {
    pub(crate) after: &'b Head,
    /// The mark of the register that it was decided by.
    pub(crate) register: i64,
    pub(crate) link: &'b Link,
    pub(crate) records: &'b [RecordView<'b>],
    pub(crate) writes: &'b Writes,
}

/// A log in a database. Between [`lock`](Self::lock) and [`commit`](Self::commit) or [`release`](Self::release) everything
/// is in one transaction that keeps all other writers from the chain's end; outside, each call stands alone.
pub(crate) trait Log: Send {
    /// Whether a batch is appended without the lock, by comparing the chain's end; where a lock costs nothing it is not.
    const OPTIMISTIC: bool;

    /// Begins a transaction and locks the chain's end.
    fn lock(&mut self) -> impl Future<Output = Result<End, Failed>> + Send;

    /// The hash of an entry, where it is there.
    fn hash(&mut self, seq: i64) -> impl Future<Output = Result<Option<Vec<u8>>, Failed>> + Send;

    /// What the entries after `after` changed; without it, everything. Counts of days before `since` are not asked for.
    fn tail(
        &mut self,
        after: Option<i64>,
        since: NaiveDate,
    ) -> impl Future<Output = Result<Tail, Failed>> + Send;

    /// The cards that the batch is about.
    fn cards(&mut self, batch: &[Asked]) -> impl Future<Output = Result<Cards, Failed>> + Send;

    /// Which of the batch's tokens were used before.
    fn used(&mut self, batch: &[Asked]) -> impl Future<Output = Result<HashSet<Token>, Failed>> + Send;

    /// Appends a batch if the chain still ends where it says, and the register is the one that it says.
    fn append(&mut self, batch: &Batch<'_>) -> impl Future<Output = Result<Appended, Failed>> + Send;

    /// Ends the transaction; what it wrote is durable then.
    fn commit(&mut self) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Ends the transaction, if there is one, without a trace.
    fn release(&mut self) -> impl Future<Output = ()> + Send;
}
