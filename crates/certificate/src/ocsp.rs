//! OCSP (RFC 6960): asking about one certificate, and judging the answer.
//!
//! An answer counts when the issuer signed it, or a responder that the issuer itself certified for that and for nothing
//! else to be checked (`id-pkix-ocsp-nocheck`), and when it is current.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use der::asn1::ObjectIdentifier;
use der::{Tag, TagNumber};

use crate::Refusal;
use crate::asn1::{Element, Elements, Malformed, context, context_primitive, single};
use crate::certificate::{Certificate, extension};
use crate::signature::{Digest, Scheme};

const BASIC_RESPONSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");
/// SHA-1 as `AlgorithmIdentifier`: here it only names an issuer, and every responder knows it (RFC 6960 §4.3, RFC 5019).
const SHA1_IDENTIFIER: &[u8] = b"\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00";
/// How far a responder's clock may be ahead, in seconds.
const CLOCK_SKEW: i64 = 60;
/// How long an answer without `nextUpdate` counts, in seconds.
const SHORT_LIFE: i64 = 600;

/// What an answer says about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Good,
    Revoked,
}

/// Encodes the question about `certificate` with a nonce of 1 to 32 octets (RFC 6960 §4.1.1, RFC 8954).
pub fn request(certificate: &Certificate, issuer: &Certificate, nonce: &[u8]) -> Vec<u8> {
    let hash = |data: &[u8]| write(0x04, &[Digest::Sha1.of(data).as_ref()]);
    let id = write(
        0x30,
        &[
            SHA1_IDENTIFIER,
            &hash(certificate.issuer_der()),
            &hash(issuer.public_key().bits()),
            &write(0x02, &[certificate.serial()]),
        ],
    );
    let list = write(0x30, &[&write(0x30, &[&id])]);
    let oid = write(0x06, &[NONCE.as_bytes()]);
    let nonce = write(0x30, &[&oid, &write(0x04, &[&write(0x04, &[nonce])])]);
    let extensions = write(0xa2, &[&write(0x30, &[&nonce])]);
    write(0x30, &[&write(0x30, &[&list, &extensions])])
}

fn write(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let mut element = vec![tag];
    match contents.len() {
        // A request has less than 200 octets of names, hashes and nonce; two length octets are plenty.
        length @ 0..0x80 => element.extend(u8::try_from(length)),
        length => {
            element.push(0x82);
            element.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    element.extend(contents);
    element
}

/// An answer that has been read and not yet been judged.
#[derive(Debug)]
pub struct OcspResponse {
    tbs: Vec<u8>,
    scheme: Result<Scheme, Refusal>,
    signature: Vec<u8>,
    certificates: Vec<Certificate>,
    singles: Vec<Single>,
    nonce: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Single {
    digest: Digest,
    issuer_name_hash: Vec<u8>,
    issuer_key_hash: Vec<u8>,
    serial: Vec<u8>,
    /// `None` is "unknown".
    status: Option<Status>,
    this_update: DateTime<Utc>,
    next_update: Option<DateTime<Utc>>,
}

impl OcspResponse {
    /// Reads a DER `OCSPResponse` whose status is successful.
    ///
    /// # Errors
    /// [`Malformed`], also for "try later" and the like.
    pub fn parse(der: &[u8]) -> Result<Self, Malformed> {
        const SUCCESSFUL: &[u8] = &[0x0a, 1, 0];
        let mut outer = single(der, Tag::Sequence)?.children();
        if outer.read()?.bytes != SUCCESSFUL {
            return Err(Malformed::DER);
        }
        let mut bytes = single(outer.expect(context(TagNumber::N0))?.value, Tag::Sequence)?.children();
        outer.finish()?;
        if bytes.expect(Tag::ObjectIdentifier)?.oid()? != BASIC_RESPONSE {
            return Err(Malformed::DER);
        }
        let mut basic = single(bytes.expect(Tag::OctetString)?.value, Tag::Sequence)?.children();
        let tbs = basic.expect(Tag::Sequence)?;
        let scheme = Scheme::from_identifier(basic.expect(Tag::Sequence)?);
        let signature = basic.expect(Tag::BitString)?.bit_string()?.to_vec();
        let mut certificates = Vec::new();
        if let Some(list) = basic.optional(context(TagNumber::N0))? {
            let mut list = single(list.value, Tag::Sequence)?.children();
            while !list.is_empty() {
                certificates.extend(Certificate::parse(list.read()?.bytes));
            }
        }
        basic.finish()?;
        let (singles, nonce) = read_data(tbs)?;
        Ok(Self { tbs: tbs.bytes.to_vec(), scheme, signature, certificates, singles, nonce })
    }

    /// Whether it answers the request with this nonce: it has the same, or none, and then its dates must do.
    pub fn answers(&self, nonce: &[u8]) -> bool {
        self.nonce.as_deref().is_none_or(|own| own == nonce)
    }

    /// What it says about `certificate` at `now`; `None` when it says nothing that counts.
    pub fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: DateTime<Utc>,
    ) -> Option<Status> {
        let single = self.singles.iter().find(|single| single.is_about(certificate, issuer))?;
        (single.is_current(now) && self.is_signed(issuer, now)).then_some(single.status).flatten()
    }

    fn is_signed(&self, issuer: &Certificate, now: DateTime<Utc>) -> bool {
        let Ok(scheme) = self.scheme else { return false };
        let signed_by = |signer: &Certificate| {
            signer.public_key().verify(scheme, &self.tbs, &self.signature, false).is_ok()
        };
        signed_by(issuer)
            || self.certificates.iter().any(|responder| {
                is_delegated(responder, now)
                    && responder.may_be_issued_by(issuer)
                    && responder.verify_signature(issuer.public_key(), false).is_ok()
                    && signed_by(responder)
            })
    }
}

/// RFC 6960 §4.2.2.2: for OCSP signing, valid, and not to be checked itself.
fn is_delegated(responder: &Certificate, now: DateTime<Utc>) -> bool {
    let extensions = responder.extensions();
    let purpose = extensions.extended_key_usage.as_ref().is_some_and(|usage| usage.0.contains(&OCSP_SIGNING));
    let valid = responder.not_before() <= now && now <= responder.not_after();
    purpose && valid && extensions.ocsp_no_check && !extensions.unknown_critical
}

impl Single {
    fn read(element: Element<'_>) -> Result<Self, Malformed> {
        let mut fields = element.children();
        let mut id = fields.expect(Tag::Sequence)?.children();
        let digest = Digest::from_identifier(id.expect(Tag::Sequence)?).map_err(|_| Malformed::DER)?;
        let issuer_name_hash = id.read()?.octet_string()?.to_vec();
        let issuer_key_hash = id.read()?.octet_string()?.to_vec();
        let serial = id.read()?.integer()?.to_vec();
        id.finish()?;
        let status = fields.read()?.tag;
        let this_update = fields.read()?.time()?;
        let next_update = fields.optional(context(TagNumber::N0))?;
        Ok(Self {
            digest,
            issuer_name_hash,
            issuer_key_hash,
            serial,
            status: if status == context_primitive(TagNumber::N0) {
                Some(Status::Good)
            } else if status == context(TagNumber::N1) {
                Some(Status::Revoked)
            } else {
                None
            },
            this_update,
            next_update: next_update.map(|time| Elements::new(time.value).read()?.time()).transpose()?,
        })
    }

    fn is_about(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        self.serial == certificate.serial()
            && self.issuer_name_hash == self.digest.of(certificate.issuer_der()).as_ref()
            && self.issuer_key_hash == self.digest.of(issuer.public_key().bits()).as_ref()
    }

    fn is_current(&self, now: DateTime<Utc>) -> bool {
        let until = self.next_update.unwrap_or(self.this_update + Duration::seconds(SHORT_LIFE));
        self.this_update <= now + Duration::seconds(CLOCK_SKEW) && now <= until
    }
}

/// The single responses and the nonce of a `ResponseData`.
fn read_data(tbs: Element<'_>) -> Result<(Vec<Single>, Option<Vec<u8>>), Malformed> {
    let mut fields = tbs.children();
    fields.optional(context(TagNumber::N0))?;
    // Who answers is shown by the signature, not by the name.
    fields.read()?;
    fields.expect(Tag::GeneralizedTime)?.time()?;
    let mut list = fields.expect(Tag::Sequence)?.children();
    let mut singles = Vec::new();
    while !list.is_empty() {
        singles.push(Single::read(list.expect(Tag::Sequence)?)?);
    }
    let mut nonce = None;
    if let Some(extensions) = fields.optional(context(TagNumber::N1))? {
        let mut list = single(extensions.value, Tag::Sequence)?.children();
        while !list.is_empty() {
            let (oid, critical, value) = extension(&mut list)?;
            if oid == NONCE {
                nonce = Some(single(value, Tag::OctetString)?.value.to_vec());
            } else if critical {
                return Err(Malformed::DER);
            }
        }
    }
    fields.finish()?;
    Ok((singles, nonce))
}

/// Answers at hand, by the SHA-256 of the certificate asked about.
#[derive(Debug, Default, Clone)]
pub struct OcspAnswers {
    by_certificate: HashMap<[u8; 32], Arc<OcspResponse>>,
}

impl OcspAnswers {
    /// Keeps an answer about a certificate instead of an older one.
    pub fn insert(&mut self, certificate: &Certificate, response: Arc<OcspResponse>) {
        self.by_certificate.insert(*certificate.fingerprint(), response);
    }

    /// Forgets answers that no longer count.
    pub fn forget_stale(&mut self, now: DateTime<Utc>) {
        self.by_certificate
            .retain(|_, response| response.singles.iter().any(|single| single.is_current(now)));
    }

    /// What is known about `certificate`.
    pub fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: DateTime<Utc>,
    ) -> Option<Status> {
        self.by_certificate.get(certificate.fingerprint())?.status(certificate, issuer, now)
    }
}
