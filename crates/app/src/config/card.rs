//! `[card]`: how card certificates are judged.

use serde::{Deserialize, Serialize};

/// How card certificates are judged, and how their revocation status is got.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Card {
    /// `ocspThenCrl`, `crlThenOcsp` or `crlOnly`.
    pub(crate) revocation: Order,
    /// Whether lists and OCSP answers are fetched from the addresses in the certificates; else only `crls/` counts.
    pub(crate) fetch: bool,
    /// Seconds that one request may take.
    pub(crate) fetch_timeout: u64,
    /// Bytes that one list may have.
    pub(crate) max_list_bytes: usize,
    /// Seconds between two requests to one address.
    pub(crate) fetch_interval: u64,
    /// Seconds after which lists that were fetched are fetched again, so that no applicant waits for them.
    pub(crate) refresh_interval: u64,
    /// Whether signatures with SHA-1 count: only for cards that can't do otherwise.
    pub(crate) allow_sha1: bool,
    /// Certificate policies of which a path needs one; empty is any.
    pub(crate) policies: Vec<String>,
    /// Seconds in which a challenge can be signed.
    pub(crate) challenge_seconds: u32,
}

/// Whom to ask about revocation first.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Order {
    /// The responder, and lists where it gives no answer.
    OcspThenCrl,
    /// Lists, and the responder where no current one covers the certificate.
    CrlThenOcsp,
    /// Only lists.
    CrlOnly,
}

impl Default for Card {
    fn default() -> Self {
        Self {
            revocation: Order::CrlThenOcsp,
            fetch: true,
            fetch_timeout: 5,
            max_list_bytes: 32 * 1024 * 1024,
            fetch_interval: 60,
            refresh_interval: 600,
            allow_sha1: false,
            policies: Vec::new(),
            challenge_seconds: 15 * 60,
        }
    }
}
