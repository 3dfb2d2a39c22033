//! The real rights as the gate: what names resolve to is judged by what was granted.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use egress::{Client, ClientSettings, Error};
use grants::{Basis, Rights};
use manifest::{AddressGrant, Asks, Grants, HostAsk, HostPattern, Role};

use crate::support::raw::{Raw, Then, ok};
use crate::support::{House, LOOPBACK, fetch, get, send};

fn client(house: &House, pattern: &str, address: Option<AddressGrant>) -> Client {
    let host = HostAsk { pattern: HostPattern::parse(pattern).unwrap(), reason: None };
    let asks = Asks { hosts: vec![host.clone()], ..Asks::default() };
    let grants = Grants { hosts: vec![host], addresses: address.into_iter().collect(), ..Grants::default() };
    let basis = Basis {
        document: grants::Document::Sync,
        role: Role::Source,
        name: "items",
        connector: "items",
        asks: &asks,
        grants: &grants,
        organization: None,
        host: None,
    };
    let settings = ClientSettings { rights: Arc::new(Rights::new(&basis)), ..house.settings() };
    house.egress().client(settings)
}

#[tokio::test]
async fn a_granted_host_on_a_granted_address_is_reached_by_its_rule() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = House::default();
    let pattern = format!("http://*.api.test:{}", server.port());
    let client = client(&house, &pattern, Some(AddressGrant::exact(LOOPBACK, server.port())));
    assert_eq!(fetch(&client, get(format!("http://v1.api.test:{}/", server.port()))).await.unwrap(), "hi");
    assert_eq!(house.ledger.only().rule, Some(pattern));
}

#[tokio::test]
async fn a_host_that_was_not_asked_for_and_a_port_that_was_not_granted_are_denied_before_any_lookup() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = House::default();
    let client = client(&house, "https://api.test", None);
    for url in [
        format!("http://api.test:{}/", server.port()),
        "https://api.test:8443/".to_owned(),
        "https://api.test.evil.test/".to_owned(),
        "https://evilapi.test/".to_owned(),
        "http://127.0.0.1/".to_owned(),
    ] {
        let error = send(&client, get(&url)).await.unwrap_err();
        assert!(matches!(error, Error::RequestDenied { .. }), "{url}: {error}");
    }
    assert_eq!((server.connections(), house.names.asked.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn e01_to_e16_a_granted_name_on_an_address_that_is_not_public_is_denied() {
    for address in [
        "127.0.0.1",
        "127.255.255.255",
        "0.0.0.0",
        "::1",
        "::",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "192.168.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "fd00:ec2::254",
        "fe80::1",
        "fc00::1",
        "fec0::1",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "192.0.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "240.0.0.1",
        "2001:db8::1",
        "100::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "::ffff:0:7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
    ] {
        let house = House::default().name("api.test", &[&[address]]);
        let error =
            send(&client(&house, "http://api.test", None), get("http://api.test/")).await.unwrap_err();
        assert!(matches!(error, Error::AddressDenied { code: "CD0207", .. }), "{address}: {error}");
        let spelled = address.parse::<IpAddr>().unwrap().to_string();
        assert!(
            error.line_to_add().unwrap().contains(&format!("address = \"{spelled}\"")),
            "{address}: {error:?}"
        );
    }
}
