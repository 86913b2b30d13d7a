//! The proxies that are trusted.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// The address of a proxy, or a range of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Proxies(pub(crate) IpNet);

impl TryFrom<String> for Proxies {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let range =
            text.parse().or_else(|_| text.parse::<IpAddr>().map(|one| IpNet::from(one.to_canonical())));
        range.map(Self).map_err(|_| "an address such as 10.0.0.1 or a range such as 10.0.0.0/8")
    }
}

impl From<Proxies> for String {
    fn from(Proxies(range): Proxies) -> Self {
        if range.prefix_len() == range.max_prefix_len() {
            range.addr().to_string()
        } else {
            range.to_string()
        }
    }
}
