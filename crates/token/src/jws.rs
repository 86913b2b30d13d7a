//! JWS in compact form (RFC 7515 §7.1), read strictly.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use idcheck_domain::key::Profile;
use idcheck_usecases::ports::{CallerKey, TokenRefusal};

use crate::claims::Members;

/// Longest token taken: headers as a whole are bounded at 16 KiB.
const MAX_TOKEN: usize = 12 * 1024;

self_cell::self_cell!(
    /// The payload with the members that borrow from it, if it is an object.
    struct Payload {
        owner: Vec<u8>,
        #[covariant]
        dependent: Claims,
    }
);

type Claims<'p> = Option<Members<'p>>;

/// A token taken apart, once; nothing in it is trusted.
pub(crate) struct Compact<'t> {
    /// What is signed: the first two parts as they were sent.
    signing_input: &'t str,
    algorithm: &'static str,
    pub(crate) key_id: Option<String>,
    payload: Payload,
    signature: Vec<u8>,
}

/// What a header says that is listened to: never a key, nor where to get one.
struct Header {
    algorithm: &'static str,
    key_id: Option<String>,
}

/// The algorithms that some key has; no key has another.
const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];

impl Header {
    /// Reads a header. One that must be understood (`crit`, RFC 7515 §4.1.11) is not, nor a `kid` that is no text.
    fn parse(json: &[u8]) -> Option<Self> {
        let header = Members::parse(json)?;
        if header.get("crit").is_some() {
            return None;
        }
        let key_id = match header.get("kid") {
            None => None,
            Some(_) => Some(header.text("kid")?.to_owned()),
        };
        let algorithm = header.text("alg")?;
        let algorithm = ALGORITHMS.into_iter().find(|known| *known == algorithm).unwrap_or_default();
        Some(Self { algorithm, key_id })
    }
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
        let Header { algorithm, key_id } = Header::parse(&decode(header)?)?;
        let payload = Payload::new(decode(payload)?, |json| Members::parse(json));
        Some(Self { signing_input, algorithm, key_id, payload, signature: decode(signature)? })
    }

    pub(crate) fn claims(&self) -> Result<&Members<'_>, TokenRefusal> {
        self.payload.borrow_dependent().as_ref().ok_or(TokenRefusal::Malformed)
    }

    /// Check 4: a signature by one of the organisation's keys of `profile` that has not ended, with the algorithm pinned to it.
    pub(crate) fn signed<'k>(
        &self,
        profile: Profile,
        mut keys: impl Iterator<Item = &'k CallerKey>,
        now: DateTime<Utc>,
    ) -> Result<(), TokenRefusal> {
        let message = self.signing_input.as_bytes();
        let key = keys.find(|key| {
            key.profile == profile
                && key.expires_at.is_none_or(|end| now < end)
                && key.material.verify(self.algorithm, message, &self.signature)
        });
        key.ok_or(TokenRefusal::SignatureInvalid)?.used.note(now);
        Ok(())
    }
}
