//! `[limits]`: limits of the verification API and of sign-in.

use serde::{Deserialize, Serialize};

/// Limits: of the verification API, and of what anybody may ask for without being known.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsConfig {
    /// Queries a second of one organisation, on each node.
    pub(crate) rate_per_organisation: u32,
    /// Queries a second from one address, on each node.
    pub(crate) rate_per_address: u32,
    /// Queries of one organisation a Taipei day, over all nodes.
    pub(crate) quota: u32,
    /// Wrong answers of one organisation a Taipei day, over all nodes.
    pub(crate) budget: u32,
    /// Challenges a minute from one address, on each node.
    pub(crate) challenges_per_address: u32,
    /// Changes of drafts a minute from one address, on each node.
    pub(crate) draft_changes_per_address: u32,
    /// Signatures sent in a minute from one address, on each node.
    pub(crate) proofs_per_address: u32,
    /// Tries to sign in as an officer in a minute from one address, on each node.
    pub(crate) sign_ins_per_address: u32,
    /// Queries a minute from one address that are refused before their signature is known to be a caller's, on each node;
    /// over it an answer is 429 and there is no record.
    pub(crate) refused_per_address: u32,
    /// Challenges of one organisation, asked for from one address, that wait for their signature; over all nodes.
    pub(crate) open_challenges: u32,
    /// Challenges of all organisations, asked for from one address, that wait for their signature; over all nodes.
    pub(crate) open_challenges_per_address: u32,
    /// Drafts from one address that are kept; over all nodes.
    pub(crate) drafts_per_address: u32,
    /// Files from one address that wait for their signature; over all nodes.
    pub(crate) files_per_address: u32,
    /// Files that wait for their signature in all, of 5 MiB at most; over all nodes.
    pub(crate) files: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            rate_per_organisation: 50,
            rate_per_address: 50,
            quota: 100_000,
            budget: 300,
            challenges_per_address: 30,
            draft_changes_per_address: 240,
            proofs_per_address: 30,
            sign_ins_per_address: 20,
            refused_per_address: 60,
            open_challenges: 20,
            open_challenges_per_address: 60,
            drafts_per_address: 200,
            files_per_address: 40,
            files: 400,
        }
    }
}
