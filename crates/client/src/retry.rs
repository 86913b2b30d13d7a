//! Which attempts are repeated, and after how long. Only the same token is ever repeated.

use std::time::Duration;

use backon::ExponentialBuilder;

use crate::{error::NotSent, reply::Reading, transport::Delivery};

/// Bounds of repeating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// How often the same token is sent again, at most.
    pub times: u32,
    /// The wait before the first repeat; it doubles, with jitter. A `Retry-After` that is longer counts instead.
    pub first_wait: Duration,
    /// The longest wait; a `Retry-After` beyond it ends the attempts. A token lasts three minutes, so more than that
    /// is of no use.
    pub longest_wait: Duration,
}

impl Retries {
    /// No repeats at all.
    pub const NONE: Self = Self { times: 0, first_wait: Duration::ZERO, longest_wait: Duration::ZERO };

    pub(crate) fn backoff(self) -> ExponentialBuilder {
        ExponentialBuilder::default()
            .with_min_delay(self.first_wait)
            .with_max_delay(self.longest_wait)
            .with_max_times(self.times as usize)
            .with_jitter()
    }

    /// Whether an attempt that ended so is repeated.
    pub(crate) fn apply_to(self, delivery: &Delivery) -> bool {
        match delivery {
            Delivery::NotSent(cause) => NotSent::may_pass(*cause),
            Delivery::Replied { reading: Reading::TooMany | Reading::Unavailable, retry_after, .. } => {
                retry_after.is_some_and(|wait| wait <= self.longest_wait)
            }
            Delivery::Replied { .. } | Delivery::Lost(_) => false,
        }
    }

    /// The wait before the next attempt: what the service asks for, or the next of the series when that is longer.
    pub(crate) fn wait(delivery: &Delivery, next: Option<Duration>) -> Option<Duration> {
        let asked = match delivery {
            Delivery::Replied { retry_after, .. } => *retry_after,
            Delivery::NotSent(_) | Delivery::Lost(_) => None,
        };
        next.map(|next| asked.map_or(next, |asked| asked.max(next)))
    }
}

impl Default for Retries {
    /// Three repeats, from 0.2 s on, none after a wait of more than 10 s.
    fn default() -> Self {
        Self { times: 3, first_wait: Duration::from_millis(200), longest_wait: Duration::from_secs(10) }
    }
}
