//! Public keys: read once, checked for strength, pinned to the algorithms of their kind.

use std::sync::Arc;

use aws_lc_rs::{
    digest,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        RSA_PSS_2048_8192_SHA256, VerificationAlgorithm,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use der::{Decode, Encode, Sequence, asn1::UintRef};
use idcheck_domain::{Violation, key::Profile, pem};
use idcheck_usecases::ports::{KeyMaterial, KeyReader, ParsedKey};
use num_bigint::BigUint;
use spki::{AlgorithmIdentifierOwned, ObjectIdentifier, SubjectPublicKeyInfoOwned};

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const PRIME256V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Smallest and largest modulus in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Smallest exponent, and the number of bits of the largest.
const RSA_EXPONENT: (u64, u32) = (65_537, 33);

/// A key with the algorithms that it is pinned to.
struct PinnedKey {
    algorithms: Vec<(&'static str, ParsedPublicKey)>,
}

impl std::fmt::Debug for PinnedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.algorithms.iter().map(|(name, _)| name)).finish()
    }
}

impl KeyMaterial for PinnedKey {
    fn verify(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        let pinned = self.algorithms.iter().find(|(name, _)| *name == algorithm);
        pinned.is_some_and(|(_, key)| key.verify_sig(message, signature).is_ok())
    }
}

/// Reads public keys in PEM (RFC 7468): `PUBLIC KEY`, or `RSA PUBLIC KEY` as some tools write it.
#[derive(Debug, Default, Clone, Copy)]
pub struct PublicKeys;

impl KeyReader for PublicKeys {
    fn read(&self, pem: &str, profile: Profile) -> Result<ParsedKey, Violation> {
        if pem::holds_private_key(pem) {
            return Err(Violation::PrivateKey);
        }
        let spki = subject_public_key_info(pem)?;
        let key = Strong::of(&spki).ok_or_else(|| told_why(&spki))?;
        let der = key.canonical().ok_or(Violation::PublicKeyFormat)?;
        let fingerprint = hex::encode(digest::digest(&digest::SHA256, &der));
        if published(&fingerprint) {
            return Err(Violation::PublicKeyRefused);
        }
        let algorithms = key
            .algorithms(profile)
            .ok_or(Violation::PublicKeyCurve)?
            .iter()
            .map(|(name, algorithm)| Ok((*name, ParsedPublicKey::new(*algorithm, &der)?)))
            .collect::<Result<Vec<_>, aws_lc_rs::error::KeyRejected>>()
            .map_err(|_| Violation::PublicKeyRefused)?;
        Ok(ParsedKey { material: Arc::new(PinnedKey { algorithms }), fingerprint })
    }
}

fn subject_public_key_info(text: &str) -> Result<SubjectPublicKeyInfoOwned, Violation> {
    let Some(block) = pem::blocks(text).next() else {
        let text = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
        let other = text.starts_with(['{', '<']);
        return Err(if other { Violation::PublicKeyNotPem } else { Violation::PublicKeyFormat });
    };
    let der = STANDARD.decode(&block.base64).map_err(|_| Violation::PublicKeyFormat)?;
    let read = match block.label {
        "RSA PUBLIC KEY" => info(RSA_ENCRYPTION, Some(der::asn1::Null.into()), &der),
        "PUBLIC KEY" => SubjectPublicKeyInfoOwned::from_der(&der).ok(),
        label if label.ends_with("CERTIFICATE") => return Err(Violation::PublicKeyCertificate),
        _ => None,
    };
    read.ok_or(Violation::PublicKeyFormat)
}

/// What is wrong with a key that is not taken.
fn told_why(spki: &SubjectPublicKeyInfoOwned) -> Violation {
    let exponent = || {
        let key = RsaPublicKey::from_der(spki.subject_public_key.as_bytes()?).ok()?;
        Some(key.public_exponent.as_bytes().to_vec())
    };
    let curve = spki.algorithm.parameters.as_ref().and_then(|of| of.decode_as::<ObjectIdentifier>().ok());
    match spki.algorithm.oid {
        RSA_ENCRYPTION if exponent().is_some_and(|e| e.len() < 3) => Violation::PublicKeyExponent,
        EC_PUBLIC_KEY if curve != Some(PRIME256V1) => Violation::PublicKeyCurve,
        _ => Violation::PublicKeyRefused,
    }
}

fn info(
    oid: ObjectIdentifier,
    parameters: Option<der::Any>,
    key: &[u8],
) -> Option<SubjectPublicKeyInfoOwned> {
    let algorithm = AlgorithmIdentifierOwned { oid, parameters };
    Some(SubjectPublicKeyInfoOwned {
        algorithm,
        subject_public_key: der::asn1::BitString::from_bytes(key).ok()?,
    })
}

/// Keys whose private half stands in a specification or on a well-known page: SHA-256 of their
/// `SubjectPublicKeyInfo`, one a line, and where they are published.
const PUBLISHED: &str = include_str!("../data/published-keys.txt");

fn published(fingerprint: &str) -> bool {
    PUBLISHED.lines().any(|line| line.split_whitespace().next() == Some(fingerprint))
}

type Pinned = &'static [(&'static str, &'static dyn VerificationAlgorithm)];

/// A key of a kind and strength that is taken, as its own bytes (threat 2).
enum Strong<'k> {
    Rsa(&'k [u8]),
    P256(&'k [u8]),
    Ed25519(&'k [u8]),
}

impl<'k> Strong<'k> {
    fn of(spki: &'k SubjectPublicKeyInfoOwned) -> Option<Self> {
        let bytes = spki.subject_public_key.as_bytes()?;
        let parameters = spki.algorithm.parameters.as_ref();
        let curve = || parameters?.decode_as::<ObjectIdentifier>().ok();
        match spki.algorithm.oid {
            RSA_ENCRYPTION => rsa_acceptable(bytes).then_some(Self::Rsa(bytes)),
            // RFC 5480 §2.2: uncompressed, so that a point has one spelling.
            EC_PUBLIC_KEY if curve() == Some(PRIME256V1) => {
                (bytes.len() == 65 && bytes.first() == Some(&4)).then_some(Self::P256(bytes))
            }
            // RFC 8410 §3: no parameters.
            ED25519_OID => (bytes.len() == 32 && parameters.is_none() && !small_order(bytes))
                .then_some(Self::Ed25519(bytes)),
            _ => None,
        }
    }

    /// The one DER encoding of the key, whatever parameters it came with.
    fn canonical(&self) -> Option<Vec<u8>> {
        let spki = match self {
            Self::Rsa(key) => info(RSA_ENCRYPTION, Some(der::asn1::Null.into()), key),
            Self::P256(key) => info(EC_PUBLIC_KEY, Some((&PRIME256V1).into()), key),
            Self::Ed25519(key) => info(ED25519_OID, None, key),
        };
        spki?.to_der().ok()
    }

    /// The algorithms that the key is pinned to.
    fn algorithms(&self, profile: Profile) -> Option<Pinned> {
        match (self, profile) {
            (Self::Rsa(_), Profile::Legacy) => Some(&[("RS256", &RSA_PKCS1_2048_8192_SHA256)]),
            (Self::Rsa(_), Profile::Strict) => {
                Some(&[("RS256", &RSA_PKCS1_2048_8192_SHA256), ("PS256", &RSA_PSS_2048_8192_SHA256)])
            }
            (Self::P256(_), Profile::Strict) => Some(&[("ES256", &ECDSA_P256_SHA256_FIXED)]),
            (Self::Ed25519(_), Profile::Strict) => Some(&[("EdDSA", &ED25519)]),
            (Self::P256(_) | Self::Ed25519(_), Profile::Legacy) => None,
        }
    }
}

/// The canonical encodings of the curve's points of order 1, 2, 4 and 8, for which anybody can sign; the sign bit
/// does not change the order.
fn small_order(point: &[u8]) -> bool {
    const ORDER_8: [&str; 2] = [
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ];
    let mut point = point.to_vec();
    if let Some(last) = point.last_mut() {
        *last &= 0x7F;
    }
    let text = hex::encode(&point);
    let rest_is = |byte: &str| text.get(2..62).is_some_and(|rest| rest == byte.repeat(30));
    let ends = (text.get(..2), text.get(62..));
    let zero_or_one = matches!(ends, (Some("00" | "01"), Some("00"))) && rest_is("00");
    // p - 1, p and p + 1, the last two being 0 and 1 written once more.
    let near_p = matches!(ends, (Some("ec" | "ed" | "ee"), Some("7f"))) && rest_is("ff");
    zero_or_one || near_p || ORDER_8.contains(&text.as_str())
}

/// RFC 8017 §A.1.1.
#[derive(Sequence)]
struct RsaPublicKey<'k> {
    modulus: UintRef<'k>,
    public_exponent: UintRef<'k>,
}

/// Size, exponent, and moduli that are known to be weak.
fn rsa_acceptable(key: &[u8]) -> bool {
    let Ok(key) = RsaPublicKey::from_der(key) else { return false };
    let modulus = key.modulus.as_bytes();
    let Some(first) = modulus.first() else { return false };
    let bits = modulus.len() * 8 - usize::try_from(first.leading_zeros()).unwrap_or_default();
    let exponent = key.public_exponent.as_bytes();
    let value = exponent.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let (smallest, most_bits) = RSA_EXPONENT;
    RSA_BITS.contains(&bits)
        && exponent.len() <= 5
        && value % 2 == 1
        && value >= smallest
        && value < 1 << most_bits
        && !has_small_factor(modulus)
        && !made_by_flawed_generator(modulus)
        && !of_neighbouring_primes(modulus)
}

fn remainder(number: &[u8], divisor: u32) -> u32 {
    number.iter().fold(0, |rest, byte| ((rest << 8) | u32::from(*byte)) % divisor)
}

/// An honest modulus has two large factors.
fn has_small_factor(modulus: &[u8]) -> bool {
    (2..2000)
        .filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0))
        .any(|p| remainder(modulus, p) == 0)
}

/// Primes by which moduli of the generator with CVE-2017-15361 are told.
const MARKERS: [u32; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/// Steps of Fermat's method that are tried; moduli of generators that draw two neighbouring primes (CVE-2022-26320) fall
/// within a few.
const FERMAT_STEPS: u32 = 100;

/// Whether the two primes are so near each other that anybody finds them: `n = a² - b²` for an `a` just above its root.
fn of_neighbouring_primes(modulus: &[u8]) -> bool {
    let n = BigUint::from_bytes_be(modulus);
    let root = n.sqrt();
    let a = if &root * &root == n { root } else { root + 1_u32 };
    let mut square = &a * &a - &n;
    let mut step = a * 2_u32 + 1_u32;
    for _ in 0..FERMAT_STEPS {
        if may_be_square(&square) && square.sqrt().pow(2) == square {
            return true;
        }
        square += &step;
        step += 2_u32;
    }
    false
}

/// A square is 0, 1, 4, 9, 16, 17, 25, 33, 36, 41, 49 or 57 modulo 64: most numbers are told without their root.
fn may_be_square(number: &BigUint) -> bool {
    const SQUARES: u64 = 0x0202_0212_0203_0213;
    let rest = number.iter_u64_digits().next().unwrap_or_default() % 64;
    SQUARES >> rest & 1 == 1
}

/// CVE-2017-15361: the modulus is a power of 65537 modulo every marker. An honest one passes for such once in 2^27.
fn made_by_flawed_generator(modulus: &[u8]) -> bool {
    MARKERS.iter().all(|prime| {
        let rest = remainder(modulus, *prime);
        let mut power = 1;
        (0..*prime).any(|_| {
            power = power * (65_537 % prime) % prime;
            power == rest
        })
    })
}
