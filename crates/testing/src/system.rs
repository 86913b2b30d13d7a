//! A clock that is set, and randomness that repeats.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, TimeZone, Utc};
use idcheck_usecases::ports::{Clock, Entropy};

/// Shows the time it was set to. Clones show the same time.
#[derive(Clone)]
pub struct FixedClock(Arc<Mutex<DateTime<Utc>>>);

impl Default for FixedClock {
    /// Ten in the morning of 23 November 2026 in Taipei, a Monday.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Utc.with_ymd_and_hms(2026, 11, 23, 2, 0, 0).unwrap())))
    }
}

impl FixedClock {
    pub fn set(&self, at: DateTime<Utc>) {
        *self.0.lock().unwrap() = at;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// Different bytes at each call, the same ones in each run.
#[derive(Default)]
pub struct SeededEntropy(AtomicU64);

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            let drawn = (z ^ (z >> 31)).to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }
}

/// Suspends nobody, whoever is found.
#[derive(Debug, Clone, Copy, Default)]
pub struct NobodySuspended;

impl idcheck_usecases::ports::Suspend for NobodySuspended {
    fn suspend(&self, _: Vec<idcheck_usecases::ports::FoundUser>) -> idcheck_usecases::ports::Suspensions {
        idcheck_usecases::ports::Suspensions::default()
    }
}

/// Moves no deadline, whatever the calendar says.
#[derive(Debug, Clone, Copy, Default)]
pub struct NothingMoved;

impl idcheck_usecases::ports::Redate for NothingMoved {
    fn redate(
        &self,
        _: &idcheck_domain::calendar::WorkingCalendar,
        _: idcheck_usecases::ports::RunningDeadlines,
    ) -> idcheck_usecases::ports::Redated {
        let audit = crate::builders::audit();
        idcheck_usecases::ports::Redated { audit, ..idcheck_usecases::ports::Redated::default() }
    }
}
