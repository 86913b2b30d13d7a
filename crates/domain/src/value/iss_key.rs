//! The Iss Key: the `iss` of an organisation's tokens. A secret of the organisation.

use std::fmt;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// 32 characters `[A-Za-z0-9]`, about 190 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct IssKey([u8; 32]);

impl IssKey {
    /// Draws a key from uniformly random bytes; `None` when they run out. A byte of 248 or more is skipped so that
    /// every character is equally likely; 64 bytes are ample.
    pub fn draw(entropy: impl IntoIterator<Item = u8>) -> Option<Self> {
        let mut fair = entropy.into_iter().filter(|b| *b < 248);
        let mut key = [0; 32];
        for slot in &mut key {
            *slot = ALPHABET[usize::from(fair.next()? % 62)];
        }
        Some(Self(key))
    }

    /// Reads a key as it came in a token or from the store.
    pub fn parse(text: &str) -> Option<Self> {
        let key: [u8; 32] = text.as_bytes().try_into().ok()?;
        key.iter().all(u8::is_ascii_alphanumeric).then_some(Self(key))
    }

    /// The key itself, to be shown to its owner, sealed, or hashed for look-up.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for IssKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssKey(…)")
    }
}
