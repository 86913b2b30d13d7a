//! JWS in compact form (RFC 7515 §7.1), read strictly.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use idcheck_domain::key::Profile;
use idcheck_usecases::ports::{CallerKey, TokenRefusal};

use crate::claims::Members;

/// Longest token taken: headers as a whole are bounded at 16 KiB.
const MAX_TOKEN: usize = 12 * 1024;

/// A token taken apart; nothing in it is trusted.
pub(crate) struct Compact<'t> {
    /// What is signed: the first two parts as they were sent.
    signing_input: &'t str,
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What a header says that is listened to: never a key, nor where to get one.
pub(crate) struct Header {
    pub(crate) algorithm: String,
    pub(crate) key_id: Option<String>,
}

impl<'t> Compact<'t> {
    /// Takes a token apart: exactly three parts, each base64url without padding.
    pub(crate) fn parse(token: &'t str) -> Option<Self> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let (signing_input, signature) = token.rsplit_once('.')?;
        let (header, payload) = signing_input.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        Some(Self {
            signing_input,
            header: decode(header)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    /// The header. One that must be understood (`crit`, RFC 7515 §4.1.11) is not, nor a `kid` that is no text.
    pub(crate) fn header(&self) -> Option<Header> {
        let header = Members::parse(&self.header)?;
        if header.get("crit").is_some() {
            return None;
        }
        let key_id = match header.get("kid") {
            None => None,
            Some(_) => Some(header.text("kid")?.to_owned()),
        };
        Some(Header { algorithm: header.text("alg")?.to_owned(), key_id })
    }

    /// The claims.
    pub(crate) fn claims(&self) -> Option<Members<'_>> {
        Members::parse(&self.payload)
    }

    /// Check 4: a signature by one of the organisation's keys of `profile`, with the algorithm pinned to it.
    pub(crate) fn signed<'k>(
        &self,
        algorithm: &str,
        profile: Profile,
        mut keys: impl Iterator<Item = &'k CallerKey>,
    ) -> Result<(), TokenRefusal> {
        let message = self.signing_input.as_bytes();
        let signed = keys
            .any(|key| key.profile == profile && key.material.verify(algorithm, message, &self.signature));
        if signed { Ok(()) } else { Err(TokenRefusal::SignatureInvalid) }
    }
}
