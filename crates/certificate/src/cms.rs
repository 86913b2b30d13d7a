//! CMS `SignedData` (RFC 5652 §5) with attached content and exactly one signer.

use der::asn1::SetOfVec;
use der::oid::ObjectIdentifier;
use der::{Encode, Tag, TagNumber, Tagged};
use x509_cert::attr::{Attribute, Attributes};

use crate::asn1::{Element, Elements, Malformed, context, context_primitive, decode, single};
use crate::certificate::Certificate;
use crate::name::DistinguishedName;
use crate::signature::{Digest, Scheme};
use crate::{Refusal, ber};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");

/// A chain has three certificates; more than this is somebody trying to keep us busy.
const MAX_CERTIFICATES: usize = 16;

/// A message whose signature has not been verified yet.
#[derive(Debug)]
pub struct SignedMessage {
    content_type: ObjectIdentifier,
    content: Vec<u8>,
    certificates: Vec<Certificate>,
    /// Whether there came certificates that can't be read.
    unreadable: bool,
    signer: SignerInfo,
}

#[derive(Debug)]
struct SignerInfo {
    id: SignerId,
    digest: Digest,
    signed_attributes: Option<Attributes>,
    scheme: Scheme,
    signature: Vec<u8>,
}

#[derive(Debug)]
enum SignerId {
    IssuerAndSerial(DistinguishedName, Vec<u8>),
    SubjectKeyId(Vec<u8>),
}

impl From<Malformed> for Refusal {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl SignedMessage {
    /// Reads a BER or DER `ContentInfo` that holds a `SignedData`.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`], [`Refusal::Malformed`], or the rule of RFC 5652 that the shape breaks.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let der = ber::to_der(bytes)?;
        let mut info = single(&der, Tag::Sequence)?.children();
        if info.expect(Tag::ObjectIdentifier)?.oid()? != SIGNED_DATA {
            return Err(Refusal::Malformed);
        }
        let wrapper = info.expect(context(TagNumber::N0))?;
        info.finish()?;

        let mut fields = single(wrapper.value, Tag::Sequence)?.children();
        fields.expect(Tag::Integer)?;
        fields.expect(Tag::Set)?;
        let mut encapsulated = fields.expect(Tag::Sequence)?.children();
        let certificates = fields.optional(context(TagNumber::N0))?;
        // CRLs sent along are not looked at: revocation comes from the issuer, not from the card's holder.
        fields.optional(context(TagNumber::N1))?;
        let mut signers = fields.expect(Tag::Set)?.children();
        fields.finish()?;

        let content_type = encapsulated.expect(Tag::ObjectIdentifier)?.oid()?;
        let content = encapsulated.optional(context(TagNumber::N0))?;
        encapsulated.finish()?;
        if signers.is_empty() {
            return Err(Refusal::NoSigner);
        }
        let signer = signers.expect(Tag::Sequence)?;
        if !signers.is_empty() {
            return Err(Refusal::SeveralSigners);
        }
        let content = single(content.ok_or(Refusal::DetachedContent)?.value, Tag::OctetString)?.value;
        let (certificates, unreadable) = read_certificates(certificates.map_or(&[], |set| set.value))?;
        Ok(Self {
            content_type,
            content: content.to_vec(),
            certificates,
            unreadable,
            signer: SignerInfo::parse(signer)?,
        })
    }

    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The certificates sent along that can be read; none of them is trusted.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Whether the content is `expected`, as these octets or, when they are UTF-8, as the same text in UTF-16LE, which
    /// some versions of the component write for `tbsEncoding` `NONE` (card.md).
    pub fn content_is(&self, expected: &[u8]) -> bool {
        let utf16 = || {
            std::str::from_utf8(expected).is_ok_and(|text| {
                text.encode_utf16().flat_map(u16::to_le_bytes).eq(self.content.iter().copied())
            })
        };
        self.content == expected || utf16()
    }

    /// The signer's certificate: the one that the signer identifier names.
    ///
    /// # Errors
    /// [`Refusal::NoCertificate`], [`Refusal::SignerCertificateMissing`], [`Refusal::CertificateUnreadable`].
    pub fn signer_certificate(&self) -> Result<&Certificate, Refusal> {
        let named = |certificate: &&Certificate| match &self.signer.id {
            SignerId::IssuerAndSerial(issuer, serial) => {
                certificate.serial() == serial && certificate.issuer() == issuer
            }
            SignerId::SubjectKeyId(id) => certificate.extensions().subject_key_id.as_ref() == Some(id),
        };
        self.certificates.iter().find(named).ok_or(match (self.unreadable, self.certificates.is_empty()) {
            (true, _) => Refusal::CertificateUnreadable,
            (false, true) => Refusal::NoCertificate,
            (false, false) => Refusal::SignerCertificateMissing,
        })
    }

    /// Verifies the signature with the signer's certificate.
    ///
    /// With signed attributes the signature is over their DER encoding as SET OF, and content type and message digest
    /// must be there once and fit (RFC 5652 §5.3, §5.4, §11.1, §11.2); without them it is over the content, which then
    /// must be of type `data`.
    ///
    /// # Errors
    /// [`Refusal::SignedAttributesInvalid`], [`Refusal::WeakAlgorithm`], [`Refusal::UnsupportedAlgorithm`],
    /// [`Refusal::SignatureInvalid`].
    pub fn verify(&self, certificate: &Certificate, allow_sha1: bool) -> Result<(), Refusal> {
        let SignerInfo { digest, signed_attributes, scheme, signature, .. } = &self.signer;
        digest.permit(allow_sha1)?;
        let key = certificate.public_key();
        let Some(attributes) = signed_attributes else {
            if self.content_type != DATA {
                return Err(Refusal::SignedAttributesInvalid);
            }
            return key.verify(*scheme, &self.content, signature, allow_sha1);
        };
        let content_type =
            only_value(attributes, CONTENT_TYPE).and_then(|value| value.decode_as::<ObjectIdentifier>().ok());
        let message_digest =
            only_value(attributes, MESSAGE_DIGEST).filter(|value| value.tag() == Tag::OctetString);
        let fits = content_type == Some(self.content_type)
            && message_digest.is_some_and(|value| value.value() == digest.of(&self.content).as_ref());
        if !fits {
            return Err(Refusal::SignedAttributesInvalid);
        }
        // `SetOfVec` sorts: this is the DER encoding that RFC 5652 §5.4 asks for, whatever the order sent.
        let signed = attributes.to_der().map_err(|_| Refusal::Malformed)?;
        key.verify(*scheme, &signed, signature, allow_sha1)
    }
}

/// The value of an attribute that must be there once, with one value.
fn only_value(attributes: &SetOfVec<Attribute>, oid: ObjectIdentifier) -> Option<&der::Any> {
    let mut found = attributes.iter().filter(|attribute| attribute.oid == oid);
    let attribute = found.next().filter(|_| found.next().is_none())?;
    attribute.values.get(0).filter(|_| attribute.values.len() == 1)
}

impl SignerInfo {
    /// Reads a `SignerInfo` (RFC 5652 §5.3). Unsigned attributes are not looked at: nobody vouches for them.
    fn parse(info: Element<'_>) -> Result<Self, Refusal> {
        let mut fields = info.children();
        fields.expect(Tag::Integer)?;
        let id = fields.read()?;
        let id = if id.tag == context_primitive(TagNumber::N0) {
            SignerId::SubjectKeyId(id.value.to_vec())
        } else if id.tag == Tag::Sequence {
            let mut pair = id.children();
            let issuer = DistinguishedName::parse(pair.expect(Tag::Sequence)?.bytes)?;
            let serial = pair.read()?.integer()?.to_vec();
            pair.finish()?;
            SignerId::IssuerAndSerial(issuer, serial)
        } else {
            return Err(Refusal::Malformed);
        };
        let digest = Digest::from_identifier(fields.expect(Tag::Sequence)?)?;
        let signed_attributes =
            fields.optional(context(TagNumber::N0))?.map(signed_attributes).transpose()?;
        let scheme = Scheme::from_signer_info(fields.expect(Tag::Sequence)?, digest)?;
        let signature = fields.read()?.octet_string()?.to_vec();
        fields.optional(context(TagNumber::N1))?;
        fields.finish()?;
        Ok(Self { id, digest, signed_attributes, scheme, signature })
    }
}

/// The attributes under their own tag, SET OF, instead of the `[0]` they are sent with.
fn signed_attributes(field: Element<'_>) -> Result<Attributes, Malformed> {
    let mut set = field.bytes.to_vec();
    *set.first_mut().ok_or(Malformed::DER)? = Tag::Set.octet();
    decode(&set)
}

/// Reads the certificates of a `CertificateSet`, and whether there are some that can't be read; those and other kinds help
/// nobody and are left out.
fn read_certificates(set: &[u8]) -> Result<(Vec<Certificate>, bool), Refusal> {
    let mut elements = Elements::new(set);
    let mut certificates = Vec::new();
    let (mut count, mut unreadable) = (0, false);
    while !elements.is_empty() {
        let element = elements.read()?;
        count += 1;
        if count > MAX_CERTIFICATES {
            return Err(Refusal::TooLarge);
        }
        if element.tag == Tag::Sequence {
            match Certificate::parse(element.bytes) {
                Ok(certificate) => certificates.push(certificate),
                Err(_) => unreadable = true,
            }
        }
    }
    Ok((certificates, unreadable))
}
