//! Rates of queries, kept in this process (check 9).

use std::{hash::Hash, net::IpAddr, num::NonZeroU32, time::Duration};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter as Governor,
    clock::{Clock, DefaultClock},
};
use idcheck_domain::{key::Environment, value::UnifiedBusinessNumber};
use idcheck_usecases::ports::{Exceeded, LimitName, RateLimiter};

use crate::config::LimitsConfig;

/// Two token buckets: one for each organisation and environment, one for each address; each holds a second's worth.
pub(crate) struct Rates {
    organisations: Buckets<(UnifiedBusinessNumber, Environment)>,
    addresses: Buckets<IpAddr>,
}

/// Buckets of one limit.
struct Buckets<K: Hash + Eq + Clone> {
    limit: LimitName,
    allowed: NonZeroU32,
    by_key: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(limit: LimitName, rate: u32) -> Self {
        let allowed = NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN);
        let by_key = Governor::keyed(Quota::per_second(allowed));
        Self { limit, allowed, by_key, clock: DefaultClock::default() }
    }

    fn take(&self, key: &K) -> Result<(), Exceeded> {
        self.by_key.check_key(key).map_err(|until| Exceeded {
            limit: self.limit,
            allowed: self.allowed.get(),
            window: Duration::from_secs(1),
            retry_after: until.wait_time_from(self.clock.now()),
        })
    }
}

impl Rates {
    /// With these rates.
    pub(crate) fn new(limits: &LimitsConfig) -> Self {
        Self {
            organisations: Buckets::new(LimitName::OrganisationRate, limits.rate_per_organisation),
            addresses: Buckets::new(LimitName::AddressRate, limits.rate_per_address),
        }
    }

    /// Forgets organisations and addresses whose buckets are full again.
    pub(crate) fn forget_idle(&self) {
        self.organisations.by_key.retain_recent();
        self.addresses.by_key.retain_recent();
    }
}

impl RateLimiter for Rates {
    fn admit(
        &self,
        ubn: UnifiedBusinessNumber,
        environment: Environment,
        address: IpAddr,
    ) -> Result<(), Exceeded> {
        self.addresses.take(&address)?;
        self.organisations.take(&(ubn, environment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_kept_apart_and_names_itself() {
        let limits =
            LimitsConfig { rate_per_organisation: 2, rate_per_address: 5, ..LimitsConfig::default() };
        let rates = Rates::new(&limits);
        let ubn = UnifiedBusinessNumber::parse("04595257").unwrap();
        let admit = |environment| rates.admit(ubn, environment, IpAddr::from([8, 8, 8, 8]));
        for _ in 0..2 {
            assert_eq!(admit(Environment::Production), Ok(()));
            assert_eq!(admit(Environment::Sandbox), Ok(()));
        }
        let exceeded = admit(Environment::Production).unwrap_err();
        assert_eq!((exceeded.limit, exceeded.allowed), (LimitName::OrganisationRate, 2));
        assert!(exceeded.retry_after <= Duration::from_millis(500), "{exceeded:?}");
        let exceeded = admit(Environment::Sandbox).unwrap_err();
        assert_eq!((exceeded.limit, exceeded.allowed), (LimitName::AddressRate, 5));
        let elsewhere = rates.admit(ubn, Environment::Production, IpAddr::from([8, 8, 4, 4])).unwrap_err();
        assert_eq!(elsewhere.limit, LimitName::OrganisationRate);
    }
}
