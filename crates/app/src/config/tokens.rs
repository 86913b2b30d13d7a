//! `[tokens]`: times of tokens.

use serde::{Deserialize, Serialize};

/// Times that tokens of the verification API must keep (check 5), in seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TokensConfig {
    /// How far a caller's clock may be off.
    pub(crate) skew: u32,
    /// Longest time from `iat` to `exp`, legacy profile.
    pub(crate) legacy_span: u32,
    /// The same, strict profile.
    pub(crate) strict_span: u32,
}

impl Default for TokensConfig {
    fn default() -> Self {
        Self { skew: 300, legacy_span: 3600, strict_span: 300 }
    }
}
