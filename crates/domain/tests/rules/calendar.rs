//! 注意事項 五: deadlines in working days, by a table worked out by hand from the published calendars.

use std::path::Path;

use chrono::{Days, NaiveDate};
use idcheck_domain::{
    calendar::{DueDate, PROMISED_DAYS, WorkingCalendar},
    taipei,
};
use proptest::prelude::*;
use rstest::rstest;

use crate::support::{at, calendar, day};

/// The 40 receipts of `deadlines.csv`: for each the deadline, worked out by hand; the days that offices closed after the
/// calendar was published (typhoons); and the five days that count, listed from the government's files. Weekends,
/// holidays and make-up Saturdays stand in no column: the days that count tell.
const DEADLINES: &str = include_str!("deadlines.csv");

#[test]
fn due_in_five_working_days() {
    let lines: Vec<_> = DEADLINES.lines().skip(1).collect();
    assert_eq!(lines.len(), 40);
    for line in lines {
        let [received, due, closed, counted, why] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let mut calendar = calendar().clone();
        for declared in closed.split_whitespace() {
            assert!(calendar.set_day(day(declared), true), "{why}");
        }
        let expected = DueDate { date: day(due), provisional: false };
        assert_eq!(calendar.due(day(received), PROMISED_DAYS), expected, "{why}");
        // Each day that counts is the deadline of so many days, and there is no working day between two of them.
        let counted: Vec<_> = counted.split(' ').collect();
        assert_eq!(counted.len(), 5, "{why}");
        for (number, counts) in (1..).zip(&counted) {
            let found = calendar.due(day(received), number).date.to_string();
            assert_eq!(found.strip_prefix("20").map(|date| &date[3..]), Some(*counts), "{why}");
        }
        // A typhoon's days taken back, the published calendar counts again.
        for declared in closed.split_whitespace() {
            assert!(calendar.set_day(day(declared), false), "{why}");
        }
        assert_eq!(&calendar, self::calendar(), "{why}");
    }
}

#[test]
fn a_day_of_an_unknown_year_is_not_declared() {
    let mut calendar = calendar().clone();
    assert!(!calendar.set_day(day("2027-07-09"), true));
    assert_eq!(&calendar, self::calendar());
}

#[rstest]
#[case("2026-11-30", &[])]
#[case("2026-12-01", &[2027])]
#[case("2027-01-01", &[2027])]
#[case("2023-12-15", &[2023])]
fn years_that_deadlines_need_and_nobody_imported(#[case] today: &str, #[case] missing: &[i32]) {
    assert_eq!(calendar().missing_years(day(today)), missing);
}

#[test]
fn a_year_without_calendar_is_never_silent() {
    let known = |from| calendar().due(day(from), 5);
    assert_eq!(known("2026-12-23"), DueDate { date: day("2026-12-31"), provisional: false });
    // New Year's Day is counted as a working day: the calendar of 2027 is not known, and the date says so.
    assert_eq!(known("2026-12-24"), DueDate { date: day("2027-01-01"), provisional: true });
    assert_eq!(known("2027-05-03"), DueDate { date: day("2027-05-10"), provisional: true });
    assert_eq!(known("2023-12-29"), DueDate { date: day("2024-01-08"), provisional: true });
    assert_eq!(known("2023-12-31"), DueDate { date: day("2024-01-08"), provisional: false });
    let empty = WorkingCalendar::default();
    assert_eq!(empty.due(day("2026-02-13"), 5), DueDate { date: day("2026-02-20"), provisional: true });
    assert_eq!(empty.due(day("2026-02-13"), 0), DueDate { date: day("2026-02-13"), provisional: false });
}

#[test]
fn a_year_is_replaced_as_a_whole() {
    let mut calendar = calendar().clone();
    assert_eq!(calendar.years().collect::<Vec<_>>(), [2024, 2025, 2026]);
    // A typhoon day is declared; days of another year are not taken with it.
    calendar.set_year(2026, [day("2026-07-10"), day("2025-07-10")]);
    assert!(!calendar.is_working_day(day("2026-07-10")));
    assert!(calendar.is_working_day(day("2025-07-10")));
    assert!(calendar.is_working_day(day("2026-01-01")));
}

#[test]
fn a_deadline_ends_at_midnight_in_taipei() {
    let due = calendar().due(day("2026-01-05"), 5);
    assert_eq!(due.ends_at(), at("2026-01-13T00:00:00+08:00"));
    assert!(!due.is_over(at("2026-01-12T23:59:59.999999+08:00")));
    assert!(due.is_over(at("2026-01-13T00:00:00+08:00")));
}

#[rstest]
#[case("2026-01-05T15:59:59.999999Z", "2026-01-05")]
#[case("2026-01-05T16:00:00Z", "2026-01-06")]
#[case("2026-01-05T00:00:00+08:00", "2026-01-05")]
#[case("2025-12-31T16:00:00Z", "2026-01-01")]
fn the_day_is_taipei_s(#[case] instant: &str, #[case] expected: &str) {
    assert_eq!(taipei::day(at(instant)), day(expected));
    assert!(taipei::start_of(day(expected)) <= at(instant) && at(instant) < taipei::end_of(day(expected)));
    assert_eq!(taipei::local(at(instant)).date_naive(), day(expected));
}

#[rstest]
#[case("2026-01-05", "2026-01-12", 5)]
#[case("2026-01-05", "2026-01-05", 0)]
#[case("2026-01-12", "2026-01-05", 0)]
#[case("2026-01-09", "2026-01-11", 0)]
#[case("2025-02-07", "2025-02-10", 2)]
fn working_days_between(#[case] after: &str, #[case] until: &str, #[case] days: u32) {
    assert_eq!(calendar().working_days_between(day(after), day(until)), days);
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0_u64..3 * 365).prop_map(|n| day("2024-01-01") + Days::new(n))
}

proptest! {
    #[test]
    fn exactly_n_working_days_lie_between(from in any_day(), n in 0_u32..40) {
        let calendar = calendar();
        let due = calendar.due(from, n).date;
        prop_assert_eq!(calendar.working_days_between(from, due), n);
        prop_assert!(n == 0 || calendar.is_working_day(due));
    }

    #[test]
    fn a_later_receipt_is_never_due_earlier(from in any_day(), n in 0_u32..40) {
        let calendar = calendar();
        prop_assert!(calendar.due(from, n).date <= calendar.due(from.succ_opt().unwrap(), n).date);
        prop_assert_eq!(
            calendar.due(calendar.due(from, n).date, 1).date,
            calendar.due(from, n + 1).date
        );
    }
}

/// A year as the government published it: each day, and whether it is off.
fn published(year: i32) -> Vec<(NaiveDate, bool)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/calendar");
    let text = std::fs::read_to_string(folder.join(format!("{year}.json"))).unwrap();
    let days = text.split("\"date\": \"").skip(1).map(|entry| {
        let date = NaiveDate::parse_from_str(&entry[..8], "%Y%m%d").unwrap();
        (date, entry.contains("\"isHoliday\": true"))
    });
    days.collect()
}

#[rstest]
#[case(2023, 365, 116, &["2023-10-10", "2023-01-23"], &["2023-01-07", "2023-09-23"])]
#[case(2024, 366, 115, &["2024-02-14", "2024-09-17"], &["2024-02-17"])]
#[case(2025, 365, 115, &["2025-01-27", "2025-05-30"], &["2025-02-08"])]
#[case(2026, 365, 120, &["2026-02-20", "2026-12-25"], &["2026-02-23"])]
fn the_published_calendar(
    #[case] year: i32,
    #[case] days: usize,
    #[case] days_off: usize,
    #[case] off: &[&str],
    #[case] working: &[&str],
) {
    let published = published(year);
    assert_eq!(published.len(), days);
    let mut calendar = WorkingCalendar::default();
    calendar.set_year(year, published.iter().filter(|(_, off)| *off).map(|(date, _)| *date));
    assert_eq!(published.iter().filter(|(date, _)| !calendar.is_working_day(*date)).count(), days_off);
    assert!(off.iter().all(|d| !calendar.is_working_day(day(d))));
    assert!(working.iter().all(|d| calendar.is_working_day(day(d))));
    // The table that the tests above count with is the published one.
    let table = self::calendar();
    if table.years().any(|known| known == year) {
        for (date, off) in published {
            assert_eq!(table.is_working_day(date), !off, "{date}");
        }
    }
}
