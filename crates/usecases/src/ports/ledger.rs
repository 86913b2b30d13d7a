//! The ledger: where every query is recorded, and where the rules that count are kept.

use std::net::IpAddr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    key::Environment,
    outcome::{QueryRefusal, RecordedOutcome},
    value::{PersonId, UnifiedBusinessNumber},
    verification::{CardData, VerificationResult},
};

/// A question about a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardQuestion {
    /// Whose.
    pub person_id: PersonId,
    /// With which data.
    pub data: CardData,
}

/// Limits of an organisation that are exact over all nodes (check 9), each per Taipei day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Queries that reach the ledger.
    pub quota: u32,
    /// Wrong answers (threat 11: locking citizens out on purpose).
    pub budget: u32,
}

/// What is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A question that passed checks 1 to 8 and the rate.
    Card {
        /// The question.
        question: CardQuestion,
        /// The token's `jti`.
        jti: String,
        /// The token's end; that it was used is kept until it can't be sent any more.
        token_expires_at: DateTime<Utc>,
        /// The organisation's limits.
        limits: Limits,
    },
    /// A refusal.
    Refused(QueryRefusal),
}

/// One query on its way into the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// When it arrived; decides the Taipei day of its strike.
    pub at: DateTime<Utc>,
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// Where the key is good for.
    pub environment: Environment,
    /// The organisation's user; empty where the token did not get that far.
    pub user_id: String,
    /// Where it came from.
    pub address: IpAddr,
    /// The epoch of the callers by which it was let through ([`CallerSource::epoch`](super::CallerSource::epoch)); none
    /// where it was let through by no snapshot of callers, and there is nothing to compare.
    pub epoch: Option<i64>,
    /// What it is.
    pub ask: Ask,
}

/// What the ledger decided in the transaction that recorded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerAnswer {
    /// Recorded, with this result.
    Result(VerificationResult),
    /// A refusal was recorded.
    Recorded,
    /// The access ended before the record (threat 27); recorded as such.
    AccessEnded,
    /// What callers may do changed since the query was let through; nothing is recorded, and it is to be judged again.
    Outdated,
    /// Check 9: the day's quota is used up; recorded as such.
    QuotaExceeded,
    /// Check 9: the day's budget of wrong answers is used up; recorded as such.
    BudgetExceeded,
    /// Check 10: the `jti` was seen before; recorded as such, and nothing else.
    Replayed,
}

impl LedgerAnswer {
    /// What is recorded of a question that is answered so; nothing where nothing is, or where it was a refusal.
    pub const fn outcome(self) -> Option<RecordedOutcome> {
        match self {
            Self::Result(result) => Some(RecordedOutcome::Result(result)),
            Self::AccessEnded => Some(RecordedOutcome::Refused(QueryRefusal::AccessEnded)),
            Self::QuotaExceeded => Some(RecordedOutcome::QuotaExceeded),
            Self::BudgetExceeded => Some(RecordedOutcome::BudgetExceeded),
            Self::Replayed => Some(RecordedOutcome::Replayed),
            Self::Recorded | Self::Outdated => None,
        }
    }
}

/// The query could not be recorded, so it has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The queue is full.
    #[error("the ledger is busy")]
    Busy,
    /// The database is away, or the outcome of the commit is unknown.
    #[error("the ledger is unavailable")]
    Unavailable,
}

/// Records queries and answers them.
///
/// MUST, in one transaction with the record, and under any interleaving over processes: refuse a `jti` of an
/// organisation seen before (an entry of the same batch included); hold quota and budget; check that the access is
/// still active, and that no key, address or Iss Key changed since the query was let through; count strikes by [`idcheck_domain::lockout::answer`] per ID number and Taipei day; link the batch
/// into the hash chain. MUST NOT answer before the record is durable, nor count a strike twice when a commit's
/// outcome is unknown. MUST keep no ID number, only its keyed hash.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Records one query.
    ///
    /// # Errors
    /// [`LedgerError`], when there is no record and so no answer.
    async fn record(&self, entry: LedgerEntry) -> Result<LedgerAnswer, LedgerError>;
}
