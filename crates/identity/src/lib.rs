//! Officers' identity: the OpenID Connect provider that vouches for them, or their passwords and second factors here.
//!
//! Adapters of `IdentityProvider` and `Credentials`. This crate must never know HTTP's server side, SQL or the configuration.

mod credentials;
mod provider;

pub use credentials::{HashProblem, OfficerCredentials, totp_code};
pub use provider::{OpenIdProvider, ProviderProblem, ProviderSettings};
