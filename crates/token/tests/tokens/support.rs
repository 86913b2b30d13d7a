//! Signers of every kind of key, and DER by hand.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
        RSA_PSS_SHA256, RsaEncoding,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, Utc};
use idcheck_domain::key::{KeyId, Profile};
use idcheck_token::{PublicKeys, Tokens};
use idcheck_usecases::ports::{CallerKey, KeyReader, TokenReader, TokenRefusal};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const ISS: &str = "e3yMEJMEppYGbb37BxVaOSX00btXCASk";
pub(crate) const BASE_URL: &str = "https://idcheck.example";

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap()
}

/// The outcome of a legacy token, with its `jti`.
pub(crate) fn legacy(token: &str, keys: &[CallerKey], now: DateTime<Utc>) -> Result<String, TokenRefusal> {
    tokens().read(token)?.verify_legacy(keys, now).map(|claims| claims.jti.to_owned())
}

/// The outcome of a strict token, with its user.
pub(crate) fn strict(
    tokens: &Tokens,
    token: &str,
    body: &[u8],
    keys: &[CallerKey],
) -> Result<Option<String>, TokenRefusal> {
    tokens.read(token)?.verify_strict(body, keys, now()).map(|claims| claims.user_id.map(str::to_owned))
}

pub(crate) fn tokens() -> Tokens {
    Tokens::new(BASE_URL)
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

pub(crate) fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len();
    let mut der = match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![tag, short],
        Ok(long) => vec![tag, 0x81, long],
        Err(_) => [&[tag, 0x82][..], &u16::try_from(length).unwrap().to_be_bytes()].concat(),
    };
    der.extend(value);
    der
}

/// An INTEGER that is positive.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len().saturating_sub(1));
    let sign: &[u8] = if bytes[start] & 0x80 == 0 { &[] } else { &[0] };
    tlv(2, &[sign, &bytes[start..]].concat())
}

pub(crate) fn pkcs1(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    tlv(0x30, &[integer(modulus), integer(exponent)].concat())
}

pub(crate) const RSA: &str = "06092a864886f70d010101";
pub(crate) const RSA_NULL: &str = "06092a864886f70d0101010500";
pub(crate) const P256: &str = "06072a8648ce3d020106082a8648ce3d030107";
pub(crate) const P384: &str = "06072a8648ce3d020106052b81040022";
pub(crate) const ED25519: &str = "06032b6570";

/// A `PUBLIC KEY` with this algorithm.
pub(crate) fn spki(algorithm: &str, key: &[u8]) -> String {
    let algorithm = tlv(0x30, &hex::decode(algorithm).unwrap());
    let bits = tlv(3, &[&[0], key].concat());
    pem("PUBLIC KEY", &tlv(0x30, &[algorithm, bits].concat()))
}

pub(crate) fn caller_key(pem: &str, profile: Profile, id: u128) -> CallerKey {
    let material = PublicKeys.read(pem, profile).unwrap().material;
    CallerKey {
        id: KeyId(Uuid::from_u128(id)),
        profile,
        material,
        expires_at: None,
        used: std::sync::Arc::default(),
    }
}

/// An RSA key pair.
pub(crate) struct Rsa {
    pair: KeyPair,
    pub(crate) pem: String,
}

impl Rsa {
    pub(crate) fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        // aws-lc-rs gives PKCS#1; both forms are read.
        let pem = pem("RSA PUBLIC KEY", pair.public_key().as_ref());
        Self { pair, pem }
    }

    pub(crate) fn modulus(&self) -> Vec<u8> {
        self.pair.public_key().modulus().big_endian_without_leading_zero().to_vec()
    }

    pub(crate) fn key(&self, profile: Profile) -> CallerKey {
        caller_key(&self.pem, profile, 1)
    }

    pub(crate) fn sign(&self, encoding: &'static dyn RsaEncoding, input: &str) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
        signature
    }

    pub(crate) fn token(&self, header: &str, payload: &str) -> String {
        let input = input(header, payload);
        let signature = self.sign(&RSA_PKCS1_SHA256, &input);
        join(&input, &signature)
    }
}

pub(crate) fn input(header: &str, payload: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

pub(crate) fn join(input: &str, signature: &[u8]) -> String {
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A signer of the strict profile.
pub(crate) enum Signer {
    Rs256(Rsa),
    Ps256(Rsa),
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl Signer {
    pub(crate) fn all() -> [Self; 4] {
        [
            Self::Rs256(Rsa::new()),
            Self::Ps256(Rsa::new()),
            Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            Self::EdDsa(Ed25519KeyPair::generate().unwrap()),
        ]
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rs256(_) => "RS256",
            Self::Ps256(_) => "PS256",
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
        }
    }

    pub(crate) fn pem(&self) -> String {
        match self {
            Self::Rs256(rsa) | Self::Ps256(rsa) => rsa.pem.clone(),
            Self::Es256(pair) => spki(P256, pair.public_key().as_ref()),
            Self::EdDsa(pair) => spki(ED25519, pair.public_key().as_ref()),
        }
    }

    pub(crate) fn sign(&self, input: &str) -> Vec<u8> {
        match self {
            Self::Rs256(rsa) => rsa.sign(&RSA_PKCS1_SHA256, input),
            Self::Ps256(rsa) => rsa.sign(&RSA_PSS_SHA256, input),
            Self::Es256(pair) => pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap().as_ref().to_vec(),
            Self::EdDsa(pair) => pair.sign(input.as_bytes()).as_ref().to_vec(),
        }
    }

    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let mut header = header.clone();
        header["alg"] = json!(self.algorithm());
        let input = input(&header.to_string(), &claims.to_string());
        let signature = self.sign(&input);
        join(&input, &signature)
    }
}
