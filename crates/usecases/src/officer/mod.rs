//! Officers: their accounts, and how they sign in.

mod invitation;
mod keep;
mod passkey;
mod sign_in;

pub use invitation::{Invitation, InvitationRefusal};
pub use keep::{
    INVITATION_HOURS, KeepOfficers, KeptBy, NewCredential, OfficerRefusal, SecondFactor, ShownOnce,
};
pub use passkey::{MAX_PASSKEYS, PasskeyRefusal};
pub use sign_in::{
    FAILURE_LIMIT, IDLE_MINUTES, LOCK_MINUTES, OpenedSession, ProviderAnswer, SESSION_HOURS, SignIn,
    SignInRefusal,
};

use std::sync::Arc;

use crate::ports::{
    Changes, Clock, Credentials, Entropy, IdentityProvider, OfficerSessions, Officers, PasskeyVerifier,
    Passkeys,
};

/// What officers' accounts need.
#[derive(Clone)]
pub struct OfficerPorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Accounts.
    pub officers: Arc<dyn Officers>,
    /// Sessions.
    pub sessions: Arc<dyn OfficerSessions>,
    /// Passwords and second factors.
    pub credentials: Arc<dyn Credentials>,
    /// The audit log.
    pub changes: Arc<dyn Changes>,
    /// How officers sign in.
    pub methods: SignInMethods,
    /// Passkeys; none where browsers know none: without a host name or TLS.
    pub passkeys: Option<PasskeyPorts>,
}

/// What passkeys need.
#[derive(Clone)]
pub struct PasskeyPorts {
    /// Who verifies them.
    pub verifier: Arc<dyn PasskeyVerifier>,
    /// Where they are kept.
    pub store: Arc<dyn Passkeys>,
}

/// How officers sign in.
#[derive(Clone)]
pub enum SignInMethods {
    /// With password and second factor.
    Local,
    /// Through the identity provider.
    Provider {
        /// The provider.
        provider: Arc<dyn IdentityProvider>,
        /// Whether local accounts still count, for the day on which the provider is down.
        local: bool,
    },
}

impl SignInMethods {
    /// Whether password and second factor count.
    pub const fn local(&self) -> bool {
        matches!(self, Self::Local | Self::Provider { local: true, .. })
    }

    /// The identity provider, where there is one.
    pub const fn provider(&self) -> Option<&Arc<dyn IdentityProvider>> {
        match self {
            Self::Local => None,
            Self::Provider { provider, .. } => Some(provider),
        }
    }
}
