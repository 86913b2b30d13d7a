//! Where a request comes from (threat 6): the socket's peer, or what a configured proxy says of it.

use std::net::IpAddr;

use poem::{Addr, Request};

/// The address of a request. `X-Forwarded-For` counts only when the peer is a configured proxy, and is read from the
/// right, over configured proxies, to the first address that is none. `None` when that address can't be read: such a
/// request has no address, and so no registered one.
pub(crate) fn client_address(request: &Request, proxies: &[IpAddr]) -> Option<IpAddr> {
    let Addr::SocketAddr(peer) = request.remote_addr().0 else { return None };
    let values = request.headers().get_all("x-forwarded-for");
    let mut hops = Vec::new();
    for value in values {
        hops.extend(value.to_str().ok()?.split(','));
    }
    walk(peer.ip().to_canonical(), &hops, proxies)
}

fn walk(peer: IpAddr, hops: &[&str], proxies: &[IpAddr]) -> Option<IpAddr> {
    let mut address = peer;
    for hop in hops.iter().rev() {
        if !proxies.contains(&address) {
            return Some(address);
        }
        address = hop.trim().parse::<IpAddr>().ok()?.to_canonical();
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::walk;

    #[test]
    fn only_configured_proxies_are_believed_and_only_from_the_right() {
        let ip = |text: &str| text.parse().unwrap();
        let proxies = [ip("10.0.0.1"), ip("10.0.0.2")];
        for (peer, hops, expected) in [
            ("8.8.8.8", vec!["1.1.1.1"], Some("8.8.8.8")),
            ("10.0.0.1", vec!["1.1.1.1"], Some("1.1.1.1")),
            ("10.0.0.1", vec!["6.6.6.6", "1.1.1.1"], Some("1.1.1.1")),
            ("10.0.0.1", vec!["1.1.1.1", "10.0.0.2"], Some("1.1.1.1")),
            ("10.0.0.1", vec!["1.1.1.1", " 9.9.9.9 ", "10.0.0.2"], Some("9.9.9.9")),
            ("10.0.0.1", vec!["::ffff:1.1.1.1"], Some("1.1.1.1")),
            ("10.0.0.1", vec!["1.1.1.1", "garbage"], None),
            ("10.0.0.1", vec!["fe80::1%eth0"], None),
            ("10.0.0.1", vec![""], None),
            ("10.0.0.1", vec![], Some("10.0.0.1")),
        ] {
            assert_eq!(walk(ip(peer), &hops, &proxies), expected.map(ip), "{peer} {hops:?}");
        }
    }
}
