//! E19 to E25, E27: what name servers may say, and what rules may be written.

use std::sync::Arc;
use std::time::Duration;

use egress::{Dns, DnsResolver, Egress, Error, Limit, Resolver, Settings};
use hickory_resolver::proto::op::ResponseCode;
use manifest::HostPattern;

use super::World;
use crate::support::dns::{self, Says};
use crate::support::raw::{Raw, Then, ok};
use crate::support::{House, LOOPBACK, fetch, get, send};

/// Answers in which one address is granted and another is not: E21 and E23.
const MIXED: &[&[&str]] = &[
    &["127.0.0.1", "10.0.0.1"],
    &["10.0.0.1", "127.0.0.1"],
    &["127.0.0.1", "169.254.169.254"],
    &["127.0.0.1", "127.0.0.2"],
    &["127.0.0.1", "::1"],
    &["127.0.0.1", "fd00:ec2::254"],
    &["fe80::1", "127.0.0.1"],
    &["127.0.0.1", "::ffff:127.0.0.1"],
    &["127.0.0.1", "64:ff9b::a9fe:a9fe"],
    &["127.0.0.1", "0.0.0.0"],
];

/// Rules over hosts that nobody may ask for or grant: E27.
const RULES: &[&str] = &[
    "https://*",
    "https://*.com",
    "https://*.co.uk.",
    "https://a.*.com",
    "https://*a.com",
    "https://a*.com",
    "https://a.com*",
    "https://**.a.com",
    "https://*.*.a.com",
    "https://.a.com",
    "https://.*\\.com",
    "https://[a-z]+.com",
    "https://(a|b).com",
    "https://a.com|b.com",
    "https://^a.com$",
    "https://?.com",
    "https://a.com/*",
    "https://a.com:*",
    "*://a.com",
    "https://*.0.0.1",
    "https://127.*",
    "https://10.0.0.0/8",
    "https://user@a.com",
    "ftp://a.com",
];

/// Rows of this file, for the count.
pub(super) fn rows() -> usize {
    MIXED.len() * 2 + RULES.len() + LIES.len() + ALIASES.len()
}

#[tokio::test]
async fn e21_e23_one_refused_address_refuses_the_name() {
    let world = World::new(Vec::new()).await;
    for (number, addresses) in MIXED.iter().enumerate() {
        let parsed: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        let (straight, alias) = (format!("a{number}"), format!("b{number}"));
        world.dns.addresses(&format!("{straight}.served.test"), addresses);
        world.dns.say(&format!("{alias}.served.test"), [Says::Alias("inner.test".to_owned(), parsed)]);
        for name in [straight, alias] {
            assert_eq!(world.ends(&world.url(&name)).await, "CD0207", "{name}: {addresses:?}");
        }
    }
    world.nothing_left();
}

#[tokio::test]
async fn e22_a_name_that_changes_between_two_connections_is_judged_each_time() {
    let server = Raw::answering(ok("hi"), Then::Close).await;
    let world = World::granted(&[format!("http://*.served.test:{}", server.port())], server).await;
    let answers = ["127.0.0.1", "169.254.169.254", "127.0.0.1", "::1"];
    let says = answers.map(|address| Says::Addresses(vec![address.parse().unwrap()]));
    world.dns.say("rebind.served.test", says);
    let mut ends = Vec::new();
    for _ in answers {
        ends.push(world.ends(&world.url("rebind")).await);
    }
    assert_eq!(ends, ["answered with 200 OK", "CD0207", "answered with 200 OK", "CD0207"]);
    assert_eq!(world.dns.asked().len(), 8, "both families, for each connection anew");
    let dialed: Vec<_> = world.house.ledger.all().iter().filter_map(|entry| entry.address).collect();
    assert_eq!(dialed, [world.redirector.address, world.redirector.address]);
}

/// Aliases to names that mean something inside: E24.
const ALIASES: &[(&str, &str)] = &[
    ("localhost", "CD0207"),
    ("a.localhost", "CD0207"),
    ("intranet.corp.test", "CD0207"),
    ("metadata.google.internal", "CD0207"),
    ("nowhere.test", "CD0304"),
    ("itself.served.test", "CD0304"),
    ("c1.test", "CD0304"),
];

#[tokio::test]
async fn e24_an_alias_is_worth_what_it_leads_to() {
    let world = World::new(Vec::new()).await;
    world.dns.addresses("intranet.corp.test", &["10.1.2.3"]);
    world.dns.addresses("metadata.google.internal", &["169.254.169.254"]);
    world.dns.say("itself.served.test", [Says::Elsewhere("itself.served.test".to_owned())]);
    for link in 1..40 {
        world.dns.say(&format!("c{link}.test"), [Says::Elsewhere(format!("c{}.test", link + 1))]);
    }
    world.dns.addresses("c40.test", &["127.0.0.1"]);
    for (number, (target, expected)) in ALIASES.iter().enumerate() {
        world.dns.say(&format!("alias{number}.served.test"), [Says::Elsewhere((*target).to_owned())]);
        assert_eq!(world.ends(&world.url(&format!("alias{number}"))).await, *expected, "{target}");
    }
    world.nothing_left();
}

/// Answers that no honest server gives: E25.
const LIES: &[(&str, Says)] = &[
    ("no records", Says::Nothing(ResponseCode::NoError)),
    ("no name", Says::Nothing(ResponseCode::NXDomain)),
    ("failure", Says::Nothing(ResponseCode::ServFail)),
    ("refusal", Says::Nothing(ResponseCode::Refused)),
    ("a name that points to itself", Says::Garbage(own_pointer)),
    ("a name that points ahead", Says::Garbage(|place| record(&[0xc0, u8::try_from(place + 2).unwrap()]))),
    ("a record that is cut off", Says::Garbage(|_| vec![0xc0])),
    (
        "a record longer than the message",
        Says::Garbage(|_| vec![0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 1]),
    ),
    ("an address of three bytes", Says::Garbage(|_| vec![0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 3, 127, 0, 0])),
    ("nothing where a record was announced", Says::Garbage(|_| Vec::new())),
];

fn own_pointer(place: usize) -> Vec<u8> {
    record(&[0xc0, u8::try_from(place).unwrap()])
}

/// A record of 127.0.0.1 under this name.
fn record(name: &[u8]) -> Vec<u8> {
    [name, &[0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]].concat()
}

#[tokio::test]
async fn e25_answers_that_no_honest_server_gives_are_errors() {
    let world = World::new(Vec::new()).await;
    for (number, (what, says)) in LIES.iter().enumerate() {
        world.dns.say(&format!("lie{number}.served.test"), [says.clone()]);
        let ended = world.ends(&world.url(&format!("lie{number}"))).await;
        assert!(matches!(ended.as_str(), "CD0304" | "CD0303"), "{what}: {ended}");
    }
    world.nothing_left();
}

#[tokio::test]
async fn e25_a_thousand_addresses_refuse_the_name() {
    let world = World::new(Vec::new()).await;
    let many = |count: u32| (0..count).map(|number| (0x7f00_0001 + number).to_be_bytes().into()).collect();
    for (name, count) in [("thousand", 1000), ("full", 4000)] {
        world.dns.say(&format!("{name}.served.test"), [Says::Addresses(many(count))]);
        assert_eq!(world.ends(&world.url(name)).await, "CD0304", "{count} addresses");
    }
    assert!(world.dns.asked_over_tcp() >= 2, "long answers come over TCP");
    world.nothing_left();
}

#[tokio::test]
async fn e25_a_silent_name_server_runs_into_the_connect_timeout() {
    let (server, dns) = (Raw::answering(ok("hi"), Then::Close).await, dns::Dns::start().await);
    dns.say("silent.test", [Says::Silence]);
    let house = House::default().caps(|caps| caps.connect_timeout = Duration::from_millis(300));
    let client = house.client_asking(DnsResolver::new(Dns { servers: vec![dns.address], hosts_file: false }));
    let error = send(&client, get(format!("http://silent.test:{}/", server.port()))).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Limit::ConnectTimeout, .. }), "{error}");
}

#[tokio::test]
async fn a_granted_name_is_found_over_dns_through_an_alias_and_dialed() {
    let (server, dns) = (Raw::answering(ok("hi"), Then::Serve).await, dns::Dns::start().await);
    dns.say("www.test", [Says::Elsewhere("host.test".to_owned())]);
    dns.addresses("host.test", &["127.0.0.1"]);
    let house = House::default();
    let client = house.client_asking(DnsResolver::new(Dns { servers: vec![dns.address], hosts_file: false }));
    assert_eq!(fetch(&client, get(format!("http://www.test:{}/", server.port()))).await.unwrap(), "hi");
    assert_eq!(house.ledger.only().address, Some(server.address));
}

#[tokio::test]
async fn what_was_answered_is_known_to_the_client_that_asked_and_to_no_other() {
    let (server, dns) = (Raw::answering(ok("hi"), Then::Close).await, dns::Dns::start().await);
    dns.say("api.test", [Says::Kept(60, vec![LOOPBACK])]);
    let house = House::default();
    let resolver = Arc::new(DnsResolver::new(Dns { servers: vec![dns.address], hosts_file: false }));
    let settings = Settings { system_roots: false, resolver, ..Settings::default() };
    let egress = Egress::new(settings).unwrap();
    let url = format!("http://api.test:{}/", server.port());
    for asked in [2, 4] {
        let client = egress.client(house.settings());
        for _connection in 0..3 {
            assert_eq!(fetch(&client, get(&url)).await.unwrap(), "hi");
            assert_eq!(dns.asked().len(), asked, "once for each family");
        }
    }
    assert_eq!(server.heads().len(), 6);
}

#[tokio::test]
async fn an_answer_that_may_not_be_kept_and_one_that_names_no_time_are_asked_for_each_time() {
    let dns = dns::Dns::start().await;
    dns.say("moves.test", [Says::Kept(0, vec![LOOPBACK])]);
    let resolver = DnsResolver::new(Dns { servers: vec![dns.address], hosts_file: false });
    for (name, is_found) in [("moves.test", true), ("nowhere.test", false)] {
        let before = dns.asked().len();
        for _time in 0..2 {
            assert_eq!(resolver.resolve(name).await.is_ok(), is_found, "{name}");
        }
        assert_eq!(dns.asked().len() - before, 4, "{name}");
    }
}

#[tokio::test]
async fn e19_localhost_is_this_machine_and_asked_of_nobody() {
    let dns = dns::Dns::start().await;
    dns.addresses("localhost", &["192.0.2.1"]);
    let resolver = DnsResolver::new(Dns { servers: vec![dns.address], hosts_file: false });
    for name in ["localhost", "a.localhost"] {
        assert_eq!(resolver.resolve(name).await.unwrap(), [LOOPBACK]);
    }
    assert_eq!(dns.asked(), [""; 0]);
}

#[test]
fn e27_rules_that_would_match_what_nobody_means_cannot_be_written() {
    for rule in RULES {
        assert!(HostPattern::parse(rule).is_err(), "{rule}");
    }
}
