//! Abnormal use: each rule at its threshold, and the life of a notice.

use idcheck_domain::{
    abuse::{
        AbuseRule, Activity, Answered, Burst, Evidence, Measure, NeighbourActivity, Neighbourhood,
        NumberActivity, Pace, Thresholds, UserActivity, judge,
    },
    calendar::WorkingCalendar,
    notice::{Notice, NoticeId, RefusedNotice},
    value::PersonId,
};
use proptest::prelude::*;
use rstest::rstest;
use uuid::Uuid;

use crate::support::{OFFICER, at, calendar, day, narrative, reason, ubn};

fn quiet() -> Activity {
    Activity {
        ubn: ubn(),
        day: day("2026-01-05"),
        answered: Answered::default(),
        week: Answered::default(),
        month: Answered::default(),
        locked_numbers: 0,
        replays: 0,
        refused_addresses: 0,
        users: Vec::new(),
        numbers: Vec::new(),
        neighbours: Vec::new(),
        made_up: 0,
    }
}

const fn answered(answers: u64, wrong: u64) -> Answered {
    Answered { answers, wrong }
}

fn user(peak_per_minute: u64, gaps: u64, even: u64, wrong: u64) -> Vec<UserActivity> {
    let user_id = "teller7".to_owned();
    vec![UserActivity { user_id, queries: 500, wrong, peak_per_minute, gaps, even }]
}

fn number(own: u64, attempts: u64, organisations: u64) -> Vec<NumberActivity> {
    let one = NumberActivity { own: 1, attempts: 1, organisations: 1 };
    vec![NumberActivity { own, attempts, organisations }, one]
}

fn neighbours(own: u64, numbers: u64) -> Vec<NeighbourActivity> {
    let one = NeighbourActivity { own: 1, numbers: 1, organisations: 1 };
    vec![one, NeighbourActivity { own, numbers, organisations: 4 }]
}

#[rstest]
#[case::too_few_answers(Activity { answered: answered(49, 49), ..quiet() }, None)]
#[case::below_the_ratio(Activity { answered: answered(100, 29), ..quiet() }, None)]
#[case::at_the_ratio(Activity { answered: answered(100, 30), ..quiet() }, Some(AbuseRule::MismatchRatio))]
#[case::a_few_each_day(Activity { answered: answered(40, 20), week: answered(280, 83), ..quiet() }, None)]
#[case::over_a_week(Activity { week: answered(280, 84), ..quiet() }, Some(AbuseRule::MismatchRatio))]
#[case::over_a_month(Activity { month: answered(50, 15), ..quiet() }, Some(AbuseRule::MismatchRatio))]
#[case::over_a_month_below(Activity { month: answered(50, 14), ..quiet() }, None)]
#[case::nine_locked(Activity { locked_numbers: 9, ..quiet() }, None)]
#[case::ten_locked(Activity { locked_numbers: 10, ..quiet() }, Some(AbuseRule::LockedNumbers))]
#[case::nineteen_replays(Activity { replays: 19, ..quiet() }, None)]
#[case::twenty_replays(Activity { replays: 20, ..quiet() }, Some(AbuseRule::Replays))]
#[case::some_addresses(Activity { refused_addresses: 49, ..quiet() }, None)]
#[case::many_addresses(Activity { refused_addresses: 50, ..quiet() }, Some(AbuseRule::RefusedAddresses))]
#[case::busy_user(Activity { users: user(299, 99, 99, 99), ..quiet() }, None)]
#[case::burst(Activity { users: user(300, 99, 99, 0), ..quiet() }, Some(AbuseRule::UserBurst))]
#[case::uneven(Activity { users: user(299, 100, 79, 0), ..quiet() }, None)]
#[case::machine(Activity { users: user(299, 100, 80, 0), ..quiet() }, Some(AbuseRule::MachinePaced))]
#[case::mistakes(Activity { users: user(1, 0, 0, 100), ..quiet() }, Some(AbuseRule::UserMistakes))]
#[case::a_mistyped_number(Activity { numbers: number(9, 9, 4), ..quiet() }, None)]
#[case::tried_often(Activity { numbers: number(10, 10, 1), ..quiet() }, Some(AbuseRule::GuessedNumber))]
#[case::tried_by_many(Activity { numbers: number(1, 5, 5), ..quiet() }, Some(AbuseRule::GuessedNumber))]
#[case::a_share_of_it(Activity { numbers: number(3, 12, 4), ..quiet() }, Some(AbuseRule::GuessedNumber))]
#[case::tried_by_others(Activity { numbers: number(2, 12, 4), ..quiet() }, None)]
#[case::neighbours_mistyped(Activity { neighbours: neighbours(11, 39), ..quiet() }, None)]
#[case::neighbours_tried(Activity { neighbours: neighbours(12, 12), ..quiet() }, Some(AbuseRule::GuessedNeighbours))]
#[case::neighbours_shared(Activity { neighbours: neighbours(3, 40), ..quiet() }, Some(AbuseRule::GuessedNeighbours))]
#[case::neighbours_of_others(Activity { neighbours: neighbours(2, 90), ..quiet() }, None)]
#[case::a_made_up_number(Activity { made_up: 9, ..quiet() }, None)]
#[case::made_up_numbers(Activity { made_up: 10, ..quiet() }, Some(AbuseRule::MadeUpNumbers))]
fn each_rule_at_its_threshold(#[case] activity: Activity, #[case] expected: Option<AbuseRule>) {
    let found = judge(&activity, &Thresholds::default());
    assert_eq!(found.iter().map(|finding| finding.rule).collect::<Vec<_>>(), Vec::from_iter(expected));
    let about_a_user =
        matches!(expected, Some(AbuseRule::UserBurst | AbuseRule::MachinePaced | AbuseRule::UserMistakes));
    assert_eq!(found.iter().any(|finding| finding.evidence.user_id.is_some()), about_a_user);
}

#[rstest]
#[case::the_usual_example("A123456789", None)]
#[case::all_alike("A111111113", None)]
#[case::counting_down("A198765435", None)]
#[case::over_nine("A278901231", None)]
#[case::of_the_sandbox("A190000017", None)]
#[case::a_person_of_the_sandbox("A190001014", None)]
#[case::somebody_s("A123456798", Some("A123456"))]
#[case::nearly_counting("A123456770", Some("A123456"))]
#[case::usual("F131104093", Some("F131104"))]
fn neighbours_begin_alike_and_made_up_numbers_are_told(#[case] text: &str, #[case] beginning: Option<&str>) {
    let number = PersonId::parse(text).unwrap();
    let told = match Neighbourhood::of(&number) {
        Neighbourhood::Beginning(beginning) => Some(beginning),
        Neighbourhood::MadeUp => None,
    };
    assert_eq!(told, beginning);
}

#[test]
fn evidence_tells_what_was_counted() {
    let activity = Activity { numbers: number(2, 12, 6), ..quiet() };
    let found = judge(&activity, &Thresholds::default()).remove(0);
    let expected = [(Measure::Numbers, 1), (Measure::Attempts, 12), (Measure::Organisations, 6)];
    assert_eq!(found.evidence.counts, expected);
}

#[test]
fn words_are_read_as_they_are_written() {
    assert!(AbuseRule::ALL.into_iter().all(|rule| AbuseRule::parse(rule.as_str()) == Some(rule)));
    assert!(Measure::ALL.into_iter().all(|measure| Measure::parse(measure.as_str()) == Some(measure)));
}

/// Of a hundred distances, how many are even.
fn paced(times: impl IntoIterator<Item = i64>) -> (u64, u64) {
    let pace = times.into_iter().fold(Pace::default(), Pace::next);
    (pace.gaps, pace.even * 100 / pace.gaps.max(1))
}

fn is_machine((gaps, percent): (u64, u64)) -> bool {
    let thresholds = Thresholds::default();
    gaps >= thresholds.paced_run && percent >= thresholds.paced_percent
}

/// Times at these distances.
fn arriving(gaps: impl IntoIterator<Item = i64>) -> impl Iterator<Item = i64> {
    gaps.into_iter().scan(0_i64, |at, gap| {
        *at += gap;
        Some(*at)
    })
}

#[test]
fn a_machine_s_pace_is_told_from_people_s() {
    // Every 500 ms, 10 ms to either side.
    let jitter = [0, 10_000, -10_000, 5_000].into_iter().cycle();
    let machine = (0..200_i64).zip(jitter).map(|(n, jitter)| n * 500_000 + jitter);
    assert_eq!(paced(machine), (199, 99));
    // One query in ten is held up for a minute: a loop that sleeps, with a colleague who asks between.
    let held_up = (1..400_i64).map(|n| if n % 10 == 0 { 60_000_000 } else { 500_000 });
    assert!(is_machine(paced(arriving(held_up))));
    // Half of them are not even: nobody's loop.
    let halved = (1..400_i64).map(|n| if n % 2 == 0 { 60_000_000 } else { 500_000 });
    assert!(!is_machine(paced(arriving(halved))));
    // It began with two at once, or with a long pause.
    for first in [1, 3_600_000_000] {
        assert!(is_machine(paced(arriving([1, first].into_iter().chain(std::iter::repeat_n(500_000, 600))))));
    }
    // A lunch break, and it goes on.
    let paused = (0..50_i64).map(|n| n * 500_000).chain((0..400).map(|n| 90_000_000 + n * 500_000));
    assert!(is_machine(paced(paused)));
    // Distances of people: 1 s, 4 s, 2 s, 9 s, over and over.
    let people = [1, 4, 2, 9].into_iter().cycle().take(400).map(|seconds| seconds * 1_000_000);
    assert!(!is_machine(paced(arriving(people))));
    assert_eq!(paced(std::iter::repeat_n(5, 300)), (0, 0), "queries side by side are a burst, not a pace");
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
        // Independent distances from a wide range: few of them are near the ones before.
        prop_assert!(!is_machine(paced(arriving(gaps.into_iter().map(i64::from)))));
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
#[case(&["send"], "sent", &["explain", "dismiss", "end"])]
#[case(&["send", "explain"], "explained", &["send", "accept", "end"])]
#[case(&["send", "explain", "send"], "sent", &["explain", "dismiss", "end"])]
#[case(&["send", "explain", "accept"], "accepted", &[])]
#[case(&["dismiss"], "dismissed", &[])]
#[case(&["send", "dismiss"], "dismissed", &[])]
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

fn counted(on: &str, replays: u64) -> Evidence {
    Evidence { day: day(on), user_id: None, counts: vec![(Measure::Replays, replays)] }
}

#[test]
fn evidence_grows_until_it_is_sent_and_later_days_are_added() {
    let grown = raised().observe(&counted("2026-01-05", 31)).unwrap();
    assert_eq!(grown.evidence.counts, [(Measure::Replays, 31)]);
    assert_eq!(grown.clone().observe(&counted("2026-01-05", 31)), None, "nothing new");
    assert_eq!(grown.clone().observe(&counted("2026-01-04", 90)), None, "a day before it was raised");
    let sent = send(grown).unwrap();
    assert_eq!(sent.clone().observe(&counted("2026-01-05", 90)), None, "what was sent stays as it was");
    let again =
        sent.observe(&counted("2026-01-06", 40)).unwrap().observe(&counted("2026-01-06", 44)).unwrap();
    let later: Vec<_> = again.later.iter().map(|later| (later.day, later.counts[0].1)).collect();
    assert_eq!(later, [(day("2026-01-06"), 44)]);
    let ended = again.end(at(LATE)).unwrap();
    assert!(ended.is_told() && ended.observe(&counted("2026-01-07", 50)).is_none());
    assert!(!raised().dismiss(OFFICER, reason("測試機房演練"), at(LATE)).unwrap().is_told());
    let taken_back = send(raised()).unwrap().dismiss(OFFICER, reason("測試機房演練"), at(LATE)).unwrap();
    assert!(taken_back.is_told() && !taken_back.state.is_open());
}

#[test]
fn its_deadline_follows_the_calendar_but_not_into_the_past() {
    let sent = send(raised()).unwrap();
    assert_eq!(sent.clone().redated(calendar(), at(SENT)), None, "nothing moved");
    let mut typhoon = calendar().clone();
    assert!(typhoon.set_day(day("2026-01-08"), true));
    let moved = sent.clone().redated(&typhoon, at(SENT)).unwrap();
    assert_eq!(moved.state.due().unwrap().date, day("2026-01-12"));
    assert_eq!(moved.sendings[0].due, moved.state.due().unwrap());
    assert_eq!(moved.redated(calendar(), at("2026-01-10T09:00:00+08:00")), None, "09 is over");
    let unknown = sent.redated(&WorkingCalendar::default(), at(SENT)).unwrap();
    assert!(unknown.state.due().unwrap().provisional);
}
