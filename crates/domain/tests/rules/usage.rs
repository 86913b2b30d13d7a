//! Counts of use: periods, results, latency classes, and working days against the promise.

use idcheck_domain::{
    usage::{DayCount, Latency, Period, ReviewTimes, days_taken},
    verification::VerificationResult,
};
use rstest::rstest;

use crate::support::{at, calendar, day};

#[test]
fn a_period_is_at_least_a_day_and_at_most_a_year() {
    assert!(Period::new(day("2026-01-02"), day("2026-01-01")).is_none());
    let one = Period::new(day("2026-01-01"), day("2026-01-01")).unwrap();
    assert_eq!(one.days().collect::<Vec<_>>(), [day("2026-01-01")]);
    assert_eq!(Period::new(day("2024-01-01"), day("2024-12-31")).unwrap().days().count(), 366);
    assert!(Period::new(day("2024-01-01"), day("2025-01-01")).is_none());
    let latest = Period::latest(day("2026-03-01"));
    assert_eq!((latest.first(), latest.days().count()), (day("2026-01-31"), 30));
    assert!(latest.holds(day("2026-01-31")) && !latest.holds(day("2026-03-02")));
}

#[test]
fn a_day_s_queries_are_counted_by_result() {
    let mut count = DayCount::default();
    for (place, result) in VerificationResult::ALL.into_iter().enumerate() {
        count.add(Some(result), 10 + place as u64);
    }
    count.add(None, 3);
    assert_eq!(count.with(VerificationResult::Match), 10);
    assert_eq!(count.with(VerificationResult::UserSuspended), 17);
    // 2, 3 and 4 are wrong answers; the third one locks.
    assert_eq!((count.wrong(), count.lock_outs(), count.refused()), (11 + 12 + 13, 13, 3));
    assert_eq!(count.queries(), 10 + 11 + 12 + 13 + 14 + 15 + 16 + 17 + 3);
    let mut both = count;
    both.add_all(&count);
    assert_eq!((both.queries(), both.refused()), (2 * count.queries(), 6));
}

#[rstest]
#[case(0, 0)]
#[case(1_000, 0)]
#[case(1_001, 1)]
#[case(5_000, 2)]
#[case(1_000_000, 9)]
#[case(1_000_001, 10)]
#[case(u64::MAX, 10)]
fn a_bound_belongs_to_its_class(#[case] micros: u64, #[case] class: usize) {
    assert_eq!(Latency::class(micros), class);
}

#[test]
fn percentiles_are_upper_bounds() {
    let mut latency = Latency::default();
    assert_eq!(latency.within(50), None);
    latency.add(0, 50);
    latency.add(2, 45);
    latency.add(3, 4);
    latency.add(99, 1);
    assert_eq!(latency.answers(), 100);
    assert_eq!(
        [50, 51, 95, 96, 99, 100].map(|percent| latency.within(percent)),
        [Some(1), Some(5), Some(5), Some(10), Some(10), None]
    );
}

/// The first day of a stretch is not counted, weekends and holidays neither: 2026-02-14 to 22 are off.
#[rstest]
#[case::the_same_day(&[("2026-01-05T01:00:00Z", "2026-01-05T09:00:00Z")], 0)]
#[case::a_week(&[("2026-01-05T01:00:00Z", "2026-01-12T09:00:00Z")], 5)]
#[case::a_day_late(&[("2026-01-05T01:00:00Z", "2026-01-13T01:00:00Z")], 6)]
#[case::over_new_year(&[("2026-02-13T01:00:00Z", "2026-02-24T01:00:00Z")], 2)]
#[case::after_midnight_in_taipei(&[("2026-01-05T15:00:00Z", "2026-01-05T16:00:00Z")], 1)]
#[case::with_a_pause(
    &[("2026-01-05T01:00:00Z", "2026-01-07T01:00:00Z"), ("2026-01-14T01:00:00Z", "2026-01-19T01:00:00Z")],
    5
)]
fn working_days_of_a_decision(#[case] stretches: &[(&str, &str)], #[case] days: u32) {
    let stretches: Vec<_> = stretches.iter().map(|(from, until)| (at(from), at(until))).collect();
    assert_eq!(days_taken(&stretches, calendar()), days);
}

#[test]
fn six_days_are_late() {
    let mut times = ReviewTimes::default();
    for days in [0, 5, 5, 6, 40] {
        times.add(days);
    }
    assert_eq!((times.decisions(), times.late(), times.by_days()), (5, 2, &[1, 0, 0, 0, 0, 2, 2]));
}
