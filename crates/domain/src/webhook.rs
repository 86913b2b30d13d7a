//! Where an organisation wants to be told of what happens to it (**decided**): an address that this service calls, and the secret by which
//! a call is known to come from it.

use std::{fmt, net::IpAddr};

use crate::{
    Violation,
    value::{AddressPolicy, HostAddress},
};

/// The address that is called: `https`, a host name or a public address, and a path.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(String);

/// A path of strangers may hold what they call a secret.
impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({}…)", self.host())
    }
}

/// What follows `https://` up to the path.
fn authority(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    Some((scheme, rest.split(['/', '?']).next().unwrap_or_default()))
}

/// The host of an authority, without brackets and port; none where it is none, or someone's name and password stand before it.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']')?;
            (host, rest.strip_prefix(':').or(rest.is_empty().then_some("443"))?)
        }
        None => authority.split_once(':').unwrap_or((authority, "443")),
    };
    port.parse::<u16>()
        .ok()
        .filter(|_| port.bytes().all(|b| b.is_ascii_digit()))
        .filter(|port| *port > 0)
        .map(|_| host)
}

fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A last label of digits would be read as an address by some and as a name by others.
    host.len() <= 253
        && host.contains('.')
        && host.split('.').all(label)
        && !host.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
}

impl WebhookUrl {
    /// The greatest number of characters.
    pub const MAX: usize = 500;

    /// Reads an address. Where loopback is allowed, it may be called without TLS. What a name leads to is looked at each time that it is
    /// called, and not here.
    ///
    /// # Errors
    /// [`Violation::Required`], [`Violation::TooLong`], [`Violation::WebhookUrlFormat`] or [`Violation::HostAddressNotPublic`].
    pub fn parse(text: &str, policy: AddressPolicy) -> Result<Self, Violation> {
        if text.is_empty() {
            return Err(Violation::Required);
        }
        if text.len() > Self::MAX {
            return Err(Violation::TooLong { max: Self::MAX });
        }
        let plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}#@".contains(&b);
        let (scheme, authority) = authority(text).ok_or(Violation::WebhookUrlFormat)?;
        let host = host(authority).filter(|_| text.bytes().all(plain)).ok_or(Violation::WebhookUrlFormat)?;
        let loopback = match host.parse::<IpAddr>() {
            Ok(ip) => HostAddress::parse(host, policy).map(|_| ip.is_loopback())?,
            Err(_) if is_name(host) => false,
            Err(_) => return Err(Violation::WebhookUrlFormat),
        };
        // An address of IPv6 stands in brackets, any other host in none.
        if host.contains(':') != authority.starts_with('[') {
            return Err(Violation::WebhookUrlFormat);
        }
        match scheme {
            "https" => Ok(Self(text.to_owned())),
            "http" if loopback => Ok(Self(text.to_owned())),
            _ => Err(Violation::WebhookUrlFormat),
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host, without brackets.
    pub fn host(&self) -> &str {
        authority(&self.0).and_then(|(_, authority)| host(authority)).unwrap_or_default()
    }
}

/// The secret that signs calls: 256 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret([u8; 32]);

impl WebhookSecret {
    /// A secret of these bytes, which must be random.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes; as text they are `whsec_` and base64 (Standard Webhooks 1.0).
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://hooks.example.com/idcheck", "hooks.example.com")]
    #[case("https://hooks.example.com", "hooks.example.com")]
    #[case("https://hooks.example.com:8443/a?b=c%20d", "hooks.example.com")]
    #[case("https://8.8.8.8/a", "8.8.8.8")]
    #[case("https://[2001:4860::8888]:8443/a", "2001:4860::8888")]
    #[case("https://xn--fiq228c.tw/", "xn--fiq228c.tw")]
    fn an_address_of_the_internet_is_taken(#[case] text: &str, #[case] host: &str) {
        let url = WebhookUrl::parse(text, AddressPolicy::Public).unwrap();
        assert_eq!((url.as_str(), url.host()), (text, host));
        assert!(!format!("{url:?}").contains("idcheck"));
    }

    #[rstest]
    #[case("http://hooks.example.com/")]
    #[case("ftp://hooks.example.com/")]
    #[case("HTTPS://hooks.example.com/")]
    #[case("//hooks.example.com/")]
    #[case("hooks.example.com")]
    #[case("https://")]
    #[case("https:///a")]
    #[case("https://localhost/")]
    #[case("https://user:password@hooks.example.com/")]
    #[case("https://hooks.example.com@127.0.0.1/")]
    #[case("https://hooks.example.com\\@127.0.0.1/")]
    #[case("https://hooks.example.com/#a")]
    #[case("https://hooks.example.com:0/")]
    #[case("https://hooks.example.com:99999/")]
    #[case("https://hooks.example.com:/")]
    #[case("https://hooks.example.com:+443/")]
    #[case("https://hooks..example.com/")]
    #[case("https://-hooks.example.com/")]
    #[case("https://0x7f.1/")]
    #[case("https://2130706433/")]
    #[case("https://127.1/")]
    #[case("https://2001:4860::8888/")]
    #[case("https://[8.8.8.8]/")]
    #[case("https://[2001:4860::8888/")]
    #[case("https://[2001:4860::8888]a/")]
    #[case("https://公司.tw/")]
    #[case("https://hooks.example.com/ a")]
    fn nothing_else_is(#[case] text: &str) {
        let refused = WebhookUrl::parse(text, AddressPolicy::PublicOrLoopback);
        assert_eq!(refused, Err(Violation::WebhookUrlFormat), "{text}");
    }

    #[rstest]
    #[case("https://127.0.0.1/")]
    #[case("https://10.0.0.1:8443/a")]
    #[case("https://169.254.169.254/latest/meta-data")]
    #[case("https://[::1]/")]
    #[case("https://[fd00::1]/")]
    #[case("https://[::ffff:10.0.0.1]/")]
    fn addresses_of_inner_networks_are_refused(#[case] text: &str) {
        assert_eq!(WebhookUrl::parse(text, AddressPolicy::Public), Err(Violation::HostAddressNotPublic));
    }

    #[test]
    fn where_loopback_is_allowed_it_needs_no_tls() {
        let local = |text| WebhookUrl::parse(text, AddressPolicy::PublicOrLoopback);
        assert_eq!(local("http://127.0.0.1:8080/a").unwrap().host(), "127.0.0.1");
        assert_eq!(local("http://[::1]:8080/a").unwrap().host(), "::1");
        assert_eq!(local("http://8.8.8.8/"), Err(Violation::WebhookUrlFormat));
        assert_eq!(local(""), Err(Violation::Required));
        assert_eq!(local(&"a".repeat(501)), Err(Violation::TooLong { max: 500 }));
    }
}
