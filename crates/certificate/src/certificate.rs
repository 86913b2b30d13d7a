//! One X.509 certificate, read once (RFC 5280 §4.1): the signed bytes as they came, and the fields that rules look at.

use std::ops::Range;

use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use der::asn1::OctetString;
use der::oid::ObjectIdentifier;
use der::{Tag, TagNumber};
use x509_cert::attr::Attribute;
use x509_cert::ext::pkix as ext;
use x509_cert::ext::pkix::name::GeneralName;

use crate::Refusal;
use crate::asn1::{Elements, Malformed, context, context_primitive, decode, single};
use crate::name::DistinguishedName;
use crate::signature::{PublicKey, Scheme};

const OCSP_NO_CHECK: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.5");
/// No card or CA has near as many.
const MAX_EXTENSIONS: usize = 32;

/// One X.509 certificate.
#[derive(Clone)]
pub struct Certificate {
    der: Box<[u8]>,
    tbs: Range<usize>,
    scheme: Result<Scheme, Refusal>,
    signature: Box<[u8]>,
    serial: Box<[u8]>,
    issuer: DistinguishedName,
    issuer_der: Range<usize>,
    subject: DistinguishedName,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
    public_key: PublicKey,
    version1: bool,
    extensions: Extensions,
    fingerprint: [u8; 32],
}

/// The extensions that rules look at. All others are only counted as critical or not.
#[derive(Clone, Default)]
pub(crate) struct Extensions {
    pub(crate) basic_constraints: Option<ext::BasicConstraints>,
    pub(crate) key_usage: Option<ext::KeyUsage>,
    pub(crate) extended_key_usage: Option<ext::ExtendedKeyUsage>,
    pub(crate) subject_key_id: Option<Vec<u8>>,
    pub(crate) authority_key_id: Option<Vec<u8>>,
    pub(crate) subject_alt_names: Vec<GeneralName>,
    pub(crate) name_constraints: Option<ext::NameConstraints>,
    pub(crate) policies: Option<ext::CertificatePolicies>,
    pub(crate) policy_mappings: Option<ext::PolicyMappings>,
    pub(crate) policy_constraints: Option<ext::PolicyConstraints>,
    pub(crate) inhibit_any_policy: Option<u32>,
    pub(crate) crl_distribution_points: Option<Vec<ext::crl::dp::DistributionPoint>>,
    pub(crate) authority_info_access: Vec<ext::AccessDescription>,
    pub(crate) directory_attributes: Vec<Attribute>,
    pub(crate) ocsp_no_check: bool,
    pub(crate) unknown_critical: bool,
}

impl Certificate {
    /// Reads a DER certificate with nothing behind it.
    ///
    /// # Errors
    /// [`Malformed`] when it is not one, doubles an extension, or has a field that RFC 5280 does not allow.
    pub fn parse(der: &[u8]) -> Result<Self, Malformed> {
        let mut outer = single(der, Tag::Sequence)?.children();
        let tbs = outer.expect(Tag::Sequence)?;
        let algorithm = outer.expect(Tag::Sequence)?;
        let signature = outer.expect(Tag::BitString)?.bit_string()?;
        outer.finish()?;

        let mut fields = tbs.children();
        let version = fields.optional(context(TagNumber::N0))?;
        let version1 = match version.map(|version| version.value) {
            None => true,
            Some([2, 1, 1 | 2]) => false,
            Some(_) => return Err(Malformed::rule("a version other than 1, 2 and 3 (RFC 5280 §4.1.2.1)")),
        };
        let serial = fields.expect(Tag::Integer)?.integer();
        let serial =
            serial.map_err(|_| Malformed::rule("a serial number not in its shortest form (X.690 §8.3.2)"))?;
        if fields.expect(Tag::Sequence)?.bytes != algorithm.bytes {
            return Err(Malformed::rule(
                "another signature algorithm inside than outside (RFC 5280 §4.1.1.2)",
            ));
        }
        let issuer = fields.expect(Tag::Sequence)?;
        let mut validity = fields.expect(Tag::Sequence)?.children();
        let mut time = || validity.read()?.time();
        let times = time().and_then(|from| Ok((from, time()?)));
        let (not_before, not_after) = times
            .map_err(|_| Malformed::rule("a validity that is no two times in Zulu (RFC 5280 §4.1.2.5)"))?;
        validity.finish()?;
        let subject = fields.expect(Tag::Sequence)?;
        let key = fields.expect(Tag::Sequence)?;
        for number in [TagNumber::N1, TagNumber::N2] {
            fields.optional(context_primitive(number))?;
        }
        let extensions = match fields.optional(context(TagNumber::N3))? {
            Some(wrapper) if !version1 => Extensions::parse(wrapper.value)?,
            Some(_) => {
                return Err(Malformed::rule("extensions in a certificate of version 1 (RFC 5280 §4.1.2.9)"));
            }
            None => Extensions::default(),
        };
        fields.finish()?;

        Ok(Self {
            tbs: range_of(der, tbs.bytes),
            scheme: Scheme::from_identifier(algorithm),
            signature: signature.into(),
            serial: serial.into(),
            issuer: name(issuer.bytes)?,
            issuer_der: range_of(der, issuer.bytes),
            subject: name(subject.bytes)?,
            not_before,
            not_after,
            public_key: PublicKey::parse(key.bytes)
                .map_err(|_| Malformed::rule("a public key that can't be read (RFC 5280 §4.1.2.7)"))?,
            version1,
            extensions,
            fingerprint: sha256(der),
            der: der.into(),
        })
    }

    /// The certificate as it came.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the certificate.
    pub const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// The serial number's contents octets (two's complement, shortest form).
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// The serial number in lower-case hexadecimal without the sign octet.
    pub fn serial_hex(&self) -> String {
        match &*self.serial {
            [0, rest @ ..] if !rest.is_empty() => hex::encode(rest),
            all => hex::encode(all),
        }
    }

    pub const fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// The issuer's name as it stands, which OCSP hashes (RFC 6960 §4.1.1).
    pub(crate) fn issuer_der(&self) -> &[u8] {
        &self.der[self.issuer_der.clone()]
    }

    pub const fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    pub const fn not_before(&self) -> DateTime<Utc> {
        self.not_before
    }

    /// End of validity; valid at this second still (RFC 5280 §4.1.2.5).
    pub const fn not_after(&self) -> DateTime<Utc> {
        self.not_after
    }

    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Whether issuer and subject are the same name (RFC 5280 §3.2 "self-issued").
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    pub(crate) const fn is_version1(&self) -> bool {
        self.version1
    }

    pub(crate) const fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Whether it is a CA by its basic constraints (RFC 5280 §4.2.1.9).
    pub fn is_ca(&self) -> bool {
        self.extensions.basic_constraints.as_ref().is_some_and(|constraints| constraints.ca)
    }

    /// Whether `issuer` may have issued it: by name, and by key identifier where both sides carry one.
    pub(crate) fn may_be_issued_by(&self, issuer: &Self) -> bool {
        let same_key = match (&self.extensions.authority_key_id, &issuer.extensions.subject_key_id) {
            (Some(authority), Some(subject)) => authority == subject,
            _ => true,
        };
        same_key && !self.issuer.is_empty() && self.issuer == issuer.subject
    }

    /// Verifies that `key` signed it.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_signature(&self, key: &PublicKey, allow_sha1: bool) -> Result<(), Refusal> {
        key.verify(self.scheme?, &self.der[self.tbs.clone()], &self.signature, allow_sha1)
    }

    /// The HTTP addresses of its CRLs (RFC 5280 §4.2.1.13).
    pub fn crl_urls(&self) -> Vec<&str> {
        let points = self.extensions.crl_distribution_points.iter().flatten();
        points
            .filter_map(|point| match &point.distribution_point {
                Some(ext::name::DistributionPointName::FullName(names)) => Some(names),
                _ => None,
            })
            .flatten()
            .filter_map(http_url)
            .collect()
    }

    /// The HTTP addresses of its OCSP responders (RFC 5280 §4.2.2.1).
    pub fn ocsp_urls(&self) -> Vec<&str> {
        const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
        let access = self.extensions.authority_info_access.iter();
        access
            .filter(|entry| entry.access_method == OCSP)
            .filter_map(|entry| http_url(&entry.access_location))
            .collect()
    }
}

/// A name of issuer or subject.
fn name(der: &[u8]) -> Result<DistinguishedName, Malformed> {
    DistinguishedName::parse(der)
        .map_err(|_| Malformed::rule("a name that can't be read (RFC 5280 §4.1.2.4)"))
}

fn http_url(name: &GeneralName) -> Option<&str> {
    match name {
        GeneralName::UniformResourceIdentifier(url) if url.as_str().starts_with("http") => Some(url.as_str()),
        _ => None,
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({})", hex::encode(&self.fingerprint[..8]))
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}

/// Where `part`, a slice of `whole`, stands in it.
pub(crate) fn range_of(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start + part.len()
}

impl Extensions {
    fn parse(wrapped: &[u8]) -> Result<Self, Malformed> {
        let mut list = single(wrapped, Tag::Sequence)?.children();
        let mut extensions = Self::default();
        let mut seen = Vec::new();
        while !list.is_empty() {
            let (oid, critical, value) = extension(&mut list)?;
            if seen.contains(&oid) {
                return Err(Malformed::rule("an extension twice (RFC 5280 §4.2)"));
            }
            if seen.len() == MAX_EXTENSIONS {
                return Err(Malformed::rule("more than 32 extensions"));
            }
            seen.push(oid);
            let read = extensions.read(oid, value);
            let read = read
                .map_err(|_| Malformed::rule("an extension whose value can't be read (RFC 5280 §4.2.1)"))?;
            if !read && critical {
                extensions.unknown_critical = true;
            }
        }
        Ok(extensions)
    }

    /// Reads one extension; false when it is not one that rules look at.
    fn read(&mut self, oid: ObjectIdentifier, value: &[u8]) -> Result<bool, Malformed> {
        use der::oid::AssociatedOid;
        match oid {
            ext::BasicConstraints::OID => self.basic_constraints = Some(decode(value)?),
            ext::KeyUsage::OID => self.key_usage = Some(decode(value)?),
            ext::ExtendedKeyUsage::OID => self.extended_key_usage = Some(decode(value)?),
            ext::SubjectKeyIdentifier::OID => {
                self.subject_key_id = Some(decode::<OctetString>(value)?.into_bytes());
            }
            ext::AuthorityKeyIdentifier::OID => {
                let identifier = decode::<ext::AuthorityKeyIdentifier>(value)?;
                self.authority_key_id = identifier.key_identifier.map(OctetString::into_bytes);
            }
            ext::SubjectAltName::OID => self.subject_alt_names = decode::<ext::SubjectAltName>(value)?.0,
            ext::NameConstraints::OID => self.name_constraints = Some(decode(value)?),
            ext::CertificatePolicies::OID => self.policies = Some(decode(value)?),
            ext::PolicyMappings::OID => self.policy_mappings = Some(decode(value)?),
            ext::PolicyConstraints::OID => self.policy_constraints = Some(decode(value)?),
            ext::InhibitAnyPolicy::OID => {
                self.inhibit_any_policy = Some(decode::<ext::InhibitAnyPolicy>(value)?.0);
            }
            ext::CrlDistributionPoints::OID => {
                self.crl_distribution_points = Some(decode::<ext::CrlDistributionPoints>(value)?.0);
            }
            ext::AuthorityInfoAccessSyntax::OID => {
                self.authority_info_access = decode::<ext::AuthorityInfoAccessSyntax>(value)?.0;
            }
            ext::SubjectDirectoryAttributes::OID => {
                // `x509-cert` reads these as single values; RFC 5280 §4.2.1.8 says Attribute.
                self.directory_attributes = decode::<Vec<Attribute>>(value)?;
            }
            OCSP_NO_CHECK => self.ocsp_no_check = true,
            // Says where delta CRLs are; complete ones are enough (RFC 5280 §4.2.1.15).
            ext::FreshestCrl::OID => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// One `Extension` (RFC 5280 §4.1): its name, whether it is critical, the contents of its value.
pub(crate) fn extension<'a>(
    list: &mut Elements<'a>,
) -> Result<(ObjectIdentifier, bool, &'a [u8]), Malformed> {
    let mut fields = list.expect(Tag::Sequence)?.children();
    let oid = fields.expect(Tag::ObjectIdentifier)?.oid()?;
    let critical = match fields.optional(Tag::Boolean)?.map(|flag| flag.value) {
        None | Some([0]) => false,
        Some([0xff]) => true,
        Some(_) => return Err(Malformed::DER),
    };
    let value = fields.expect(Tag::OctetString)?.octet_string()?;
    fields.finish()?;
    Ok((oid, critical, value))
}
