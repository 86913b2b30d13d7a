//! 注意事項 六: three wrong answers about one ID number on one day, and that number can't be asked about again
//! until midnight in Taipei.
//!
//! Counted over all organisations. A right answer never resets the count; result 5 adds nothing to it; there is
//! no unlocking within the day.

use crate::verification::{CardStatus, Comparison, VerificationResult};

/// Wrong answers after which a number is locked for the day.
pub const STRIKE_LIMIT: u8 = 3;

/// Wrong answers about one ID number on one Taipei day: 0 to 3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strikes(u8);

impl Strikes {
    /// No wrong answer yet.
    pub const NONE: Self = Self(0);

    /// The count as it was stored; more than the limit is the limit.
    pub fn from_count(count: u8) -> Self {
        Self(count.min(STRIKE_LIMIT))
    }

    /// How many.
    pub fn count(self) -> u8 {
        self.0
    }

    /// Whether the number is locked.
    pub fn is_locked(self) -> bool {
        self.0 >= STRIKE_LIMIT
    }
}

/// Answers one query and says what the count is afterwards. `compare` is called only when the number is not locked.
///
/// Whoever stores the count MUST read it and write the new one in one transaction, or two wrong answers at once are one.
///
/// ```
/// use idcheck_domain::{
///     lockout::{Strikes, answer},
///     verification::{CardStatus, Comparison},
/// };
///
/// let mut strikes = Strikes::NONE;
/// let codes = [false, false, true, false, true].map(|same| {
///     let (result, after) = answer(strikes, || {
///         if same { Comparison::Same(CardStatus::Normal) } else { Comparison::Different }
///     });
///     strikes = after;
///     result.code()
/// });
/// // The right answer in between resets nothing; once locked, a right one is not compared any more.
/// assert_eq!(codes, [2, 3, 1, 4, 5]);
/// ```
pub fn answer(strikes: Strikes, compare: impl FnOnce() -> Comparison) -> (VerificationResult, Strikes) {
    if strikes.is_locked() {
        return (VerificationResult::Locked, strikes);
    }
    match compare() {
        Comparison::Same(CardStatus::Normal) => (VerificationResult::Match, strikes),
        Comparison::Same(CardStatus::OutOfUse) => (VerificationResult::OutOfUse, strikes),
        Comparison::Same(CardStatus::ReportedLost) => (VerificationResult::ReportedLost, strikes),
        Comparison::Different => {
            let strikes = Strikes::from_count(strikes.0 + 1);
            let result = match strikes.0 {
                1 => VerificationResult::FirstMismatch,
                2 => VerificationResult::SecondMismatch,
                _ => VerificationResult::ThirdMismatch,
            };
            (result, strikes)
        }
    }
}
