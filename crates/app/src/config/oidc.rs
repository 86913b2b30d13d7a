//! `[oidc]`: sign-in through an identity provider.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Officers' sign-in through an identity provider (OpenID Connect); without `issuer` officers sign in with password and
/// second factor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Oidc {
    /// The provider's issuer identifier, exactly as it calls itself.
    pub(crate) issuer: Option<String>,
    /// What the provider calls this service.
    pub(crate) client_id: String,
    /// A file with the secret that the provider gave; none for a public client.
    pub(crate) client_secret_file: Option<PathBuf>,
    /// Ways of signing in (`acr`) of which the provider must name one, such as one with a second factor; empty is any.
    pub(crate) acr: Vec<String>,
    /// Whether accounts with password and second factor still count beside the provider's.
    pub(crate) local_accounts: bool,
    /// Seconds that one request to the provider may take.
    pub(crate) timeout: u64,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            issuer: None,
            client_id: String::new(),
            client_secret_file: None,
            acr: Vec::new(),
            local_accounts: false,
            timeout: 5,
        }
    }
}
