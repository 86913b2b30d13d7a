//! ROC dates, code tables, consent, comparison and results.

use std::collections::BTreeSet;

use idcheck_domain::{
    Violation,
    access::Ground,
    application::{Action, Kind, StateName},
    consent::{CONDUCT_VERSION, Consent, NOTICE_VERSION},
    key::{Environment, Profile},
    officer::Role,
    precondition::Precondition,
    value::{ApplyCode, IssueSite, RocDate},
    verification::{CardData, CardStatus, Comparison, VerificationResult, compare},
};
use proptest::prelude::*;
use rstest::rstest;

use crate::support::{at, day};

#[rstest]
#[case("1080617", "2019-06-17")]
#[case("0010101", "1912-01-01")]
#[case("1130229", "2024-02-29")]
#[case("9991231", "2910-12-31")]
fn roc_dates(#[case] text: &str, #[case] gregorian: &str) {
    let date = RocDate::parse(text).unwrap();
    assert_eq!(date.date(), day(gregorian));
    assert_eq!(date.to_string(), text);
    assert_eq!(RocDate::from_date(day(gregorian)), Ok(date));
}

#[rstest]
#[case("1120229", Violation::RocDateImpossible)]
#[case("1080631", Violation::RocDateImpossible)]
#[case("1081301", Violation::RocDateImpossible)]
#[case("1080001", Violation::RocDateImpossible)]
#[case("1080100", Violation::RocDateImpossible)]
#[case("0000101", Violation::RocDateImpossible)]
#[case("", Violation::RocDateFormat)]
#[case("108617", Violation::RocDateFormat)]
#[case("10806170", Violation::RocDateFormat)]
#[case("-080617", Violation::RocDateFormat)]
#[case("+080617", Violation::RocDateFormat)]
#[case("108/6/1", Violation::RocDateFormat)]
#[case(" 080617", Violation::RocDateFormat)]
#[case("108061\0", Violation::RocDateFormat)]
#[case("108０1", Violation::RocDateFormat)]
fn not_roc_dates(#[case] text: &str, #[case] why: Violation) {
    assert_eq!(RocDate::parse(text), Err(why));
}

#[test]
fn a_card_is_not_issued_tomorrow() {
    let date = RocDate::parse("1080617").unwrap();
    assert_eq!(date.not_after(day("2019-06-16")), Err(Violation::DateInFuture));
    assert_eq!(date.not_after(day("2019-06-17")), Ok(date));
}

#[rstest]
#[case("1911-12-31")]
#[case("2911-01-01")]
fn days_without_roc_year(#[case] gregorian: &str) {
    assert_eq!(RocDate::from_date(day(gregorian)), Err(Violation::RocDateImpossible));
}

#[test]
fn apply_codes() {
    let read: Vec<_> = ["0", "1", "2", "3"].iter().map(|c| ApplyCode::parse(c).unwrap()).collect();
    assert_eq!(read, ApplyCode::ALL);
    for text in ["4", "", "01", "-1", " 1", "１", "1\0"] {
        assert_eq!(ApplyCode::parse(text), Err(Violation::ApplyCodeUnknown));
    }
}

#[test]
fn issue_sites() {
    let sites: Vec<_> = IssueSite::all().collect();
    assert_eq!(sites.len(), 27);
    assert!(sites.windows(2).all(|pair| pair[0].code() < pair[1].code()));
    assert!(sites.iter().all(|site| IssueSite::parse(site.code()) == Ok(*site)));
    assert_eq!(sites.iter().map(|s| s.name()).collect::<BTreeSet<_>>().len(), 27);
    assert_eq!(IssueSite::parse("63000").unwrap().name(), "北市");
    assert_eq!(IssueSite::parse("09007").unwrap().name(), "連江");
    // Between the numbers that exist lie two that never did.
    for text in ["10019", "10021", "9007", "6300", "630000", "", " 63000", "６3000"] {
        assert_eq!(IssueSite::parse(text), Err(Violation::IssueSiteUnknown));
    }
}

#[test]
fn consent_is_to_the_versions_in_force() {
    let now = at("2026-01-05T09:00:00+08:00");
    let given = Consent::given(NOTICE_VERSION, CONDUCT_VERSION, now).unwrap();
    assert_eq!(
        (given.notice_version(), given.conduct_version(), given.given_at()),
        (NOTICE_VERSION, CONDUCT_VERSION, now)
    );
    assert_eq!(Consent::given("107-01", CONDUCT_VERSION, now), Err(Violation::NoticeVersionOutdated));
    assert_eq!(Consent::given(NOTICE_VERSION, "", now), Err(Violation::ConductVersionOutdated));
}

#[test]
fn words_are_read_as_they_are_written() {
    assert!(Kind::ALL.iter().all(|k| Kind::parse(k.as_str()) == Some(*k)));
    assert!(StateName::ALL.iter().all(|s| StateName::parse(s.as_str()) == Some(*s)));
    assert!(Action::ALL.iter().all(|a| Action::parse(a.as_str()) == Some(*a)));
    assert_eq!(Action::parse("receive"), Some(Action::Receive));
    assert!(Role::ALL.iter().all(|r| Role::parse(r.as_str()) == Some(*r)));
    for ground in [Ground::Abuse, Ground::Conduct, Ground::NotRegistered] {
        assert_eq!(Ground::parse(ground.as_str()), Some(ground));
    }
    for profile in [Profile::Legacy, Profile::Strict] {
        assert_eq!(Profile::parse(profile.as_str()), Some(profile));
    }
    for environment in [Environment::Production, Environment::Sandbox] {
        assert_eq!(Environment::parse(environment.as_str()), Some(environment));
    }
    for other in ["", "Apply", "approve ", "none"] {
        assert_eq!((Kind::parse(other), StateName::parse(other), Action::parse(other)), (None, None, None));
        assert_eq!((Role::parse(other), Ground::parse(other)), (None, None));
        assert_eq!((Profile::parse(other), Environment::parse(other)), (None, None));
    }
}

/// Messages are looked up by these names, so that two rules with one name would be told with one text.
#[test]
fn codes_are_unique() {
    let violations: BTreeSet<_> = Violation::ALL.iter().map(|v| v.code()).collect();
    assert_eq!(violations.len(), Violation::ALL.len());
    let preconditions: BTreeSet<_> = Precondition::ALL.iter().map(|p| p.code()).collect();
    assert_eq!(preconditions.len(), Precondition::ALL.len());
    assert!(violations.is_disjoint(&preconditions));
    assert_eq!(Violation::TooLong { max: 50 }.limit(), Some(50));
    assert_eq!(Violation::TooMany { max: 10 }.limit(), Some(10));
    assert_eq!(Violation::Required.limit(), None);
    assert_eq!(Violation::UbnChecksum.to_string(), "ubn-checksum");
    assert_eq!(Precondition::OpenCase.to_string(), "open-case");
}

#[test]
fn results_have_the_codes_of_the_manual() {
    use VerificationResult as R;
    let codes: Vec<_> = R::ALL.iter().map(|r| r.code()).collect();
    assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(R::ALL.iter().all(|r| R::from_code(r.code()) == Some(*r)));
    assert_eq!((R::from_code(0), R::from_code(9)), (None, None));
    let strikes: Vec<_> = R::ALL.iter().filter(|r| r.is_strike()).map(|r| r.code()).collect();
    assert_eq!(strikes, [2, 3, 4]);
}

fn card() -> CardData {
    CardData {
        apply_code: ApplyCode::First,
        applied_on: RocDate::parse("1080617").unwrap(),
        issue_site: IssueSite::parse("63000").unwrap(),
    }
}

#[rstest]
#[case::code(CardData { apply_code: ApplyCode::Exchange, ..card() })]
#[case::date(CardData { applied_on: RocDate::parse("1080618").unwrap(), ..card() })]
#[case::site(CardData { issue_site: IssueSite::parse("64000").unwrap(), ..card() })]
fn any_difference_is_one_and_hides_the_status(#[case] asked: CardData) {
    for status in [CardStatus::Normal, CardStatus::OutOfUse, CardStatus::ReportedLost] {
        assert_eq!(compare(&asked, Some(&(card(), status))), Comparison::Different);
        assert_eq!(compare(&card(), Some(&(card(), status))), Comparison::Same(status));
    }
    assert_eq!(compare(&asked, None), Comparison::Different);
}

#[test]
fn card_data_are_not_printed() {
    assert_eq!(format!("{:?}", card()), "CardData(…)");
}

proptest! {
    #[test]
    fn roc_dates_round_trip(text in "[0-9]{7}") {
        if let Ok(date) = RocDate::parse(&text) {
            prop_assert_eq!(date.to_string(), text);
            prop_assert_eq!(RocDate::from_date(date.date()), Ok(date));
        }
    }
}
