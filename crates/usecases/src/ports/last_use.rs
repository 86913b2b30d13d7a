//! When keys and host addresses were used last: noted in memory by the one who checks a query, kept once a minute.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicI64, Ordering::Relaxed},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{key::KeyId, value::UnifiedBusinessNumber};

use crate::ports::StoreError;

/// When this process saw something used last, to the second or so: a query that comes within a second of the one before writes
/// nothing, so that cores don't wait for each other.
#[derive(Debug, Default)]
pub struct LastUse {
    /// Microseconds since 1970; 0 for never.
    seen: AtomicI64,
    /// What of it is kept.
    kept: AtomicI64,
}

/// Microseconds within which it is not written again.
const APART: i64 = 1_000_000;

impl LastUse {
    /// Notes a use.
    pub fn note(&self, at: DateTime<Utc>) {
        let at = at.timestamp_micros();
        if at - self.seen.load(Relaxed) >= APART {
            self.seen.store(at, Relaxed);
        }
    }

    /// What is to be kept: the last use, if it is newer than what is kept.
    pub(crate) fn news(&self) -> Option<DateTime<Utc>> {
        let seen = self.seen.load(Relaxed);
        (seen > self.kept.load(Relaxed)).then(|| DateTime::from_timestamp_micros(seen)).flatten()
    }

    pub(crate) fn is_kept(&self, at: DateTime<Utc>) {
        self.kept.store(at.timestamp_micros(), Relaxed);
    }
}

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// A key.
    Key(KeyId),
    /// A host address, in production.
    Address(IpAddr),
}

/// A last use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptUse {
    /// Whose.
    pub ubn: UnifiedBusinessNumber,
    /// Of what.
    pub used: Used,
    /// When.
    pub at: DateTime<Utc>,
}

/// Last uses.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait LastUses: Send + Sync {
    /// Keeps them; an older one never replaces a newer, whatever node it comes from.
    async fn keep_uses(&self, uses: &[KeptUse]) -> Result<(), StoreError>;

    /// All of an organisation.
    async fn uses_of(&self, ubn: UnifiedBusinessNumber) -> Result<Vec<KeptUse>, StoreError>;
}
