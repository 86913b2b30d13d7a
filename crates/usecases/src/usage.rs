//! How the service is used: for officers of one organisation or of all, for an organisation of itself. Both read the same
//! counts.

use std::sync::Arc;

use chrono::NaiveDate;
use idcheck_domain::{
    officer::Permission,
    taipei,
    usage::{DayCount, Latency, Period, ReviewTimes, days_taken},
    value::{CompanyName, UnifiedBusinessNumber},
};

use crate::{
    kernel::{Refusal, permit},
    ports::{
        AuditAction, AuditEntry, CalendarStore, Changes, Clock, Officer, OrganisationUsage, Organisations,
        RefusedQueries, StoreError, UsageCounts,
    },
};

/// Organisations that are listed with the charts of all.
const LISTED: u16 = 50;

/// Use in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageReport {
    /// The period.
    pub period: Period,
    /// Of which organisation; `None` of all.
    pub organisation: Option<(UnifiedBusinessNumber, CompanyName)>,
    /// Every day of the period, ascending, those without a query too.
    pub days: Vec<(NaiveDate, DayCount)>,
    /// Queries that got no result, by their reason, most first.
    pub refused: Vec<RefusedQueries>,
    /// How long answers took.
    pub latency: Latency,
    /// How long decisions took that were made in the period.
    pub reviews: ReviewTimes,
    /// Who asked most, most first; empty in the report of one organisation.
    pub busiest: Vec<OrganisationUsage>,
}

impl UsageReport {
    /// The sum of all days.
    pub fn total(&self) -> DayCount {
        let mut total = DayCount::default();
        for (_, count) in &self.days {
            total.add_all(count);
        }
        total
    }
}

/// What reading usage needs.
#[derive(Clone)]
pub struct UsagePorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The counts.
    pub counts: Arc<dyn UsageCounts>,
    /// Organisations, for their names.
    pub organisations: Arc<dyn Organisations>,
    /// The working calendar.
    pub calendar: Arc<dyn CalendarStore>,
    /// Where a look is noted.
    pub changes: Arc<dyn Changes>,
}

/// Reads usage; an officer's look at one organisation is in the audit log.
#[derive(Clone)]
pub struct ReadUsage {
    ports: UsagePorts,
}

impl ReadUsage {
    /// Creates it with these ports.
    pub fn new(ports: UsagePorts) -> Self {
        Self { ports }
    }

    /// The 30 days up to today.
    pub fn latest(&self) -> Period {
        Period::latest(taipei::day(self.ports.clock.now()))
    }

    /// For an officer: of one organisation, or of all.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn report(
        &self,
        officer: &Officer,
        ubn: Option<UnifiedBusinessNumber>,
        period: Period,
    ) -> Result<UsageReport, Refusal> {
        permit(officer, Permission::ReadCases)?;
        let organisation = match ubn {
            None => None,
            Some(ubn) => {
                let found = self.ports.organisations.find(ubn).await?.ok_or(Refusal::Unknown)?;
                let entry = AuditEntry::new(officer, AuditAction::UsageRead, ubn);
                let entry = entry.detail(format!("days:{}/{}", period.first(), period.last()));
                self.ports.changes.note(entry).await?;
                Some((ubn, found.value.name))
            }
        };
        let busiest = match ubn {
            None => self.ports.counts.organisations(period, LISTED).await?,
            Some(_) => Vec::new(),
        };
        Ok(UsageReport { organisation, busiest, ..self.of(ubn, period).await? })
    }

    /// For an organisation: its own. Who may see it is decided before, by the proof of its card.
    ///
    /// # Errors
    /// The store's.
    pub async fn own(&self, ubn: UnifiedBusinessNumber, period: Period) -> Result<UsageReport, StoreError> {
        self.of(Some(ubn), period).await
    }

    async fn of(
        &self,
        ubn: Option<UnifiedBusinessNumber>,
        period: Period,
    ) -> Result<UsageReport, StoreError> {
        let UsagePorts { counts, calendar, .. } = &self.ports;
        let counted = counts.days(ubn, period).await?;
        let calendar = calendar.load().await?;
        let mut reviews = ReviewTimes::default();
        for stretches in counts.reviews(ubn, period).await? {
            reviews.add(days_taken(&stretches, &calendar));
        }
        Ok(UsageReport {
            period,
            organisation: None,
            days: period.days().map(|day| (day, counted.get(&day).copied().unwrap_or_default())).collect(),
            refused: counts.refused(ubn, period).await?,
            latency: counts.latency(ubn, period).await?,
            reviews,
            busiest: Vec::new(),
        })
    }
}
