//! Whether the ledger gets on.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// How long a batch may take before the ledger counts as stuck: several times what its tries together may.
const STUCK: Duration = Duration::from_secs(30);

/// What the task shows of itself: when the batch under way began.
pub(crate) struct Beat {
    started: Instant,
    /// Milliseconds after `started`; 0 while there is no batch.
    began: AtomicU64,
}

impl Beat {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), began: AtomicU64::new(0) }
    }

    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    pub(crate) fn begin(&self) {
        self.began.store(self.now(), Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.began.store(0, Ordering::Relaxed);
    }

    /// Whether the batch under way, if there is one, began lately.
    pub(crate) fn is_steady(&self) -> bool {
        let began = self.began.load(Ordering::Relaxed);
        began == 0 || u128::from(self.now().saturating_sub(began)) < STUCK.as_millis()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_batch_without_end_is_noticed() {
        let beat = Beat::new();
        tokio::time::advance(Duration::from_hours(1)).await;
        assert!(beat.is_steady(), "nobody asks");
        beat.begin();
        tokio::time::advance(STUCK / 2).await;
        assert!(beat.is_steady());
        tokio::time::advance(STUCK).await;
        assert!(!beat.is_steady());
        beat.end();
        assert!(beat.is_steady());
    }
}
