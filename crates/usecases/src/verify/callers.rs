//! The snapshot of callers: everything that a query is checked against before the ledger, in memory.
//!
//! Readers never wait. A refresh reads the store's epoch, and only when it grew loads all callers; keys that did not
//! change are not parsed again.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use chrono::{DateTime, Utc};
use idcheck_domain::{key::KeyId, value::UnifiedBusinessNumber};
use tokio::time::Instant;

use crate::ports::{CallerKey, CallerRecord, CallerSource, KeyMaterial, KeyReader, Standing, StoreError};

/// A caller as the checks need it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// What its Iss Key opens.
    pub standing: Standing,
    /// Its keys in force.
    pub keys: Vec<CallerKey>,
}

type Callers = HashMap<String, Arc<Caller>>;

/// Callers by Iss Key.
pub struct CallerSnapshot {
    source: Arc<dyn CallerSource>,
    keys: Arc<dyn KeyReader>,
    callers: ArcSwap<Callers>,
    epoch: AtomicI64,
    /// When the store was last found to hold nothing newer.
    current_at: ArcSwapOption<Instant>,
    damaged: AtomicUsize,
    /// Microseconds since 1970; tokens issued before are refused.
    restored_at: AtomicI64,
    refreshing: tokio::sync::Mutex<()>,
}

impl CallerSnapshot {
    /// An empty snapshot; [`refresh`](Self::refresh) fills it.
    pub fn new(source: Arc<dyn CallerSource>, keys: Arc<dyn KeyReader>) -> Self {
        Self {
            source,
            keys,
            callers: ArcSwap::default(),
            epoch: AtomicI64::new(-1),
            current_at: ArcSwapOption::empty(),
            damaged: AtomicUsize::new(0),
            restored_at: AtomicI64::new(i64::MIN),
            refreshing: tokio::sync::Mutex::new(()),
        }
    }

    /// The caller with this Iss Key.
    pub fn find(&self, iss: &str) -> Option<Arc<Caller>> {
        self.callers.load().get(iss).cloned()
    }

    /// The epoch of the store that the snapshot is of, at least: what is read from it afterwards may be newer.
    pub fn epoch(&self) -> i64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Whether the store was asked lately, so that what is answered from here is not long over.
    pub fn is_current(&self) -> bool {
        self.current_at.load().as_ref().is_some_and(|at| at.elapsed() < Self::MAX_AGE)
    }

    /// How long the snapshot counts after the store was last asked.
    pub const MAX_AGE: Duration = Duration::from_secs(10);

    /// Organisations that can't be read and whose queries are refused.
    pub fn damaged(&self) -> usize {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Whether a token issued then may have been spent in the time that a restored backup does not know (threat 26).
    pub fn forgot(&self, valid_from: DateTime<Utc>) -> bool {
        valid_from.timestamp_micros() < self.restored_at.load(Ordering::Acquire)
    }

    /// Loads what changed since the last refresh; on return every change committed before the call is in force.
    ///
    /// # Errors
    /// The store's; the snapshot stays as it was.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.refreshing.lock().await;
        let asked_at = Instant::now();
        let epoch = self.source.epoch().await?;
        if epoch == self.epoch.load(Ordering::Acquire) {
            self.current_at.store(Some(Arc::new(asked_at)));
            return Ok(());
        }
        let loaded = self.source.load().await?;
        if let Some(at) = self.source.restored_at().await? {
            self.restored_at.store(at.timestamp_micros(), Ordering::Release);
        }
        let known = self.parsed_keys();
        let callers = loaded.callers.into_iter().map(|record| self.caller(record, &known)).collect();
        self.callers.store(Arc::new(callers));
        self.damaged.store(loaded.damaged, Ordering::Relaxed);
        // After the callers: a query that reads this epoch finds callers of it.
        self.epoch.store(epoch, Ordering::Release);
        self.current_at.store(Some(Arc::new(asked_at)));
        Ok(())
    }

    fn parsed_keys(&self) -> HashMap<KeyId, Arc<dyn KeyMaterial>> {
        let callers = self.callers.load();
        callers.values().flat_map(|c| &c.keys).map(|k| (k.id, Arc::clone(&k.material))).collect()
    }

    /// A key that no longer reads is left out: its tokens are refused, the others' are not.
    fn caller(
        &self,
        record: CallerRecord,
        known: &HashMap<KeyId, Arc<dyn KeyMaterial>>,
    ) -> (String, Arc<Caller>) {
        let mut keys = Vec::with_capacity(record.keys.len());
        for (id, profile, pem) in record.keys {
            let material =
                known.get(&id).cloned().or_else(|| Some(self.keys.read(&pem, profile).ok()?.material));
            if let Some(material) = material {
                keys.push(CallerKey { id, profile, material });
            } else {
                tracing::error!(key = %id.0, "a registered key can't be read");
            }
        }
        let caller = Caller { ubn: record.ubn, standing: record.standing, keys };
        (record.iss_key.expose().to_owned(), Arc::new(caller))
    }
}
