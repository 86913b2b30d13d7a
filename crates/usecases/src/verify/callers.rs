//! The snapshot of callers: everything that a query is checked against before the ledger, in memory.
//!
//! Readers never wait. A refresh reads the store's epoch, and only when it grew loads all callers; keys that did not
//! change are not parsed again.

use std::{
    collections::HashMap,
    net::IpAddr,
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

use crate::ports::{
    CallerKey, CallerKeyRecord, CallerRecord, CallerSource, KeptUse, KeyReader, LastUse, LastUses, Standing,
    StoreError, Used,
};

/// A caller as the checks need it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// What its Iss Key opens.
    pub standing: Standing,
    /// Its keys that were not withdrawn.
    pub keys: Vec<CallerKey>,
    /// When it asked last from each of its addresses.
    addresses: Vec<(IpAddr, Arc<LastUse>)>,
}

impl Caller {
    /// Notes a query from one of its addresses.
    pub(crate) fn asked_from(&self, address: IpAddr, at: DateTime<Utc>) {
        if let Some((_, used)) = self.addresses.iter().find(|(known, _)| *known == address) {
            used.note(at);
        }
    }

    fn last_uses(&self) -> impl Iterator<Item = (Used, &Arc<LastUse>)> {
        let keys = self.keys.iter().map(|key| (Used::Key(key.id), &key.used));
        keys.chain(self.addresses.iter().map(|(address, used)| (Used::Address(*address), used)))
    }
}

/// What of the callers before goes on to be used.
#[derive(Default)]
struct Known {
    keys: HashMap<KeyId, CallerKey>,
    addresses: HashMap<(UnifiedBusinessNumber, IpAddr), Arc<LastUse>>,
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
        let known = self.known();
        let callers = loaded.callers.into_iter().map(|record| self.caller(record, &known)).collect();
        self.callers.store(Arc::new(callers));
        self.damaged.store(loaded.damaged, Ordering::Relaxed);
        // After the callers: a query that reads this epoch finds callers of it.
        self.epoch.store(epoch, Ordering::Release);
        self.current_at.store(Some(Arc::new(asked_at)));
        Ok(())
    }

    fn known(&self) -> Known {
        let mut known = Known::default();
        for caller in self.callers.load().values() {
            known.keys.extend(caller.keys.iter().map(|key| (key.id, key.clone())));
            let addresses =
                caller.addresses.iter().map(|(address, used)| ((caller.ubn, *address), Arc::clone(used)));
            known.addresses.extend(addresses);
        }
        known
    }

    /// Keeps what was used since it was kept last.
    ///
    /// # Errors
    /// The store's; the next turn keeps it.
    pub async fn keep_uses(&self, store: &dyn LastUses) -> Result<(), StoreError> {
        let callers = self.callers.load_full();
        let mut news = Vec::new();
        for caller in callers.values() {
            let used = caller.last_uses().filter_map(|(used, last)| Some((used, last, last.news()?)));
            news.extend(used.map(|(used, last, at)| (KeptUse { ubn: caller.ubn, used, at }, last)));
        }
        let uses: Vec<_> = news.iter().map(|(kept, _)| *kept).collect();
        if !uses.is_empty() {
            store.keep_uses(&uses).await?;
        }
        for (kept, last) in news {
            last.is_kept(kept.at);
        }
        Ok(())
    }

    /// A key that no longer reads is left out: its tokens are refused, the others' are not.
    fn caller(&self, record: CallerRecord, known: &Known) -> (String, Arc<Caller>) {
        let mut keys = Vec::with_capacity(record.keys.len());
        for CallerKeyRecord { id, profile, pem, expires_at } in record.keys {
            let key = known.keys.get(&id).cloned().or_else(|| {
                let material = self.keys.read(&pem, profile).ok()?.material;
                Some(CallerKey { id, profile, material, expires_at, used: Arc::default() })
            });
            if let Some(key) = key {
                keys.push(key);
            } else {
                tracing::error!(key = %id.0, "a registered key can't be read");
            }
        }
        let addresses = match &record.standing {
            Standing::Sandbox => Vec::new(),
            Standing::Production { addresses, .. } => {
                let next = addresses.next.iter().flat_map(|next| next.addresses.as_slice());
                let all = addresses.current.as_slice().iter().chain(next).map(|host| host.ip());
                let used = |address: IpAddr| {
                    known.addresses.get(&(record.ubn, address)).cloned().unwrap_or_default()
                };
                all.map(|address| (address, used(address))).collect()
            }
        };
        let caller = Caller { ubn: record.ubn, standing: record.standing, keys, addresses };
        (record.iss_key.expose().to_owned(), Arc::new(caller))
    }
}
