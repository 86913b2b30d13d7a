//! E-mail addresses that can be written to a header unchanged.

use std::fmt;

use crate::Violation;

/// An address `local@domain` of ASCII letters, digits and the usual marks. Quoted local parts, address literals,
/// comments and line breaks are refused: no text in this type can end a mail header.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Longest address (RFC 5321 §4.5.3.1.3, less the angle brackets).
    pub const MAX: usize = 254;

    /// Parses an address.
    ///
    /// # Errors
    /// [`Violation::Required`], [`Violation::TooLong`] or [`Violation::EmailFormat`].
    pub fn parse(text: &str) -> Result<Self, Violation> {
        if text.is_empty() {
            return Err(Violation::Required);
        }
        if text.len() > Self::MAX {
            return Err(Violation::TooLong { max: Self::MAX });
        }
        let (local, domain) = text.rsplit_once('@').ok_or(Violation::EmailFormat)?;
        if local_part(local) && domain_name(domain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Violation::EmailFormat)
        }
    }

    /// The address as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

/// A dot-atom (RFC 5322 §3.2.3) that no mail program takes for an encoded word (RFC 2047 §2) and decodes.
fn local_part(local: &str) -> bool {
    local.len() <= 64
        && !local.contains("=?")
        && local.split('.').all(|atom| {
            !atom.is_empty()
                && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b))
        })
}

/// Two labels or more; the last is not a number, else an IPv4 address would be a domain (RFC 3696 §2).
fn domain_name(domain: &str) -> bool {
    domain.rsplit_once('.').is_some_and(|(_, last)| last.bytes().any(|b| b.is_ascii_alphabetic()))
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}
