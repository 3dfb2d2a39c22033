use super::{Entrance, HOPS_MAX, Zones, client_address};
use ipnet::IpNet;
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};
use std::net::IpAddr;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn ranges(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn proxies() -> Vec<IpNet> {
    ranges(&["10.0.0.0/8", "fd00::/8"])
}

#[test]
fn an_address_comes_in_where_it_is_within_a_range_or_there_is_none() {
    let zones = Zones { api: ranges(&["192.0.2.0/24", "2001:db8::/32"]), events: Vec::new() };
    for (address, api) in [
        ("192.0.2.0", true),
        ("192.0.2.255", true),
        ("192.0.3.0", false),
        ("2001:db8::1", true),
        ("2001:db9::1", false),
        ("::ffff:192.0.2.1", true),
        ("::192.0.2.1", false),
    ] {
        assert_eq!(zones.allow(Entrance::Api, ip(address)), api, "{address}");
        assert!(zones.allow(Entrance::Events, ip(address)));
    }
    let closed = Zones { events: ranges(&["127.0.0.1/32"]), ..Zones::default() };
    assert!(!closed.allow(Entrance::Events, ip("192.0.2.1")) && closed.allow(Entrance::Api, ip("192.0.2.1")));
}

#[test]
fn a_header_is_believed_as_far_as_our_proxies_wrote_it() {
    for (peer, headers, client) in [
        // Who is no proxy of ours says what it likes.
        ("198.51.100.1", &["203.0.113.9"][..], "198.51.100.1"),
        ("10.0.0.1", &[], "10.0.0.1"),
        ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
        ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
        ("fd00::1", &["203.0.113.9"], "203.0.113.9"),
        // What a client wrote before our proxy appended to it.
        ("10.0.0.1", &["127.0.0.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", &["10.0.0.7, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", &["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", &["203.0.113.9 ,10.0.0.3,  10.0.0.2"], "203.0.113.9"),
        // Several headers are one.
        ("10.0.0.1", &["127.0.0.1", "203.0.113.9", "10.0.0.2"], "203.0.113.9"),
        // Everybody on the way is ours.
        ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        // With ports, and of IPv6.
        ("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
        ("10.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1"),
        ("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9"),
        // What cannot be an address ends the way.
        ("10.0.0.1", &["203.0.113.9, unknown"], "10.0.0.1"),
        ("10.0.0.1", &["203.0.113.9, "], "10.0.0.1"),
        ("10.0.0.1", &["203.0.113.9, 10.0.0.2.3"], "10.0.0.1"),
        ("10.0.0.1", &["\"203.0.113.9\", _hidden, 10.0.0.2"], "10.0.0.2"),
    ] {
        assert_eq!(client_address(ip(peer), headers, &proxies()), ip(client), "{peer} {headers:?}");
    }
    assert_eq!(client_address(ip("10.0.0.1"), &["203.0.113.9"], &[]), ip("10.0.0.1"), "no proxy is named");
}

#[test]
fn a_way_without_end_is_not_followed() {
    let long = vec!["10.0.0.2"; 100_000].join(",");
    assert_eq!(client_address(ip("10.0.0.1"), &[&format!("203.0.113.9,{long}")], &proxies()), ip("10.0.0.2"));
    let whole = vec!["10.0.0.2"; HOPS_MAX - 1].join(",");
    assert_eq!(
        client_address(ip("10.0.0.1"), &[&format!("203.0.113.9,{whole}")], &proxies()),
        ip("203.0.113.9")
    );
}

fn outside() -> impl Strategy<Value = IpAddr> {
    any::<IpAddr>().prop_filter("not of a proxy", |address| {
        let address = address.to_canonical();
        !proxies().iter().any(|range| range.contains(&address))
    })
}

proptest! {
    /// Whatever a client writes, what counts is what our first proxy saw.
    #[test]
    fn no_client_chooses_its_address(
        forged in ".{0,60}",
        client in outside(),
        between in proptest::collection::vec(0_u8..=255, 0..5),
        is_one_header in any::<bool>(),
    ) {
        let mut hops = vec![forged, client.to_string()];
        hops.extend(between.iter().map(|last| format!("10.1.2.{last}")));
        let joined = hops.join(", ");
        let headers: Vec<&str> = if is_one_header { vec![&joined] } else { hops.iter().map(String::as_str).collect() };
        prop_assert_eq!(client_address(ip("10.9.9.9"), &headers, &proxies()), client.to_canonical());
    }

    #[test]
    fn who_comes_without_a_proxy_is_who_it_is(header in ".{0,100}", client in outside()) {
        prop_assert_eq!(client_address(client, &[&header], &proxies()), client.to_canonical());
    }
}
