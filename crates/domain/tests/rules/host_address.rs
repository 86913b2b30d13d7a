//! 連線主機網路位址.

use std::net::IpAddr;

use idcheck_domain::{
    Violation,
    value::{AddressPolicy, HostAddress, HostAddresses},
};
use proptest::prelude::*;
use rstest::rstest;

use crate::support::host;

#[rstest]
#[case("203.66.1.2", "203.66.1.2")]
#[case("1.0.0.1", "1.0.0.1")]
#[case("100.63.255.255", "100.63.255.255")]
#[case("100.128.0.0", "100.128.0.0")]
#[case("172.15.255.255", "172.15.255.255")]
#[case("172.32.0.0", "172.32.0.0")]
#[case("198.17.255.255", "198.17.255.255")]
#[case("198.20.0.0", "198.20.0.0")]
#[case("223.255.255.255", "223.255.255.255")]
#[case("2404:6800:0:0:0:0:0:1", "2404:6800::1")]
#[case("2001:200::1", "2001:200::1")]
#[case("2001:B000::1", "2001:b000::1")]
#[case("::ffff:203.66.1.2", "203.66.1.2")]
#[case("::ffff:cb42:102", "203.66.1.2")]
fn public(#[case] text: &str, #[case] shown: &str) {
    for policy in [AddressPolicy::Public, AddressPolicy::PublicOrLoopback] {
        assert_eq!(HostAddress::parse(text, policy).unwrap().to_string(), shown);
    }
}

#[rstest]
#[case::this_network("0.0.0.0")]
#[case::this_network_end("0.255.255.255")]
#[case::private_10("10.0.0.1")]
#[case::shared("100.64.0.0")]
#[case::shared_end("100.127.255.255")]
#[case::link_local("169.254.169.254")]
#[case::private_172("172.16.0.0")]
#[case::private_172_end("172.31.255.255")]
#[case::protocol("192.0.0.8")]
#[case::documentation_1("192.0.2.1")]
#[case::relay("192.88.99.1")]
#[case::private_192("192.168.1.1")]
#[case::benchmark("198.18.0.0")]
#[case::benchmark_end("198.19.255.255")]
#[case::documentation_2("198.51.100.1")]
#[case::documentation_3("203.0.113.1")]
#[case::multicast("224.0.0.1")]
#[case::reserved("240.0.0.1")]
#[case::broadcast("255.255.255.255")]
#[case::mapped_private("::ffff:10.0.0.1")]
#[case::unspecified_v6("::")]
#[case::compatible("::203.66.1.2")]
#[case::nat64("64:ff9b::cb42:102")]
#[case::discard("100::1")]
#[case::teredo("2001::1")]
#[case::orchid("2001:20::1")]
#[case::documentation_v6("2001:db8::1")]
#[case::six_to_four("2002:cb42:102::1")]
#[case::documentation_3fff("3fff::1")]
#[case::segment_routing("5f00::1")]
#[case::unique_local("fd00::1")]
#[case::link_local_v6("fe80::1")]
#[case::multicast_v6("ff02::1")]
fn not_public(#[case] text: &str) {
    for policy in [AddressPolicy::Public, AddressPolicy::PublicOrLoopback] {
        assert_eq!(HostAddress::parse(text, policy), Err(Violation::HostAddressNotPublic));
    }
}

#[rstest]
#[case("127.0.0.1")]
#[case("127.255.255.254")]
#[case("::1")]
#[case("::ffff:127.0.0.1")]
fn loopback_only_in_the_demo(#[case] text: &str) {
    assert_eq!(HostAddress::parse(text, AddressPolicy::Public), Err(Violation::HostAddressNotPublic));
    assert!(HostAddress::parse(text, AddressPolicy::PublicOrLoopback).is_ok());
}

#[rstest]
#[case::prefix("203.66.1.0/24")]
#[case::single_prefix("203.66.1.2/32")]
#[case::prefix_v6("2404:6800::/32")]
#[case::port("203.66.1.2:443")]
#[case::brackets("[2404:6800::1]")]
#[case::zone("fe80::1%eth0")]
#[case::zone_public("2404:6800::1%1")]
#[case::name("api.example.com")]
#[case::three_parts("203.66.1")]
#[case::one_number("3410100482")]
#[case::octal("0313.66.1.2")]
#[case::leading_zero("203.066.1.2")]
#[case::hexadecimal("0xcb.66.1.2")]
#[case::blank(" 203.66.1.2")]
#[case::newline("203.66.1.2\n")]
#[case::nul("203.66.1.2\0")]
#[case::two("203.66.1.2,203.66.1.3")]
#[case::range("203.66.1.2-9")]
#[case::full_width("２０３.66.1.2")]
#[case::too_big("203.66.1.256")]
fn not_a_host(#[case] text: &str) {
    assert_eq!(HostAddress::parse(text, AddressPolicy::Public), Err(Violation::HostAddressFormat));
}

#[test]
fn nothing_is_required() {
    assert_eq!(HostAddress::parse("", AddressPolicy::Public), Err(Violation::Required));
}

#[test]
fn one_to_ten_different() {
    let many = |n: u8| (1..=n).map(|i| host(&format!("203.66.1.{i}"))).collect::<Vec<_>>();
    assert_eq!(HostAddresses::new(vec![]), Err(Violation::Required));
    assert_eq!(HostAddresses::new(many(1)).unwrap().as_slice(), many(1));
    assert_eq!(HostAddresses::new(many(10)).unwrap().as_slice(), many(10));
    assert_eq!(HostAddresses::new(many(11)), Err(Violation::TooMany { max: 10 }));
    let twice = vec![host("203.66.1.2"), host("203.66.1.3"), host("::ffff:203.66.1.2")];
    assert_eq!(HostAddresses::new(twice), Err(Violation::Duplicate));
}

proptest! {
    /// A connection from a registered address equals it, in whatever form the socket tells it.
    #[test]
    fn what_was_registered_is_recognised(ip in any::<IpAddr>()) {
        if let Ok(registered) = HostAddress::parse(&ip.to_string(), AddressPolicy::Public) {
            prop_assert_eq!(registered, HostAddress::of(ip));
            prop_assert_eq!(HostAddress::parse(&registered.to_string(), AddressPolicy::Public), Ok(registered));
            if let IpAddr::V4(v4) = registered.ip() {
                prop_assert_eq!(HostAddress::of(IpAddr::V6(v4.to_ipv6_mapped())), registered);
            }
        }
    }
}
