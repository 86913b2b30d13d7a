//! The national ID number (國民身分證統一編號). Personal data: never shown, never logged.

use std::fmt;

use crate::Violation;

/// Value of each letter A–Z in the checksum.
const LETTERS: [u8; 26] =
    [10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33];
const WEIGHTS: [u16; 11] = [1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1];

/// A letter, 1 or 2, eight digits, with a right check digit. Resident certificates' numbers (second character
/// A–D, 8 or 9) are not national ID numbers and are refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PersonId([u8; 10]);

impl PersonId {
    /// Parses exactly ten ASCII characters: no blanks, no lower case, no full-width forms, so that one person
    /// has one spelling and one lock-out counter.
    ///
    /// # Errors
    /// [`Violation::PersonIdFormat`] or [`Violation::PersonIdChecksum`].
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let bytes: [u8; 10] = text.as_bytes().try_into().map_err(|_| Violation::PersonIdFormat)?;
        let well_formed = bytes[0].is_ascii_uppercase()
            && matches!(bytes[1], b'1' | b'2')
            && bytes[1..].iter().all(u8::is_ascii_digit);
        if !well_formed {
            return Err(Violation::PersonIdFormat);
        }
        let letter = LETTERS[usize::from(bytes[0] - b'A')];
        let digits = [letter / 10, letter % 10].into_iter().chain(bytes[1..].iter().map(|b| b - b'0'));
        let sum: u16 = digits.zip(WEIGHTS).map(|(digit, weight)| u16::from(digit) * weight).sum();
        if !sum.is_multiple_of(10) {
            return Err(Violation::PersonIdChecksum);
        }
        Ok(Self(bytes))
    }

    /// The ten characters, for the keyed hash and nothing else.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonId(…)")
    }
}
