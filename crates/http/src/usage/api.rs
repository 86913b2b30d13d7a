//! Officers: counts of use.

use chrono::NaiveDate;
use idcheck_domain::{
    usage::{DayCount, LATENCY_BOUNDS},
    verification::VerificationResult,
};
use idcheck_usecases::usage::UsageReport;
use poem_openapi::{Object, OpenApi, param::Query, payload::Json};

use crate::{
    kernel::{failure::Failure, session::SignedIn, tag::Tag},
    usage::{no_period, period},
};

pub(crate) struct UsageApi;

/// Queries by what became of them.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub(crate) struct UsageCounts {
    queries: u64,
    /// By result, from 1 to 8.
    results: Vec<u64>,
    /// Refused without a result.
    refused: u64,
    /// ID numbers that were locked.
    lock_outs: u64,
}

/// The queries of a day (Taipei).
#[derive(Debug, Object)]
struct UsageDay {
    day: NaiveDate,
    #[oai(flatten)]
    counts: UsageCounts,
}

/// Answers that took no longer than this and longer than the class before.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct LatencyClass {
    /// None for those beyond the last bound.
    up_to_milliseconds: Option<u32>,
    answers: u64,
}

/// How long decisions took, in working days (注意事項 五).
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct ReviewTimes {
    /// Decisions that took 0, 1, … 5 working days.
    by_working_days: Vec<u64>,
    /// Decisions that took longer than the five promised.
    late: u64,
}

/// Queries that got no result, for one reason.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub(crate) struct RefusedQueries {
    /// Such as `addressNotRegistered`, `tokenTimes`, `quotaExceeded` or `replayed`.
    reason: String,
    queries: u64,
    /// The day of the last one (Taipei).
    last_on: NaiveDate,
}

pub(crate) fn refusals(report: &UsageReport) -> Vec<RefusedQueries> {
    let one = |refused: &idcheck_usecases::ports::RefusedQueries| RefusedQueries {
        reason: refused.why.as_str().to_owned(),
        queries: refused.queries,
        last_on: refused.last,
    };
    report.refused.iter().map(one).collect()
}

/// An organisation's share.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct OrganisationUsage {
    unified_business_number: String,
    name: String,
    #[oai(flatten)]
    counts: UsageCounts,
}

/// Use in a period; production only.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Usage {
    from: NaiveDate,
    until: NaiveDate,
    /// Of which organisation; of all without it.
    unified_business_number: Option<String>,
    total: UsageCounts,
    days: Vec<UsageDay>,
    /// Why queries got no result, most first.
    refusals: Vec<RefusedQueries>,
    /// Fastest first. Measured from the checked token to the durable record.
    latency: Vec<LatencyClass>,
    reviews: ReviewTimes,
    /// The 50 that asked most; in the report of all only.
    organisations: Vec<OrganisationUsage>,
}

pub(crate) fn counts(count: &DayCount) -> UsageCounts {
    UsageCounts {
        queries: count.queries(),
        results: VerificationResult::ALL.map(|result| count.with(result)).to_vec(),
        refused: count.refused(),
        lock_outs: count.lock_outs(),
    }
}

fn usage_of(report: &UsageReport) -> Usage {
    let bounds = LATENCY_BOUNDS.into_iter().map(Some).chain([None]);
    let classes = bounds.zip(report.latency.classes());
    let (late, in_time) = match report.reviews.by_days().split_last() {
        Some((late, in_time)) => (*late, in_time.to_vec()),
        None => (0, Vec::new()),
    };
    Usage {
        from: report.period.first(),
        until: report.period.last(),
        unified_business_number: report.organisation.as_ref().map(|(ubn, _)| ubn.to_string()),
        total: counts(&report.total()),
        days: report.days.iter().map(|(day, count)| UsageDay { day: *day, counts: counts(count) }).collect(),
        refusals: refusals(report),
        latency: classes
            .map(|(up_to_milliseconds, answers)| LatencyClass { up_to_milliseconds, answers: *answers })
            .collect(),
        reviews: ReviewTimes { by_working_days: in_time, late },
        organisations: report
            .busiest
            .iter()
            .map(|one| OrganisationUsage {
                unified_business_number: one.ubn.to_string(),
                name: one.name.as_str().to_owned(),
                counts: counts(&one.count),
            })
            .collect(),
    }
}

#[OpenApi(tag = "Tag::Officer")]
impl UsageApi {
    /// Counts of use by day, latency and review times: of all organisations, or of one.
    #[oai(path = "/officer/usage", method = "get", operation_id = "readUsage")]
    async fn usage(
        &self,
        signed_in: SignedIn,
        /// An organisation; its look is in the audit log.
        ubn: Query<Option<String>>,
        /// The first day, such as `2026-11-01`; 30 days before the last one without it.
        from: Query<Option<String>>,
        /// The last day; today without it. A year at most.
        until: Query<Option<String>>,
    ) -> Result<Json<Usage>, Failure> {
        let ubn = match ubn.0.as_deref() {
            Some(text) => Some(signed_in.ubn(text)?),
            None => None,
        };
        let usage = &signed_in.app.services.usage;
        let (from, until) = (from.0.unwrap_or_default(), until.0.unwrap_or_default());
        let asked =
            period(&from, &until, usage.latest()).ok_or_else(|| signed_in.content(vec![no_period(&from)]))?;
        let report = usage.report(&signed_in.officer, ubn, asked).await;
        Ok(Json(usage_of(&signed_in.or_failure(report)?)))
    }
}
