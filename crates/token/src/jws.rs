//! JWS in compact form (RFC 7515 §7.1), read strictly.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::claims::Members;

/// Longest token taken: headers as a whole are bounded at 16 KiB.
const MAX_TOKEN: usize = 12 * 1024;

/// A token taken apart; nothing in it is trusted.
pub(crate) struct Compact<'t> {
    /// What is signed: the first two parts as they were sent.
    pub(crate) signing_input: &'t str,
    header: Vec<u8>,
    payload: Vec<u8>,
    /// The signature.
    pub(crate) signature: Vec<u8>,
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

    /// The `alg` of the header. A header that must be understood (`crit`, RFC 7515 §4.1.11) is not.
    pub(crate) fn algorithm(&self) -> Option<String> {
        let header = Members::parse(&self.header)?;
        if header.get("crit").is_some() {
            return None;
        }
        header.text("alg").map(str::to_owned)
    }

    /// The claims.
    pub(crate) fn claims(&self) -> Option<Members<'_>> {
        Members::parse(&self.payload)
    }
}
