//! Client certificates, as nginx asks for them.

use std::io::Write as _;

use egress::{Class, Error};
use tempfile::NamedTempFile;

use crate::support::authority::{Authority, Identity};
use crate::support::kept_credentials::{Keeper, placed};
use crate::support::nginx::{Nginx, Site};
use crate::support::secure::Echo;
use crate::support::{House, fetch, get, send};

const WHO: &str = "location /who { return 200 \"$ssl_client_verify $ssl_client_s_dn $connection\"; }";

/// Lines of a server that asks for a certificate of this authority, and the file that they name.
fn asking(of_clients: &Authority, verify: &str) -> (NamedTempFile, String) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(of_clients.pem().as_bytes()).unwrap();
    let path = file.path().display();
    let lines =
        format!("ssl_client_certificate {path}; ssl_verify_client {verify}; keepalive_timeout 60; {WHO}");
    (file, lines)
}

fn house(authority: &Authority, url: &str, identity: &Identity) -> House {
    let fields = [("certificate", identity.certificate.as_str()), ("private_key", identity.key.as_str())];
    let keeper = Keeper::with("acme.api", &fields);
    House::placing(keeper.settings(placed(url, "kind = \"mtls\""))).trusting(&authority.pem())
}

#[tokio::test]
async fn a_certificate_is_shown_to_its_audience_and_to_nobody_else() {
    let (authority, of_clients) = (Authority::new(), Authority::new());
    let identity = authority.issue("api.test");
    let (_file, lines) = asking(&of_clients, "optional");
    let mut nginx = Nginx::start(&[Site { name: "asks", identity: &identity, lines: &lines }]).await;
    let port = nginx.address("asks").await.port();
    let url = format!("https://api.test:{port}");
    let house = house(&authority, &url, &of_clients.issue_client("connector-of-acme"));
    let client = house.client();
    let who = async |url: &str| {
        let told = fetch(&client, get(format!("{url}/who"))).await.unwrap();
        let told = String::from_utf8(told.to_vec()).unwrap();
        let (verdict, connection) = told.rsplit_once(' ').unwrap();
        (verdict.to_owned(), connection.to_owned())
    };
    let (shown, first) = who(&url).await;
    assert_eq!(shown, "SUCCESS CN=connector-of-acme");
    assert_eq!(
        who(&url).await,
        (shown, first),
        "the connection is kept for the next request of the same credential"
    );
    assert_eq!(house.ledger.all()[0].credential.as_deref(), Some("acme.api"));
}

#[tokio::test]
async fn a_connection_with_a_certificate_carries_no_request_without_it() {
    let (authority, of_clients) = (Authority::new(), Authority::new());
    let identity = authority.issue("api.test");
    let (_file, lines) = asking(&of_clients, "optional");
    let mut nginx = Nginx::start(&[Site { name: "asks", identity: &identity, lines: &lines }]).await;
    let port = nginx.address("asks").await.port();
    let url = format!("https://api.test:{port}");
    let with = house(&authority, &url, &of_clients.issue_client("one"));
    let without = House { credentials: None, ..with.clone() };
    let egress = with.egress();
    let (with, without) = (egress.client(with.settings()), egress.client(without.settings()));
    for _request in 0..2 {
        let told = fetch(&with, get(format!("{url}/who"))).await.unwrap();
        assert!(told.starts_with(b"SUCCESS CN=one"), "{told:?}");
        let told = fetch(&without, get(format!("{url}/who"))).await.unwrap();
        assert!(told.starts_with(b"NONE "), "{told:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_entered_anew_makes_a_connection_of_its_own() {
    let (authority, of_clients) = (Authority::new(), Authority::new());
    let identity = authority.issue("api.test");
    let (_file, lines) = asking(&of_clients, "on");
    let mut nginx = Nginx::start(&[Site { name: "asks", identity: &identity, lines: &lines }]).await;
    let port = nginx.address("asks").await.port();
    let url = format!("https://api.test:{port}");
    let keeper = Keeper::new("acme");
    let enter = |identity: &Identity| {
        keeper.enter("acme.api", &[("certificate", &identity.certificate), ("private_key", &identity.key)]);
    };
    enter(&of_clients.issue_client("first"));
    let house = House::placing(keeper.settings(placed(&url, "kind = \"mtls\""))).trusting(&authority.pem());
    let client = house.client();
    for name in ["first", "second"] {
        let told = fetch(&client, get(format!("{url}/who"))).await.unwrap();
        assert!(told.starts_with(format!("SUCCESS CN={name}").as_bytes()), "{told:?}");
        enter(&of_clients.issue_client("second"));
    }
}

#[tokio::test]
async fn a_server_that_asks_for_no_certificate_gets_no_request() {
    let (authority, of_clients) = (Authority::new(), Authority::new());
    for protocol in ["http/1.1", "h2"] {
        let echo = Echo::secure(&authority.issue("api.test"), protocol).await;
        let url = format!("https://api.test:{}", echo.address.port());
        let house = house(&authority, &url, &of_clients.issue_client("one"));
        let error = send(&house.client(), get(format!("{url}/hold"))).await.unwrap_err();
        assert!(matches!(&error, Error::Credential(_)), "{error}");
        assert!(error.to_string().contains("for which the server does not ask"), "{error}");
        assert_eq!((error.class(), echo.held()), (Class::Denied, 0), "it was sent without");
    }
}

#[tokio::test]
async fn a_certificate_and_a_key_that_do_not_belong_together_are_refused() {
    let (authority, of_clients) = (Authority::new(), Authority::new());
    let (one, other) = (of_clients.issue_client("one"), of_clients.issue_client("other"));
    for (certificate, key, said) in [
        (one.certificate.as_str(), other.key.as_str(), "a private key that is not the certificate's"),
        ("", one.key.as_str(), "no certificate"),
        ("text", one.key.as_str(), "a certificate that is not in PEM form"),
        (one.certificate.as_str(), "text", "a private key that is not in PEM form"),
    ] {
        let identity = Identity { certificate: certificate.to_owned(), key: key.to_owned() };
        let house = house(&authority, "https://api.test", &identity);
        let error = send(&house.client(), get("https://api.test/")).await.unwrap_err();
        assert!(error.code() == "CD0321" && error.to_string().contains(said), "{error}");
    }
}
