//! `[log]`: what is logged, and how.

use serde::{Deserialize, Serialize};

/// Logs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// A filter such as `info` or `idcheck_persistence=debug,info`.
    pub(crate) filter: String,
    /// One JSON object a line.
    pub(crate) json: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), json: false }
    }
}
