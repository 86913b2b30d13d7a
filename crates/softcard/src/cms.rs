//! The signature that a card makes: CMS `SignedData` with the content and the signer's certificate (RFC 5652).

use anyhow::Result;
use aws_lc_rs::digest;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding};
use chrono::{DateTime, Utc};

use crate::card::SoftCard;
use crate::der::{self, Der};

const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const DATA: &str = "1.2.840.113549.1.7.1";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
const NONCE: &str = "1.2.840.113549.1.9.25.3";
const CARD_NUMBER: &str = "2.16.886.1.100.2.204";
const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";

/// The digests that the component offers and the library signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashAlgorithm {
    Sha256,
    Sha384,
    Sha512,
}

impl HashAlgorithm {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "SHA256" => Some(Self::Sha256),
            "SHA384" => Some(Self::Sha384),
            "SHA512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn parts(self) -> (&'static str, &'static digest::Algorithm, &'static dyn RsaEncoding) {
        match self {
            Self::Sha256 => ("2.16.840.1.101.3.4.2.1", &digest::SHA256, &RSA_PKCS1_SHA256),
            Self::Sha384 => ("2.16.840.1.101.3.4.2.2", &digest::SHA384, &RSA_PKCS1_SHA384),
            Self::Sha512 => ("2.16.840.1.101.3.4.2.3", &digest::SHA512, &RSA_PKCS1_SHA512),
        }
    }
}

/// What goes into the signed attributes besides what RFC 5652 demands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes<'a> {
    pub(crate) signing_time: DateTime<Utc>,
    pub(crate) nonce: &'a str,
    pub(crate) with_card_number: bool,
}

/// Signs `content` with `card`; without attributes the signature is over the content itself.
pub(crate) fn sign(
    card: &SoftCard,
    content: &[u8],
    hash: HashAlgorithm,
    attributes: Option<Attributes<'_>>,
) -> Result<Der> {
    let (digest_oid, digest_algorithm, encoding) = hash.parts();
    let digest_identifier = der::sequence(&[der::oid(digest_oid), der::null()]);
    let attributes = attributes.map(|attributes| {
        signed_attributes(card, digest::digest(digest_algorithm, content).as_ref(), attributes)
    });
    // Over the attributes as SET OF; sent under [0] instead (RFC 5652 §5.4).
    let signature = card.key.sign(encoding, attributes.as_deref().unwrap_or(content))?;
    let mut signer = vec![
        der::integer(&[1]),
        der::sequence(&[
            hex::decode(&card.record.issuer_der)?,
            der::integer(&hex::decode(&card.record.serial)?),
        ]),
        digest_identifier.clone(),
    ];
    signer.extend(attributes.map(|mut set| {
        set[0] = 0xa0;
        set
    }));
    signer.push(der::sequence(&[der::oid(RSA_ENCRYPTION), der::null()]));
    signer.push(der::octet_string(&signature));
    let signed_data = der::sequence(&[
        der::integer(&[1]),
        der::set(vec![digest_identifier]),
        der::sequence(&[der::oid(DATA), der::context(0, &der::octet_string(content))]),
        der::context(0, &card.certificate),
        der::set(vec![der::sequence(&signer)]),
    ]);
    Ok(der::sequence(&[der::oid(SIGNED_DATA), der::context(0, &signed_data)]))
}

fn signed_attributes(card: &SoftCard, digest: &[u8], wanted: Attributes<'_>) -> Der {
    let attribute = |oid, value| der::sequence(&[der::oid(oid), der::set(vec![value])]);
    let mut all = vec![
        attribute(CONTENT_TYPE, der::oid(DATA)),
        attribute(MESSAGE_DIGEST, der::octet_string(digest)),
        attribute(SIGNING_TIME, der::time(wanted.signing_time)),
    ];
    if !wanted.nonce.is_empty() {
        all.push(attribute(NONCE, der::octet_string(wanted.nonce.as_bytes())));
    }
    if wanted.with_card_number {
        all.push(attribute(CARD_NUMBER, der::printable(&card.record.card_number)));
    }
    der::set(all)
}
