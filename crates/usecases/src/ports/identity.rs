//! The identity provider of production: OpenID Connect, authorization code flow.

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// One try to sign in with the provider: a secret that only the browser which began keeps. Everything that the protocol
/// binds to this browser is derived from it, so that the server keeps nothing and any node can go on.
#[derive(Clone, PartialEq, Eq)]
pub struct SignInAttempt([u8; 32]);

impl SignInAttempt {
    /// From random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As the browser sent it; `None` for text that never is one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = hex::decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// For the browser's cookie.
    pub fn expose(&self) -> String {
        hex::encode(self.0)
    }

    /// `state`: the answer belongs to this browser (RFC 6749 §10.12).
    pub fn state(&self) -> String {
        self.derived("state")
    }

    /// `nonce`: the ID token was made for this attempt (OpenID Connect Core 1.0 §3.1.2.1).
    pub fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// `code_verifier`: the code is of use only to who began (RFC 7636 §4.1).
    pub fn code_verifier(&self) -> String {
        self.derived("code_verifier")
    }

    /// Whether `state` is of this attempt.
    pub fn is_state(&self, state: &str) -> bool {
        bool::from(self.state().as_bytes().ct_eq(state.as_bytes()))
    }

    fn derived(&self, name: &str) -> String {
        hex::encode(Sha256::new_with_prefix(name).chain_update(self.0).finalize())
    }
}

impl std::fmt::Debug for SignInAttempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignInAttempt(…)")
    }
}

/// Why the provider vouched for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It can't be reached, or its answer can't be understood: later it may.
    #[error("the identity provider gives no answer")]
    Unavailable,
    /// It refused the code, or what it says does not hold: the signature, for whom, by whom, until when.
    #[error("the identity provider's word does not hold")]
    Refused,
}

#[cfg_attr(test, allow(clippy::ref_option_ref, reason = "code made by mockall"))]
/// The identity provider.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Where the browser is sent to sign in.
    async fn authorization_url(&self, attempt: &SignInAttempt) -> Result<String, ProviderError>;

    /// The subject of an authorization code. MUST check the ID token as OpenID Connect Core 1.0 §3.1.3.7 says, with the
    /// attempt's nonce. `issuer` is what the answer names as its sender (RFC 9207), where it names one.
    async fn subject<'a>(
        &self,
        attempt: &'a SignInAttempt,
        code: &'a str,
        issuer: Option<&'a str>,
    ) -> Result<String, ProviderError>;
}
