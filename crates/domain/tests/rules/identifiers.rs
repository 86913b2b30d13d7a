//! Accounts, Iss Keys and case numbers.

use idcheck_domain::value::{Account, CaseNumber, IssKey};
use proptest::prelude::*;
use rstest::rstest;

use crate::support::day;

const LAST: u32 = (26 * 26 - 22) * 999 - 1;

#[rstest]
#[case(0, "AW001")]
#[case(1, "AW002")]
#[case(998, "AW999")]
#[case(999, "AX001")]
#[case(4 * 999 - 1, "AZ999")]
#[case(4 * 999, "BA001")]
#[case(LAST, "ZZ999")]
fn accounts_in_their_order(#[case] ordinal: u32, #[case] text: &str) {
    let account = Account::from_ordinal(ordinal).unwrap();
    assert_eq!(account.to_string(), text);
    assert_eq!(Account::parse(text), Some(account));
    assert_eq!(account.ordinal(), ordinal);
}

#[test]
fn accounts_end() {
    assert_eq!(Account::FIRST.to_string(), "AW001");
    assert_eq!(Account::parse("ZZ999").unwrap().next(), None);
    assert_eq!(Account::from_ordinal(LAST + 1), None);
}

#[test]
fn all_accounts_follow_one_another() {
    let all: Vec<_> = std::iter::successors(Some(Account::FIRST), |a| a.next()).collect();
    assert_eq!(all.len(), usize::try_from(LAST + 1).unwrap());
    // Text sorts as the accounts do, so that a listing by account is one by age.
    assert!(all.windows(2).all(|pair| pair[0] < pair[1] && pair[0].to_string() < pair[1].to_string()));
}

#[rstest]
#[case("AW000")]
#[case("AV999")]
#[case("AA001")]
#[case("aw001")]
#[case("AW01")]
#[case("AW0001")]
#[case("A0001")]
#[case("AW+01")]
#[case("AW 01")]
#[case("AＷ1")]
#[case("SBX00")]
#[case("")]
fn never_an_account(#[case] text: &str) {
    assert_eq!(Account::parse(text), None);
}

#[test]
fn an_iss_key_skips_bytes_that_would_favour_a_character() {
    let kept = IssKey::draw([0; 32]).unwrap();
    assert_eq!(kept.expose(), "A".repeat(32));
    let skipped = IssKey::draw((248..=255).chain([61, 62, 247]).chain([0; 29])).unwrap();
    assert_eq!(skipped.expose(), format!("9A9{}", "A".repeat(29)));
    assert_eq!(IssKey::draw([0; 31]), None);
    assert_eq!(IssKey::draw([248; 64]), None);
    assert_eq!(format!("{kept:?}"), "IssKey(…)");
}

/// Every byte is equally often fed in, so every character must come out exactly equally often.
#[test]
fn an_iss_key_is_uniform() {
    let mut counts = std::collections::BTreeMap::new();
    let mut bytes = (0..=255_u8).cycle().take(256 * 32 * 10);
    while let Some(key) = IssKey::draw(&mut bytes) {
        for c in key.expose().chars() {
            *counts.entry(c).or_insert(0_u32) += 1;
        }
    }
    assert_eq!(counts.len(), 62);
    assert!(counts.values().all(|n| *n == 4 * 320), "{counts:?}");
}

#[rstest]
#[case::empty(String::new())]
#[case::short("A".repeat(31))]
#[case::long("A".repeat(33))]
#[case::mark("A".repeat(31) + "-")]
#[case::blank("A".repeat(31) + " ")]
#[case::nul("A".repeat(31) + "\0")]
#[case::wide("A".repeat(29) + "９")]
fn never_an_iss_key(#[case] text: String) {
    assert_eq!(IssKey::parse(&text), None);
}

#[test]
fn a_case_number_tells_the_day_and_nothing_else() {
    let number = |random| CaseNumber::new(day("2026-11-23"), random).to_string();
    assert_eq!(number(0), "1151123-0000000");
    assert_eq!(number(31), "1151123-Z000000");
    assert_eq!(number(u64::MAX), "1151123-ZZZZZZZ");
    assert_eq!(number(1 << 35), "1151123-0000000");
}

#[rstest]
#[case("1151123-000000")]
#[case("1151123-00000000")]
#[case("115112-0000000")]
#[case("1151123_0000000")]
#[case("1151123-000000I")]
#[case("1151123-000000o")]
#[case("1151123-0000-00")]
#[case("115112x-0000000")]
#[case("")]
fn never_a_case_number(#[case] text: &str) {
    assert_eq!(CaseNumber::parse(text), None);
}

proptest! {
    #[test]
    fn accounts_round_trip(ordinal in 0..=LAST) {
        let account = Account::from_ordinal(ordinal).unwrap();
        prop_assert_eq!(Account::parse(&account.to_string()), Some(account));
    }

    #[test]
    fn an_account_is_read_as_it_is_written(text in "[A-Z]{2}[0-9]{3}") {
        if let Some(account) = Account::parse(&text) {
            prop_assert_eq!(account.to_string(), text);
        }
    }

    #[test]
    fn iss_keys_round_trip(bytes in prop::collection::vec(any::<u8>(), 64)) {
        if let Some(key) = IssKey::draw(bytes) {
            prop_assert_eq!(IssKey::parse(key.expose()), Some(key));
        }
    }

    #[test]
    fn case_numbers_round_trip(random in any::<u64>(), days in 0_i64..300_000) {
        let number = CaseNumber::new(day("1912-01-01") + chrono::TimeDelta::days(days), random);
        prop_assert_eq!(CaseNumber::parse(number.as_str()), Some(number));
    }
}
