//! `reveal = true`: a connector that gets a secret itself, where it asks for that and is granted it; in red, written down, and
//! with the secret out of everything that it gives.

use serde_json::Value;

use crate::api;
use crate::canary::CANARY;
use crate::components::append_section;
use crate::credentials::{ask, nothing_shows, shop};
use crate::placed_low_code::manifest;
use crate::terminal::on_terminal;
use crate::world::World;

/// The connector puts the secret into a header of its own.
const HEADERS: &str =
    r#"request_headers: {X-Held: "{{ config['credentials']['api']['revealed']['token'] }}"}"#;

/// What the component says of itself: nobody derives a wish to hold a secret.
const HELD: &str = r#"manifest = 1
name = "shop"
publisher = "acme"
version = "0.1.0"
contract = "0.1.0"
roles = ["source"]
title = "Shop"

[[asks.hosts]]
url = "${config.base_url}"
methods = ["GET"]

[[asks.credentials]]
name = "api"
kind = "bearer"
reveal = true
audience = [{ url = "${config.base_url}", methods = ["GET"] }]

[config]
type = "object"
required = ["base_url"]
properties.base_url = { type = "string" }
"#;

/// A sync from a connector that holds its secret, which is entered.
fn world(url: &str) -> World {
    let world = World::new();
    let mut bytes = world.component("http-manifest.wasm");
    append_section(&mut bytes, "cofferdam:manifest", HELD.as_bytes());
    append_section(&mut bytes, "cofferdam:program", manifest(HEADERS, 2).as_bytes());
    world.file("api.wasm", bytes);
    world.folder("out");
    let grants = api::grants(url);
    world.file(
        "sync.toml",
        format!(
            r#"
sync = 1
name = "movies"
[source]
connector = "api.wasm"
config = {{ base_url = "{url}" }}
{grants}
[source.grants.credentials.api]
use = "shop.api"
reveal = true
[destination]
connector = "components/files.wasm"
config = {{ directory = "/out" }}
grants = {{ directories = {{ out = {{ path = "out", access = "write" }} }} }}
[rejects]
policy = "quarantine"
[run]
attempts = 1
"#
        ),
    );
    world.secret("secret", CANARY);
    world.run(&["connect", "sync.toml", "--secret", "token=@secret"]).succeeded();
    world
}

#[test]
fn a_connector_that_was_given_a_secret_sends_it_itself_and_the_run_says_so() {
    let world = world(&api::serve_to(&[format!("x-held: {CANARY}\n")]));
    let ran = world.run(&["run", "sync.toml", "--json"]).succeeded();
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["connectors"][0]["holds"], serde_json::json!(["api"]), "{document}");
    assert!(document["connectors"][1]["holds"].is_null(), "{document}");
    assert_eq!(document["report"]["streams"]["movies"]["counters"]["accepted"], 2, "{document}");
    let credential = &document["requests"][0]["group"]["particulars"]["credential"];
    assert!(credential.is_null(), "the host has placed nothing: {credential}");
    let logged = world.run(&["runs", "logs", "1"]).succeeded();
    assert!(
        logged.stdout.contains("`source` was given the secret of the credential `api`"),
        "{}",
        logged.stdout
    );
    nothing_shows(&world);
}

#[test]
fn a_secret_that_a_connector_holds_is_in_no_row_that_it_gives() {
    let world = world(&api::serve_echo());
    let ran = world.run(&["run", "sync.toml", "--json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let counters = &document["report"]["streams"]["movies"]["counters"];
    assert_eq!((&counters["accepted"], &counters["rejected"]), (&0.into(), &1.into()), "{document}");
    let errors = world.run(&["errors", "list", "--json"]).succeeded();
    assert!(errors.stdout.contains("secret_in_row"), "{}", errors.stdout);
    assert!(crate::rows::rows(&world.path("out")).is_empty());
    nothing_shows(&world);
}

/// A secret that a stream may be called.
const NAME: &str = "canary-of-a-name-4711";

#[test]
fn names_of_streams_that_hold_a_secret_are_not_shown() {
    let world = shop(&ask("api", "kind = \"bearer\"\nreveal = true"), "https://api.shop.example");
    world.file(
        "sync.toml",
        format!(
            r#"
sync = 1
name = "orders"
[source]
connector = "shop.wasm"
config = {{ base_url = "https://api.shop.example", streams = ["{NAME}"], page_size = 2 }}
[[source.grants.hosts]]
url = "https://api.shop.example"
[source.grants.credentials.api]
use = "shop.api"
reveal = true
[destination]
connector = "components/null.wasm"
"#
        ),
    );
    world.theirs("sync.toml");
    world.secret("secret", NAME);
    world.run(&["connect", "sync.toml", "--secret", "token=@secret"]).succeeded();
    for arguments in [&["discover", "sync.toml"][..], &["discover", "sync.toml", "--json"]] {
        let refused = world.run(arguments);
        assert_eq!(refused.status, Some(1), "{}", refused.report());
        assert!(refused.stderr.contains("error[CD0725]"), "{}", refused.report());
        nothing_shows(&world);
    }
}

#[test]
fn a_connector_that_wants_to_hold_a_secret_is_told_of_in_red() {
    let world = world(&api::serve_to(&[format!("x-held: {CANARY}\n")]));
    let red = "\u{1b}[1m\u{1b}[31mwarning[CD0846]\u{1b}[0m: ";
    for arguments in [&["connect", "sync.toml", "--secret", "token=@secret"][..], &["run", "sync.toml"]] {
        let sent = on_terminal(world.command(arguments));
        assert!(sent.contains(red), "{arguments:?}: {sent:?}");
    }
}

/// A destination says of each field what becomes of it, and may say anything.
#[test]
fn what_a_destination_says_of_fields_is_shown_without_the_secret_that_it_holds() {
    let world = World::with(GIVES_AWAY);
    let mut bytes = world.component("proof.wasm");
    append_section(&mut bytes, "cofferdam:manifest", GIVEN_AWAY.as_bytes());
    world.file("shop.wasm", bytes);
    world.secret("secret", CANARY);
    world.run(&["connect", "sync.toml", "--secret", "token=@secret"]).succeeded();
    let blanked = format!("converted to {}: `id`", "*".repeat(CANARY.len()));
    for arguments in [&["check", "sync.toml"][..], &["check", "sync.toml", "--json"], &["run", "sync.toml"]] {
        let ran = world.run(arguments).succeeded();
        assert!(arguments[0] == "run" || ran.stdout.contains(&blanked), "{}", ran.report());
    }
    nothing_shows(&world);
}

const GIVES_AWAY: &str = r#"
sync = 1
name = "given-away"
[source]
connector = "components/faker.wasm"
config = { streams = [{ name = "people", rows = 1 }] }
[destination]
connector = "shop.wasm"
[[destination.grants.hosts]]
url = "https://api.shop.example"
[destination.grants.credentials.api]
use = "shop.api"
reveal = true
"#;

const GIVEN_AWAY: &str = r#"manifest = 1
name = "shop"
publisher = "acme"
version = "0.1.0"
contract = "0.1.0"
roles = ["source", "destination", "transform", "webhook"]
title = "Shop"

[[asks.hosts]]
url = "https://api.shop.example"

[[asks.credentials]]
name = "api"
kind = "bearer"
reveal = true
audience = [{ url = "https://api.shop.example" }]

[config]
type = "object"
"#;
