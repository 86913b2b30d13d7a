//! The public register of organisations that may ask.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::value::{CompanyName, Purpose, UnifiedBusinessNumber};

use crate::ports::StoreError;

/// An organisation whose access is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredOrganisation {
    /// Its number.
    pub ubn: UnifiedBusinessNumber,
    /// Its name.
    pub name: CompanyName,
    /// What it asks for, and by which rule.
    pub purpose: Purpose,
    /// Since when it may.
    pub since: DateTime<Utc>,
}

/// The organisations of the public register.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait PublicRegister: Send + Sync {
    /// Those whose access is active now, by number. Contacts and addresses are not in it.
    async fn registered(&self) -> Result<Vec<RegisteredOrganisation>, StoreError>;
}

/// Signs what the service publishes, with a key of its own (Ed25519, RFC 8032).
#[cfg_attr(test, mockall::automock)]
pub trait Publisher: Send + Sync {
    /// The signature of a message.
    fn sign(&self, message: &[u8]) -> [u8; 64];

    /// The public key.
    fn public_key(&self) -> [u8; 32];
}
