//! Passkeys of officers (W3C Web Authentication, Level 2): kept public halves, the challenge of a browser, who verifies.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{officer::OfficerId, value::PasskeyName};

use crate::ports::{AuditEntry, Officer, StoreError};

/// The public half of a passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyHalf {
    /// The credential's identity, 16 to 1023 bytes.
    pub credential: Vec<u8>,
    /// `SubjectPublicKeyInfo` in DER, of P-256, Ed25519 or RSA.
    pub public_key: Vec<u8>,
    /// How often its authenticator says it was used; 0 where it does not count.
    pub counter: u32,
}

/// A passkey of an officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Its public half.
    pub half: PasskeyHalf,
    /// What its officer calls it.
    pub name: PasskeyName,
    /// When it was added.
    pub added_at: DateTime<Utc>,
    /// When it was used last.
    pub used_at: Option<DateTime<Utc>>,
}

/// What a browser sends when a passkey was made, each as its bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PasskeyMade {
    /// `rawId`.
    pub credential: Vec<u8>,
    /// `response.clientDataJSON`.
    pub client_data: Vec<u8>,
    /// `response.getAuthenticatorData()`.
    pub authenticator_data: Vec<u8>,
    /// `response.getPublicKey()`.
    pub public_key: Vec<u8>,
}

/// What a browser sends when a passkey was used, each as its bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PasskeyUsed {
    /// `rawId`.
    pub credential: Vec<u8>,
    /// `response.clientDataJSON`.
    pub client_data: Vec<u8>,
    /// `response.authenticatorData`.
    pub authenticator_data: Vec<u8>,
    /// `response.signature`.
    pub signature: Vec<u8>,
}

/// A challenge for a browser: of 32 random bytes, with its end, bound to the browser's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyChallenge {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Verifies what browsers send.
#[cfg_attr(test, mockall::automock)]
pub trait PasskeyVerifier: Send + Sync {
    /// The host that passkeys are for: `rp.id`.
    fn host(&self) -> &str;

    /// The challenge that a browser's answer is for; none where it is not of this service's address and of the kind `wanted`
    /// (`webauthn.create` or `webauthn.get`).
    fn challenge(&self, client_data: &[u8], wanted: &str) -> Option<Vec<u8>>;

    /// The public half of a passkey that was made. MUST ask for the user's presence and verification, and for a key of P-256, Ed25519 or RSA
    /// of 2,048 bits at least. No attestation is asked for.
    fn made(&self, made: &PasskeyMade) -> Option<PasskeyHalf>;

    /// The counter, if this passkey signed. MUST ask for the user's presence and verification, and for a counter that grew where there
    /// is one.
    fn used(&self, half: &PasskeyHalf, used: &PasskeyUsed) -> Option<u32>;
}

/// Keeps passkeys, and which challenges were used.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Passkeys: Send + Sync {
    /// A challenge for a browser session; nothing is kept of it before it is used.
    fn issue(&self, session: [u8; 32], random: [u8; 32], expires_at: DateTime<Utc>) -> PasskeyChallenge;

    /// The challenge, if it was issued to this browser session.
    fn issued(&self, bytes: &[u8], session: [u8; 32]) -> Option<PasskeyChallenge>;

    /// An officer's passkeys, oldest first.
    async fn of_officer(&self, officer: OfficerId) -> Result<Vec<Passkey>, StoreError>;

    /// Whose passkey it is; none of an account that is closed, invited, or the identity provider's.
    async fn holder(&self, credential: &[u8]) -> Result<Option<(Officer, Passkey)>, StoreError>;

    /// Adds a passkey; `false`, and nothing is kept, where the challenge was used, the credential is known, the officer has `most`
    /// already, or the account was closed or got a new way to sign in since a code was taken. MUST hold under concurrency: no passkey
    /// outlives a new way to sign in.
    async fn add_passkey(
        &self,
        officer: OfficerId,
        passkey: &Passkey,
        challenge: &PasskeyChallenge,
        most: u32,
        entry: AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Removes one of an officer's passkeys; `false` where there is none.
    async fn remove_passkey(
        &self,
        officer: OfficerId,
        credential: &[u8],
        entry: AuditEntry,
    ) -> Result<bool, StoreError>;

    /// Notes a use; `false`, and nothing is noted, where the challenge was used, or the passkey was used meanwhile or is gone.
    async fn passkey_used(
        &self,
        half: &PasskeyHalf,
        counter: u32,
        challenge: &PasskeyChallenge,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
}
