//! What a process does.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A part of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Role {
    /// Pages and calls of applicants.
    Portal,
    /// Pages and calls of officers.
    Officer,
    /// The verification API.
    Verify,
    /// What nobody waits for: mail, reminders, notices, the sweep, removal of what ended.
    Worker,
}
