//! What API, console and portal share of usage: reading a period, charts with their tables, CSV.

pub(crate) mod api;
mod chart;
pub(crate) mod page;

use chrono::NaiveDate;
use idcheck_domain::{
    Violation,
    calendar::PROMISED_DAYS,
    taipei,
    usage::{DayCount, LATENCY_BOUNDS, Period},
    verification::VerificationResult,
};
use idcheck_usecases::{FieldViolation, ports::RefusedQueries, usage::UsageReport};
use minijinja::{Value, context};

use crate::{
    kernel::{csv::table, view::roc},
    usage::chart::{Series, bars},
};

/// The period of two days as they are typed, or `latest` where none is; `None` for what is no period.
pub(crate) fn period(first: &str, last: &str, latest: Period) -> Option<Period> {
    let day = |text: &str, other: NaiveDate| match text.trim() {
        "" => Some(other),
        text => taipei::parse_day(text),
    };
    let last = day(last, latest.last())?;
    let before = last.checked_sub_days(chrono::Days::new(29)).unwrap_or(last);
    Period::new(day(first, before)?, last)
}

/// Where it is told that two days are no period, or too long a one.
pub(crate) fn no_period(first: &str) -> FieldViolation {
    let pointer = if first.trim().is_empty() { "/until" } else { "/from" };
    FieldViolation { pointer: pointer.to_owned(), violation: Violation::ValueUnknown }
}

/// What queries are told apart by in the chart, from the ground up. Every query is in one of them.
const GROUPS: [&str; 5] = ["match", "wrong", "locked", "other", "refused"];

fn groups(count: &DayCount) -> [u64; 5] {
    let with = |result| count.with(result);
    let other = with(VerificationResult::OutOfUse)
        + with(VerificationResult::ReportedLost)
        + with(VerificationResult::UserSuspended);
    [with(VerificationResult::Match), count.wrong(), with(VerificationResult::Locked), other, count.refused()]
}

/// The names of the latency classes: `≤ 5 ms`, the last `> 1000 ms`.
fn classes() -> Vec<String> {
    let within = LATENCY_BOUNDS.iter().map(|bound| format!("≤ {bound} ms"));
    let beyond = LATENCY_BOUNDS.last().map(|bound| format!("> {bound} ms"));
    within.chain(beyond).collect()
}

/// The working days of decisions: `0` to `5`, the last `> 5`.
fn review_days() -> Vec<String> {
    (0..=PROMISED_DAYS).map(|days| days.to_string()).chain([format!("> {PROMISED_DAYS}")]).collect()
}

fn rows(names: &[String], counts: &[u64]) -> Value {
    names.iter().zip(counts).map(|(name, count)| context! { name, count }).collect()
}

/// A report as `charts.html` takes it.
pub(crate) fn charts(report: &UsageReport) -> Value {
    let short: Vec<_> = report.days.iter().map(|(day, _)| day.format("%m/%d").to_string()).collect();
    let grouped: Vec<_> = report.days.iter().map(|(_, count)| groups(count)).collect();
    let series = GROUPS.into_iter().enumerate().map(|(place, name)| {
        let values = grouped.iter().filter_map(|groups| groups.get(place).copied()).collect();
        Series { name, values }
    });
    let lock_outs = report.days.iter().map(|(_, count)| count.lock_outs()).collect();
    let (latency, reviews) = (report.latency, report.reviews);
    let one = |name, values: &[u64]| [Series { name, values: values.to_vec() }];
    let days = report.days.iter().rev().map(|(day, count)| day_row(*day, count));
    context! {
        figures => figures(report),
        first => report.period.first().to_string(), last => report.period.last().to_string(),
        first_roc => roc(report.period.first()), last_roc => roc(report.period.last()),
        groups => GROUPS,
        days => days.collect::<Value>(),
        total => day_row(report.period.last(), &report.total()),
        queries => bars(&short, &series.collect::<Vec<_>>()),
        lock_outs => bars(&short, &[Series { name: "lock-outs", values: lock_outs }]),
        refused => report.refused.iter().map(refused).collect::<Value>(),
        latency => bars(&classes(), &one("answers", latency.classes())),
        latencies => rows(&classes(), latency.classes()),
        measured => latency.answers(),
        percentiles => [50, 95, 99].map(|p| context! { percent => p, within => latency.within(p) }),
        reviews => bars(&review_days(), &one("decisions", reviews.by_days())),
        review_days => rows(&review_days(), reviews.by_days()),
        decisions => reviews.decisions(), late => reviews.late(), in_time => reviews.decisions() - reviews.late(),
    }
}

fn refused(refused: &RefusedQueries) -> Value {
    context! {
        why => refused.why.as_str(), queries => thousands(refused.queries), iso => refused.last.to_string(),
        last => roc(refused.last),
    }
}

/// The period in three figures.
fn figures(report: &UsageReport) -> Value {
    let total = report.total();
    // In tenths of a per cent, rounded.
    let wrong = (total.wrong() * 1000 + total.queries() / 2).checked_div(total.queries()).unwrap_or_default();
    context! {
        any => total.queries() > 0,
        queries => thousands(total.queries()),
        wrong => format!("{}.{}%", wrong / 10, wrong % 10),
        lock_outs => thousands(total.lock_outs()),
    }
}

/// `18204` → `18,204`.
fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let grouped = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    grouped.collect::<Vec<_>>().join(",")
}

fn day_row(day: NaiveDate, count: &DayCount) -> Value {
    context! {
        day => day.to_string(), roc => roc(day), groups => groups(count), lock_outs => count.lock_outs(), queries => count.queries(),
    }
}

/// What can be taken away as CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    /// Queries by day and result.
    Days,
    /// Answers by latency class.
    Latency,
    /// Decisions by working days.
    Reviews,
    Organisations,
}

impl Table {
    /// The table of that word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "" | "days" => Self::Days,
            "latency" => Self::Latency,
            "reviews" => Self::Reviews,
            "organisations" => Self::Organisations,
            _ => return None,
        })
    }
}

/// The columns that tell a day's or an organisation's queries.
const COUNTED: [&str; 11] = [
    "queries", "result1", "result2", "result3", "result4", "result5", "result6", "result7", "result8",
    "refused", "lockOuts",
];

fn counted(count: &DayCount) -> impl Iterator<Item = String> {
    let results = VerificationResult::ALL.map(|result| count.with(result));
    let ends = [count.refused(), count.lock_outs()];
    std::iter::once(count.queries()).chain(results).chain(ends).map(|number| number.to_string())
}

/// A table as CSV.
pub(crate) fn csv(report: &UsageReport, of: Table) -> String {
    let pairs = |header, names: Vec<String>, counts: &[u64]| {
        table(header, names.into_iter().zip(counts).map(|(name, count)| vec![name, count.to_string()]))
    };
    match of {
        Table::Days => {
            let rows = report
                .days
                .iter()
                .map(|(day, count)| std::iter::once(day.to_string()).chain(counted(count)).collect());
            table(std::iter::once("day").chain(COUNTED), rows)
        }
        Table::Latency => pairs(["latency", "answers"], classes(), report.latency.classes()),
        Table::Reviews => pairs(["workingDays", "decisions"], review_days(), report.reviews.by_days()),
        Table::Organisations => {
            let rows = report.busiest.iter().map(|one| {
                [one.ubn.to_string(), one.name.as_str().to_owned()]
                    .into_iter()
                    .chain(counted(&one.count))
                    .collect()
            });
            table(["unifiedBusinessNumber", "name"].into_iter().chain(COUNTED), rows)
        }
    }
}

#[cfg(test)]
mod tests {
    use idcheck_domain::{
        usage::{Latency, ReviewTimes},
        value::{CompanyName, UnifiedBusinessNumber},
    };
    use idcheck_usecases::ports::OrganisationUsage;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn report() -> UsageReport {
        let mut count = DayCount::default();
        for (result, queries) in VerificationResult::ALL.into_iter().zip(1..) {
            count.add(Some(result), queries);
        }
        count.add(None, 9);
        let mut latency = Latency::default();
        latency.add(2, 4);
        let mut reviews = ReviewTimes::default();
        reviews.add(9);
        let name = CompanyName::parse("=甲\"乙").unwrap();
        let ubn = UnifiedBusinessNumber::parse("04595257").unwrap();
        UsageReport {
            period: Period::new(day("2026-11-22"), day("2026-11-23")).unwrap(),
            organisation: None,
            days: vec![(day("2026-11-22"), DayCount::default()), (day("2026-11-23"), count)],
            refused: Vec::new(),
            latency,
            reviews,
            busiest: vec![OrganisationUsage { ubn, name, count }],
        }
    }

    #[test]
    fn figures_are_read_at_a_glance() {
        for (count, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (18_204_007, "18,204,007")] {
            assert_eq!(thousands(count), expected);
        }
        assert_eq!(figures(&report()).get_attr("wrong").unwrap().to_string(), "20.0%");
    }

    #[test]
    fn every_query_is_in_one_group() {
        let count = report().total();
        assert_eq!(groups(&count), [1, 2 + 3 + 4, 5, 6 + 7 + 8, 9]);
        assert_eq!(groups(&count).iter().sum::<u64>(), count.queries());
    }

    #[test]
    fn csv_of_each_table() {
        let report = report();
        let lines =
            |table| csv(&report, table).trim_start_matches('\u{FEFF}').lines().map(str::to_owned).collect();
        let days: Vec<String> = lines(Table::Days);
        assert_eq!(days[0], format!("day,{}", COUNTED.join(",")));
        assert_eq!(days[1..], ["2026-11-22,0,0,0,0,0,0,0,0,0,0,0", "2026-11-23,45,1,2,3,4,5,6,7,8,9,4"]);
        let latency: Vec<String> = lines(Table::Latency);
        assert_eq!((latency.len(), latency[3].as_str()), (12, "≤ 5 ms,4"));
        let reviews: Vec<String> = lines(Table::Reviews);
        assert_eq!((reviews.len(), reviews[7].as_str()), (8, "> 5,1"));
        let organisations: Vec<String> = lines(Table::Organisations);
        assert_eq!(organisations[1], "04595257,\"'=甲\"\"乙\",45,1,2,3,4,5,6,7,8,9,4");
    }

    #[test]
    fn a_period_is_read_as_typed() {
        let latest = Period::latest(day("2026-11-23"));
        assert_eq!(period("", "", latest), Some(latest));
        assert_eq!(period("", "2026-10-30", latest), Period::new(day("2026-10-01"), day("2026-10-30")));
        assert_eq!(period("2026-11-01", "", latest), Period::new(day("2026-11-01"), day("2026-11-23")));
        assert_eq!(period("2026-11-24", "", latest), None);
        assert_eq!(period("x", "", latest), None);
    }
}
