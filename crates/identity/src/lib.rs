//! Officers' identity: the OpenID Connect provider that vouches for them, or their passwords and second factors here.
//!
//! Adapters of `IdentityProvider`, `Credentials` and `PasskeyVerifier`. This crate must never know HTTP's server side, SQL or the configuration.

mod credentials;
mod passkey;
mod provider;

pub use credentials::{HashProblem, OfficerCredentials, totp_code};
pub use passkey::Passkeys;
pub use provider::{OpenIdProvider, ProviderProblem, ProviderSettings};
