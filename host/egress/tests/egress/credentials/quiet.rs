//! No value gets into the ledger, an error, a text for the guest, or a trace.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber;
use tracing::{Event, Metadata, Subscriber, span};

use crate::support::authority::Authority;
use crate::support::kept_credentials::{Keeper, placed};
use crate::support::raw::{Raw, Then, ok};
use crate::support::secure::Echo;
use crate::support::{House, fetch, get};

const CANARY: &str = "canary-Q7xZ2kP9vL";

/// Keeps every field of every event and span, of every crate and level.
#[derive(Clone, Default)]
pub(super) struct Everything(Arc<Mutex<String>>);

impl Everything {
    pub(super) fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl Visit for Everything {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut self.clone());
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Every kind whose value is a text, with the canary as its value.
fn kinds() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    vec![
        ("kind = \"query\"\nparameter = \"key\"", vec![("value", CANARY)]),
        ("kind = \"bearer\"", vec![("token", CANARY)]),
        ("kind = \"header\"\nheader = \"x-key\"", vec![("value", CANARY)]),
        ("kind = \"basic\"", vec![("username", "u"), ("password", CANARY)]),
        (
            "kind = \"aws-sigv4\"\nservice = \"s3\"\nregion = \"eu-1\"",
            vec![("access_key_id", "AK"), ("secret_access_key", CANARY), ("session_token", CANARY)],
        ),
        (
            "kind = \"hmac\"\nsign = \"${url}\"\nhash = \"sha256\"\nencoding = \"hex\"\nheader = \"x-s\"",
            vec![("key", CANARY)],
        ),
    ]
}

fn check(text: &str, settings: &str) {
    let found = text.lines().find(|line| line.contains(CANARY));
    assert!(found.is_none(), "{settings}: {found:?}");
    let encoded = "dTpjYW5hcnktUTd4WjJrUDl2TA==";
    assert!(!text.contains(encoded), "{settings}: the user's name and password, encoded");
}

#[tokio::test]
async fn e50_no_value_is_in_the_ledger_an_error_or_a_trace() {
    let failures: [(&[u8], Then); 4] = [
        (b"", Then::Close),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Then::Close),
        (b"garbage\r\n\r\n", Then::Close),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf", Then::Serve),
    ];
    for (settings, fields) in kinds() {
        let everything = Everything::default();
        let mut told = String::new();
        for (answer, then) in failures {
            let server = Raw::answering(answer, then).await;
            let keeper = Keeper::with("acme.api", &fields);
            let house = House::placing(keeper.settings(placed(&server.url(""), settings)));
            let client = house.client();
            let failed = fetch(&client, get(server.url("/v1?a=b"))).with_subscriber(everything.clone()).await;
            let error = failed.unwrap_err();
            write!(told, "{error} {error:?} {} {}", error.full_text(), error.guest_text()).unwrap();
            let entry = house.ledger.only();
            write!(told, "{entry:?} {}", serde_json::to_string(&entry).unwrap()).unwrap();
        }
        check(&told, settings);
        check(&everything.text(), settings);
    }
}

/// HTTP/2 has a table of header values, and its library traces frames.
#[tokio::test]
async fn e50_no_value_is_in_a_trace_of_http_2() {
    let authority = Authority::new();
    let echo = Echo::secure(&authority.issue("api.test"), "h2").await;
    let url = format!("https://api.test:{}", echo.address.port());
    for (settings, fields) in kinds() {
        let everything = Everything::default();
        let keeper = Keeper::with("acme.api", &fields);
        let house = House::placing(keeper.settings(placed(&url, settings))).trusting(&authority.pem());
        let client = house.client();
        for _request in 0..3 {
            fetch(&client, get(format!("{url}/v1"))).with_subscriber(everything.clone()).await.unwrap();
        }
        let told = format!("{:?}", house.ledger.all());
        check(&told, settings);
        check(&everything.text(), settings);
    }
}

#[tokio::test]
async fn the_traces_of_the_test_are_heard() {
    let everything = Everything::default();
    let server = Raw::answering(ok("hi"), Then::Serve).await;
    async { tracing::trace!(value = CANARY, "heard") }.with_subscriber(everything.clone()).await;
    fetch(&House::default().client(), get(server.url("/"))).await.unwrap();
    assert!(everything.text().contains(CANARY));
}
