//! Names, addresses and what may be dialed. The gate of these tests grants loopback only.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use egress::{Dns, DnsResolver, Egress, Error, GuestClass, Limit, Resolver, Settings};

use tokio::io::AsyncWriteExt;

use crate::support::raw::{Raw, Then, ok, read_to_end};
use crate::support::{House, LOOPBACK, fetch, get, send};

#[tokio::test]
async fn e21_a_public_and_a_private_answer_refuse_the_name_as_a_whole() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    for answer in [["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"]] {
        let house = House::default().name("mixed.test", &[&answer]);
        let error =
            send(&house.client(), get(format!("http://mixed.test:{}/", server.port()))).await.unwrap_err();
        let Error::AddressDenied { address, code: "CD0298", .. } = &error else { panic!("{error}") };
        assert_eq!(address.ip(), IpAddr::from([10, 0, 0, 1]));
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn e22_each_connection_dials_only_what_its_own_answer_was_judged_for() {
    let server = Raw::answering(ok("hi"), Then::Close).await;
    let house = House::default().name("rebind.test", &[&["127.0.0.1"], &["169.254.169.254"]]);
    let client = house.client();
    let url = format!("http://rebind.test:{}/", server.port());
    assert_eq!(fetch(&client, get(&url)).await.unwrap(), "hi");
    assert_eq!(house.names.asked.load(Ordering::SeqCst), 1, "judging and dialing use one answer");
    let error = send(&client, get(&url)).await.unwrap_err();
    assert!(
        matches!(&error, Error::AddressDenied { address, .. } if address.ip().to_string() == "169.254.169.254")
    );
    assert_eq!(house.ledger.all()[0].address, Some(server.address));
    assert_eq!((server.connections(), house.ledger.all()[1].address), (1, None));
}

#[tokio::test]
async fn e23_a_private_aaaa_refuses_a_name_with_a_public_a() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = House::default().name("v6.test", &[&["127.0.0.1", "fd00:ec2::254"]]);
    let error = send(&house.client(), get(format!("http://v6.test:{}/", server.port()))).await.unwrap_err();
    assert!(matches!(error, Error::AddressDenied { .. }), "{error}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn e19_e20_a_name_of_this_machine_leads_nowhere_though_its_address_is_allowed_elsewhere() {
    let server = Raw::answering(ok("the host's own"), Then::Serve).await;
    let house = House::default();
    house.gate.is_elsewhere.store(true, Ordering::SeqCst);
    let client = house.client();
    for url in [server.url("/"), format!("http://own.test:{}/", server.port())] {
        let error = send(&client, get(url)).await.unwrap_err();
        let Error::AddressDenied { address, code: "CD0297", .. } = &error else { panic!("{error}") };
        assert_eq!(*address, server.address);
        assert_eq!(
            (error.guest_class(), error.guest_text().as_str()),
            (GuestClass::Unreachable, "connection failed")
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn e25_answers_that_no_honest_name_gives_are_errors() {
    let many: Vec<String> =
        (0..1000).map(|number| format!("127.0.{}.{}", number / 250, number % 250 + 1)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let house = House::default()
        .name("many.test", &[&many])
        .name("none.test", &[&[]])
        .caps(|caps| caps.connect_timeout = Duration::from_millis(50));
    let client = house.client();
    for host in ["many.test", "none.test", "unknown.test"] {
        let error = send(&client, get(format!("http://{host}/"))).await.unwrap_err();
        assert!(matches!(&error, Error::Resolve { host: said, .. } if said == host), "{error}");
    }
    let error = send(&client, get("http://silent.test/")).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Limit::ConnectTimeout, .. }), "{error}");
}

#[tokio::test]
async fn an_address_in_the_url_is_judged_without_asking_for_a_name() {
    let house = House::default();
    let client = house.client();
    for host in [
        "10.0.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[::ffff:10.0.0.1]",
        "0.0.0.0",
        "[64:ff9b::a9fe:a9fe]",
    ] {
        let error = send(&client, get(format!("http://{host}/"))).await.unwrap_err();
        assert!(matches!(error, Error::AddressDenied { .. }), "{host}: {error}");
    }
    assert_eq!(house.names.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn e19_localhost_is_asked_of_nobody_and_judged_like_any_name() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = House::default();
    house.gate.revoked.lock().unwrap().extend([LOOPBACK, IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)]);
    let resolver: Arc<dyn Resolver> = Arc::new(DnsResolver::new(Dns::default()));
    let settings = Settings { system_roots: false, resolver, ..Settings::default() };
    let client = Egress::new(settings).unwrap().client(house.settings());
    for host in ["localhost", "LOCALHOST", "a.localhost"] {
        let error = send(&client, get(format!("http://{host}:{}/", server.port()))).await.unwrap_err();
        assert!(matches!(error, Error::AddressDenied { .. }), "{error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn the_next_judged_address_is_dialed_when_one_refuses() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = House::default().name("two.test", &[&["127.0.0.2", "::1", "127.0.0.1"]]);
    let body = fetch(&house.client(), get(format!("http://two.test:{}/", server.port()))).await.unwrap();
    assert_eq!(body, "hi");
    assert_eq!(house.ledger.only().address, Some(server.address));
}

#[tokio::test]
async fn e64_a_kept_connection_is_judged_again_for_each_request() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = House::default();
    let client = house.client();
    assert_eq!(fetch(&client, get(server.url("/"))).await.unwrap(), "hi");
    house.gate.revoked.lock().unwrap().push(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let error = send(&client, get(server.url("/"))).await.unwrap_err();
    assert!(matches!(error, Error::AddressDenied { .. }), "{error}");
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn e62_what_lies_behind_a_name_is_not_told_to_the_guest() {
    let talks_no_tls = Raw::start(|mut stream, _heads| async move {
        let _sent = stream.write_all(b"no TLS here").await;
        read_to_end(&mut stream).await;
    })
    .await;
    let closes = Raw::start(|stream, _heads| async move { drop(stream) }).await;
    let house = House::default()
        .name("inside.test", &[&["10.0.0.1"]])
        .name("refuses.test", &[&["127.0.0.2"]])
        .caps(|caps| caps.connect_timeout = Duration::from_millis(200));
    let client = house.client();
    let urls = [
        "http://inside.test/".to_owned(),
        "http://unknown.test/".to_owned(),
        "http://silent.test/".to_owned(),
        format!("http://refuses.test:{}/", talks_no_tls.port()),
        format!("https://tls.test:{}/", talks_no_tls.port()),
        closes.url("/"),
    ];
    let mut codes = Vec::new();
    for url in &urls {
        let error = send(&client, get(url)).await.unwrap_err();
        assert_eq!(
            (error.guest_class(), error.guest_text().as_str()),
            (GuestClass::Unreachable, "connection failed"),
            "{url}"
        );
        codes.push(error.code());
    }
    assert_eq!(
        codes,
        ["CD0298", "CD0304", "CD0303", "CD0305", "CD0306", "CD0307"],
        "the user is told exactly"
    );
}
