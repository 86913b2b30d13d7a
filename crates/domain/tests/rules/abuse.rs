//! Abnormal use: each rule at its threshold, and the life of a notice.

use idcheck_domain::{
    abuse::{AbuseRule, Activity, Burst, Measure, NumberActivity, Pace, Thresholds, UserActivity, judge},
    notice::{Notice, NoticeId, RefusedNotice},
};
use proptest::prelude::*;
use rstest::rstest;
use uuid::Uuid;

use crate::support::{OFFICER, at, calendar, day, narrative, reason, ubn};

fn quiet() -> Activity {
    Activity {
        ubn: ubn(),
        day: day("2026-01-05"),
        answers: 0,
        wrong: 0,
        locked_numbers: 0,
        replays: 0,
        refused_addresses: 0,
        users: Vec::new(),
        numbers: Vec::new(),
    }
}

fn user(peak_per_minute: u64, longest_run: u64) -> Vec<UserActivity> {
    vec![UserActivity { user_id: "teller7".to_owned(), queries: 500, peak_per_minute, longest_run }]
}

fn number(attempts: u64, organisations: u64) -> Vec<NumberActivity> {
    vec![NumberActivity { attempts, organisations }, NumberActivity { attempts: 1, organisations: 1 }]
}

#[rstest]
#[case::too_few_answers(Activity { answers: 49, wrong: 49, ..quiet() }, None)]
#[case::below_the_ratio(Activity { answers: 100, wrong: 29, ..quiet() }, None)]
#[case::at_the_ratio(Activity { answers: 100, wrong: 30, ..quiet() }, Some(AbuseRule::MismatchRatio))]
#[case::nine_locked(Activity { locked_numbers: 9, ..quiet() }, None)]
#[case::ten_locked(Activity { locked_numbers: 10, ..quiet() }, Some(AbuseRule::LockedNumbers))]
#[case::nineteen_replays(Activity { replays: 19, ..quiet() }, None)]
#[case::twenty_replays(Activity { replays: 20, ..quiet() }, Some(AbuseRule::Replays))]
#[case::some_addresses(Activity { refused_addresses: 49, ..quiet() }, None)]
#[case::many_addresses(Activity { refused_addresses: 50, ..quiet() }, Some(AbuseRule::RefusedAddresses))]
#[case::busy_user(Activity { users: user(299, 99), ..quiet() }, None)]
#[case::burst(Activity { users: user(300, 99), ..quiet() }, Some(AbuseRule::UserBurst))]
#[case::machine(Activity { users: user(299, 100), ..quiet() }, Some(AbuseRule::MachinePaced))]
#[case::a_mistyped_number(Activity { numbers: number(9, 4), ..quiet() }, None)]
#[case::tried_often(Activity { numbers: number(10, 1), ..quiet() }, Some(AbuseRule::GuessedNumber))]
#[case::tried_by_many(Activity { numbers: number(5, 5), ..quiet() }, Some(AbuseRule::GuessedNumber))]
fn each_rule_at_its_threshold(#[case] activity: Activity, #[case] expected: Option<AbuseRule>) {
    let found = judge(&activity, &Thresholds::default());
    assert_eq!(found.iter().map(|finding| finding.rule).collect::<Vec<_>>(), Vec::from_iter(expected));
    let about_a_user = matches!(expected, Some(AbuseRule::UserBurst | AbuseRule::MachinePaced));
    assert_eq!(found.iter().any(|finding| finding.evidence.user_id.is_some()), about_a_user);
}

#[test]
fn evidence_tells_what_was_counted() {
    let activity = Activity { numbers: number(12, 6), ..quiet() };
    let found = judge(&activity, &Thresholds::default()).remove(0);
    let expected = [(Measure::Numbers, 1), (Measure::Attempts, 12), (Measure::Organisations, 6)];
    assert_eq!(found.evidence.counts, expected);
}

#[test]
fn words_are_read_as_they_are_written() {
    assert!(AbuseRule::ALL.into_iter().all(|rule| AbuseRule::parse(rule.as_str()) == Some(rule)));
    assert!(Measure::ALL.into_iter().all(|measure| Measure::parse(measure.as_str()) == Some(measure)));
}

fn paced(times: impl IntoIterator<Item = i64>) -> u64 {
    times.into_iter().fold(Pace::default(), Pace::next).longest
}

#[test]
fn a_machine_s_pace_is_told_from_people_s() {
    // Every 500 ms, with 10 ms of jitter to either side: each distance lies within a tenth of the mean.
    let jitter = [0, 10_000, -10_000, 5_000].into_iter().cycle();
    let machine = (0..200_i64).zip(jitter).map(|(n, jitter)| n * 500_000 + jitter);
    assert_eq!(paced(machine), 199);
    // A pause ends the run, and another begins.
    let paused = (0..50_i64).map(|n| n * 500_000).chain((0..80).map(|n| 90_000_000 + n * 500_000));
    assert_eq!(paced(paused), 79);
    // Distances of people: 1 s, 4 s, 2 s, 9 s, over and over.
    let people = [1, 4, 2, 9].into_iter().cycle().take(400).scan(0_i64, |at, seconds| {
        *at += seconds * 1_000_000;
        Some(*at)
    });
    assert_eq!(paced(people), 1);
    assert_eq!(paced(std::iter::repeat_n(5, 300)), 0, "queries side by side are a burst, not a pace");
}

#[test]
fn a_burst_counts_the_fullest_minute() {
    let minute = 60_000_000_i64;
    let times = [0, 1, 2, minute - 1, minute, minute + 1, 5 * minute, -1];
    assert_eq!(times.into_iter().fold(Burst::default(), Burst::next).peak, 4);
}

proptest! {
    #[test]
    fn random_arrivals_are_never_machine_paced(gaps in prop::collection::vec(1_u32..1_000_000, 50..400)) {
        // Independent distances from a wide range: a run of a hundred is not to be met with.
        let times = gaps.iter().scan(0_i64, |at, gap| { *at += i64::from(*gap); Some(*at) });
        prop_assert!(paced(times) < Thresholds::default().paced_run);
    }
}

const RAISED: &str = "2026-01-05T09:00:00+08:00";
const SENT: &str = "2026-01-06T09:00:00+08:00";
const LATE: &str = "2026-01-20T09:00:00+08:00";

fn raised() -> Notice {
    let finding = judge(&Activity { replays: 20, ..quiet() }, &Thresholds::default()).remove(0);
    Notice::raise(NoticeId(Uuid::from_u128(1)), ubn(), finding, at(RAISED))
}

fn send(notice: Notice) -> Result<Notice, RefusedNotice> {
    notice.send(narrative("請說明"), 3, OFFICER, at(SENT), calendar())
}

/// Every step, by its name.
fn attempt(notice: Notice, step: &str) -> Result<Notice, RefusedNotice> {
    match step {
        "send" => send(notice),
        "explain" => notice.explain(narrative("係程式重送"), at(LATE)),
        "accept" => notice.accept(OFFICER, None, at(LATE)),
        "dismiss" => notice.dismiss(OFFICER, reason("測試機房演練"), at(LATE)),
        _ => notice.end(at(LATE)),
    }
}

#[rstest]
#[case(&[], "raised", &["send", "dismiss", "end"])]
#[case(&["send"], "sent", &["explain", "end"])]
#[case(&["send", "explain"], "explained", &["send", "accept", "end"])]
#[case(&["send", "explain", "send"], "sent", &["explain", "end"])]
#[case(&["send", "explain", "accept"], "accepted", &[])]
#[case(&["dismiss"], "dismissed", &[])]
#[case(&["send", "end"], "ended", &[])]
fn every_step_in_every_state(#[case] steps: &[&str], #[case] state: &str, #[case] possible: &[&str]) {
    let notice = steps.iter().fold(raised(), |notice, step| attempt(notice, step).unwrap());
    assert_eq!(notice.state.as_str(), state);
    assert_eq!(notice.state.is_open(), !possible.is_empty());
    for step in ["send", "explain", "accept", "dismiss", "end"] {
        match attempt(notice.clone(), step) {
            Ok(_) => assert!(possible.contains(&step), "{state} {step}"),
            Err(refused) => {
                assert!(!possible.contains(&step), "{state} {step}");
                assert_eq!((refused.from, refused.action), (state, step));
            }
        }
    }
}

#[test]
fn the_deadline_is_counted_in_working_days_and_bounded() {
    let sent = send(raised()).unwrap();
    assert_eq!(sent.state.due().unwrap().date, day("2026-01-09"));
    assert!(!sent.state.due().unwrap().is_over(at("2026-01-09T23:59:59+08:00")));
    assert!(sent.state.due().unwrap().is_over(at(LATE)));
    let long = raised().send(narrative("請說明"), 500, OFFICER, at(SENT), calendar()).unwrap();
    assert_eq!(long.state.due().unwrap().date, calendar().due(day("2026-01-06"), 30).date);
}

#[test]
fn asking_again_keeps_what_was_said() {
    let explained = send(raised()).unwrap().explain(narrative("係程式重送"), at(LATE)).unwrap();
    let again = send(explained).unwrap();
    assert_eq!(again.sendings.len(), 2);
    assert!(again.sendings[0].explanation.is_some() && again.sendings[1].explanation.is_none());
}
