//! Public keys and signature algorithms: RSA PKCS #1 v1.5 and PSS, ECDSA on P-256 and P-384, with SHA-2.
//!
//! Keys below 2048 bits are refused by the library. SHA-1 is verified only for callers that allow it.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self as lc, RsaParameters, RsaPssSaltLength, VerificationAlgorithm};
use der::oid::ObjectIdentifier;
use der::{Tag, TagNumber};

use crate::Refusal;
use crate::asn1::{Element, Malformed, context, single};

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const RSA_ENCRYPTION: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = oid("1.2.840.113549.1.1.10");
const MGF1: ObjectIdentifier = oid("1.2.840.113549.1.1.8");
const EC_PUBLIC_KEY: ObjectIdentifier = oid("1.2.840.10045.2.1");
const P256: ObjectIdentifier = oid("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = oid("1.3.132.0.34");

const DIGESTS: [(ObjectIdentifier, Digest); 4] = [
    (oid("1.3.14.3.2.26"), Digest::Sha1),
    (oid("2.16.840.1.101.3.4.2.1"), Digest::Sha256),
    (oid("2.16.840.1.101.3.4.2.2"), Digest::Sha384),
    (oid("2.16.840.1.101.3.4.2.3"), Digest::Sha512),
];

const SCHEMES: [(ObjectIdentifier, Scheme); 8] = [
    (oid("1.2.840.113549.1.1.5"), Scheme::RsaPkcs1(Digest::Sha1)),
    (oid("1.2.840.113549.1.1.11"), Scheme::RsaPkcs1(Digest::Sha256)),
    (oid("1.2.840.113549.1.1.12"), Scheme::RsaPkcs1(Digest::Sha384)),
    (oid("1.2.840.113549.1.1.13"), Scheme::RsaPkcs1(Digest::Sha512)),
    (oid("1.2.840.10045.4.1"), Scheme::Ecdsa(Digest::Sha1)),
    (oid("1.2.840.10045.4.3.2"), Scheme::Ecdsa(Digest::Sha256)),
    (oid("1.2.840.10045.4.3.3"), Scheme::Ecdsa(Digest::Sha384)),
    (oid("1.2.840.10045.4.3.4"), Scheme::Ecdsa(Digest::Sha512)),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// Only where explicitly allowed.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// From an `AlgorithmIdentifier`; parameters absent or NULL (RFC 5754 §2).
    pub(crate) fn from_identifier(identifier: Element<'_>) -> Result<Self, Refusal> {
        let (algorithm, parameters) = split_identifier(identifier)?;
        if parameters.is_some_and(|parameters| parameters.bytes != [5, 0]) {
            return Err(Refusal::UnsupportedAlgorithm);
        }
        DIGESTS
            .iter()
            .find(|(oid, _)| *oid == algorithm)
            .map(|(_, digest)| *digest)
            .ok_or(Refusal::UnsupportedAlgorithm)
    }

    /// The digest of `data`.
    pub(crate) fn of(self, data: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, data)
    }

    /// Refuses SHA-1 unless allowed.
    pub(crate) fn permit(self, allow_sha1: bool) -> Result<(), Refusal> {
        if self == Self::Sha1 && !allow_sha1 { Err(Refusal::WeakAlgorithm) } else { Ok(()) }
    }
}

/// A signature algorithm with its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Digest),
    /// RSASSA-PSS, MGF1 with the same digest, and the salt's length in octets (OpenSSL takes the longest there can be).
    RsaPss(Digest, u16),
    Ecdsa(Digest),
}

impl Scheme {
    /// From the `AlgorithmIdentifier` of a certificate or a CRL.
    pub(crate) fn from_identifier(identifier: Element<'_>) -> Result<Self, Refusal> {
        let (algorithm, parameters) = split_identifier(identifier)?;
        if algorithm == RSA_PSS {
            return read_pss(parameters.ok_or(Refusal::WeakAlgorithm)?);
        }
        if parameters.is_some_and(|parameters| parameters.bytes != [5, 0]) {
            return Err(Refusal::UnsupportedAlgorithm);
        }
        SCHEMES
            .iter()
            .find(|(oid, _)| *oid == algorithm)
            .map(|(_, scheme)| *scheme)
            .ok_or(Refusal::UnsupportedAlgorithm)
    }

    /// From the `signatureAlgorithm` of a `SignerInfo`, which may name only the key's kind (RFC 3370 §3.2) and must not
    /// contradict the digest algorithm.
    pub(crate) fn from_signer_info(identifier: Element<'_>, digest: Digest) -> Result<Self, Refusal> {
        let scheme = match split_identifier(identifier)?.0 {
            RSA_ENCRYPTION => Self::RsaPkcs1(digest),
            EC_PUBLIC_KEY => Self::Ecdsa(digest),
            _ => Self::from_identifier(identifier)?,
        };
        if scheme.digest() == digest { Ok(scheme) } else { Err(Refusal::UnsupportedAlgorithm) }
    }

    pub(crate) const fn digest(self) -> Digest {
        match self {
            Self::RsaPkcs1(digest) | Self::RsaPss(digest, _) | Self::Ecdsa(digest) => digest,
        }
    }
}

fn split_identifier(identifier: Element<'_>) -> Result<(ObjectIdentifier, Option<Element<'_>>), Refusal> {
    let read = || -> Result<_, Malformed> {
        if identifier.tag != Tag::Sequence {
            return Err(Malformed::DER);
        }
        let mut children = identifier.children();
        let algorithm = children.expect(Tag::ObjectIdentifier)?.oid()?;
        let parameters = if children.is_empty() { None } else { Some(children.read()?) };
        children.finish()?;
        Ok((algorithm, parameters))
    };
    read().map_err(|_| Refusal::Malformed)
}

/// `RSASSA-PSS-params` (RFC 4055 §3.1). Hash and MGF default to SHA-1, so they must be given; the salt's length to 20.
fn read_pss(parameters: Element<'_>) -> Result<Scheme, Refusal> {
    if parameters.tag != Tag::Sequence {
        return Err(Refusal::Malformed);
    }
    let mut children = parameters.children();
    let mut field = |number| -> Result<Option<Element<'_>>, Malformed> {
        children.optional(context(number))?.map(|field| field.children().read()).transpose()
    };
    let hash = field(TagNumber::N0)?.ok_or(Refusal::WeakAlgorithm)?;
    let mgf = field(TagNumber::N1)?.ok_or(Refusal::WeakAlgorithm)?;
    let salt = field(TagNumber::N2)?.map_or(Ok(&[20][..]), Element::integer)?;
    let trailer = field(TagNumber::N3)?;
    children.finish()?;
    let salt = match salt {
        [length @ 0..0x80] => u16::from(*length),
        [high @ 0..0x80, low] => u16::from_be_bytes([*high, *low]),
        _ => return Err(Refusal::UnsupportedAlgorithm),
    };
    let digest = Digest::from_identifier(hash)?;
    let (mgf, mgf_hash) = split_identifier(mgf)?;
    let mgf_digest = Digest::from_identifier(mgf_hash.ok_or(Refusal::UnsupportedAlgorithm)?)?;
    let as_expected =
        mgf == MGF1 && mgf_digest == digest && trailer.is_none_or(|trailer| trailer.bytes == [2, 1, 1]);
    if as_expected { Ok(Scheme::RsaPss(digest, salt)) } else { Err(Refusal::UnsupportedAlgorithm) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Rsa,
    RsaPssOnly,
    P256,
    P384,
    Other,
}

/// A subject's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    kind: KeyKind,
    bits: Box<[u8]>,
    info: Box<[u8]>,
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo`. A key of an unknown kind is read; it just verifies nothing.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(info: &[u8]) -> Result<Self, Malformed> {
        let mut children = single(info, Tag::Sequence)?.children();
        let identifier = children.expect(Tag::Sequence)?;
        let bits = children.expect(Tag::BitString)?.bit_string()?;
        children.finish()?;
        let (algorithm, parameters) = split_identifier(identifier).map_err(|_| Malformed::DER)?;
        let curve = parameters.and_then(|parameters| parameters.oid().ok());
        let kind = match (algorithm, curve) {
            (RSA_ENCRYPTION, None) => KeyKind::Rsa,
            (RSA_PSS, None) => KeyKind::RsaPssOnly,
            (EC_PUBLIC_KEY, Some(P256)) => KeyKind::P256,
            (EC_PUBLIC_KEY, Some(P384)) => KeyKind::P384,
            _ => KeyKind::Other,
        };
        Ok(Self { kind, bits: bits.into(), info: info.into() })
    }

    /// The DER of the `SubjectPublicKeyInfo`: what makes two keys the same.
    pub fn info(&self) -> &[u8] {
        &self.info
    }

    /// The contents of `subjectPublicKey`, which OCSP hashes (RFC 6960 §4.1.1).
    pub(crate) fn bits(&self) -> &[u8] {
        &self.bits
    }

    /// Verifies `signature` over `message`.
    ///
    /// # Errors
    /// [`Refusal::WeakAlgorithm`] for SHA-1 when not allowed, [`Refusal::UnsupportedAlgorithm`] when key and scheme do
    /// not fit, [`Refusal::SignatureInvalid`] else.
    pub fn verify(
        &self,
        scheme: Scheme,
        message: &[u8],
        signature: &[u8],
        allow_sha1: bool,
    ) -> Result<(), Refusal> {
        scheme.digest().permit(allow_sha1)?;
        let outcome = if let Scheme::RsaPss(digest, salt) = scheme {
            let parameters = self.pss_parameters(digest).ok_or(Refusal::UnsupportedAlgorithm)?;
            let parameters = parameters.with_pss_salt_length(RsaPssSaltLength::Custom(salt));
            parameters.verify_sig(&self.bits, message, signature)
        } else {
            let algorithm = self.algorithm(scheme).ok_or(Refusal::UnsupportedAlgorithm)?;
            algorithm.verify_sig(&self.bits, message, signature)
        };
        outcome.map_err(|_| Refusal::SignatureInvalid)
    }

    fn pss_parameters(&self, digest: Digest) -> Option<RsaParameters> {
        if !matches!(self.kind, KeyKind::Rsa | KeyKind::RsaPssOnly) {
            return None;
        }
        match digest {
            Digest::Sha1 => None,
            Digest::Sha256 => Some(lc::RSA_PSS_2048_8192_SHA256),
            Digest::Sha384 => Some(lc::RSA_PSS_2048_8192_SHA384),
            Digest::Sha512 => Some(lc::RSA_PSS_2048_8192_SHA512),
        }
    }

    fn algorithm(&self, scheme: Scheme) -> Option<&'static dyn VerificationAlgorithm> {
        use Digest::{Sha1, Sha256, Sha384, Sha512};
        Some(match (self.kind, scheme) {
            (KeyKind::Rsa, Scheme::RsaPkcs1(Sha1)) => &lc::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            (KeyKind::Rsa, Scheme::RsaPkcs1(Sha256)) => &lc::RSA_PKCS1_2048_8192_SHA256,
            (KeyKind::Rsa, Scheme::RsaPkcs1(Sha384)) => &lc::RSA_PKCS1_2048_8192_SHA384,
            (KeyKind::Rsa, Scheme::RsaPkcs1(Sha512)) => &lc::RSA_PKCS1_2048_8192_SHA512,
            (KeyKind::P256, Scheme::Ecdsa(Sha1)) => &lc::ECDSA_P256_SHA1_ASN1,
            (KeyKind::P256, Scheme::Ecdsa(Sha256)) => &lc::ECDSA_P256_SHA256_ASN1,
            (KeyKind::P256, Scheme::Ecdsa(Sha384)) => &lc::ECDSA_P256_SHA384_ASN1,
            (KeyKind::P256, Scheme::Ecdsa(Sha512)) => &lc::ECDSA_P256_SHA512_ASN1,
            (KeyKind::P384, Scheme::Ecdsa(Sha256)) => &lc::ECDSA_P384_SHA256_ASN1,
            (KeyKind::P384, Scheme::Ecdsa(Sha384)) => &lc::ECDSA_P384_SHA384_ASN1,
            (KeyKind::P384, Scheme::Ecdsa(Sha512)) => &lc::ECDSA_P384_SHA512_ASN1,
            _ => return None,
        })
    }
}
