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

#[rstest]
#[case::plain_week("2026-01-05", "2026-01-12")]
#[case::received_on_friday("2026-01-09", "2026-01-16")]
#[case::received_on_saturday("2026-01-10", "2026-01-16")]
#[case::received_on_sunday("2026-01-11", "2026-01-16")]
#[case::before_the_new_year_week("2026-02-12", "2026-02-26")]
#[case::over_new_year_and_the_peace_memorial("2026-02-13", "2026-03-02")]
#[case::received_on_a_day_off("2026-02-18", "2026-03-02")]
#[case::over_tomb_sweeping("2026-04-02", "2026-04-13")]
#[case::make_up_saturday_counts("2025-02-05", "2025-02-11")]
#[case::received_on_a_make_up_saturday("2025-02-08", "2025-02-14")]
#[case::new_year_2025("2025-01-24", "2025-02-07")]
#[case::make_up_saturday_2024("2024-02-15", "2024-02-21")]
#[case::over_the_turn_of_the_year("2025-12-30", "2026-01-07")]
#[case::three_days_before_new_year_2024("2024-02-02", "2024-02-16")]
#[case::last_day_before_new_year_2024("2024-02-07", "2024-02-20")]
#[case::on_the_make_up_saturday_2024("2024-02-17", "2024-02-23")]
#[case::over_the_peace_memorial_2024("2024-02-27", "2024-03-06")]
#[case::over_tomb_sweeping_2024("2024-04-03", "2024-04-12")]
#[case::over_dragon_boat_2024("2024-06-07", "2024-06-17")]
#[case::over_mid_autumn_2024("2024-09-13", "2024-09-23")]
#[case::over_the_national_day_2024("2024-10-09", "2024-10-17")]
#[case::over_tomb_sweeping_2025("2025-04-02", "2025-04-11")]
#[case::over_dragon_boat_2025("2025-05-29", "2025-06-06")]
#[case::over_mid_autumn_and_national_day_2025("2025-10-03", "2025-10-14")]
#[case::christmas_is_a_working_day_in_2025("2025-12-24", "2025-12-31")]
#[case::due_on_the_last_day_before_new_year("2026-02-06", "2026-02-13")]
#[case::on_the_peace_memorial_s_day_off("2026-02-27", "2026-03-06")]
#[case::over_dragon_boat_2026("2026-06-18", "2026-06-26")]
#[case::over_mid_autumn_and_teachers_day_2026("2026-09-24", "2026-10-05")]
#[case::over_the_national_day_s_day_off("2026-10-08", "2026-10-16")]
#[case::over_the_constitution_day_2026("2026-12-18", "2026-12-28")]
#[case::over_labour_day_2026("2026-04-28", "2026-05-06")]
#[case::over_retrocession_day_2026("2026-10-23", "2026-11-02")]
fn due_in_five_working_days(#[case] from: &str, #[case] due: &str) {
    assert_eq!(calendar().due(day(from), PROMISED_DAYS), DueDate { date: day(due), provisional: false });
}

/// Offices closed by a typhoon after the calendar was published: the day counts no longer, whoever waits gets one more.
#[rstest]
#[case::inside_the_days("2026-07-06", &["2026-07-10"], "2026-07-14")]
#[case::the_day_after_receipt("2026-07-09", &["2026-07-10"], "2026-07-17")]
#[case::the_day_of_receipt_itself("2026-07-10", &["2026-07-10"], "2026-07-17")]
#[case::two_days_of_it("2026-07-03", &["2026-07-09", "2026-07-10"], "2026-07-14")]
#[case::over_before_the_receipt("2026-07-11", &["2026-07-10"], "2026-07-17")]
#[case::krathon_2024("2024-09-27", &["2024-10-02", "2024-10-03", "2024-10-04"], "2024-10-09")]
#[case::kong_rey_2024("2024-10-30", &["2024-10-31"], "2024-11-07")]
fn typhoon_days_do_not_count(#[case] from: &str, #[case] closed: &[&str], #[case] due: &str) {
    let mut calendar = calendar().clone();
    for declared in closed {
        assert!(calendar.set_day(day(declared), true));
    }
    assert_eq!(calendar.due(day(from), PROMISED_DAYS), DueDate { date: day(due), provisional: false });
    // Taken back, the days count again.
    for declared in closed {
        assert!(calendar.set_day(day(declared), false));
    }
    assert_eq!(&calendar, self::calendar());
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

/// The published calendar of a year, of which the lines with `date` and `isHoliday` are read; none when the shared
/// folder is not there.
fn published(year: i32) -> Option<Vec<(NaiveDate, bool)>> {
    #[expect(clippy::disallowed_methods, reason = "where the shared folder is, is the machine's business")]
    let shared = std::env::var("IDCHECK_SHARED");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = root.join(shared.unwrap_or_else(|_| "../shared".to_owned()));
    let text = std::fs::read_to_string(shared.join(format!("data/calendar/{year}.json"))).ok()?;
    let days = text.split("\"date\": \"").skip(1).map(|entry| {
        let date = NaiveDate::parse_from_str(&entry[..8], "%Y%m%d").unwrap();
        (date, entry.contains("\"isHoliday\": true"))
    });
    Some(days.collect())
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
    let Some(published) = published(year) else {
        println!("skipped: no published calendar of {year} in the shared folder");
        return;
    };
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
