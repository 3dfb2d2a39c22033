//! E20, E47, E49, E59: what a connector may try with servers that it was granted.

use egress::{Error, Outcome};
use http::{Method, Request};

use super::World;
use crate::support::authority::Authority;
use crate::support::raw::{Raw, Then, ok};
use crate::support::secure::Echo;
use crate::support::{House, get, read, send};

/// Hops that a loop of redirects would have in a client that follows them.
const HOPS: usize = 100;

#[tokio::test]
async fn e20_a_granted_address_grants_no_other_port_of_it() {
    let world = World::new(Vec::new()).await;
    let ours = Raw::answering(ok("metrics"), Then::Serve).await;
    world.dns.addresses("ours.attack.test", &["127.0.0.1"]);
    for url in [
        format!("http://127.0.0.1:{}/metrics", ours.port()),
        format!("http://ours.attack.test:{}/", ours.port()),
    ] {
        assert_eq!(world.ends(&url).await, "CD0201", "{url}");
    }
    assert_eq!(ours.connections(), 0);
}

#[tokio::test]
async fn e47_a_loop_of_redirects_is_one_request_for_each_that_the_connector_makes() {
    let server =
        Raw::answering("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", Then::Serve).await;
    let house = House::default().caps(|caps| caps.requests = HOPS as u64);
    let client = house.client();
    let mut place = server.url("/");
    let error = loop {
        match send(&client, get(&place)).await {
            Ok(response) => place = server.url(response.headers()["location"].to_str().unwrap()),
            Err(error) => break error,
        }
    };
    assert_eq!(error.to_string(), format!("limit `requests` of {HOPS} reached"));
    assert_eq!(server.heads().len(), HOPS);
}

#[tokio::test]
async fn e49_methods_by_which_servers_reflect_what_was_sent_are_refused() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let client = House::default().client();
    for method in ["TRACE", "TRACK", "CONNECT", "DEBUG", "trace", "Trace"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request =
            Request::builder().method(method.clone()).uri(server.url("/")).body(egress::empty()).unwrap();
        let error = send(&client, request).await.unwrap_err();
        assert!(matches!(error, Error::Malformed { part: "method", .. }), "{method}: {error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn e59_a_connector_cannot_name_another_host_than_the_one_that_was_judged() {
    let authority = Authority::new();
    for protocol in ["h2", "http/1.1"] {
        let echo = Echo::secure(&authority.issue("front.test"), protocol).await;
        let house = House::default().trusting(&authority.pem());
        let client = house.client();
        let host = format!("front.test:{}", echo.address.port());
        for name in ["host", "x-forwarded-host", "forwarded", "x-original-host"] {
            let request =
                Request::get(format!("https://{host}/")).header(name, "hidden.test").body(egress::empty());
            let response = send(&client, request.unwrap()).await.unwrap();
            let headers = response.headers();
            let told =
                [&headers["x-authority"], &headers["x-host"]].map(|value| value.to_str().unwrap().to_owned());
            assert!(
                told.contains(&host) && told.iter().all(|told| told.is_empty() || *told == host),
                "{told:?}"
            );
            read(response).await.unwrap();
        }
        // The certificate is for the name in the URL: a front with another name is no front.
        let hidden = format!("https://hidden.test:{}/", echo.address.port());
        let request = Request::get(hidden).header("host", "front.test").body(egress::empty()).unwrap();
        assert!(matches!(send(&client, request).await, Err(Error::Tls { .. })));
        assert!(matches!(house.ledger.all().last().unwrap().outcome, Outcome::Failed { code: "CD0306", .. }));
    }
}
