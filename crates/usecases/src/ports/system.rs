//! Time and randomness.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The one clock of a process. Every time in a decision comes from one reading of it.
#[cfg_attr(test, mockall::automock)]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// Cryptographically secure randomness.
#[cfg_attr(test, mockall::automock)]
pub trait Entropy: Send + Sync {
    /// Fills `bytes`. MUST come from the operating system's generator or one seeded by it.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// A fresh `UUIDv7` (RFC 9562 §5.7) of the moment `at`.
    pub fn uuid(&self, at: DateTime<Utc>) -> Uuid {
        let mut random = [0; 10];
        self.fill(&mut random);
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
