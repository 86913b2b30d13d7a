//! 國民身分證統一編號: one person, one spelling.

use idcheck_domain::{Violation, value::PersonId};
use proptest::prelude::*;
use rstest::rstest;

/// A right number for every letter, worked out from the published letter values.
const EVERY_LETTER: [(char, u32); 26] = [
    ('A', 10),
    ('B', 11),
    ('C', 12),
    ('D', 13),
    ('E', 14),
    ('F', 15),
    ('G', 16),
    ('H', 17),
    ('I', 34),
    ('J', 18),
    ('K', 19),
    ('L', 20),
    ('M', 21),
    ('N', 22),
    ('O', 35),
    ('P', 23),
    ('Q', 24),
    ('R', 25),
    ('S', 26),
    ('T', 27),
    ('U', 28),
    ('V', 29),
    ('W', 32),
    ('X', 30),
    ('Y', 31),
    ('Z', 33),
];

/// The number with this letter and these eight digits, its check digit appended.
fn with_check_digit(letter: char, digits: &str) -> String {
    let value = EVERY_LETTER.iter().find(|(l, _)| *l == letter).unwrap().1;
    let body: u32 = digits.chars().zip((1..=8).rev()).map(|(c, w)| c.to_digit(10).unwrap() * w).sum();
    let sum = value / 10 + value % 10 * 9 + body;
    format!("{letter}{digits}{}", (10 - sum % 10) % 10)
}

fn number() -> impl Strategy<Value = String> {
    (0_usize..26, 1_u32..=2, 0_u32..10_000_000)
        .prop_map(|(letter, sex, n)| with_check_digit(EVERY_LETTER[letter].0, &format!("{sex}{n:07}")))
}

#[test]
fn every_letter_has_its_value() {
    assert_eq!(with_check_digit('A', "12345678"), "A123456789");
    for (letter, _) in EVERY_LETTER {
        let right = with_check_digit(letter, "12345678");
        assert!(PersonId::parse(&right).is_ok(), "{letter}");
        for wrong in '0'..='9' {
            let text = format!("{}{wrong}", &right[..9]);
            assert_eq!(PersonId::parse(&text).is_ok(), text == right, "{letter} {wrong}");
        }
    }
}

#[rstest]
#[case::check_digit("A123456780", Violation::PersonIdChecksum)]
#[case::empty("", Violation::PersonIdFormat)]
#[case::lower_case("a123456789", Violation::PersonIdFormat)]
#[case::full_width_letter("Ａ123456789", Violation::PersonIdFormat)]
#[case::full_width_digits("A１２３４５６７８９", Violation::PersonIdFormat)]
#[case::full_width_as_ten_bytes("Ａ1234567", Violation::PersonIdFormat)]
#[case::arabic_digits("A12345678٩", Violation::PersonIdFormat)]
#[case::blank_before(" A123456789", Violation::PersonIdFormat)]
#[case::blank_after("A123456789 ", Violation::PersonIdFormat)]
#[case::blank_for_a_digit("A12345678 ", Violation::PersonIdFormat)]
#[case::ideographic_blank("A123456789\u{3000}", Violation::PersonIdFormat)]
#[case::nul_after("A123456789\0", Violation::PersonIdFormat)]
#[case::nul_for_a_digit("A12345678\0", Violation::PersonIdFormat)]
#[case::newline("A123456789\n", Violation::PersonIdFormat)]
#[case::zero_width("A\u{200B}1234567", Violation::PersonIdFormat)]
#[case::cyrillic_a("А12345678", Violation::PersonIdFormat)]
#[case::resident_of_1983("AC01234567", Violation::PersonIdFormat)]
#[case::resident_of_2021("A800000014", Violation::PersonIdFormat)]
#[case::sex_three("A323456789", Violation::PersonIdFormat)]
#[case::two_letters("AB23456789", Violation::PersonIdFormat)]
#[case::too_long("A1234567890", Violation::PersonIdFormat)]
fn refused(#[case] text: &str, #[case] why: Violation) {
    assert_eq!(PersonId::parse(text), Err(why));
}

#[test]
fn is_not_printed() {
    let id = PersonId::parse("A123456789").unwrap();
    assert_eq!(id.expose(), "A123456789");
    assert_eq!(format!("{id:?}"), "PersonId(…)");
}

/// Places whose weight has no common factor with 10 find every mistyped digit; the others find all but those that
/// differ by a multiple of the missing factor.
fn found(place: usize, by: u8) -> bool {
    let weight = [8, 7, 6, 5, 4, 3, 2, 1, 1][place - 1];
    !(weight * by).is_multiple_of(10)
}

proptest! {
    #[test]
    fn right_numbers_pass(number in number()) {
        let id = PersonId::parse(&number);
        prop_assert_eq!(id.map(|id| id.expose().to_owned()), Ok(number));
    }

    #[test]
    fn a_mistyped_digit_is_found_where_the_weight_can(number in number(), place in 2_usize..10, by in 1_u8..10) {
        let mut bytes = number.into_bytes();
        bytes[place] = b'0' + (bytes[place] - b'0' + by) % 10;
        let parsed = PersonId::parse(std::str::from_utf8(&bytes).unwrap());
        prop_assert_eq!(parsed.is_err(), found(place, by));
    }

    /// Threat 8: whatever is done to the spelling, either it is refused or it is another number written in full.
    #[test]
    fn no_second_spelling(number in number(), place in 0_usize..=10, c in any::<char>(), insert in any::<bool>()) {
        let mut chars: Vec<char> = number.chars().collect();
        if insert {
            chars.insert(place, c);
        } else {
            chars[place.min(9)] = c;
        }
        let text: String = chars.into_iter().collect();
        if let Ok(id) = PersonId::parse(&text) {
            prop_assert_eq!(id.expose(), &text);
            prop_assert!(text.is_ascii() && text.len() == 10);
        }
    }
}
