use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{get, rights};
use crate::refusal;

/// Few words, so that asks, grants and requests often meet.
fn name() -> impl Strategy<Value = String> {
    let label = prop_oneof![Just("a"), Just("b"), Just("com")];
    proptest::collection::vec(label, 2..4).prop_map(|labels| labels.join("."))
}

fn rules(table: &'static str) -> impl Strategy<Value = (Vec<(bool, String)>, String)> {
    proptest::collection::vec((any::<bool>(), name()), 0..4).prop_map(move |rules| {
        let write = |(wildcard, name): &(bool, String)| {
            format!("[[{table}.hosts]]\nurl = \"https://{}{name}\"\n", if *wildcard { "*." } else { "" })
        };
        let text = rules.iter().map(write).collect();
        (rules, text)
    })
}

/// The meaning of a rule, by labels.
fn holds(rules: &[(bool, String)], host: &str) -> bool {
    rules.iter().any(|(wildcard, name)| {
        let (host, name): (Vec<&str>, Vec<&str>) = (host.split('.').collect(), name.split('.').collect());
        if *wildcard { host.len() > name.len() && host.ends_with(&name) } else { host == name }
    })
}

proptest! {
    #[test]
    fn allowed_is_what_is_asked_and_granted(
        (asked, asks) in rules("asks"),
        (granted, grants) in rules("source.grants"),
        host in name(),
    ) {
        let allowed = rights(&asks, &grants).judge_request(&get("https", &host, 443, "/")).is_allowed();
        prop_assert_eq!(allowed, holds(&asked, &host) && holds(&granted, &host));
    }

    #[test]
    fn no_host_but_the_granted_one_is_allowed(host in "\\PC{0,30}", tail in "[a-z.@:/#?%*0-9\\\\-]{0,12}") {
        let rights = super::agreed(&["https://allowed.com"], &[]);
        for host in [host.clone(), format!("allowed.com{tail}"), format!("{tail}allowed.com"), tail.clone()] {
            let allowed = rights.judge_request(&get("https", &host, 443, "/")).is_allowed();
            prop_assert_eq!(allowed, host.eq_ignore_ascii_case("allowed.com"), "{}", host);
        }
    }

    #[test]
    fn a_public_address_is_global_by_every_simple_test(bits in any::<u32>()) {
        let address = Ipv4Addr::from(bits);
        if refusal(IpAddr::V4(address)).is_none() {
            prop_assert!(!address.is_loopback() && !address.is_private() && !address.is_link_local());
            prop_assert!(!address.is_multicast() && !address.is_broadcast() && !address.is_documentation());
            prop_assert!(!address.is_unspecified());
        }
    }

    #[test]
    fn no_form_that_carries_an_ipv4_address_is_public(bits in any::<u32>(), subnet in any::<u16>(), low in any::<u64>()) {
        let [high_half, low_half] = [(bits >> 16) as u16, bits as u16];
        let tail = |prefix: [u16; 6]| {
            let [a, b, c, d, e, f] = prefix;
            Ipv6Addr::new(a, b, c, d, e, f, high_half, low_half)
        };
        let six_to_four = 0x2002_u128 << 112 | u128::from(bits) << 80 | u128::from(low);
        for address in [
            tail([0, 0, 0, 0, 0, 0]),
            tail([0, 0, 0, 0, 0, 0xffff]),
            tail([0, 0, 0, 0, 0xffff, 0]),
            tail([0x64, 0xff9b, 0, 0, 0, 0]),
            tail([0x64, 0xff9b, 1, subnet, 0, 0]),
            tail([0x2001, 0, subnet, 0, 0, 0]),
            tail([0x2a00, 0x1450, subnet, 0, 0, 0x5efe]),
            tail([0x2a00, 0x1450, subnet, 0, 0x200, 0x5efe]),
            Ipv6Addr::from(six_to_four),
        ] {
            prop_assert!(refusal(IpAddr::V6(address)).is_some(), "{}", address);
        }
    }

    #[test]
    fn only_global_unicast_is_public(bits in any::<u128>()) {
        let address = Ipv6Addr::from(bits);
        if refusal(IpAddr::V6(address)).is_none() {
            prop_assert_eq!(bits >> 125, 1);
        }
    }
}
