//! Audiences that lie within each other or meet: each request carries all whose audience it is in, and none beside.

use egress::Error;
use egress::credential::Placed;
use http::Request;

use crate::support::kept_credentials::{Keeper, asks};
use crate::support::raw::{Raw, Then, ok};
use crate::support::{House, fetch, send};

/// Name, the methods and the path prefix of its audience, and its value, which is in a header of its name.
const KEPT: [(&str, &str, &str); 4] = [
    ("host", "", "canary-of-the-host"),
    ("wide", ", path_prefix = \"/v1\"", "canary-of-the-wide"),
    ("narrow", ", path_prefix = \"/v1/admin\"", "canary-of-the-narrow"),
    ("below", ", path_prefix = \"/v1/admin/\", methods = [\"POST\"]", "canary-of-the-below"),
];

fn house(port: u16) -> House {
    let url = url(port, "");
    let ask = |(name, narrowed, _): (&str, &str, &str)| {
        format!(
            "[[asks.credentials]]\nname = \"{name}\"\nkind = \"header\"\nheader = \"x-{name}\"\n\
             audience = [{{ url = \"{url}\"{narrowed} }}]\n"
        )
    };
    let keeper = Keeper::new("acme");
    for (name, _, value) in KEPT {
        keeper.enter(name, &[("value", value)]);
    }
    let asked = asks(&[&url], &KEPT.map(ask).concat());
    let placed = asked.into_iter().map(|ask| Placed { stored: ask.name.clone(), ask }).collect();
    House::placing(keeper.settings(placed))
}

fn url(port: u16, path: &str) -> String {
    format!("http://api.test:{port}{path}")
}

fn request(method: &str, url: &str) -> Request<egress::Body> {
    // What a guest writes in a place stands there only where the place is not the host's.
    let of_guest = KEPT
        .iter()
        .fold(Request::builder(), |request, (name, ..)| request.header(format!("x-{name}"), "of the guest"));
    of_guest.method(method).uri(url).body(egress::empty()).unwrap()
}

#[tokio::test]
async fn a_request_carries_each_credential_whose_audience_it_is_in_and_no_other() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = house(server.port());
    let client = house.client();
    for (method, path, carried) in [
        ("GET", "/", &["host"][..]),
        ("GET", "/v1", &["host", "wide"]),
        ("GET", "/v1?path=/v1/admin", &["host", "wide"]),
        ("GET", "/v1/", &["host", "wide"]),
        ("GET", "/v1/items", &["host", "wide"]),
        ("GET", "/v10", &["host"]),
        ("GET", "/v1;a=b/admin", &["host"]),
        ("GET", "/V1/admin", &["host"]),
        ("GET", "/v1/admin", &["host", "wide", "narrow"]),
        ("GET", "/v1/admin/", &["host", "wide", "narrow"]),
        ("GET", "/v1/admin/users", &["host", "wide", "narrow"]),
        ("POST", "/v1/admin", &["host", "wide", "narrow"]),
        ("POST", "/v1/admin/", &["host", "wide", "narrow", "below"]),
        ("POST", "/v1/admin/users", &["host", "wide", "narrow", "below"]),
        ("GET", "/v1/administrators", &["host", "wide"]),
        ("POST", "/v1/admin;x/users", &["host", "wide"]),
        ("GET", "/v1/Admin", &["host", "wide"]),
        ("GET", "/v2/v1/admin", &["host"]),
        // Every server reads these as the letters that they are.
        ("GET", "/%761/items", &["host", "wide"]),
        ("POST", "/v1/%61dmin/users", &["host", "wide", "narrow", "below"]),
        // Servers read these in different ways: in some of them they are in the audience.
        ("POST", "/v1//admin/users", &["host"]),
        ("POST", "/v1/admin%2fusers", &["host"]),
        ("POST", "/v1%2fadmin/users", &["host"]),
        ("POST", "/v1/admin%5cusers", &["host"]),
        ("POST", "/v1/%2561dmin/users", &["host"]),
        ("POST", "/v1/admin/%00", &["host"]),
    ] {
        let before = server.heads().len();
        fetch(&client, request(method, &url(server.port(), path))).await.unwrap();
        let head = &server.heads()[before];
        for (name, _, value) in KEPT {
            let is_carried = carried.contains(&name);
            let expected = if is_carried { value } else { "of the guest" };
            let field = format!("x-{name}: {expected}");
            assert_eq!(head.contains(value), is_carried, "{name} of {method} {path}: {head}");
            assert_eq!(head.lines().filter(|line| *line == field).count(), 1, "{method} {path}: {head}");
        }
    }
}

#[tokio::test]
async fn a_path_that_climbs_from_one_audience_into_another_is_not_sent() {
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    let house = house(server.port());
    let client = house.client();
    for path in [
        "/v1/admin/../items",
        "/v1/items/../admin",
        "/v1/items/%2e%2e/admin",
        "/v1/items/.%2E/admin",
        "/v1/items/..;x/admin",
        "/v1/items/..%2fadmin",
        "/v1/items/%252e%252e/admin",
        "/v1/./admin",
        "//v1/admin",
    ] {
        let error = send(&client, request("POST", &url(server.port(), path))).await.unwrap_err();
        assert!(matches!(error, Error::Malformed { part: "path", .. }), "{path}: {error}");
    }
    assert_eq!(server.connections(), 0);
}
