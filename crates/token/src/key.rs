//! Public keys: read once, checked for strength, pinned to an algorithm.

use std::sync::Arc;

use aws_lc_rs::{
    digest,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        RSA_PSS_2048_8192_SHA256, VerificationAlgorithm,
    },
};
use der::{Decode, Encode, Sequence, asn1::UintRef};
use idcheck_domain::{Violation, key::Profile};
use idcheck_usecases::ports::{KeyMaterial, KeyReader, ParsedKey};
use spki::{AlgorithmIdentifierOwned, ObjectIdentifier, SubjectPublicKeyInfoOwned, der::DecodePem};

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
        let spki = subject_public_key_info(pem).ok_or(Violation::PublicKeyFormat)?;
        let der = spki.to_der().map_err(|_| Violation::PublicKeyFormat)?;
        let kinds = algorithms(&spki, profile).ok_or(Violation::PublicKeyRefused)?;
        let algorithms = kinds
            .iter()
            .map(|(name, algorithm)| Ok((*name, ParsedPublicKey::new(*algorithm, &der)?)))
            .collect::<Result<Vec<_>, aws_lc_rs::error::KeyRejected>>()
            .map_err(|_| Violation::PublicKeyRefused)?;
        let fingerprint = hex::encode(digest::digest(&digest::SHA256, &der));
        Ok(ParsedKey { material: Arc::new(PinnedKey { algorithms }), fingerprint })
    }
}

fn subject_public_key_info(pem: &str) -> Option<SubjectPublicKeyInfoOwned> {
    let pem = pem.trim();
    if pem.starts_with("-----BEGIN RSA PUBLIC KEY-----") {
        let (_, pkcs1) = der::pem::decode_vec(pem.as_bytes()).ok()?;
        return Some(SubjectPublicKeyInfoOwned {
            algorithm: AlgorithmIdentifierOwned {
                oid: RSA_ENCRYPTION,
                parameters: Some(der::asn1::Null.into()),
            },
            subject_public_key: der::asn1::BitString::from_bytes(&pkcs1).ok()?,
        });
    }
    SubjectPublicKeyInfoOwned::from_pem(pem).ok()
}

type Pinned = &'static [(&'static str, &'static dyn VerificationAlgorithm)];

/// The algorithms of a key that is strong enough for its profile.
fn algorithms(spki: &SubjectPublicKeyInfoOwned, profile: Profile) -> Option<Pinned> {
    let curve = || spki.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok();
    match (spki.algorithm.oid, profile) {
        (RSA_ENCRYPTION, _) if !rsa_acceptable(spki) => None,
        (RSA_ENCRYPTION, Profile::Legacy) => Some(&[("RS256", &RSA_PKCS1_2048_8192_SHA256)]),
        (RSA_ENCRYPTION, Profile::Strict) => {
            Some(&[("RS256", &RSA_PKCS1_2048_8192_SHA256), ("PS256", &RSA_PSS_2048_8192_SHA256)])
        }
        (EC_PUBLIC_KEY, Profile::Strict) if curve() == Some(PRIME256V1) => {
            Some(&[("ES256", &ECDSA_P256_SHA256_FIXED)])
        }
        (ED25519_OID, Profile::Strict) => Some(&[("EdDSA", &ED25519)]),
        _ => None,
    }
}

/// RFC 8017 §A.1.1.
#[derive(Sequence)]
struct RsaPublicKey<'k> {
    modulus: UintRef<'k>,
    public_exponent: UintRef<'k>,
}

/// Threat 2: size, exponent, and moduli that are known to be weak.
fn rsa_acceptable(spki: &SubjectPublicKeyInfoOwned) -> bool {
    let Some(Ok(key)) = spki.subject_public_key.as_bytes().map(RsaPublicKey::from_der) else { return false };
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
