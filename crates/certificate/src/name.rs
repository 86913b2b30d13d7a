//! Distinguished names: compared as RFC 5280 §7.1 says, shown as RFC 4514 says.

use std::fmt::{self, Write as _};
use std::hash::{Hash, Hasher};

use der::Tag;
use der::oid::ObjectIdentifier;

use crate::asn1::{Element, Elements, Malformed, single};

/// `organizationName`.
pub const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
/// `organizationalUnitName`.
pub const ORGANIZATIONAL_UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");
/// `commonName`.
pub const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// `serialNumber`, in company certificates the company's number.
pub const SERIAL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.5");
/// `emailAddress` of PKCS #9, which name constraints look at (RFC 5280 §4.2.1.10).
pub const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");

const KEYWORDS: [(ObjectIdentifier, &str); 9] = [
    (COMMON_NAME, "CN"),
    (SERIAL_NUMBER, "serialNumber"),
    (ObjectIdentifier::new_unwrap("2.5.4.6"), "C"),
    (ObjectIdentifier::new_unwrap("2.5.4.7"), "L"),
    (ObjectIdentifier::new_unwrap("2.5.4.8"), "ST"),
    (ORGANIZATION, "O"),
    (ORGANIZATIONAL_UNIT, "OU"),
    (ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.25"), "DC"),
    (EMAIL_ADDRESS, "emailAddress"),
];

/// A distinguished name.
///
/// Equality ignores case, blanks at the ends, runs of blanks and the kind of string, as RFC 5280 §7.1 asks.
#[derive(Clone)]
pub struct DistinguishedName {
    rdns: Vec<Vec<Attribute>>,
    keys: Vec<Vec<u8>>,
}

#[derive(Clone)]
struct Attribute {
    oid: ObjectIdentifier,
    /// The value as text; `None` for values that are no string.
    text: Option<String>,
    der: Vec<u8>,
}

impl DistinguishedName {
    pub(crate) fn parse(der: &[u8]) -> Result<Self, Malformed> {
        let mut sequence = single(der, Tag::Sequence)?.children();
        let mut name = Self { rdns: Vec::new(), keys: Vec::new() };
        while !sequence.is_empty() {
            name.push(sequence.expect(Tag::Set)?.value)?;
        }
        Ok(name)
    }

    /// This name with one more RDN, given as the contents of its SET (RFC 5280 §4.2.1.13 `nameRelativeToCRLIssuer`).
    pub(crate) fn with_rdn(&self, set: &[u8]) -> Result<Self, Malformed> {
        let mut name = self.clone();
        name.push(set)?;
        Ok(name)
    }

    fn push(&mut self, set: &[u8]) -> Result<(), Malformed> {
        let mut elements = Elements::new(set);
        let mut rdn = Vec::new();
        while !elements.is_empty() {
            let mut pair = elements.expect(Tag::Sequence)?.children();
            let oid = pair.expect(Tag::ObjectIdentifier)?.oid()?;
            let value = pair.read()?;
            pair.finish()?;
            rdn.push(Attribute { oid, text: text(value), der: value.bytes.to_vec() });
        }
        if rdn.is_empty() {
            return Err(Malformed::DER);
        }
        let mut parts: Vec<Vec<u8>> = rdn.iter().map(Attribute::key).collect();
        parts.sort();
        self.keys.push(parts.concat());
        self.rdns.push(rdn);
        Ok(())
    }

    /// Whether there is no RDN at all.
    pub fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }

    /// The values of an attribute that are text, in order.
    pub fn values(&self, oid: ObjectIdentifier) -> impl Iterator<Item = &str> {
        self.all_values(oid).flatten()
    }

    /// The values of an attribute, in order; `None` for one that is no text.
    pub(crate) fn all_values(&self, oid: ObjectIdentifier) -> impl Iterator<Item = Option<&str>> {
        let attributes = self.rdns.iter().flatten().filter(move |attribute| attribute.oid == oid);
        attributes.map(|attribute| attribute.text.as_deref())
    }

    /// The last, most specific, value of an attribute.
    pub fn last(&self, oid: ObjectIdentifier) -> Option<&str> {
        self.values(oid).last()
    }

    /// Whether this name stands in the subtree of `base` (RFC 5280 §4.2.1.10).
    pub(crate) fn is_within(&self, base: &Self) -> bool {
        self.keys.starts_with(&base.keys)
    }
}

impl Attribute {
    fn key(&self) -> Vec<u8> {
        let (kind, value) = match &self.text {
            Some(text) => (1, fold(text).into_bytes()),
            None => (0, self.der.clone()),
        };
        let mut key = self.oid.as_bytes().to_vec();
        key.push(0);
        key.push(kind);
        // The length keeps neighbouring attributes of one RDN apart.
        key.extend_from_slice(&(value.len() as u64).to_be_bytes());
        key.extend_from_slice(&value);
        key
    }
}

/// RFC 5280 §7.1, RFC 4518: case and blanks do not count.
fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The text of one of the string types of a `DirectoryString`, or `IA5String` and its kin.
pub(crate) fn text(element: Element<'_>) -> Option<String> {
    let value = element.value;
    match element.tag {
        Tag::Utf8String => std::str::from_utf8(value).ok().map(str::to_owned),
        Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            value.is_ascii().then(|| value.iter().copied().map(char::from).collect())
        }
        // In practice Latin-1.
        Tag::TeletexString => Some(value.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let (units, rest) = value.as_chunks::<2>();
            let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            if rest.is_empty() { String::from_utf16(&units).ok() } else { None }
        }
        _ => None,
    }
}

impl PartialEq for DistinguishedName {
    fn eq(&self, other: &Self) -> bool {
        self.keys == other.keys
    }
}

impl Eq for DistinguishedName {}

impl Hash for DistinguishedName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.keys.hash(state);
    }
}

impl fmt::Display for DistinguishedName {
    /// RFC 4514: most specific first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rdn) in self.rdns.iter().rev().enumerate() {
            if index > 0 {
                f.write_char(',')?;
            }
            for (index, attribute) in rdn.iter().enumerate() {
                if index > 0 {
                    f.write_char('+')?;
                }
                match KEYWORDS.iter().find(|(oid, _)| *oid == attribute.oid) {
                    Some((_, keyword)) => write!(f, "{keyword}=")?,
                    None => write!(f, "{}=", attribute.oid)?,
                }
                match &attribute.text {
                    Some(text) => write_escaped(f, text)?,
                    None => write!(f, "#{}", hex::encode(&attribute.der))?,
                }
            }
        }
        Ok(())
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.chars().count().saturating_sub(1);
    for (index, character) in text.chars().enumerate() {
        match character {
            '\0' => f.write_str("\\00")?,
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{character}")?,
            '#' if index == 0 => f.write_str("\\#")?,
            ' ' if index == 0 || index == last => f.write_str("\\ ")?,
            _ => f.write_char(character)?,
        }
    }
    Ok(())
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A personal card's name would be personal data.
        write!(f, "DistinguishedName({} RDNs)", self.rdns.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(attributes: &[(&str, u8, &str)]) -> DistinguishedName {
        let tlv = |tag: u8, value: &[u8]| [&[tag, u8::try_from(value.len()).unwrap()], value].concat();
        let rdns: Vec<Vec<u8>> = attributes
            .iter()
            .map(|(oid, tag, text)| {
                let oid = tlv(0x06, ObjectIdentifier::new_unwrap(oid).as_bytes());
                tlv(0x31, &tlv(0x30, &[oid, tlv(*tag, text.as_bytes())].concat()))
            })
            .collect();
        DistinguishedName::parse(&tlv(0x30, &rdns.concat())).unwrap()
    }

    #[test]
    fn case_blanks_and_string_type_do_not_count() {
        let printable = name(&[("2.5.4.6", 0x13, "TW"), ("2.5.4.10", 0x13, " Test  Company ")]);
        let utf8 = name(&[("2.5.4.6", 0x0c, "tw"), ("2.5.4.10", 0x0c, "test company")]);
        assert_eq!(printable, utf8);
        assert_ne!(utf8, name(&[("2.5.4.6", 0x0c, "tw"), ("2.5.4.11", 0x0c, "test company")]));
        assert_ne!(utf8, name(&[("2.5.4.6", 0x0c, "tw"), ("2.5.4.10", 0x0c, "testcompany")]));
        assert!(utf8.is_within(&name(&[("2.5.4.6", 0x13, "TW")])) && utf8.is_within(&utf8));
        assert!(!name(&[("2.5.4.6", 0x13, "TW")]).is_within(&utf8));
    }

    #[test]
    fn shown_as_rfc_4514() {
        let name =
            name(&[("2.5.4.6", 0x13, "TW"), ("2.5.4.10", 0x0c, "#甲, 乙+\"丙 "), ("2.5.4.65", 0x0c, "x")]);
        assert_eq!(name.to_string(), "2.5.4.65=x,O=\\#甲\\, 乙\\+\\\"丙\\ ,C=TW");
    }
}
