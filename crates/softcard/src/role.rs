//! The two cards that a company can have.

use serde::{Deserialize, Serialize};

/// 正卡 or 附卡.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CardRole {
    Primary,
    Secondary,
}

impl CardRole {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }
}
