//! Rates of queries, kept in this process (check 9).

use std::{hash::Hash, net::IpAddr, num::NonZeroU32, time::Duration};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter as Governor,
    clock::{Clock, DefaultClock},
};
use idcheck_domain::value::UnifiedBusinessNumber;
use idcheck_usecases::ports::RateLimiter;

use crate::config::LimitsConfig;

/// Two token buckets: one for each organisation, one for each address; each holds a second's worth.
pub(crate) struct Rates {
    organisations: DefaultKeyedRateLimiter<UnifiedBusinessNumber>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl Rates {
    /// With these rates.
    pub(crate) fn new(limits: &LimitsConfig) -> Self {
        let quota = |rate| Quota::per_second(NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN));
        Self {
            organisations: Governor::keyed(quota(limits.rate_per_organisation)),
            addresses: Governor::keyed(quota(limits.rate_per_address)),
            clock: DefaultClock::default(),
        }
    }

    /// Forgets organisations and addresses whose buckets are full again.
    pub(crate) fn forget_idle(&self) {
        self.organisations.retain_recent();
        self.addresses.retain_recent();
    }

    fn take<K: Hash + Eq + Clone>(
        &self,
        limiter: &DefaultKeyedRateLimiter<K>,
        key: &K,
    ) -> Result<(), Duration> {
        limiter.check_key(key).map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

impl RateLimiter for Rates {
    fn admit(&self, ubn: UnifiedBusinessNumber, address: IpAddr) -> Result<(), Duration> {
        self.take(&self.addresses, &address)?;
        self.take(&self.organisations, &ubn)
    }
}
