//! What is not granted is not reached, and the failure says which line would allow it.

use super::servers::{Raw, Then, answer};
use super::{Always, Plan};
use egress::Outcome;
use pipeline::failure::{Cause, GuestError};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn movies() -> Value {
    json!({"streams": ["movies"], "page_size": 100})
}

async fn silent() -> Raw {
    Raw::answering(answer("200 OK", "", "{}"), Then::Close).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_a_grant_is_denied_with_the_lines_to_add() {
    let server = silent().await;
    let wired = Plan::to(server.address, "example-source", movies()).without_grants().start().await;
    let failure = wired.read(None).await.unwrap_err();
    assert!(matches!(failure.cause, Cause::Guest(GuestError::Denied(_))), "{failure}");
    assert_eq!(failure.code(), "CD0603");
    let [denial] = &failure.denials[..] else { panic!("{:?}", failure.denials) };
    let url = format!("[[source.grants.hosts]]\nurl = \"http://{}\"\n", server.address);
    assert!(denial.contains(&url), "{denial}");
    let address =
        format!("[[source.grants.addresses]]\naddress = \"127.0.0.1\"\nport = {}\n", server.address.port());
    assert!(denial.contains(&address), "{denial}");
    assert_eq!(server.heads().len() + server.open(), 0);
    assert!(matches!(wired.ledger.all()[0].outcome, Outcome::Denied { code: "CD0202", .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_host_at_a_private_address_is_denied_with_the_line_to_add() {
    let server = silent().await;
    let port = server.address.port();
    let plan = Plan::named(&format!("http://api.test:{port}"), "example-source", movies());
    let wired = plan.resolver(Always(LOOPBACK)).start().await;
    let failure = wired.read(None).await.unwrap_err();
    let [denial] = &failure.denials[..] else { panic!("{:?}", failure.denials) };
    let line = format!("[[source.grants.addresses]]\naddress = \"127.0.0.1\"\nport = {port}\n");
    assert!(denial.contains(&line), "{denial}");
    assert!(!denial.contains("grants.hosts"), "the host is granted: {denial}");
    assert_eq!(server.heads().len() + server.open(), 0);
    assert!(matches!(wired.ledger.all()[0].outcome, Outcome::Denied { code: "CD0207", .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_does_not_learn_what_lies_behind_a_name() {
    let hidden = |address: [u8; 4]| {
        let plan = Plan::named("http://api.test", "example-source", movies());
        plan.resolver(Always(IpAddr::from(address)))
    };
    let mut said = Vec::new();
    for address in [[127, 0, 0, 1], [169, 254, 169, 254], [10, 0, 0, 1]] {
        said.push(hidden(address).read().await.unwrap_err().cause.to_string());
    }
    assert!(said.iter().all(|text| *text == said[0]), "{said:?}");
    assert!(said[0].contains("cannot be reached"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_both_lines_the_same_request_goes_through() {
    let server = Raw::answering(answer("200 OK", "", "{\"next\":null,\"data\":[]}"), Then::Close).await;
    let plan = Plan::named(&format!("http://api.test:{}", server.address.port()), "example-source", movies());
    plan.resolver(Always(LOOPBACK)).granting(server.address).read().await.unwrap();
    assert_eq!(server.heads().len(), 1);
}
