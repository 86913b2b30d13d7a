//! Telephone numbers in the forms that 圖2 asks for.

use std::fmt;

use crate::Violation;

fn digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// `(02)12345678` or `(02)12345678#1234`: area code 0 and 1–3 digits in parentheses, 6–8 digits (5 in
/// Matsu and Wuqiu, 0836 and 0826), an extension of 1–6 digits after `#`.
#[derive(Clone, PartialEq, Eq)]
pub struct Landline(String);

impl Landline {
    /// Parses the form above.
    ///
    /// # Errors
    /// [`Violation::LandlineFormat`].
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let (area, rest) =
            text.strip_prefix("(0").and_then(|t| t.split_once(')')).ok_or(Violation::LandlineFormat)?;
        let (number, extension) = match rest.split_once('#') {
            Some((number, extension)) => (number, Some(extension)),
            None => (rest, None),
        };
        // Wuqiu and Matsu have numbers of five digits.
        let shortest = if matches!(area, "826" | "836") { 5 } else { 6 };
        if digits(area, 1..=3) && digits(number, shortest..=8) && extension.is_none_or(|e| digits(e, 1..=6)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Violation::LandlineFormat)
        }
    }

    /// The number as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Landline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Landline(…)")
    }
}

/// `09` and eight digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Mobile(String);

impl Mobile {
    /// Parses the form above.
    ///
    /// # Errors
    /// [`Violation::MobileFormat`].
    pub fn parse(text: &str) -> Result<Self, Violation> {
        if text.strip_prefix("09").is_some_and(|rest| digits(rest, 8..=8)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Violation::MobileFormat)
        }
    }

    /// The number as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Mobile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mobile(…)")
    }
}
