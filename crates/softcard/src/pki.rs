//! A certification authority as small as can be: keys, certificates and lists shaped as in card.md.

use anyhow::{Context as _, Result, anyhow};
use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding};
use chrono::{DateTime, Utc};

use crate::der::{self, Der};
use crate::role::CardRole;

const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";
const POLICY: &str = "2.16.886.101.0.3.3";
const COMPANY_NUMBER: &str = "2.16.886.1.100.2.101";
const CARD_ROLE: &str = "2.16.886.1.100.2.2";

/// An RSA key that signs.
pub(crate) struct SigningKey(KeyPair);

impl SigningKey {
    /// A new key of 2048 bits, as the cards have.
    pub(crate) fn generate() -> Result<Self> {
        KeyPair::generate(KeySize::Rsa2048).map(Self).map_err(|_| anyhow!("no RSA key could be made"))
    }

    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self> {
        KeyPair::from_pkcs8(pkcs8)
            .map(Self)
            .map_err(|rejected| anyhow!("not an RSA key in PKCS #8: {rejected}"))
    }

    pub(crate) fn to_pkcs8(&self) -> Result<Vec<u8>> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().map_err(|_| anyhow!("the key can't be encoded"))?;
        Ok(der.as_ref().to_vec())
    }

    /// RSASSA-PKCS1-v1_5.
    pub(crate) fn sign(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(encoding, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| anyhow!("the key does not sign"))?;
        Ok(signature)
    }

    fn public_key_info(&self) -> Result<Der> {
        let der: PublicKeyX509Der<'_> =
            self.0.public_key().as_der().map_err(|_| anyhow!("the public key can't be encoded"))?;
        Ok(der.as_ref().to_vec())
    }

    /// RFC 5280 §4.2.1.2 (1): SHA-1 of the key's bits. An identifier, not a protection.
    fn identifier(&self) -> Vec<u8> {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, self.0.public_key().as_ref()).as_ref().to_vec()
    }
}

/// An authority: its name and key.
pub(crate) struct Authority {
    pub(crate) name: Der,
    pub(crate) key: SigningKey,
}

/// From and until when.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

/// What a certificate is for.
pub(crate) enum Purpose<'a> {
    /// A root or a CA; `path_length` as in RFC 5280 §4.2.1.9.
    Authority { path_length: Option<u8> },
    /// A card's signature; a company's carries its number and 正卡 or 附卡.
    Card { company: Option<(&'a str, CardRole)> },
}

/// A name of single-valued RDNs: `(attribute, value)`.
pub(crate) fn name(attributes: &[(&str, &str)]) -> Der {
    let rdns: Vec<Der> = attributes
        .iter()
        .map(|(attribute, value)| {
            let value = if *attribute == COUNTRY { der::printable(value) } else { der::utf8(value) };
            der::set(vec![der::sequence(&[der::oid(attribute), value])])
        })
        .collect();
    der::sequence(&rdns)
}

pub(crate) const COUNTRY: &str = "2.5.4.6";
pub(crate) const ORGANIZATION: &str = "2.5.4.10";
pub(crate) const UNIT: &str = "2.5.4.11";
pub(crate) const COMMON_NAME: &str = "2.5.4.3";
pub(crate) const SERIAL_NUMBER: &str = "2.5.4.5";

/// Sixteen random octets, positive.
pub(crate) fn random_serial() -> Result<Vec<u8>> {
    let mut serial = vec![0; 16];
    rand::fill(&mut serial).map_err(|_| anyhow!("no randomness"))?;
    serial[0] = (serial[0] & 0x7f) | 0x40;
    Ok(serial)
}

impl Authority {
    pub(crate) fn self_signed(&self, validity: Validity) -> Result<Der> {
        self.certify(
            &self.name,
            &self.key,
            &random_serial()?,
            validity,
            &Purpose::Authority { path_length: None },
            None,
        )
    }

    /// A certificate for `key` under `subject`; `crl` is the address of the list that speaks about it.
    pub(crate) fn certify(
        &self,
        subject: &Der,
        key: &SigningKey,
        serial: &[u8],
        validity: Validity,
        purpose: &Purpose<'_>,
        crl: Option<&str>,
    ) -> Result<Der> {
        let tbs = der::sequence(&[
            der::context(0, &der::integer(&[2])),
            der::integer(serial),
            signature_algorithm(),
            self.name.clone(),
            der::sequence(&[der::time(validity.from), der::time(validity.until)]),
            subject.clone(),
            key.public_key_info()?,
            der::context(3, &der::sequence(&self.extensions(key, purpose, crl))),
        ]);
        self.signed(tbs)
    }

    fn extensions(&self, key: &SigningKey, purpose: &Purpose<'_>, crl: Option<&str>) -> Vec<Der> {
        let authority_key = der::sequence(&[der::context_primitive(0, &self.key.identifier())]);
        let mut all = vec![
            extension("2.5.29.35", false, &authority_key),
            extension("2.5.29.14", false, &der::octet_string(&key.identifier())),
            extension("2.5.29.32", false, &der::sequence(&[der::sequence(&[der::oid(POLICY)])])),
        ];
        match purpose {
            Purpose::Authority { path_length } => {
                let mut constraints = vec![der::boolean_true()];
                constraints.extend(path_length.map(|length| der::integer(&[length])));
                all.push(extension("2.5.29.19", true, &der::sequence(&constraints)));
                // digitalSignature, keyCertSign, cRLSign.
                all.push(extension("2.5.29.15", true, &der::bit_string(1, &[0b1000_0110])));
            }
            Purpose::Card { company } => {
                all.push(extension("2.5.29.15", true, &der::bit_string(7, &[0b1000_0000])));
                all.extend(company.map(|(number, role)| directory_attributes(number, role)));
            }
        }
        all.extend(crl.map(|address| {
            let full_name = der::context(0, &der::context_primitive(6, address.as_bytes()));
            let point = der::sequence(&[der::context(0, &full_name)]);
            extension("2.5.29.31", false, &der::sequence(&[point]))
        }));
        all
    }

    /// A complete list of revoked serial numbers.
    pub(crate) fn revocation_list(
        &self,
        number: &[u8],
        period: Validity,
        revoked: &[(Vec<u8>, DateTime<Utc>)],
    ) -> Result<Der> {
        let entries: Vec<Der> = revoked
            .iter()
            .map(|(serial, since)| der::sequence(&[der::integer(serial), der::time(*since)]))
            .collect();
        let authority_key = der::sequence(&[der::context_primitive(0, &self.key.identifier())]);
        let extensions = [
            extension("2.5.29.35", false, &authority_key),
            extension("2.5.29.20", false, &der::integer(number)),
        ];
        let mut fields = vec![
            der::integer(&[1]),
            signature_algorithm(),
            self.name.clone(),
            der::time(period.from),
            der::time(period.until),
        ];
        // An empty list is left out (RFC 5280 §5.1.2.6).
        if !entries.is_empty() {
            fields.push(der::sequence(&entries));
        }
        fields.push(der::context(0, &der::sequence(&extensions)));
        self.signed(der::sequence(&fields))
    }

    fn signed(&self, tbs: Der) -> Result<Der> {
        let signature = self.key.sign(&RSA_PKCS1_SHA256, &tbs).context("signing a certificate or a list")?;
        Ok(der::sequence(&[tbs, signature_algorithm(), der::bit_string(0, &signature)]))
    }
}

fn signature_algorithm() -> Der {
    der::sequence(&[der::oid(SHA256_WITH_RSA), der::null()])
}

fn extension(oid: &str, critical: bool, value: &Der) -> Der {
    let mut fields = vec![der::oid(oid)];
    fields.extend(critical.then(der::boolean_true));
    fields.push(der::octet_string(value));
    der::sequence(&fields)
}

/// subjectDirectoryAttributes with the company's number and the card's role (card.md).
fn directory_attributes(number: &str, role: CardRole) -> Der {
    let attribute = |oid, value: &str| der::sequence(&[der::oid(oid), der::set(vec![der::utf8(value)])]);
    let attributes = [attribute(COMPANY_NUMBER, number), attribute(CARD_ROLE, role.as_str())];
    extension("2.5.29.9", false, &der::sequence(&attributes))
}
