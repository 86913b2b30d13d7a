//! The account (機關帳號): `AW001` … `AW999`, then `AX001` …; sent as `apId`.

use std::fmt;

/// Serial numbers under one pair of letters.
const PER_LETTERS: u32 = 999;
/// `AW` as a number in base 26.
const FIRST_LETTERS: u32 = 22;
const LETTER_PAIRS: u32 = 26 * 26;

/// Five characters, given once and never to another organisation. Ordered as they are given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(u32);

impl Account {
    /// The first account, `AW001`.
    pub const FIRST: Self = Self(0);

    /// The account given after this one; none after `ZZ999`.
    pub fn next(self) -> Option<Self> {
        Self::from_ordinal(self.0 + 1)
    }

    /// The account given as number `ordinal`, counted from 0.
    pub fn from_ordinal(ordinal: u32) -> Option<Self> {
        (ordinal < (LETTER_PAIRS - FIRST_LETTERS) * PER_LETTERS).then_some(Self(ordinal))
    }

    /// How many accounts were given before this one.
    pub fn ordinal(self) -> u32 {
        self.0
    }

    /// Reads an account; `None` for text that never is one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 5] = text.as_bytes().try_into().ok()?;
        let letter = |b: u8| b.is_ascii_uppercase().then(|| u32::from(b - b'A'));
        let letters = letter(bytes[0])? * 26 + letter(bytes[1])?;
        let serial = bytes[2..]
            .iter()
            .try_fold(0, |sum, b| b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0')))?;
        let pairs = letters.checked_sub(FIRST_LETTERS)?;
        Self::from_ordinal(pairs * PER_LETTERS + serial.checked_sub(1)?)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = FIRST_LETTERS + self.0 / PER_LETTERS;
        let letter = |n: u32| char::from(b'A' + u8::try_from(n % 26).unwrap_or_default());
        write!(f, "{}{}{:03}", letter(letters / 26), letter(letters), self.0 % PER_LETTERS + 1)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({self})")
    }
}
