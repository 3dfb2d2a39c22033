use std::net::IpAddr;

use super::agreed;
use crate::{Code, Verdict, refusal};

/// `public`, or what the address is, and what it carries.
fn kind(address: &str) -> String {
    let address: IpAddr = address.parse().unwrap_or_else(|_| panic!("{address}"));
    let Some(refusal) = refusal(address) else { return "public".to_owned() };
    assert!(refusal.network.contains(&address), "{address}");
    match refusal.carries {
        None => refusal.kind.to_owned(),
        Some((inner, None)) => format!("{} of {inner}", refusal.kind),
        Some((inner, Some(kind))) => format!("{} of {inner} ({kind})", refusal.kind),
    }
}

fn check(rows: &[(&str, &str)]) {
    for (address, expected) in rows {
        assert_eq!(kind(address), *expected, "{address}");
        let denied = agreed(&[], &[]).judge_address(address.parse().unwrap(), 443);
        assert_eq!(denied.is_allowed(), *expected == "public", "{address}");
    }
}

#[test]
fn e01_loopback() {
    check(&[
        ("127.0.0.0", "loopback"),
        ("127.0.0.1", "loopback"),
        ("127.0.0.53", "loopback"),
        ("127.1.2.3", "loopback"),
        ("127.255.255.255", "loopback"),
        ("126.255.255.255", "public"),
        ("128.0.0.0", "public"),
    ]);
}

#[test]
fn e02_this_network() {
    check(&[
        ("0.0.0.0", "this network"),
        ("0.1.2.3", "this network"),
        ("0.255.255.255", "this network"),
        ("1.0.0.0", "public"),
    ]);
}

#[test]
fn e03_loopback_and_unspecified_of_ipv6() {
    check(&[("::1", "loopback"), ("::", "unspecified"), ("0:0:0:0:0:0:0:1", "loopback")]);
}

#[test]
fn e04_private_networks_and_their_edges() {
    check(&[
        ("9.255.255.255", "public"),
        ("10.0.0.0", "private"),
        ("10.255.255.255", "private"),
        ("11.0.0.0", "public"),
        ("172.15.255.255", "public"),
        ("172.16.0.0", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.0", "public"),
        ("192.167.255.255", "public"),
        ("192.168.0.0", "private"),
        ("192.168.255.255", "private"),
        ("192.169.0.0", "public"),
    ]);
}

#[test]
fn e05_carrier_grade_nat() {
    check(&[
        ("100.63.255.255", "public"),
        ("100.64.0.0", "carrier-grade NAT"),
        ("100.127.255.255", "carrier-grade NAT"),
        ("100.128.0.0", "public"),
    ]);
}

#[test]
fn e06_metadata_services() {
    check(&[
        ("169.254.169.254", "metadata service"),
        ("169.254.170.2", "metadata service"),
        ("100.100.100.200", "metadata service"),
        ("168.63.129.16", "metadata service"),
        ("168.63.129.17", "public"),
        ("192.0.0.192", "protocol assignments"),
        ("fd00:ec2::254", "metadata service"),
        ("fd00:ec2::253", "private"),
        ("fd00:ec2::23", "private"),
    ]);
}

#[test]
fn e07_link_local() {
    check(&[
        ("169.253.255.255", "public"),
        ("169.254.0.0", "link-local"),
        ("169.254.255.255", "link-local"),
        ("169.255.0.0", "public"),
        ("fe80::", "link-local"),
        ("fe80::1", "link-local"),
        ("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local"),
    ]);
}

#[test]
fn e08_unique_local_and_site_local() {
    check(&[
        ("fc00::", "private"),
        ("fd12:3456::1", "private"),
        ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "private"),
        ("fbff::1", "outside global unicast"),
        ("fe00::1", "outside global unicast"),
        ("fec0::", "site-local"),
        ("feff:ffff::1", "site-local"),
    ]);
}

#[test]
fn e09_multicast_and_broadcast() {
    check(&[
        ("223.255.255.255", "public"),
        ("224.0.0.0", "multicast"),
        ("239.255.255.255", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("ff00::", "multicast"),
        ("ff02::1", "multicast"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"),
    ]);
}

#[test]
fn e10_assignments_benchmarks_documentation_and_reserves() {
    check(&[
        ("191.255.255.255", "public"),
        ("192.0.0.0", "protocol assignments"),
        ("192.0.0.255", "protocol assignments"),
        ("192.0.1.0", "public"),
        ("192.0.2.0", "documentation"),
        ("192.0.2.255", "documentation"),
        ("192.0.3.0", "public"),
        ("192.31.196.1", "AS112"),
        ("192.52.193.1", "multicast tunnels"),
        ("192.88.99.1", "6to4 relays"),
        ("192.175.48.1", "AS112"),
        ("198.17.255.255", "public"),
        ("198.18.0.0", "benchmarks"),
        ("198.19.255.255", "benchmarks"),
        ("198.20.0.0", "public"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.7", "documentation"),
        ("240.0.0.0", "reserved"),
        ("255.255.255.254", "reserved"),
        ("2001:db8::1", "documentation"),
        ("2001:db7:ffff::", "public"),
        ("2001:db9::", "public"),
        ("3fff::1", "documentation"),
        ("3fff:fff:ffff::", "documentation"),
        ("100::1", "discard"),
        ("100:0:0:1::1", "outside global unicast"),
        ("2001:2::1", "benchmarks"),
        ("2001:2:1::1", "protocol assignments"),
        ("2001:10::1", "ORCHID"),
        ("2001:20::1", "ORCHID"),
        ("2001:1ff:ffff::", "protocol assignments"),
        ("2001:200::", "public"),
        ("5f00::1", "segment routing"),
        ("2620:4f:8000::1", "AS112"),
        ("3ffe::1", "6bone"),
        ("4000::1", "outside global unicast"),
        ("1fff::1", "outside global unicast"),
    ]);
}

#[test]
fn e11_mapped() {
    check(&[
        ("::ffff:127.0.0.1", "IPv4-mapped of 127.0.0.1 (loopback)"),
        ("::ffff:7f00:1", "IPv4-mapped of 127.0.0.1 (loopback)"),
        ("::ffff:10.0.0.1", "IPv4-mapped of 10.0.0.1 (private)"),
        ("::ffff:a9fe:a9fe", "IPv4-mapped of 169.254.169.254 (metadata service)"),
        ("::ffff:8.8.8.8", "IPv4-mapped of 8.8.8.8"),
    ]);
}

#[test]
fn e12_compatible() {
    check(&[
        ("::127.0.0.1", "IPv4-compatible of 127.0.0.1 (loopback)"),
        ("::7f00:1", "IPv4-compatible of 127.0.0.1 (loopback)"),
        ("::2", "IPv4-compatible of 0.0.0.2 (this network)"),
        ("::8.8.8.8", "IPv4-compatible of 8.8.8.8"),
    ]);
}

#[test]
fn e13_translated() {
    check(&[
        ("::ffff:0:7f00:1", "IPv4-translated of 127.0.0.1 (loopback)"),
        ("::ffff:0:192.168.0.1", "IPv4-translated of 192.168.0.1 (private)"),
    ]);
}

#[test]
fn e14_nat64() {
    check(&[
        ("64:ff9b::a9fe:a9fe", "NAT64 of 169.254.169.254 (metadata service)"),
        ("64:ff9b::8.8.8.8", "NAT64 of 8.8.8.8"),
        ("64:ff9b:1::1", "NAT64"),
        ("64:ff9b:1:ffff::7f00:1", "NAT64"),
        ("64:ff9b:2::1", "outside global unicast"),
    ]);
}

#[test]
fn e15_6to4() {
    check(&[
        ("2002:7f00:1::", "6to4 of 127.0.0.1 (loopback)"),
        ("2002:a9fe:a9fe::1", "6to4 of 169.254.169.254 (metadata service)"),
        ("2002:808:808::1", "6to4 of 8.8.8.8"),
        ("2001:ffff::1", "public"),
        ("2003::1", "public"),
    ]);
}

#[test]
fn e16_teredo_and_isatap() {
    check(&[
        ("2001::1", "Teredo of 255.255.255.254 (reserved)"),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", "Teredo of 127.0.0.1 (loopback)"),
        ("2a00:1450::5efe:7f00:1", "ISATAP of 127.0.0.1 (loopback)"),
        ("2a00:1450:0:0:200:5efe:a00:1", "ISATAP of 10.0.0.1 (private)"),
        ("2a00:1450:4001:830::200e", "public"),
        ("2606:4700:4700::1111", "public"),
    ]);
}

#[test]
fn an_address_is_granted_with_its_port_and_in_its_very_form() {
    let rights = agreed(&[], &[("127.0.0.1", 8080), ("::1", 9090)]);
    let check = |address: &str, port: u16, allowed: bool| {
        let verdict = rights.judge_address(address.parse().unwrap(), port);
        assert_eq!(verdict.is_allowed(), allowed, "{address} {port}");
    };
    check("127.0.0.1", 8080, true);
    check("127.0.0.1", 8081, false);
    check("127.0.0.2", 8080, false);
    check("::ffff:127.0.0.1", 8080, false);
    check("::1", 9090, true);
    check("::1", 8080, false);
    check("8.8.8.8", 443, true);
    check("8.8.8.8", 0, false);
}

#[test]
fn a_refused_address_says_what_it_is_and_how_it_would_be_granted() {
    let verdict = agreed(&[], &[]).judge_address("::ffff:10.0.0.1".parse().unwrap(), 443);
    let Verdict::Denied { code, reason, line_to_add } = verdict else { panic!("{verdict:?}") };
    assert_eq!(code, Code::Address);
    assert_eq!(
        reason,
        "`::ffff:10.0.0.1` is not a public address: IPv4-mapped (`::ffff:0.0.0.0/96`), carries `10.0.0.1`: private"
    );
    let line = "# sync.toml\n[[source.grants.addresses]]\naddress = \"::ffff:10.0.0.1\"\nport = 443\n";
    assert_eq!(line_to_add.as_deref(), Some(line));
}

#[test]
fn e20_an_address_of_the_machine_itself_needs_a_grant_however_public_it_is() {
    let own: IpAddr = "93.184.216.34".parse().unwrap();
    assert!(agreed(&[], &[]).judge_address(own, 443).is_allowed(), "it is public");
    let Verdict::Denied { code, reason, line_to_add } = agreed(&[], &[]).judge_own_address(own, 443) else {
        panic!("an own address was allowed because it is public")
    };
    assert_eq!((code, reason.as_str()), (Code::Address, "it is an address of this machine itself"));
    assert!(line_to_add.unwrap().ends_with("address = \"93.184.216.34\"\nport = 443\n"));
    let rights =
        granted(&["address = \"93.184.216.34\"\nport = 443", "network = \"10.0.0.0/8\"\nport = 5432"]);
    let allowed = |address: &str, port| rights.judge_own_address(address.parse().unwrap(), port).is_allowed();
    assert!(allowed("93.184.216.34", 443) && allowed("10.1.2.3", 5432));
    assert!(!allowed("93.184.216.34", 80) && !allowed("93.184.216.35", 443) && !allowed("127.0.0.1", 443));
}

/// Rights to dial what these lines of a sync grant.
fn granted(addresses: &[&str]) -> crate::Rights {
    super::rights("", &addresses.iter().map(|lines| table(lines)).collect::<String>())
}

fn table(lines: &str) -> String {
    format!("[[source.grants.addresses]]\n{lines}\n")
}

#[test]
fn e06_a_granted_network_holds_its_private_addresses_on_its_port_and_no_metadata_service() {
    let rights = granted(&[
        "network = \"10.1.0.0/16\"\nport = 443",
        "network = \"100.64.0.0/10\"\nport = 443",
        "network = \"fd00::/8\"\nport = 443",
        "address = \"169.254.169.254\"\nport = 80",
    ]);
    for (address, port, allowed) in [
        ("10.1.0.0", 443, true),
        ("10.1.255.255", 443, true),
        ("10.0.255.255", 443, false),
        ("10.2.0.0", 443, false),
        ("10.1.0.1", 80, false),
        ("::ffff:10.1.0.1", 443, false),
        ("64:ff9b::a01:1", 443, false),
        ("100.64.0.1", 443, true),
        ("100.100.100.200", 443, false),
        ("fd00:ec2::253", 443, true),
        ("fd00:ec2::254", 443, false),
        ("fc00::1", 443, false),
        ("169.254.169.254", 80, true),
        ("169.254.169.254", 443, false),
    ] {
        let verdict = rights.judge_address(address.parse().unwrap(), port);
        assert_eq!(verdict.is_allowed(), allowed, "{address} {port}: {verdict:?}");
    }
    let verdict = rights.judge_address("10.1.2.3".parse().unwrap(), 443);
    assert_eq!(verdict, Verdict::Allowed { rule: "network 10.1.0.0/16 port 443".to_owned() });
    assert!(rights.is_one_of_many("10.1.2.3".parse().unwrap(), 443));
    assert!(!rights.is_one_of_many("169.254.169.254".parse().unwrap(), 80));
    assert!(!rights.is_one_of_many("8.8.8.8".parse().unwrap(), 443));
}

#[test]
fn a_network_that_reached_the_rights_by_another_way_still_holds_only_private_addresses() {
    let everything = manifest::AddressGrant { network: "0.0.0.0/0".parse().unwrap(), port: 80 };
    let grants = manifest::Grants { addresses: vec![everything], ..manifest::Grants::default() };
    let rights = crate::Rights::new(&crate::Basis {
        document: crate::Document::Sync,
        role: manifest::Role::Source,
        name: "source",
        connector: "items",
        asks: &manifest::Asks::default(),
        grants: &grants,
        organization: None,
        host: None,
    });
    for (address, allowed) in
        [("10.0.0.1", true), ("127.0.0.1", false), ("169.254.169.254", false), ("0.0.0.0", false)]
    {
        assert_eq!(rights.judge_address(address.parse().unwrap(), 80).is_allowed(), allowed, "{address}");
    }
}
