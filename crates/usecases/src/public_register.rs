//! The public register: which organisations may ask, for whom that concerns.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::ports::{Clock, PublicRegister, Publisher, RegisteredOrganisation, StoreError};

/// The register at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterNow {
    /// Those whose access is active, by number.
    pub organisations: Vec<RegisteredOrganisation>,
    /// When it was read.
    pub as_of: DateTime<Utc>,
}

/// Reads the public register, and signs what is published of it. Anybody may.
#[derive(Clone)]
pub struct PublishRegister {
    clock: Arc<dyn Clock>,
    register: Arc<dyn PublicRegister>,
    publisher: Arc<dyn Publisher>,
}

impl PublishRegister {
    /// Creates it with these ports.
    pub fn new(
        clock: Arc<dyn Clock>,
        register: Arc<dyn PublicRegister>,
        publisher: Arc<dyn Publisher>,
    ) -> Self {
        Self { clock, register, publisher }
    }

    /// The organisations that may ask now.
    ///
    /// # Errors
    /// The store's.
    pub async fn read(&self) -> Result<RegisterNow, StoreError> {
        Ok(RegisterNow { organisations: self.register.registered().await?, as_of: self.clock.now() })
    }

    /// The service's signature over a text that is published (Ed25519, RFC 8032).
    pub fn sign(&self, text: &str) -> [u8; 64] {
        self.publisher.sign(text.as_bytes())
    }

    /// The public key of the signature.
    pub fn public_key(&self) -> [u8; 32] {
        self.publisher.public_key()
    }
}
