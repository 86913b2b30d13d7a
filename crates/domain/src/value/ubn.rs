//! The unified business number (統一編號), a company's identity.

use std::fmt;

use crate::Violation;

const WEIGHTS: [u8; 8] = [1, 2, 1, 2, 1, 2, 4, 1];

/// Eight digits with a check digit, by the rule in force since 2023-04-01 (divisible by 5 instead of 10).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnifiedBusinessNumber([u8; 8]);

impl UnifiedBusinessNumber {
    /// Parses eight ASCII digits.
    ///
    /// # Errors
    /// [`Violation::Required`], [`Violation::UbnFormat`] or [`Violation::UbnChecksum`]; `00000000` is refused too.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        if text.is_empty() {
            return Err(Violation::Required);
        }
        let digits: [u8; 8] = text.as_bytes().try_into().map_err(|_| Violation::UbnFormat)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(Violation::UbnFormat);
        }
        let sum: u8 = digits
            .iter()
            .zip(WEIGHTS)
            .map(|(digit, weight)| (digit - b'0') * weight)
            .map(|product| product / 10 + product % 10)
            .sum();
        // A seventh digit 7 gives the product 28, whose digit sum 10 counts as 1 or as 0.
        let valid = sum.is_multiple_of(5) || (digits[6] == b'7' && (sum + 1).is_multiple_of(5));
        if !valid || digits == *b"00000000" {
            return Err(Violation::UbnChecksum);
        }
        Ok(Self(digits))
    }

    /// The eight digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for UnifiedBusinessNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for UnifiedBusinessNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnifiedBusinessNumber({self})")
    }
}
