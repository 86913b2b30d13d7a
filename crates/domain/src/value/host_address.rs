//! Host addresses (連線主機網路位址): single hosts on the public Internet.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::Violation;

/// Which addresses may be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Public hosts only.
    Public,
    /// Loopback addresses too: for the demo, where everything runs on one computer.
    PublicOrLoopback,
}

/// One IPv4 or IPv6 host. An IPv4 address written as IPv4-mapped IPv6 is the IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostAddress(IpAddr);

impl HostAddress {
    /// Parses an address in its usual notation; a prefix, a port, a zone or a name is refused.
    ///
    /// # Errors
    /// [`Violation::Required`], [`Violation::HostAddressFormat`] or [`Violation::HostAddressNotPublic`].
    pub fn parse(text: &str, policy: AddressPolicy) -> Result<Self, Violation> {
        if text.is_empty() {
            return Err(Violation::Required);
        }
        let address = Self::of(text.parse().map_err(|_| Violation::HostAddressFormat)?);
        let allowed = match address.0 {
            ip if ip.is_loopback() => policy == AddressPolicy::PublicOrLoopback,
            IpAddr::V4(ip) => public_v4(ip),
            IpAddr::V6(ip) => public_v6(ip),
        };
        if allowed { Ok(address) } else { Err(Violation::HostAddressNotPublic) }
    }

    /// The address of a connection, in the one form in which it can equal a registered address.
    pub fn of(ip: IpAddr) -> Self {
        Self(ip.to_canonical())
    }

    /// The address.
    pub fn ip(self) -> IpAddr {
        self.0
    }
}

impl fmt::Display for HostAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The IANA special-purpose registry for IPv4, less the globally reachable blocks.
fn public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let reserved = a == 0
        || a >= 240
        || ip.is_private()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || (a == 100 && (64..128).contains(&b)) // shared address space, RFC 6598
        || (a == 192 && b == 0 && c == 0) // protocol assignments, RFC 6890
        || (a == 192 && b == 88 && c == 99) // 6to4 relay, RFC 7526
        || (a == 198 && (18..20).contains(&b)); // benchmarking, RFC 2544
    !reserved
}

/// Global unicast is `2000::/3`; what of it is special is refused.
fn public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let global = (0x2000..0x4000).contains(&a);
    let special = (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) // protocol assignments with Teredo; documentation, RFC 3849
        || (a == 0x3fff && b < 0x1000) // documentation, RFC 9637
        || a == 0x2002; // 6to4
    global && !special
}

/// One to ten different host addresses, in the order they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAddresses(Vec<HostAddress>);

impl HostAddresses {
    /// The greatest number of addresses of one organisation.
    pub const MAX: usize = 10;

    /// Takes a set of addresses.
    ///
    /// # Errors
    /// [`Violation::Required`], [`Violation::TooMany`] or [`Violation::Duplicate`].
    pub fn new(addresses: Vec<HostAddress>) -> Result<Self, Violation> {
        if addresses.is_empty() {
            return Err(Violation::Required);
        }
        if addresses.len() > Self::MAX {
            return Err(Violation::TooMany { max: Self::MAX });
        }
        if addresses.iter().enumerate().any(|(i, a)| addresses[..i].contains(a)) {
            return Err(Violation::Duplicate);
        }
        Ok(Self(addresses))
    }

    /// The addresses.
    pub fn as_slice(&self) -> &[HostAddress] {
        &self.0
    }
}
