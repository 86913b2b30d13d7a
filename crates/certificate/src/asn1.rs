//! Reading DER without copying: the outer shells of certificates, CRLs and messages, whose exact bytes are signed.
//!
//! The typed structures of `x509-cert` and `cms` re-encode what they read; a signature is over the bytes that came.
//! So shells are read here as slices, and only their parts are handed to those types.

use chrono::{DateTime, NaiveDate, Utc};
use der::oid::ObjectIdentifier;
use der::{Reader, SliceReader, Tag};

/// The bytes are not the structure that was expected; shown, it is the rule that they break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(&'static str);

impl Malformed {
    /// Not DER at all, or other elements than the structure has.
    pub(crate) const DER: Self = Self("not well-formed DER");

    pub(crate) const fn rule(rule: &'static str) -> Self {
        Self(rule)
    }
}

impl From<der::Error> for Malformed {
    fn from(_: der::Error) -> Self {
        Self::DER
    }
}

/// One element: tag, contents, and the whole as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: Tag,
    pub(crate) value: &'a [u8],
    pub(crate) bytes: &'a [u8],
}

impl<'a> Element<'a> {
    pub(crate) fn children(self) -> Elements<'a> {
        Elements { rest: self.value }
    }

    /// The contents of an INTEGER as they stand: two's complement, shortest form.
    pub(crate) fn integer(self) -> Result<&'a [u8], Malformed> {
        let shortest = match self.value {
            [] => false,
            [0, second, ..] => second & 0x80 != 0,
            [0xff, second, ..] => second & 0x80 == 0,
            [_, ..] => true,
        };
        if self.tag == Tag::Integer && shortest { Ok(self.value) } else { Err(Malformed::DER) }
    }

    /// The contents of a BIT STRING of whole octets.
    pub(crate) fn bit_string(self) -> Result<&'a [u8], Malformed> {
        match (self.tag, self.value) {
            (Tag::BitString, [0, octets @ ..]) => Ok(octets),
            _ => Err(Malformed::DER),
        }
    }

    /// The contents of an OCTET STRING.
    pub(crate) fn octet_string(self) -> Result<&'a [u8], Malformed> {
        if self.tag == Tag::OctetString { Ok(self.value) } else { Err(Malformed::DER) }
    }

    pub(crate) fn oid(self) -> Result<ObjectIdentifier, Malformed> {
        if self.tag != Tag::ObjectIdentifier {
            return Err(Malformed::DER);
        }
        ObjectIdentifier::from_bytes(self.value).map_err(|_| Malformed::DER)
    }

    /// `Time` of RFC 5280 §4.1.2.5: `UTCTime` for 1950–2049, `GeneralizedTime` else, both in whole seconds and Zulu.
    pub(crate) fn time(self) -> Result<DateTime<Utc>, Malformed> {
        let text = std::str::from_utf8(self.value).map_err(|_| Malformed::DER)?;
        let digits = text.strip_suffix('Z').ok_or(Malformed::DER)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Malformed::DER);
        }
        let (year, rest) = match (self.tag, digits.len()) {
            (Tag::UtcTime, 12) => {
                let short: i32 = number(&digits[..2])?;
                (if short < 50 { 2000 + short } else { 1900 + short }, &digits[2..])
            }
            (Tag::GeneralizedTime, 14) => (number(&digits[..4])?, &digits[4..]),
            _ => return Err(Malformed::DER),
        };
        let part = |at: usize| number::<u32>(&rest[at..at + 2]);
        NaiveDate::from_ymd_opt(year, part(0)?, part(2)?)
            .and_then(|date| date.and_hms_opt(part(4).ok()?, part(6).ok()?, part(8).ok()?))
            .map(|time| time.and_utc())
            .ok_or(Malformed::DER)
    }
}

fn number<T: std::str::FromStr>(digits: &str) -> Result<T, Malformed> {
    digits.parse().map_err(|_| Malformed::DER)
}

/// Elements one after another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn read(&mut self) -> Result<Element<'a>, Malformed> {
        let header = SliceReader::new(self.rest)?.peek_header()?;
        let head = usize::try_from(der::Encode::encoded_len(&header)?)?;
        let total = head.checked_add(usize::try_from(header.length)?).ok_or(Malformed::DER)?;
        if total > self.rest.len() {
            return Err(Malformed::DER);
        }
        let (bytes, rest) = self.rest.split_at(total);
        self.rest = rest;
        Ok(Element { tag: header.tag, value: &bytes[head..], bytes })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: Tag) -> Result<Element<'a>, Malformed> {
        let element = self.read()?;
        if element.tag == tag { Ok(element) } else { Err(Malformed::DER) }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: Tag) -> Result<Option<Element<'a>>, Malformed> {
        match self.rest.first() {
            Some(byte) if *byte == tag.octet() => self.read().map(Some),
            _ => Ok(None),
        }
    }

    /// That nothing is left.
    pub(crate) fn finish(self) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(Malformed::DER) }
    }
}

/// Exactly one element and nothing behind it.
pub(crate) fn single(bytes: &[u8], tag: Tag) -> Result<Element<'_>, Malformed> {
    let mut elements = Elements::new(bytes);
    let element = elements.expect(tag)?;
    elements.finish()?;
    Ok(element)
}

/// Deeper than any extension.
const MAX_DEPTH: usize = 32;
/// More than any SET in a certificate or a signature has.
const MAX_SET: usize = 32;

/// Decodes a typed structure whose sets are small.
///
/// The decoders sort sets by insertion, which a hostile set of thousands would turn into seconds.
pub(crate) fn decode<'a, T: der::Decode<'a>>(der: &'a [u8]) -> Result<T, Malformed> {
    bound_sets(der)?;
    Ok(T::from_der(der)?)
}

/// Refuses sets with too many members, at any depth.
fn bound_sets(bytes: &[u8]) -> Result<(), Malformed> {
    bound_sets_within(bytes, MAX_DEPTH)
}

fn bound_sets_within(bytes: &[u8], depth: usize) -> Result<(), Malformed> {
    let depth = depth.checked_sub(1).ok_or(Malformed::DER)?;
    let mut elements = Elements::new(bytes);
    while !elements.is_empty() {
        let element = elements.read()?;
        if !element.tag.is_constructed() {
            continue;
        }
        if element.tag != Tag::Sequence {
            // SET, or a context tag that may stand for one.
            let mut members = element.children();
            for _ in 0..MAX_SET {
                if !members.is_empty() {
                    members.read()?;
                }
            }
            members.finish()?;
        }
        bound_sets_within(element.value, depth)?;
    }
    Ok(())
}

/// A context-specific, constructed tag.
pub(crate) const fn context(number: der::TagNumber) -> Tag {
    Tag::ContextSpecific { constructed: true, number }
}

/// A context-specific, primitive tag.
pub(crate) const fn context_primitive(number: der::TagNumber) -> Tag {
    Tag::ContextSpecific { constructed: false, number }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(tag: u8, text: &str) -> Option<String> {
        let mut bytes = vec![tag, u8::try_from(text.len()).unwrap()];
        bytes.extend_from_slice(text.as_bytes());
        Elements::new(&bytes).read().unwrap().time().ok().map(|time| time.to_rfc3339())
    }

    #[test]
    fn times_follow_rfc_5280() {
        assert_eq!(time(0x17, "500101000000Z").as_deref(), Some("1950-01-01T00:00:00+00:00"));
        assert_eq!(time(0x17, "491231235959Z").as_deref(), Some("2049-12-31T23:59:59+00:00"));
        assert_eq!(time(0x18, "20500101000000Z").as_deref(), Some("2050-01-01T00:00:00+00:00"));
        for (tag, text) in [
            (0x17, "5001010000Z"),
            (0x17, "500101000000"),
            (0x17, "500101000000+0800"),
            (0x18, "20500101000000.5Z"),
            (0x18, "20501301000000Z"),
            (0x18, "2050010100000aZ"),
            (0x0c, "500101000000Z"),
        ] {
            assert_eq!(time(tag, text), None, "{text}");
        }
    }

    #[test]
    fn integers_must_be_shortest() {
        let read = |bytes: &[u8]| Elements::new(bytes).read().unwrap().integer().is_ok();
        assert!(read(&[2, 1, 0]) && read(&[2, 2, 0, 0x80]) && read(&[2, 1, 0xff]));
        assert!(!read(&[2, 0]) && !read(&[2, 2, 0, 1]) && !read(&[2, 2, 0xff, 0x80]));
    }
}
