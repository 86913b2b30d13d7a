//! 統一編號.

use idcheck_domain::{Violation, value::UnifiedBusinessNumber};
use proptest::prelude::*;
use rstest::rstest;

#[rstest]
#[case("04595257")]
#[case("12345675")] // seventh digit 7
#[case("04595252")] // only by the rule since 2023-04-01
#[case("12345670")]
fn valid(#[case] text: &str) {
    let ubn = UnifiedBusinessNumber::parse(text).unwrap();
    assert_eq!(ubn.as_str(), text);
    assert_eq!(ubn.to_string(), text);
}

#[rstest]
#[case("", Violation::Required)]
#[case("12345678", Violation::UbnChecksum)]
#[case("00000000", Violation::UbnChecksum)]
#[case("0459525", Violation::UbnFormat)]
#[case("045952570", Violation::UbnFormat)]
#[case("0459525A", Violation::UbnFormat)]
#[case(" 4595257", Violation::UbnFormat)]
#[case("0459525\0", Violation::UbnFormat)]
#[case("\u{FF10}45952", Violation::UbnFormat)] // full width, eight bytes
#[case("+4595257", Violation::UbnFormat)]
fn refused(#[case] text: &str, #[case] why: Violation) {
    assert_eq!(UnifiedBusinessNumber::parse(text), Err(why));
}

/// The rule of the Ministry of Finance, written the long way round: all products first, then both sums of 28.
fn by_the_book(digits: &[u32]) -> bool {
    let crossed = |product: u32| product / 10 + product % 10;
    let sum: u32 = digits.iter().zip([1, 2, 1, 2, 1, 2, 4, 1]).map(|(d, w)| crossed(d * w)).sum();
    digits.iter().any(|d| *d != 0)
        && (sum.is_multiple_of(5) || (digits[6] == 7 && (sum - 9).is_multiple_of(5)))
}

/// A right number whose seventh digit is not 7.
fn valid_without_seven() -> impl Strategy<Value = String> {
    (0_u32..100_000_000)
        .prop_map(|number| format!("{number:08}"))
        .prop_filter("valid, no 7", |text| &text[6..7] != "7" && UnifiedBusinessNumber::parse(text).is_ok())
}

proptest! {
    #[test]
    fn agrees_with_the_rule(number in 0_u32..100_000_000) {
        let text = format!("{number:08}");
        let digits: Vec<u32> = text.chars().map(|c| c.to_digit(10).unwrap()).collect();
        prop_assert_eq!(UnifiedBusinessNumber::parse(&text).is_ok(), by_the_book(&digits));
    }

    /// The check is modulo 5, so that of ten digits in a place two pass: the right one and one other. (Not so in the
    /// seventh place and beside a 7 in it, and 00000000 is refused.)
    #[test]
    fn a_mistyped_digit_is_mostly_found(text in valid_without_seven(), place in 0_usize..8) {
        prop_assume!(place != 6);
        let passing = (b'0'..=b'9')
            .filter(|digit| {
                let mut bytes = text.clone().into_bytes();
                bytes[place] = *digit;
                let other = std::str::from_utf8(&bytes).unwrap();
                other == "00000000" || UnifiedBusinessNumber::parse(other).is_ok()
            })
            .count();
        prop_assert_eq!(passing, 2);
    }

    #[test]
    fn never_panics(text in "\\PC{0,12}") {
        if let Ok(ubn) = UnifiedBusinessNumber::parse(&text) {
            prop_assert_eq!(ubn.as_str(), text);
        }
    }
}
