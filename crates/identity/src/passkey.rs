//! Passkeys (W3C Web Authentication, Level 2): what a browser sends is verified with the keys and the host that it is for.
//!
//! No attestation is asked for, so that nothing of a passkey has to be believed but its public key, which browsers hand over as
//! `SubjectPublicKeyInfo`: no CBOR is read here. The reasons are in `docs/adr/0029-passkeys.md`.

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{
        ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use idcheck_usecases::ports::{PasskeyHalf, PasskeyMade, PasskeyUsed, PasskeyVerifier};
use serde::Deserialize;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef, der::Decode};
use url::{Host, Url};

/// RFC 5480 §2.1.1, §2.1.1.1; RFC 8410 §3; RFC 8017 A.1.
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const EDDSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The user was there (Web Authentication §6.1, flags).
const PRESENT: u8 = 0x01;
/// The user was verified: by a finger, a face, a PIN.
const VERIFIED: u8 = 0x04;
/// A credential stands behind the counter.
const CREDENTIAL: u8 = 0x40;
/// RP ID hash, flags and counter.
const HEAD: usize = 37;
/// AAGUID and the length of the credential's identity.
const CREDENTIAL_HEAD: usize = 18;

/// Verifies passkeys for one address.
#[derive(Debug, Clone)]
pub struct Passkeys {
    host: String,
    origin: String,
}

/// `clientDataJSON` (Web Authentication §5.8.1).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

/// What an authenticator says (Web Authentication §6.1).
struct AuthenticatorData<'d> {
    counter: u32,
    /// Behind the head.
    rest: &'d [u8],
}

impl Passkeys {
    /// For the service's address as browsers see it; none where browsers know no passkeys: the host is an address, or neither TLS nor
    /// this computer is there.
    pub fn new(base_url: &str) -> Option<Self> {
        let url = Url::parse(base_url).ok()?;
        let Some(Host::Domain(host)) = url.host() else { return None };
        let secure = url.scheme() == "https" || host == "localhost";
        secure.then(|| Self { host: host.to_owned(), origin: url.origin().ascii_serialization() })
    }

    /// What an authenticator says, if it is for this host and the user was there and verified.
    fn said<'d>(&self, data: &'d [u8]) -> Option<AuthenticatorData<'d>> {
        let (head, rest) = data.split_at_checked(HEAD)?;
        let (host, head) = head.split_at(32);
        let flags = *head.first()?;
        let counter = u32::from_be_bytes(head.get(1..5)?.try_into().ok()?);
        let ours = host == digest(&SHA256, self.host.as_bytes()).as_ref();
        let verified = flags & (PRESENT | VERIFIED) == PRESENT | VERIFIED;
        let credential = flags & CREDENTIAL != 0;
        (ours && verified && (credential || rest.is_empty() || flags & 0x80 != 0))
            .then_some(AuthenticatorData { counter, rest: if credential { rest } else { &[] } })
    }
}

/// The algorithm of a key, and the key as it takes it; none for any other, or for one that is too weak.
fn key(der: &[u8]) -> Option<(&'static dyn VerificationAlgorithm, &[u8])> {
    let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    let bytes = info.subject_public_key.as_bytes()?;
    match info.algorithm.oid {
        EC if info.algorithm.parameters_oid().ok()? == P256 => Some((&ECDSA_P256_SHA256_ASN1, bytes)),
        EDDSA => Some((&ED25519, bytes)),
        RSA => Some((&RSA_PKCS1_2048_8192_SHA256, bytes)),
        _ => None,
    }
}

impl PasskeyVerifier for Passkeys {
    fn host(&self) -> &str {
        &self.host
    }

    fn challenge(&self, client_data: &[u8], wanted: &str) -> Option<Vec<u8>> {
        let data: ClientData = serde_json::from_slice(client_data).ok()?;
        let ours = data.r#type == wanted && data.origin == self.origin && !data.cross_origin;
        URL_SAFE_NO_PAD.decode(data.challenge).ok().filter(|_| ours)
    }

    fn made(&self, made: &PasskeyMade) -> Option<PasskeyHalf> {
        let said = self.said(&made.authenticator_data)?;
        let (head, rest) = said.rest.split_at_checked(CREDENTIAL_HEAD)?;
        let length = usize::from(u16::from_be_bytes(head.get(16..18)?.try_into().ok()?));
        let credential = rest.get(..length)?;
        let named = credential == made.credential && (16..=1023).contains(&length);
        let (algorithm, bytes) = key(&made.public_key)?;
        let usable = UnparsedPublicKey::new(algorithm, bytes).parse().is_ok();
        (named && usable).then(|| PasskeyHalf {
            credential: made.credential.clone(),
            public_key: made.public_key.clone(),
            counter: said.counter,
        })
    }

    fn used(&self, half: &PasskeyHalf, used: &PasskeyUsed) -> Option<u32> {
        let said = self.said(&used.authenticator_data)?;
        let (algorithm, bytes) = key(&half.public_key)?;
        let client_data = digest(&SHA256, &used.client_data);
        let signed = [used.authenticator_data.as_slice(), client_data.as_ref()].concat();
        UnparsedPublicKey::new(algorithm, bytes).verify(&signed, &used.signature).ok()?;
        // WebAuthn §7.2 step 21: a counter that did not grow may be a copy's.
        let grew = said.counter > half.counter || (said.counter, half.counter) == (0, 0);
        grew.then_some(said.counter)
    }
}

#[cfg(test)]
mod tests;
