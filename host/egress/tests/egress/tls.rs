//! TLS as real servers speak it. The name that is asked for, sent, and certified is one name.

use egress::{Authorities, Class, ClientSettings, Error, GuestClass, Outcome};
use http::Version;

use crate::support::authority::{Authority, self_signed, weak_rsa};
use crate::support::kept_credentials::{Keeper, placed};
use crate::support::nginx::{Nginx, Site};
use crate::support::secure::Echo;
use crate::support::{House, fetch, get, read, send};

const CLASSIC: &str = "ssl_protocols TLSv1.2 TLSv1.3;";

#[tokio::test]
async fn sni_host_and_certificate_are_one_name() {
    let authority = Authority::new();
    let identity = authority.issue("api.test");
    let mut nginx = Nginx::start(&[Site { name: "good", identity: &identity, lines: CLASSIC }]).await;
    let port = nginx.address("good").await.port();
    let client = House::default().trusting(&authority.pem()).client();
    let response = send(&client, get(format!("https://api.test:{port}/tls"))).await.unwrap();
    assert_eq!(response.version(), Version::HTTP_11);
    assert_eq!(
        read(response).await.unwrap(),
        format!("api.test api.test api.test:{port} TLSv1.3 .").as_str()
    );
    let response = send(&client, get(format!("https://api.test:{port}/away"))).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["location"]),
        (302, &"https://elsewhere.test/".parse().unwrap())
    );
}

/// A front that serves several names behind one address chooses among them as nginx does: by what is told here.
#[tokio::test]
async fn e59_behind_a_front_the_guest_reaches_only_the_name_that_was_judged() {
    let authority = Authority::new();
    let identity = authority.issue("front.test");
    for lines in ["ssl_protocols TLSv1.3; http2_max_concurrent_streams 8;", CLASSIC] {
        let mut nginx = Nginx::start(&[Site { name: "front", identity: &identity, lines }]).await;
        let port = nginx.address("front").await.port();
        let client = House::default().trusting(&authority.pem()).client();
        for name in
            ["host", "HOST", "x-forwarded-host", "forwarded", "x-host", "x_forwarded_host", "x-original-host"]
        {
            let request =
                http::Request::get(format!("https://front.test:{port}/tls")).header(name, "hidden.test");
            let told = fetch(&client, request.body(egress::empty()).unwrap()).await.unwrap();
            let told = String::from_utf8(told.to_vec()).unwrap();
            assert!(told.starts_with(&format!("front.test front.test front.test:{port} ")), "{name}: {told}");
        }
        let hidden =
            http::Request::get(format!("https://hidden.test:{port}/tls")).header("host", "front.test");
        let error = send(&client, hidden.body(egress::empty()).unwrap()).await.unwrap_err();
        assert!(matches!(error, Error::Tls { .. }), "{}", error.full_text());
    }
}

/// A server that was sent a secret may have a certificate for a name that holds it.
#[tokio::test]
async fn a_secret_in_the_name_of_a_certificate_is_told_to_nobody() {
    const SECRET: &str = "tok-4ec39hqlyjwdarjtt1zdp7dc";
    let authority = Authority::new();
    let echo = Echo::secure(&authority.issue(&format!("{SECRET}.test")), "http/1.1").await;
    let url = format!("https://api.test:{}", echo.address.port());
    let keeper = Keeper::with("acme.api", &[("token", SECRET)]);
    let house = House::placing(keeper.settings(placed(&url, "kind = \"bearer\""))).trusting(&authority.pem());
    let error = send(&house.client(), get(&url)).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("CD0306", Class::Upstream));
    let entry = house.ledger.only();
    let Outcome::Failed { message, .. } = &entry.outcome else { panic!("{entry:?}") };
    for told in [error.full_text(), format!("{error:?}"), message.clone()] {
        assert!(told.contains("****") && !told.contains(SECRET), "{told}");
    }
}

#[tokio::test]
async fn e58_certificates_that_do_not_vouch_for_the_name_are_refused() {
    let authority = Authority::new();
    let good = authority.issue("api.test");
    let expired = authority.issue_expired("api.test");
    let other = authority.issue("other.test");
    let alone = self_signed("api.test");
    let foreign = Authority::new().issue("api.test");
    let weak = "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;";
    let site = |name, identity, lines| Site { name, identity, lines };
    let mut nginx = Nginx::start(&[
        site("expired", &expired, CLASSIC),
        site("other", &other, CLASSIC),
        site("alone", &alone, CLASSIC),
        site("foreign", &foreign, CLASSIC),
        site("weak", &good, weak),
        site("good", &good, CLASSIC),
    ])
    .await;
    let house = House::default().trusting(&authority.pem());
    let client = house.client();
    for (name, said) in [
        ("expired", "expired"),
        ("other", "not valid for"),
        ("alone", "UnknownIssuer"),
        ("foreign", "BadSignature"),
        ("weak", "ProtocolVersion"),
    ] {
        let port = nginx.address(name).await.port();
        let error = send(&client, get(format!("https://api.test:{port}/"))).await.unwrap_err();
        assert!(
            matches!(error, Error::Tls { .. }) && error.full_text().contains(said),
            "{name}: {}",
            error.full_text()
        );
        assert_eq!((error.code(), error.class()), ("CD0306", Class::Upstream), "{name}");
        assert_eq!(
            (error.guest_class(), error.guest_text().as_str()),
            (GuestClass::Unreachable, "connection failed")
        );
    }
    let port = nginx.address("good").await.port();
    assert_eq!(fetch(&client, get(format!("https://api.test:{port}/"))).await.unwrap(), "hello");
    // The certificate is for the name: its address is another name.
    let error = send(&client, get(format!("https://127.0.0.1:{port}/"))).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error}");
}

#[tokio::test]
async fn e58_an_address_needs_a_certificate_for_the_address() {
    let authority = Authority::new();
    let identity = authority.issue("127.0.0.1");
    let mut nginx = Nginx::start(&[Site { name: "address", identity: &identity, lines: CLASSIC }]).await;
    let port = nginx.address("address").await.port();
    let client = House::default().trusting(&authority.pem()).client();
    assert_eq!(fetch(&client, get(format!("https://127.0.0.1:{port}/"))).await.unwrap(), "hello");
    assert!(send(&client, get(format!("https://api.test:{port}/"))).await.is_err());
}

#[tokio::test]
async fn e58_a_server_that_asks_for_a_client_certificate_gets_none() {
    let authority = Authority::new();
    let identity = authority.issue("api.test");
    let lines = "ssl_verify_client optional_no_ca; location /who { return 200 \"$ssl_client_verify\"; }";
    let mut nginx = Nginx::start(&[Site { name: "asks", identity: &identity, lines }]).await;
    let port = nginx.address("asks").await.port();
    let client = House::default().trusting(&authority.pem()).client();
    assert_eq!(fetch(&client, get(format!("https://api.test:{port}/who"))).await.unwrap(), "NONE");
}

#[tokio::test]
async fn e58_sessions_are_resumed_within_a_client_and_never_across() {
    let authority = Authority::new();
    let identity = authority.issue("api.test");
    let lines = "ssl_protocols TLSv1.3; keepalive_timeout 0;";
    let mut nginx = Nginx::start(&[Site { name: "resumes", identity: &identity, lines }]).await;
    let port = nginx.address("resumes").await.port();
    let house = House::default().trusting(&authority.pem());
    let egress = house.egress();
    let resumed = async |client: &egress::Client| {
        let told = fetch(client, get(format!("https://api.test:{port}/tls"))).await.unwrap();
        told.ends_with(b" r")
    };
    let (one, two) = (egress.client(house.settings()), egress.client(house.settings()));
    assert!(!resumed(&one).await);
    assert!(resumed(&one).await);
    assert!(!resumed(&two).await, "a ticket of one client was used by another");
}

#[tokio::test]
async fn e58_an_authority_of_one_connections_own_is_trusted_by_no_other() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (one, two) = (
        Echo::secure(&ours.issue("api.test"), "h2").await,
        Echo::secure(&theirs.issue("api.test"), "h2").await,
    );
    let house = House::default();
    let egress = house.egress();
    let trusting = |authority: &Authority| {
        let authorities = Authorities::from_pem(authority.pem().as_bytes()).unwrap();
        egress.client(ClientSettings { authorities, ..house.settings() })
    };
    let (ours, theirs, nobodys) = (trusting(&ours), trusting(&theirs), egress.client(house.settings()));
    for (client, echo, is_trusted) in [
        (&ours, &one, true),
        (&ours, &two, false),
        (&theirs, &one, false),
        (&theirs, &two, true),
        (&nobodys, &one, false),
        (&nobodys, &two, false),
    ] {
        let sent = send(client, get(format!("https://api.test:{}/", echo.address.port()))).await;
        assert_eq!(sent.is_ok(), is_trusted, "{:?}", sent.err());
    }
}

#[tokio::test]
async fn e58_a_key_too_short_to_be_safe_is_refused_though_its_authority_is_trusted() {
    let identity = weak_rsa();
    let mut nginx =
        Nginx::start(&[Site { name: "weak", identity: &identity, lines: "ssl_ciphers ALL:@SECLEVEL=0;" }])
            .await;
    let port = nginx.address("weak").await.port();
    let client = House::default().trusting(&identity.certificate).client();
    let error = send(&client, get(format!("https://api.test:{port}/"))).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{}", error.full_text());
}

#[tokio::test]
async fn http_2_is_spoken_where_the_server_offers_it() {
    let authority = Authority::new();
    let echo = Echo::secure(&authority.issue("api.test"), "h2").await;
    let house = House::default().trusting(&authority.pem());
    let client = house.client();
    let url = format!("https://api.test:{}/x", echo.address.port());
    let request = http::Request::post(&url).header("host", "evil.test").body(egress::full("12345")).unwrap();
    let response = send(&client, request).await.unwrap();
    assert_eq!(response.headers()["x-version"], "HTTP/2.0");
    assert_eq!(response.headers()["x-authority"], format!("api.test:{}", echo.address.port()));
    assert_eq!(response.headers()["x-host"], "", "`:authority` says it alone");
    assert_eq!(read(response).await.unwrap(), "12345");
}

#[tokio::test]
async fn http_2_is_spoken_with_nginx_and_its_gzip_is_undone() {
    let authority = Authority::new();
    let identity = authority.issue("api.test");
    let lines =
        "ssl_protocols TLSv1.3; http2_max_concurrent_streams 8; gzip on; gzip_min_length 1; gzip_types *;";
    let mut nginx = Nginx::start(&[Site { name: "two", identity: &identity, lines }]).await;
    let port = nginx.address("two").await.port();
    let house = House::default().trusting(&authority.pem());
    let client = house.client();
    let bodies = futures::future::join_all(
        (0..16).map(|_| fetch(&client, get(format!("https://api.test:{port}/tls")))),
    )
    .await;
    for body in bodies {
        let body = body.unwrap();
        assert!(
            body.starts_with(format!("api.test api.test api.test:{port} TLSv1.3").as_bytes()),
            "{body:?}"
        );
    }
    let entry = house.ledger.all()[0].clone();
    assert_ne!(entry.bytes_in_wire, entry.bytes_in, "nginx has compressed and the host has undone it");
}
