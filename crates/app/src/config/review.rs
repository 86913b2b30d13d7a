//! `[review]`: how cases are decided.

use serde::{Deserialize, Serialize};

/// How cases are decided.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReviewConfig {
    /// Whether an `API申請` is approved by two officers: one proposes, another one approves. To be the same on all nodes.
    pub(crate) two_officers: bool,
}
