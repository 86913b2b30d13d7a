//! Writing DER (X.690 §10): each function gives one encoded element.

use chrono::{DateTime, Datelike, Utc};
use const_oid::ObjectIdentifier;

pub(crate) type Der = Vec<u8>;

pub(crate) fn element(tag: u8, contents: &[u8]) -> Der {
    let mut out = vec![tag];
    if let Ok(short @ 0..0x80) = u8::try_from(contents.len()) {
        out.push(short);
    } else {
        let octets: Vec<u8> =
            contents.len().to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
        // A usize has at most eight octets.
        out.extend(u8::try_from(octets.len()).map(|count| 0x80 | count));
        out.extend(octets);
    }
    out.extend_from_slice(contents);
    out
}

pub(crate) fn sequence(members: &[Der]) -> Der {
    element(0x30, &members.concat())
}

/// SET OF: members in ascending order of their encodings (X.690 §11.6).
pub(crate) fn set(mut members: Vec<Der>) -> Der {
    members.sort();
    element(0x31, &members.concat())
}

/// `[number]` around, or instead of the tag of, something constructed.
pub(crate) fn context(number: u8, contents: &[u8]) -> Der {
    element(0xa0 | number, contents)
}

/// `[number]` instead of the tag of something primitive.
pub(crate) fn context_primitive(number: u8, contents: &[u8]) -> Der {
    element(0x80 | number, contents)
}

pub(crate) fn oid(oid: &str) -> Der {
    element(0x06, ObjectIdentifier::new_unwrap(oid).as_bytes())
}

/// A non-negative INTEGER from its big-endian octets.
pub(crate) fn integer(octets: &[u8]) -> Der {
    let magnitude: Vec<u8> = octets.iter().copied().skip_while(|octet| *octet == 0).collect();
    let pad = magnitude.first().is_none_or(|first| first & 0x80 != 0);
    element(0x02, &[if pad { &[0][..] } else { &[] }, &magnitude].concat())
}

pub(crate) fn boolean_true() -> Der {
    element(0x01, &[0xff])
}

pub(crate) fn null() -> Der {
    element(0x05, &[])
}

pub(crate) fn octet_string(contents: &[u8]) -> Der {
    element(0x04, contents)
}

/// A BIT STRING; `unused` bits at the end do not count.
pub(crate) fn bit_string(unused: u8, contents: &[u8]) -> Der {
    element(0x03, &[&[unused], contents].concat())
}

pub(crate) fn utf8(text: &str) -> Der {
    element(0x0c, text.as_bytes())
}

pub(crate) fn printable(text: &str) -> Der {
    element(0x13, text.as_bytes())
}

/// `Time` (RFC 5280 §4.1.2.5).
pub(crate) fn time(time: DateTime<Utc>) -> Der {
    if (1950..2050).contains(&time.year()) {
        element(0x17, time.format("%y%m%d%H%M%SZ").to_string().as_bytes())
    } else {
        element(0x18, time.format("%Y%m%d%H%M%SZ").to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        assert_eq!(integer(&[]), [2, 1, 0]);
        assert_eq!(integer(&[0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(element(4, &[7; 200])[..4], [4, 0x81, 200, 7]);
        assert_eq!(element(4, &[7; 300])[..5], [4, 0x82, 1, 44, 7]);
        assert_eq!(set(vec![null(), boolean_true()]), [0x31, 5, 1, 1, 0xff, 5, 0]);
        assert_eq!(time(DateTime::UNIX_EPOCH), b"\x17\x0d700101000000Z");
    }
}
