//! Counts of the service's use, for charts.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::NaiveDate;
use idcheck_domain::{
    outcome::RecordedOutcome,
    usage::{DayCount, Latency, Period, Stretches},
    value::{CompanyName, UnifiedBusinessNumber},
};

use crate::ports::StoreError;

/// An organisation's queries in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationUsage {
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// Its name.
    pub name: CompanyName,
    /// Its queries.
    pub count: DayCount,
}

/// Queries that got no result, for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedQueries {
    /// Why; never a result.
    pub why: RecordedOutcome,
    /// How many.
    pub queries: u64,
    /// The day of the last one (Taipei).
    pub last: NaiveDate,
}

/// Answers of an organisation on a day that took so long: organisation, day, class of
/// [`Latency`].
pub type LatencyKey = (UnifiedBusinessNumber, NaiveDate, usize);

/// Counts of use. Production only; `ubn` narrows to one organisation.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait UsageCounts: Send + Sync {
    /// Queries by day; days without one may be left out.
    async fn days(
        &self,
        ubn: Option<UnifiedBusinessNumber>,
        period: Period,
    ) -> Result<BTreeMap<NaiveDate, DayCount>, StoreError>;

    /// Queries that got no result, by their reason, most first.
    async fn refused(
        &self,
        ubn: Option<UnifiedBusinessNumber>,
        period: Period,
    ) -> Result<Vec<RefusedQueries>, StoreError>;

    /// How long answers took.
    async fn latency(
        &self,
        ubn: Option<UnifiedBusinessNumber>,
        period: Period,
    ) -> Result<Latency, StoreError>;

    /// The `limit` organisations with the most queries, most first.
    async fn organisations(&self, period: Period, limit: u16) -> Result<Vec<OrganisationUsage>, StoreError>;

    /// For each case that an officer decided in the period, the stretches in which its clock ran.
    async fn reviews(
        &self,
        ubn: Option<UnifiedBusinessNumber>,
        period: Period,
    ) -> Result<Vec<Stretches>, StoreError>;

    /// Counts how long answers took. What a process counted and did not hand on before it ended is lost: these are
    /// figures, not records.
    async fn add_latencies(&self, counts: &BTreeMap<LatencyKey, u64>) -> Result<(), StoreError>;
}
