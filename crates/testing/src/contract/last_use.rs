//! The contract of [`LastUses`].

use std::net::IpAddr;

use chrono::TimeDelta;
use idcheck_domain::key::KeyId;
use idcheck_usecases::ports::{Clock, KeptUse, LastUses, Used};
use uuid::Uuid;

use crate::{FixedClock, builders::ubn};

/// The newest is kept, whichever node comes last; of this organisation only.
pub async fn suite(here: &dyn LastUses, there: &dyn LastUses) {
    let now = FixedClock::default().now();
    let key = Used::Key(KeyId(Uuid::from_u128(7)));
    let hosts = ["192.0.2.1", "2001:db8::1"].map(|host| Used::Address(host.parse::<IpAddr>().unwrap()));
    let kept = |used, minutes| KeptUse { ubn: ubn(1), used, at: now + TimeDelta::minutes(minutes) };
    here.keep_uses(&[kept(key, 5), kept(hosts[0], 1), kept(hosts[1], 2)]).await.unwrap();
    let (one, other) = ([kept(hosts[0], 9), kept(key, 3)], [kept(key, 6), kept(hosts[0], 8)]);
    let (one, other) = tokio::join!(here.keep_uses(&one), there.keep_uses(&other));
    assert_eq!((one, other), (Ok(()), Ok(())));
    here.keep_uses(&[KeptUse { ubn: ubn(2), ..kept(key, 60) }]).await.unwrap();
    let mut all = there.uses_of(ubn(1)).await.unwrap();
    all.sort_by_key(|kept| kept.at);
    assert_eq!(all, [kept(hosts[1], 2), kept(key, 6), kept(hosts[0], 9)]);
}
