//! How long answers take: measured around the ledger, summed up in memory, handed on to the store from time to time.
//!
//! These are figures for charts, not records: what was not handed on before the process ended is lost.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use idcheck_domain::{key::Environment, taipei, usage::Latency};
use idcheck_usecases::ports::{
    Ask, LatencyKey, Ledger, LedgerAnswer, LedgerEntry, LedgerError, StoreError, UsageCounts,
};

/// What was measured and not handed on yet.
#[derive(Clone, Default)]
pub(crate) struct Latencies(Arc<Mutex<BTreeMap<LatencyKey, u64>>>);

impl Latencies {
    fn add(&self, key: LatencyKey) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
    }

    /// Hands on what was measured; what the store did not take is kept for the next time.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn hand_on(&self, store: &dyn UsageCounts) -> Result<(), StoreError> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let handed_on = store.add_latencies(&counts).await;
        if handed_on.is_err() {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (key, answers) in counts {
                *waiting.entry(key).or_default() += answers;
            }
        }
        handed_on
    }
}

/// A ledger whose answers in production are timed, from the checked token to the durable record.
pub(crate) struct TimedLedger<L> {
    ledger: L,
    latencies: Latencies,
}

impl<L> TimedLedger<L> {
    pub(crate) const fn new(ledger: L, latencies: Latencies) -> Self {
        Self { ledger, latencies }
    }
}

#[async_trait]
impl<L: Ledger> Ledger for TimedLedger<L> {
    async fn record(&self, entry: LedgerEntry) -> Result<LedgerAnswer, LedgerError> {
        let timed = entry.environment == Environment::Production && matches!(entry.ask, Ask::Card { .. });
        let (ubn, day) = (entry.ubn, taipei::day(entry.at));
        let begun = Instant::now();
        let answer = self.ledger.record(entry).await?;
        if timed {
            let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.latencies.add((ubn, day, Latency::class(micros)));
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use idcheck_domain::{usage::Period, value::UnifiedBusinessNumber};
    use idcheck_persistence::{Store, Vault};

    use super::*;
    use crate::system::SystemClock;

    #[tokio::test]
    async fn what_the_store_did_not_take_is_handed_on_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("x.db").display());
        let store = Store::create(&url, Vault::new(&[7; 32]).unwrap(), Arc::new(SystemClock)).await.unwrap();
        let (latencies, ubn) = (Latencies::default(), UnifiedBusinessNumber::parse("04595257").unwrap());
        let day = "2026-11-23".parse().unwrap();
        latencies.add((ubn, day, 2));
        // There is no table yet.
        assert!(latencies.hand_on(&store).await.is_err());
        store.migrate_up().await.unwrap();
        latencies.add((ubn, day, 2));
        latencies.hand_on(&store).await.unwrap();
        latencies.hand_on(&store).await.unwrap();
        let counted = store.latency(None, Period::new(day, day).unwrap()).await.unwrap();
        assert_eq!((counted.answers(), counted.classes()[2]), (2, 2));
    }
}
