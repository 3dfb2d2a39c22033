//! Credentials as their administrator enters, lists, rotates and revokes them; no value is ever shown or lies anywhere.

use serde_json::Value;

use crate::canary::{ANOTHER, CANARY};
use crate::components::append_section;
use crate::snapshot;
use crate::terminal::typed;
use crate::world::{Ran, World};

/// The manifest of `example-source`, which asks for these credentials too.
fn manifest(asks: &str) -> String {
    format!(
        r#"manifest = 1
name = "shop"
publisher = "acme"
version = "0.1.0"
contract = "0.1.0"
roles = ["source"]
title = "Shop"

[[asks.hosts]]
url = "${{config.base_url}}"
methods = ["GET"]
{asks}
[config]
type = "object"
required = ["base_url", "streams", "page_size"]
properties.base_url = {{ type = "string" }}
properties.streams = {{ type = "array", items = {{ type = "string" }} }}
properties.page_size = {{ type = "integer" }}
"#
    )
}

/// One ask for what is sent to wherever the configuration says.
pub(crate) fn ask(name: &str, kind: &str) -> String {
    format!(
        r#"
[[asks.credentials]]
name = "{name}"
reason = "Reads the orders."
audience = [{{ url = "${{config.base_url}}", methods = ["GET"] }}]
{kind}
"#
    )
}

/// A world with the connector `shop.wasm` that asks for this, and a configuration for it.
pub(crate) fn shop(asks: &str, base_url: &str) -> World {
    let world = World::new();
    let mut bytes = world.component("example-source.wasm");
    append_section(&mut bytes, "cofferdam:manifest", manifest(asks).as_bytes());
    world.file("shop.wasm", bytes);
    world.file("config.toml", format!("base_url = \"{base_url}\"\nstreams = [\"movies\"]\npage_size = 2\n"));
    world
}

const URL: &str = "https://api.shop.example";

fn bearer() -> World {
    shop(&ask("api", "kind = \"bearer\""), URL)
}

fn connect(world: &World, more: &[&str]) -> Ran {
    world.run(&[&["connect", "shop.wasm", "--config", "config.toml"], more].concat())
}

fn listed(world: &World) -> Value {
    let ran = world.run(&["credentials", "list", "--json"]).succeeded();
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["credentials"].take()
}

/// Something was kept, and shows nowhere.
#[track_caller]
pub(crate) fn nothing_shows(world: &World) {
    let files = world.files(".cofferdam");
    assert!(files.len() > 3, "{:?}", files.keys());
    world.shows_no_secret();
}

#[test]
fn a_credential_is_entered_listed_rotated_and_revoked_and_its_value_is_never_shown() {
    let world = bearer();
    world.secret("token", &format!("{CANARY}\n"));
    let entered = connect(&world, &["--secret", "token=@token"]);
    snapshot!("connect", entered);
    let list = world.run(&["credentials", "list"]);
    snapshot!("credentials-list", list);
    let before = listed(&world);
    assert_eq!(before[0]["name"], "shop.api");
    assert_eq!(before[0]["secret"], serde_json::json!(["token"]));
    nothing_shows(&world);

    let mut command = world.command(&["credentials", "rotate", "shop.api", "--secret", "token=env:TOKEN"]);
    world.must_not_show(ANOTHER);
    command.env("TOKEN", ANOTHER);
    let rotated = world.ended(command);
    snapshot!("credentials-rotate", rotated);
    let after = listed(&world);
    assert_ne!(before[0]["generation"], after[0]["generation"]);

    snapshot!("credentials-revoke-unconfirmed", world.run(&["credentials", "revoke", "shop.api"]));
    assert_eq!(listed(&world).as_array().unwrap().len(), 1);
    let revoked = world.run(&["credentials", "revoke", "shop.api", "--yes"]);
    snapshot!("credentials-revoke", revoked);
    assert_eq!(listed(&world), serde_json::json!([]));
    nothing_shows(&world);
    snapshot!("credentials-revoke-again", world.run(&["credentials", "revoke", "shop.api", "--yes"]));
    snapshot!("credentials-list-empty", world.run(&["credentials", "list"]));
}

#[test]
fn what_is_typed_is_not_shown() {
    let world = shop(&ask("login", "kind = \"basic\""), URL);
    let arguments = ["connect", "shop.wasm", "--config", "config.toml"];
    world.must_not_show(CANARY);
    world.must_not_show(ANOTHER);
    let (shown, status) = typed(&world, &arguments, &[("username: ", "ada"), ("password: ", CANARY)]);
    assert_eq!(status, Some(0), "{shown}");
    assert!(shown.contains("username: ada"), "{shown}");
    assert!(shown.contains("password: ") && !shown.contains(CANARY), "{shown}");
    let kept = listed(&world);
    assert_eq!(kept[0]["public"]["username"], "ada");
    // The name stays; only the secret is asked for.
    let (shown, status) = typed(&world, &["credentials", "rotate", "shop.login"], &[("password: ", ANOTHER)]);
    assert_eq!(status, Some(0), "{shown}");
    assert!(!shown.contains("username") && !shown.contains(ANOTHER), "{shown}");
    assert_eq!(listed(&world)[0]["public"]["username"], "ada");
    let (shown, status) =
        typed(&world, &["credentials", "revoke", "shop.login"], &[("to go on: ", "shop.login")]);
    assert_eq!(status, Some(0), "{shown}");
    assert_eq!(listed(&world), serde_json::json!([]));
    nothing_shows(&world);
}

#[test]
fn a_secret_among_the_words_of_a_command_is_refused_and_not_repeated() {
    let world = bearer();
    let in_words = connect(&world, &["--secret", &format!("token={CANARY}")]);
    snapshot!("connect-secret-in-words", in_words);
    for wrong in [["--field", &format!("token={CANARY}")], ["--secret", CANARY], ["--field", CANARY]] {
        let ran = connect(&world, &wrong);
        assert_eq!(ran.status, Some(1), "{}", ran.report());
        assert!(
            ran.stdout.is_empty() && (wrong[0] == "--field" || !ran.stderr.contains(CANARY)),
            "{}",
            ran.report()
        );
    }
    assert!(!world.path(".cofferdam").exists(), "nothing was kept");
}

#[test]
fn what_cannot_be_the_value_of_a_field_is_told() {
    let world = shop(&ask("account", "kind = \"jwt-bearer\"\nalgorithm = \"RS256\""), URL);
    world.secret("empty", "\n");
    world.secret("lines", "a secret of\ntwo lines\n");
    world.secret("binary", "\u{1}\u{2}");
    world.secret("large", &"x".repeat(300 << 10));
    let start = ["connect", "shop.wasm", "--config", "config.toml"];
    for (name, arguments) in [
        ("connect-field-pem", &["--secret", "private_key=@lines", "--field", "issuer=me"][..]),
        ("connect-field-unknown", &["--secret", "token=@lines"]),
        ("connect-field-missing", &["--field", "issuer=me"]),
        ("connect-field-no-file", &["--secret", "private_key=@nowhere", "--field", "issuer=me"]),
    ] {
        snapshot!(name, crate::terminal::alone(&world, &[&start, arguments].concat()));
    }
    let world_of_tokens = bearer();
    for name in ["empty", "lines", "binary", "large"] {
        let path = world.path(name);
        let ran = connect(&world_of_tokens, &["--secret", &format!("token=@{}", path.display())]);
        assert_eq!(ran.status, Some(1), "{}", ran.report());
        assert!(ran.stderr.contains("error[CD0842]"), "{name}: {}", ran.report());
    }
    let twice = connect(&world_of_tokens, &["--secret", "token=-", "--secret", "token=-"]);
    assert!(twice.stderr.contains("given twice"), "{}", twice.report());
}

#[test]
fn a_short_secret_is_warned_of() {
    let world = bearer();
    world.secret("token", "short");
    snapshot!("connect-short", connect(&world, &["--secret", "token=@token"]));
}

#[test]
fn of_several_credentials_those_that_are_missing_are_meant() {
    let headers = ask("key", "kind = \"header\"\nheader = \"x-key\"")
        + &ask("app", "kind = \"header\"\nheader = \"x-app\"")
        + &ask("more", "kind = \"header\"\nheader = \"x-more\"\noptional = true");
    let world = shop(&headers, URL);
    world.secret("token", CANARY);
    let given = ["--secret", "value=@token"];
    snapshot!("connect-which-ask", connect(&world, &given));
    snapshot!("connect-no-such-ask", connect(&world, &[&["--ask", "api"], &given[..]].concat()));
    connect(&world, &[&["--ask", "key"], &given[..]].concat()).succeeded();
    // One is left that is needed.
    let second = connect(&world, &given).succeeded();
    assert!(second.stdout.contains("`shop.app` is kept"), "{}", second.report());
    snapshot!("connect-none-missing", connect(&world, &given));
    connect(&world, &[&["--ask", "more", "--name", "mine.more"], &given[..]].concat()).succeeded();
    let names: Vec<Value> =
        listed(&world).as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["mine.more", "shop.app", "shop.key"]);
    let taken = connect(&world, &[&["--ask", "app", "--name", "shop.key"], &given[..]].concat());
    snapshot!("connect-name-taken", taken);
    let wrong = connect(&world, &[&["--ask", "app", "--name", "Shop Key"], &given[..]].concat());
    assert!(wrong.stderr.contains("error[CD1063]"), "{}", wrong.report());
}

#[test]
fn a_connector_that_wants_to_hold_a_secret_is_warned_of() {
    let world = shop(&ask("api", "kind = \"bearer\"\nreveal = true"), URL);
    world.secret("token", CANARY);
    snapshot!("connect-reveal", connect(&world, &["--secret", "token=@token"]));
}
