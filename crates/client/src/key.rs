//! The company's key: made, read, used. It never knows what it signs, and its private half leaves only as the PEM of a
//! key just made.

use std::fmt;

use aws_lc_rs::{
    digest,
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    error::Unspecified,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
        RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, VerificationAlgorithm,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use idcheck_domain::key::Profile;
use zeroize::Zeroizing;

/// Columns of PEM (RFC 7468 §2).
const PEM_COLUMNS: usize = 64;

/// A kind of key that the service takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA, 2048 bits: what the Ministry's clients use. Both profiles.
    Rsa2048,
    /// RSA, 3072 bits. Both profiles.
    Rsa3072,
    /// RSA, 4096 bits. Both profiles.
    Rsa4096,
    /// ECDSA on P-256. Strict profile only.
    P256,
    /// Ed25519. Strict profile only.
    Ed25519,
}

impl KeyKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::P256, Self::Ed25519];

    /// Its name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::P256 => "p256",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// A signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// The `alg` of a token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::Ps256 => &RSA_PSS_2048_8192_SHA256,
            Self::Es256 => &ECDSA_P256_SHA256_FIXED,
            Self::EdDsa => &ED25519,
        }
    }
}

/// Why a private key can't be used. Nothing of the key is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not PEM.
    #[error("not a private key in PEM")]
    NotPem,
    /// A PEM of another label: a public key, PKCS#1, SEC 1.
    #[error(
        "not `BEGIN PRIVATE KEY` (PKCS#8); convert it with `openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW`"
    )]
    NotPkcs8,
    /// A key under a password.
    #[error(
        "the key is encrypted; decrypt it with `openssl pkcs8 -in OLD -out NEW` into a file of mode 0600"
    )]
    Encrypted,
    /// RSA below 2048 bits, another curve, or damaged.
    #[error("not an RSA key of 2048 to 8192 bits, nor P-256, nor Ed25519")]
    Unsupported,
    /// The generator or the encoder failed.
    #[error("the cryptographic library failed")]
    Library,
}

impl From<Unspecified> for KeyError {
    fn from(_: Unspecified) -> Self {
        Self::Library
    }
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Pair {
    fn read(pkcs8: &[u8]) -> Option<Self> {
        let rsa = || RsaKeyPair::from_pkcs8(pkcs8).map(Self::Rsa).ok();
        let p256 = || EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Self::P256).ok();
        // PKCS#8 of version 1, which OpenSSL writes, has no public half to compare with.
        let ed25519 = || Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map(Self::Ed25519).ok();
        rsa().or_else(p256).or_else(ed25519)
    }

    /// The public half as `SubjectPublicKeyInfo` (RFC 5280 §4.1).
    fn public_der(&self) -> Result<PublicKeyX509Der<'static>, Unspecified> {
        match self {
            Self::Rsa(pair) => pair.public_key().as_der(),
            Self::P256(pair) => pair.public_key().as_der(),
            Self::Ed25519(pair) => pair.public_key().as_der(),
        }
    }
}

/// A private key with its public half.
pub struct SigningKey {
    pair: Pair,
    public_der: Vec<u8>,
}

/// A key just made.
pub struct NewKey {
    /// The private half, PKCS#8 in PEM: to be written to a file that only its owner may read.
    pub private_pem: Zeroizing<String>,
    /// The key.
    pub key: SigningKey,
}

impl SigningKey {
    /// Reads PKCS#8 in PEM (RFC 5958, RFC 7468), lines of any length.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, body) = pem
            .trim()
            .strip_prefix("-----BEGIN ")
            .and_then(|rest| rest.split_once("-----"))
            .ok_or(KeyError::NotPem)?;
        match label {
            "PRIVATE KEY" => {}
            "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Encrypted),
            _ => return Err(KeyError::NotPkcs8),
        }
        let (body, _) = body.split_once("-----END PRIVATE KEY-----").ok_or(KeyError::NotPem)?;
        let body: Zeroizing<Vec<u8>> =
            Zeroizing::new(body.bytes().filter(|b| !b.is_ascii_whitespace()).collect());
        let der = Zeroizing::new(STANDARD.decode(body.as_slice()).map_err(|_| KeyError::NotPem)?);
        Self::of(Pair::read(&der).ok_or(KeyError::Unsupported)?)
    }

    fn of(pair: Pair) -> Result<Self, KeyError> {
        let public_der = pair.public_der()?.as_ref().to_vec();
        Ok(Self { pair, public_der })
    }

    /// Makes a key with the operating system's randomness.
    ///
    /// # Errors
    /// [`KeyError::Library`].
    pub fn generate(kind: KeyKind) -> Result<NewKey, KeyError> {
        let rsa = |size| -> Result<_, KeyError> {
            let pair = RsaKeyPair::generate(size)?;
            let der: Pkcs8V1Der<'_> = pair.as_der()?;
            let pem = private_pem(der.as_ref());
            Ok((pem, Pair::Rsa(pair)))
        };
        let (private_pem, pair) = match kind {
            KeyKind::Rsa2048 => rsa(KeySize::Rsa2048)?,
            KeyKind::Rsa3072 => rsa(KeySize::Rsa3072)?,
            KeyKind::Rsa4096 => rsa(KeySize::Rsa4096)?,
            KeyKind::P256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
                (private_pem(pair.to_pkcs8v1()?.as_ref()), Pair::P256(pair))
            }
            KeyKind::Ed25519 => {
                let pair = Ed25519KeyPair::generate()?;
                (private_pem(pair.to_pkcs8v1()?.as_ref()), Pair::Ed25519(pair))
            }
        };
        Ok(NewKey { private_pem, key: Self::of(pair)? })
    }

    /// The public half in PEM (`BEGIN PUBLIC KEY`), to be registered.
    pub fn public_pem(&self) -> String {
        pem("PUBLIC KEY", &self.public_der)
    }

    /// SHA-256 of the public half's DER in 64 lower-case hexadecimal digits, as the service shows it.
    pub fn fingerprint(&self) -> String {
        hex::encode(digest::digest(&digest::SHA256, &self.public_der))
    }

    /// What it may sign with in a profile; the first is the default. Empty when the profile does not take the key.
    pub fn algorithms(&self, profile: Profile) -> &'static [Algorithm] {
        match (&self.pair, profile) {
            (Pair::Rsa(_), Profile::Legacy) => &[Algorithm::Rs256],
            (Pair::Rsa(_), Profile::Strict) => &[Algorithm::Ps256, Algorithm::Rs256],
            (Pair::P256(_), Profile::Strict) => &[Algorithm::Es256],
            (Pair::Ed25519(_), Profile::Strict) => &[Algorithm::EdDsa],
            (Pair::P256(_) | Pair::Ed25519(_), Profile::Legacy) => &[],
        }
    }

    /// Signs; `None` when the key does not have the algorithm.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        let rsa = |pair: &RsaKeyPair, padding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &random, message, &mut signature).ok()?;
            Some(signature)
        };
        match (&self.pair, algorithm) {
            (Pair::Rsa(pair), Algorithm::Rs256) => rsa(pair, &RSA_PKCS1_SHA256),
            (Pair::Rsa(pair), Algorithm::Ps256) => rsa(pair, &RSA_PSS_SHA256),
            (Pair::P256(pair), Algorithm::Es256) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            (Pair::Ed25519(pair), Algorithm::EdDsa) => Some(pair.try_sign(message).ok()?.as_ref().to_vec()),
            _ => None,
        }
    }

    /// Whether this key made a signature.
    pub(crate) fn made(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        ParsedPublicKey::new(algorithm.verification(), &self.public_der)
            .is_ok_and(|key| key.verify_sig(message, signature).is_ok())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.fingerprint())
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewKey({})", self.key.fingerprint())
    }
}

fn private_pem(der: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(pem("PRIVATE KEY", der))
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = String::with_capacity(body.len() + body.len() / PEM_COLUMNS + 2 * label.len() + 40);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(PEM_COLUMNS));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Algorithm, KeyError, KeyKind, Profile, SigningKey};

    #[rstest]
    #[case(KeyKind::Rsa2048, &[Algorithm::Rs256], &[Algorithm::Ps256, Algorithm::Rs256])]
    #[case(KeyKind::P256, &[], &[Algorithm::Es256])]
    #[case(KeyKind::Ed25519, &[], &[Algorithm::EdDsa])]
    fn a_key_made_is_read_again_and_signs_only_as_it_is_pinned(
        #[case] kind: KeyKind,
        #[case] legacy: &[Algorithm],
        #[case] strict: &[Algorithm],
    ) {
        let made = SigningKey::generate(kind).unwrap();
        let key = SigningKey::from_pem(&made.private_pem).unwrap();
        assert_eq!(key.fingerprint(), made.key.fingerprint());
        assert_eq!(key.public_pem(), made.key.public_pem());
        assert_eq!((key.algorithms(Profile::Legacy), key.algorithms(Profile::Strict)), (legacy, strict));
        for algorithm in Algorithm::ALL {
            let signature = key.sign(algorithm, b"message");
            assert_eq!(signature.is_some(), strict.contains(&algorithm), "{algorithm:?}");
            if let Some(signature) = signature {
                assert!(made.key.made(algorithm, b"message", &signature));
                assert!(!made.key.made(algorithm, b"massage", &signature));
            }
        }
    }

    #[test]
    fn lines_may_have_any_length() {
        let made = SigningKey::generate(KeyKind::P256).unwrap();
        let one_line = made.private_pem.replace('\n', "").replace("KEY-----M", "KEY-----\r\n M");
        assert_eq!(SigningKey::from_pem(&one_line).unwrap().fingerprint(), made.key.fingerprint());
    }

    #[test]
    fn what_is_no_usable_key_is_told_apart() {
        let made = SigningKey::generate(KeyKind::Ed25519).unwrap();
        let relabelled = |label: &str| made.private_pem.replace("PRIVATE KEY", label);
        for (text, expected) in [
            (String::new(), KeyError::NotPem),
            ("-----BEGIN PRIVATE KEY-----\nAAAA".to_owned(), KeyError::NotPem),
            (made.private_pem.replace("-----\nM", "-----\n!"), KeyError::NotPem),
            (made.key.public_pem(), KeyError::NotPkcs8),
            (relabelled("RSA PRIVATE KEY"), KeyError::NotPkcs8),
            (relabelled("ENCRYPTED PRIVATE KEY"), KeyError::Encrypted),
            (
                "-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n".to_owned(),
                KeyError::Unsupported,
            ),
        ] {
            assert_eq!(SigningKey::from_pem(&text).unwrap_err(), expected);
        }
    }

    #[test]
    fn the_private_half_is_not_shown() {
        let made = SigningKey::generate(KeyKind::Ed25519).unwrap();
        let shown = format!("{made:?} {:?}", made.key);
        let secret = made.private_pem.lines().nth(1).unwrap();
        assert!(!shown.contains(&secret[20..40]), "{shown}");
        assert_eq!(shown.matches(&made.key.fingerprint()).count(), 2);
    }
}
