//! `[retention]`: how long data are kept.

use serde::{Deserialize, Serialize};

/// How long things are kept, in days. Strikes go by themselves, the rest with `idcheck retention run`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// Records of queries.
    pub(crate) records: u32,
    /// Mails that were sent or given up.
    pub(crate) mails: u32,
    /// An organisation with its cases, notices and keys, after its access ended and its last case was closed.
    pub(crate) organisations: u32,
    /// Wrong answers about an ID number, and what users and numbers are counted by for notices.
    pub(crate) strikes: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { records: 2 * 365, mails: 365, organisations: 3653, strikes: 35 }
    }
}
