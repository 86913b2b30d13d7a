//! Rates of queries and of what anybody may ask for, kept in one process: the adapter of `RateLimiter`.

use idcheck_domain::outcome::QueryRefusal;
use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter as Governor,
    clock::{Clock, DefaultClock},
};
use idcheck_domain::{key::Environment, value::UnifiedBusinessNumber};
use idcheck_usecases::ports::{Door, Exceeded, LimitName, RateLimiter};

/// Addresses of which it is remembered at one time that they are not heard.
const SILENCED: usize = 100_000;

/// What is allowed, on this node.
#[derive(Debug, Clone, Copy)]
pub struct RateLimits {
    /// Queries a second of one organisation.
    pub rate_per_organisation: u32,
    /// Queries a second from one address.
    pub rate_per_address: u32,
    /// Queries a minute from one address that are refused before a caller is known.
    pub refused_per_address: u32,
    /// Challenges a minute from one address.
    pub challenges_per_address: u32,
    /// Changes of drafts a minute from one address.
    pub draft_changes_per_address: u32,
    /// Signatures sent in a minute from one address.
    pub proofs_per_address: u32,
    /// Tries to sign in as an officer in a minute from one address.
    pub sign_ins_per_address: u32,
}

/// Token buckets: a second's worth for each organisation and environment and for each address that asks; a minute's for each
/// address and thing that anybody may ask for.
pub struct Rates {
    organisations: Buckets<(UnifiedBusinessNumber, Environment)>,
    addresses: Buckets<IpAddr>,
    refused: Buckets<IpAddr>,
    /// Addresses from which too many queries were refused, and until when; looked at for each query, so empty or small.
    silenced: RwLock<HashMap<IpAddr, Instant>>,
    challenges: Buckets<IpAddr>,
    draft_changes: Buckets<IpAddr>,
    proofs: Buckets<IpAddr>,
    sign_ins: Buckets<IpAddr>,
}

/// Buckets of one limit.
struct Buckets<K: Hash + Eq + Clone> {
    limit: LimitName,
    allowed: NonZeroU32,
    window: Duration,
    by_key: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(limit: LimitName, rate: u32, window: Duration) -> Self {
        let allowed = NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN);
        let usual = Quota::per_second(allowed);
        let quota =
            Quota::with_period(window / allowed.get()).map_or(usual, |quota| quota.allow_burst(allowed));
        Self { limit, allowed, window, by_key: Governor::keyed(quota), clock: DefaultClock::default() }
    }

    fn take(&self, key: &K) -> Result<(), Exceeded> {
        self.by_key.check_key(key).map_err(|until| self.exceeded(until.wait_time_from(self.clock.now())))
    }

    const fn exceeded(&self, retry_after: Duration) -> Exceeded {
        Exceeded { limit: self.limit, allowed: self.allowed.get(), window: self.window, retry_after }
    }
}

/// Who has one address of IPv6 has the 2^64 beside it too.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

impl Rates {
    /// With these limits.
    pub fn new(limits: &RateLimits) -> Self {
        const SECOND: Duration = Duration::from_secs(1);
        const MINUTE: Duration = Duration::from_mins(1);
        Self {
            organisations: Buckets::new(LimitName::OrganisationRate, limits.rate_per_organisation, SECOND),
            addresses: Buckets::new(LimitName::AddressRate, limits.rate_per_address, SECOND),
            refused: Buckets::new(LimitName::Refused, limits.refused_per_address, MINUTE),
            silenced: RwLock::default(),
            challenges: Buckets::new(LimitName::Challenges, limits.challenges_per_address, MINUTE),
            draft_changes: Buckets::new(LimitName::DraftChanges, limits.draft_changes_per_address, MINUTE),
            proofs: Buckets::new(LimitName::Proofs, limits.proofs_per_address, MINUTE),
            sign_ins: Buckets::new(LimitName::SignIns, limits.sign_ins_per_address, MINUTE),
        }
    }

    /// Forgets organisations and addresses whose buckets are full again.
    pub fn forget_idle(&self) {
        self.organisations.by_key.retain_recent();
        for addresses in [
            &self.addresses,
            &self.refused,
            &self.challenges,
            &self.draft_changes,
            &self.proofs,
            &self.sign_ins,
        ] {
            addresses.by_key.retain_recent();
        }
        let now = Instant::now();
        self.silenced.write().unwrap_or_else(PoisonError::into_inner).retain(|_, until| *until > now);
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

    fn hear(&self, address: IpAddr) -> Result<(), Exceeded> {
        let silenced = self.silenced.read().unwrap_or_else(PoisonError::into_inner);
        if silenced.is_empty() {
            return Ok(());
        }
        let Some(until) = silenced.get(&neighbourhood(address)) else { return Ok(()) };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() { Ok(()) } else { Err(self.refused.exceeded(left)) }
    }

    fn refused(&self, address: IpAddr, code: Option<QueryRefusal>) -> Result<(), Exceeded> {
        let address = neighbourhood(address);
        self.refused.take(&address).inspect_err(|exceeded| {
            if code == Some(QueryRefusal::RateExceeded) {
                return;
            }
            let mut silenced = self.silenced.write().unwrap_or_else(PoisonError::into_inner);
            if silenced.len() < SILENCED {
                silenced.insert(address, Instant::now() + exceeded.retry_after);
            }
        })
    }

    fn enter(&self, door: Door, address: IpAddr) -> Result<(), Exceeded> {
        let buckets = match door {
            Door::Challenge => &self.challenges,
            Door::Draft => &self.draft_changes,
            Door::Proof => &self.proofs,
            Door::SignIn => &self.sign_ins,
        };
        buckets.take(&neighbourhood(address))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const LIMITS: RateLimits = RateLimits {
        rate_per_organisation: 50,
        rate_per_address: 50,
        refused_per_address: 60,
        challenges_per_address: 30,
        draft_changes_per_address: 240,
        proofs_per_address: 30,
        sign_ins_per_address: 20,
    };

    #[test]
    fn each_limit_is_kept_apart_and_names_itself() {
        let limits = RateLimits { rate_per_organisation: 2, rate_per_address: 5, ..LIMITS };
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

    #[test]
    fn who_is_refused_too_often_is_not_heard_for_a_while() {
        let rates = Rates::new(&RateLimits { refused_per_address: 3, ..LIMITS });
        let (one, other) = (IpAddr::from([8, 8, 8, 8]), IpAddr::from([8, 8, 4, 4]));
        for _ in 0..3 {
            assert_eq!((rates.refused(one, None), rates.hear(one)), (Ok(()), Ok(())));
        }
        assert_eq!(
            rates.refused(one, Some(QueryRefusal::RateExceeded)).unwrap_err().limit,
            LimitName::Refused
        );
        assert_eq!(rates.hear(one), Ok(()));
        assert_eq!(rates.refused(one, None).unwrap_err().limit, LimitName::Refused);
        let unheard = rates.hear(one).unwrap_err();
        assert!(unheard.retry_after <= Duration::from_secs(20) && unheard.allowed == 3, "{unheard:?}");
        assert_eq!(rates.hear(other), Ok(()));
    }

    #[test]
    fn each_door_has_its_rate_and_a_network_of_ipv6_is_one_address() {
        let limits = RateLimits { challenges_per_address: 2, proofs_per_address: 1, ..LIMITS };
        let rates = Rates::new(&limits);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(rates.enter(Door::Challenge, address("2001:db8::1")), Ok(()));
        assert_eq!(rates.enter(Door::Challenge, address("2001:db8::2")), Ok(()));
        let exceeded = rates.enter(Door::Challenge, address("2001:db8::3")).unwrap_err();
        assert_eq!((exceeded.limit, exceeded.window), (LimitName::Challenges, Duration::from_mins(1)));
        assert_eq!(rates.enter(Door::Challenge, address("2001:db8:0:1::1")), Ok(()));
        assert_eq!(rates.enter(Door::Proof, address("2001:db8::1")), Ok(()));
        assert_eq!(rates.enter(Door::Proof, address("2001:db8::1")).unwrap_err().limit, LimitName::Proofs);
        assert_eq!(rates.enter(Door::SignIn, address("::ffff:8.8.8.8")), Ok(()));
    }
}
