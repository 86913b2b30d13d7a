//! What a card's certificate says: whose card it is, the company's number and name, 正卡 or 附卡 (card.md).

use chrono::{DateTime, Utc};
use der::oid::ObjectIdentifier;

use crate::Refusal;
use crate::asn1::Elements;
use crate::certificate::Certificate;
use crate::name::{COMMON_NAME, ORGANIZATION, ORGANIZATIONAL_UNIT, SERIAL_NUMBER, text};
use crate::path::Path;
use crate::trust::TrustStore;

/// The company's number in subjectDirectoryAttributes.
const COMPANY_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.886.1.100.2.101");
/// 正卡 or 附卡 in subjectDirectoryAttributes.
const CARD_ROLE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.886.1.100.2.2");
/// The CAs of other cards under the same root, by the organisational unit of their names.
const OTHER_CAS: [(&str, Refusal); 2] =
    [("內政部憑證管理中心", Refusal::PersonalCard), ("政府憑證管理中心", Refusal::GovernmentCard)];
/// Purposes that allow a signature such as a card makes (RFC 5280 §4.2.1.12): any, mail protection, client
/// authentication, document signing (RFC 9336).
const SIGNING_PURPOSES: [ObjectIdentifier; 4] = [
    ObjectIdentifier::new_unwrap("2.5.29.37.0"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.36"),
];

/// 正卡 or 附卡.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardRole {
    /// 正卡.
    Primary,
    /// 附卡.
    Secondary,
}

/// What an accepted company certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyFacts {
    /// Eight digits; the check digit is the domain's to judge.
    pub unified_business_number: String,
    /// `O` of the subject.
    pub company_name: String,
    /// Where the certificate says.
    pub role: Option<CardRole>,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// The issuer's name (RFC 4514).
    pub issuer: String,
    pub not_before: DateTime<Utc>,
    pub not_after: DateTime<Utc>,
    /// SHA-256 of the certificate, lower-case hexadecimal.
    pub fingerprint: String,
}

/// Whether the signer's certificate is for signing: key usage there with digitalSignature, no purposes that exclude it.
///
/// # Errors
/// [`Refusal::WrongUsage`].
pub fn check_usage(certificate: &Certificate) -> Result<(), Refusal> {
    let extensions = certificate.extensions();
    let signs = extensions.key_usage.as_ref().is_some_and(x509_cert::ext::pkix::KeyUsage::digital_signature);
    let purpose = extensions
        .extended_key_usage
        .as_ref()
        .is_none_or(|usage| usage.0.iter().any(|purpose| SIGNING_PURPOSES.contains(purpose)));
    if signs && purpose { Ok(()) } else { Err(Refusal::WrongUsage) }
}

/// Whether the path runs through a configured company CA.
///
/// # Errors
/// [`Refusal::PersonalCard`], [`Refusal::GovernmentCard`] or [`Refusal::NotCompanyCa`].
pub fn check_company_ca(path: &Path, trust: &TrustStore) -> Result<(), Refusal> {
    match path.split_first() {
        Some((_, above)) if above.iter().any(|ca| trust.is_company_ca(ca)) => Ok(()),
        Some((leaf, _)) => Err(other_kind(leaf)),
        None => Err(Refusal::Untrusted),
    }
}

/// Whose card it is when it is no company's: by its CA's name, else by the subject. A person has a name and no
/// organisation, an agency an organisation or a unit and no company number.
fn other_kind(leaf: &Certificate) -> Refusal {
    let issuer_units: Vec<&str> = leaf.issuer().values(ORGANIZATIONAL_UNIT).collect();
    if let Some((_, kind)) = OTHER_CAS.iter().find(|(unit, _)| issuer_units.contains(unit)) {
        return *kind;
    }
    let subject = leaf.subject();
    match (subject.last(ORGANIZATION), company_number(leaf)) {
        (None, _) if subject.last(COMMON_NAME).is_some() => Refusal::PersonalCard,
        (None, _) if subject.last(ORGANIZATIONAL_UNIT).is_some() => Refusal::GovernmentCard,
        (Some(_), Err(Refusal::NoCompanyNumber)) => Refusal::GovernmentCard,
        _ => Refusal::NotCompanyCa,
    }
}

impl CompanyFacts {
    /// Reads the facts of a company's certificate.
    ///
    /// # Errors
    /// [`Refusal::NoCompanyNumber`], [`Refusal::CompanyNumberInvalid`].
    pub fn read(certificate: &Certificate) -> Result<Self, Refusal> {
        Ok(Self {
            unified_business_number: company_number(certificate)?,
            company_name: certificate.subject().last(ORGANIZATION).unwrap_or_default().to_owned(),
            role: directory_attribute(certificate, CARD_ROLE).find_map(|role| match role.as_str() {
                "primary" => Some(CardRole::Primary),
                "secondary" => Some(CardRole::Secondary),
                _ => None,
            }),
            serial: certificate.serial_hex(),
            issuer: certificate.issuer().to_string(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            fingerprint: hex::encode(certificate.fingerprint()),
        })
    }
}

/// The company's number from the extension and the subject's serial number, which must agree.
///
/// # Errors
/// [`Refusal::NoCompanyNumber`] when neither is there, [`Refusal::CompanyNumberInvalid`] when they are not eight
/// digits, or differ.
pub fn company_number(certificate: &Certificate) -> Result<String, Refusal> {
    // A value that is no text is none of a company's number, and must not pass for one that is not there.
    let subject =
        certificate.subject().all_values(SERIAL_NUMBER).map(|text| text.unwrap_or_default().to_owned());
    let mut numbers = directory_attribute(certificate, COMPANY_NUMBER).chain(subject);
    let number = numbers.next().ok_or(Refusal::NoCompanyNumber)?;
    let valid = number.len() == 8 && number.bytes().all(|byte| byte.is_ascii_digit());
    if valid && numbers.all(|other| other == number) {
        Ok(number)
    } else {
        Err(Refusal::CompanyNumberInvalid)
    }
}

/// The text values of an attribute in subjectDirectoryAttributes. A value that is no text reads as empty.
fn directory_attribute(certificate: &Certificate, oid: ObjectIdentifier) -> impl Iterator<Item = String> {
    let attributes = certificate.extensions().directory_attributes.iter();
    attributes
        .filter(move |attribute| attribute.oid == oid)
        .flat_map(|attribute| attribute.values.iter())
        .map(|value| {
            let der = der::Encode::to_der(value).unwrap_or_default();
            Elements::new(&der).read().ok().and_then(text).unwrap_or_default()
        })
}
