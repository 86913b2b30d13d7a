//! 注意事項 六: three wrong answers a day.

use std::cell::Cell;

use idcheck_domain::{
    lockout::{STRIKE_LIMIT, Strikes, answer},
    verification::{CardStatus, Comparison},
};
use proptest::prelude::*;
use rstest::rstest;

const RIGHT: Comparison = Comparison::Same(CardStatus::Normal);
const OUT_OF_USE: Comparison = Comparison::Same(CardStatus::OutOfUse);
const LOST: Comparison = Comparison::Same(CardStatus::ReportedLost);
const WRONG: Comparison = Comparison::Different;

/// The codes answered to a day's queries about one number, and how many were compared.
fn ask(queries: &[Comparison]) -> (Vec<u8>, usize) {
    let compared = Cell::new(0);
    let mut strikes = Strikes::NONE;
    let codes = queries.iter().map(|query| {
        let (result, after) = answer(strikes, || {
            compared.set(compared.get() + 1);
            *query
        });
        assert!(after >= strikes && after.count() <= STRIKE_LIMIT);
        assert_eq!(after > strikes, result.is_strike());
        strikes = after;
        result.code()
    });
    (codes.collect(), compared.get())
}

#[rstest]
#[case::all_wrong(&[WRONG; 6], &[2, 3, 4, 5, 5, 5], 3)]
#[case::right_does_not_reset(&[WRONG, WRONG, RIGHT, WRONG, RIGHT, WRONG], &[2, 3, 1, 4, 5, 5], 4)]
#[case::right_is_free(&[RIGHT, RIGHT, RIGHT, RIGHT], &[1, 1, 1, 1], 4)]
#[case::six_and_seven_are_free(&[OUT_OF_USE, LOST, WRONG, LOST, WRONG, OUT_OF_USE], &[6, 7, 2, 7, 3, 6], 6)]
#[case::locked_hides_everything(&[WRONG, WRONG, WRONG, RIGHT, OUT_OF_USE, LOST], &[2, 3, 4, 5, 5, 5], 3)]
fn a_day(#[case] queries: &[Comparison], #[case] codes: &[u8], #[case] compared: usize) {
    assert_eq!(ask(queries), (codes.to_vec(), compared));
}

#[test]
fn a_stored_count_is_bounded() {
    for count in 0..=u8::MAX {
        let strikes = Strikes::from_count(count);
        assert_eq!(strikes.count(), count.min(3));
        assert_eq!(strikes.is_locked(), count >= 3);
    }
}

/// The rule as one would explain it: look back over the day, count the wrong ones that were compared.
fn by_looking_back(queries: &[Comparison]) -> Vec<u8> {
    (0..queries.len())
        .map(|i| match (queries[..i].iter().filter(|q| **q == WRONG).count(), queries[i]) {
            (3.., _) => 5,
            (before, Comparison::Different) => u8::try_from(before).unwrap() + 2,
            (_, Comparison::Same(CardStatus::Normal)) => 1,
            (_, Comparison::Same(CardStatus::OutOfUse)) => 6,
            (_, Comparison::Same(CardStatus::ReportedLost)) => 7,
        })
        .collect()
}

proptest! {
    #[test]
    fn agrees_with_looking_back(
        queries in prop::collection::vec(prop::sample::select(vec![WRONG, RIGHT, OUT_OF_USE, LOST]), 0..20)
    ) {
        let (codes, compared) = ask(&queries);
        prop_assert_eq!(&codes, &by_looking_back(&queries));
        prop_assert_eq!(compared, codes.iter().filter(|c| **c != 5).count());
        prop_assert!(codes.iter().filter(|c| (2..=4).contains(*c)).count() <= 3);
    }
}
