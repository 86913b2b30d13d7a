//! Where a request comes from (threat 6): the socket's peer, or what a configured proxy says of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use poem::{Addr, Request, http::HeaderValue};

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The address; of the last proxy that could be followed, where what it says can't be read.
    pub(crate) address: IpAddr,
    /// Whether the way to it could be read. Who can't be told from others is nobody that is registered.
    pub(crate) known: bool,
}

/// The origin of a request. `X-Forwarded-For` counts only when the peer is a configured proxy, and is read from the
/// right, over configured proxies, to the first address that is none; what stands left of that is not looked at.
pub(crate) fn origin(request: &Request, proxies: &[IpNet]) -> Origin {
    let Addr::SocketAddr(peer) = request.remote_addr().0 else {
        return Origin { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), known: false };
    };
    let values = request.headers().get_all("x-forwarded-for");
    let values: Vec<_> = values.iter().map(HeaderValue::as_bytes).collect();
    walk(peer.ip().to_canonical(), &values, proxies)
}

fn walk(peer: IpAddr, values: &[&[u8]], proxies: &[IpNet]) -> Origin {
    let mut address = peer;
    for hop in values.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b',')) {
        if !proxies.iter().any(|range| range.contains(&address)) {
            break;
        }
        let Some(before) = std::str::from_utf8(hop).ok().and_then(hop_address) else {
            metrics::counter!("idcheck_forwarded_unreadable_total").increment(1);
            tracing::warn!(proxy = %address, "an address in X-Forwarded-For can't be read");
            return Origin { address, known: false };
        };
        address = before;
    }
    Origin { address, known: true }
}

/// An address as proxies write it: alone, in brackets, with a port. A zone is of another computer and means nothing here.
fn hop_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bracketed.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::{IpNet, Origin, walk};

    #[test]
    fn only_configured_proxies_are_believed_and_only_from_the_right() {
        let ip = |text: &str| text.parse().unwrap();
        let proxies: [IpNet; 3] =
            ["10.0.0.0/30".parse().unwrap(), "10.1.0.1/32".parse().unwrap(), "fd00::/64".parse().unwrap()];
        let known = |text: &str| (ip(text), true);
        for (peer, hops, (address, is_known)) in [
            ("8.8.8.8", &[&b"1.1.1.1"[..]][..], known("8.8.8.8")),
            ("10.0.0.1", &[b"1.1.1.1"], known("1.1.1.1")),
            ("10.0.0.1", &[b"6.6.6.6,1.1.1.1"], known("1.1.1.1")),
            ("10.0.0.1", &[b"6.6.6.6", b"1.1.1.1"], known("1.1.1.1")),
            ("10.0.0.1", &[b"1.1.1.1, 10.0.0.2"], known("1.1.1.1")),
            ("10.0.0.1", &[b"1.1.1.1, 9.9.9.9 ,10.1.0.1"], known("9.9.9.9")),
            ("10.0.0.1", &[b"::ffff:1.1.1.1"], known("1.1.1.1")),
            ("10.0.0.1", &[b"1.1.1.1:51234"], known("1.1.1.1")),
            ("10.0.0.1", &[b"[2001:db8::7]"], known("2001:db8::7")),
            ("10.0.0.1", &[b"[2001:db8::7]:443"], known("2001:db8::7")),
            ("10.0.0.1", &[b"2001:db8::7, fd00::9"], known("2001:db8::7")),
            // What the client wrote itself is not looked at.
            ("10.0.0.1", &[b"\xff\xfe,1.1.1.1"], known("1.1.1.1")),
            ("10.0.0.1", &[b"\xff\xfe", b"1.1.1.1"], known("1.1.1.1")),
            ("10.0.0.1", &[b"garbage,1.1.1.1"], known("1.1.1.1")),
            ("10.0.0.1", &[], known("10.0.0.1")),
            ("10.0.0.1", &[b"1.1.1.1, garbage"], (ip("10.0.0.1"), false)),
            ("10.0.0.1", &[b"1.1.1.1,\xff"], (ip("10.0.0.1"), false)),
            ("10.0.0.1", &[b"fe80::1%eth0"], (ip("10.0.0.1"), false)),
            ("10.0.0.1", &[b"garbage, 10.0.0.2"], (ip("10.0.0.2"), false)),
            ("10.0.0.1", &[b""], (ip("10.0.0.1"), false)),
            ("10.0.0.1", &[b"1.1.1.1:port"], (ip("10.0.0.1"), false)),
        ] {
            assert_eq!(
                walk(ip(peer), hops, &proxies),
                Origin { address, known: is_known },
                "{peer} {hops:?}"
            );
        }
    }
}
