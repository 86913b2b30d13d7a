//! The number of a case, short enough to be read over the telephone.

use std::fmt;

use chrono::NaiveDate;

use crate::value::RocDate;

/// Crockford's base 32: no I, L, O, U, so that nothing is misheard or misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// ROC day of receipt, a hyphen, seven random characters: `1151123-7K3M9QX`. It can't be guessed from another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CaseNumber(String);

impl CaseNumber {
    /// Makes the number of a case received on `day`, of 35 of the random bits.
    pub fn new(day: NaiveDate, random: u64) -> Self {
        let day = RocDate::from_date(day).map_or_else(|_| "0000000".to_owned(), |d| d.to_string());
        let tail = (0..7).map(|i| {
            let index = usize::try_from((random >> (5 * i)) & 31).unwrap_or_default();
            char::from(ALPHABET[index])
        });
        Self(format!("{day}-{}", tail.collect::<String>()))
    }

    /// Reads a case number; `None` for text that never is one.
    pub fn parse(text: &str) -> Option<Self> {
        let (day, tail) = text.split_once('-')?;
        let well_formed = day.len() == 7
            && day.bytes().all(|b| b.is_ascii_digit())
            && tail.len() == 7
            && tail.bytes().all(|b| ALPHABET.contains(&b));
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
