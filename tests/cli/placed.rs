//! A sync from systems that want credentials: entered once, placed by the host, and seen by no connector.

use serde_json::Value;

use crate::api;
use crate::canary::{ANOTHER, CANARY, basic, bearer, parameter};
use crate::credentials::{ask, nothing_shows, shop};
use crate::identity::{CLIENT_SECRET, Provider, consents};
use crate::snapshot;
use crate::world::{Ran, World};

/// A sync of the connector `shop.wasm` that is granted these hosts and addresses, and this.
fn sync(base_url: &str, hosts: &str, grants: &str) -> String {
    format!(
        r#"
sync = 1
name = "orders"
[source]
connector = "shop.wasm"
config = {{ base_url = "{base_url}", streams = ["movies"], page_size = 2 }}
{hosts}{grants}
[destination]
connector = "components/null.wasm"
[run]
attempts = 1
"#
    )
}

pub(crate) const GRANTED: &str = "[source.grants.credentials]\napi = \"shop.api\"\n";

/// A sync from an API of the suite.
pub(crate) fn sync_of(url: &str, grants: &str) -> String {
    sync(url, &api::grants(url), grants)
}

fn world(kind: &str, base_url: &str) -> World {
    let world = shop(&ask("api", kind), base_url);
    world.file("sync.toml", sync_of(base_url, GRANTED));
    world.secret("secret", CANARY);
    world
}

fn connect(world: &World, fields: &[&str]) -> Ran {
    world.run(&[&["connect", "sync.toml"], fields].concat()).succeeded()
}

#[test]
fn a_system_that_wants_a_credential_of_each_simple_kind_is_read_with_it() {
    let value = &["--secret", "value=@secret"][..];
    for (kind, fields, wanted) in [
        ("kind = \"bearer\"", &["--secret", "token=@secret"][..], bearer()),
        (
            "kind = \"header\"\nheader = \"x-api-key\"\nprefix = \"Key \"",
            value,
            format!("x-api-key: Key {CANARY}\n"),
        ),
        ("kind = \"query\"\nparameter = \"api_key\"", value, parameter("api_key")),
        ("kind = \"basic\"", &["--field", "username=ada", "--secret", "password=@secret"], basic()),
    ] {
        let world = world(kind, &api::serve_to(&[wanted]));
        connect(&world, fields);
        let ran = world.run(&["run", "sync.toml"]).succeeded();
        assert!(ran.stdout.contains("shop.api"), "the ledger names it: {}", ran.report());
        let shown = world.run(&["runs", "show", "1", "--json"]).succeeded();
        let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert!(shown.to_string().contains("shop.api") && !shown.to_string().contains(CANARY));
        let commands =
            [&["check", "sync.toml"][..], &["preview", "sync.toml", "movies"], &["discover", "sync.toml"]];
        for command in commands {
            world.run(command).succeeded();
        }
        nothing_shows(&world);
    }
}

#[test]
fn two_credentials_are_placed_side_by_side() {
    let asks = ask("key", "kind = \"header\"\nheader = \"x-key\"")
        + &ask("app", "kind = \"header\"\nheader = \"x-app\"");
    let url = api::serve_to(&[format!("x-key: {CANARY}\n"), format!("x-app: {ANOTHER}\n")]);
    let world = shop(&asks, &url);
    world.file(
        "sync.toml",
        sync_of(&url, "[source.grants.credentials]\nkey = \"shop.key\"\napp = \"shop.app\"\n"),
    );
    world.secret("secret", CANARY);
    world.secret("other", ANOTHER);
    connect(&world, &["--ask", "key", "--secret", "value=@secret"]);
    connect(&world, &["--ask", "app", "--secret", "value=@other"]);
    world.run(&["run", "sync.toml"]).succeeded();
    nothing_shows(&world);
}

#[test]
fn what_is_missing_is_told_with_what_brings_it() {
    let url = api::serve_to(&[bearer()]);
    let world = world("kind = \"bearer\"", &url);
    world.file("sync.toml", sync_of(&url, ""));
    let not_granted = world.run(&["run", "sync.toml"]);
    snapshot!("credential-not-granted", not_granted);
    world.file("sync.toml", sync_of(&url, &not_granted.lines_to_add()));
    snapshot!("credential-not-entered", world.run(&["run", "sync.toml"]));
    assert!(!world.path(".cofferdam").exists(), "the run did not begin");
    connect(&world, &["--secret", "token=@secret"]);
    world.run(&["run", "sync.toml"]).succeeded();

    world.run(&["credentials", "revoke", "shop.api", "--yes"]).succeeded();
    snapshot!("credential-revoked", world.run(&["run", "sync.toml"]));
}

#[test]
fn a_credential_does_not_follow_an_address_that_was_changed() {
    let wanted = &[bearer()];
    let (first, second) = (api::serve_to(wanted), api::serve_to(wanted));
    let world = world("kind = \"bearer\"", &first);
    connect(&world, &["--secret", "token=@secret"]);
    world.file("sync.toml", sync_of(&second, GRANTED));
    for command in ["run", "check"] {
        let refused = world.run(&[command, "sync.toml"]);
        assert_eq!(refused.status, Some(1), "{}", refused.report());
        assert!(refused.stderr.contains("error[CD1067]"), "{}", refused.report());
        assert!(refused.stderr.contains(&first) && refused.stderr.contains(&second), "{}", refused.report());
    }
    snapshot!("credential-moved", world.run(&["run", "sync.toml"]));
    connect(&world, &["--secret", "token=@secret"]);
    world.run(&["run", "sync.toml"]).succeeded();
    world.file("sync.toml", sync_of(&first, GRANTED));
    let back = world.run(&["run", "sync.toml"]);
    assert!(back.stderr.contains("error[CD1067]"), "it is for the second one now: {}", back.report());
}

#[test]
fn a_credential_of_another_connector_is_not_used() {
    let url = api::serve_to(&[bearer()]);
    let world = world("kind = \"bearer\"", &url);
    connect(&world, &["--name", "mine.api", "--secret", "token=@secret"]);
    let other = ask("other", "kind = \"bearer\"");
    let another = shop(&other, &url);
    world.file("shop.wasm", std::fs::read(another.path("shop.wasm")).unwrap());
    world.file("sync.toml", sync_of(&url, "[source.grants.credentials]\nother = \"mine.api\"\n"));
    snapshot!("credential-of-another", world.run(&["run", "sync.toml"]));
}

#[test]
fn a_secret_that_is_wrong_is_the_systems_word_and_rotating_helps() {
    let url = api::serve_to(&[bearer()]);
    let world = world("kind = \"bearer\"", &url);
    world.secret("wrong", ANOTHER);
    connect(&world, &["--secret", "token=@wrong"]);
    let refused = world.run(&["run", "sync.toml"]);
    assert_eq!(refused.status, Some(1), "{}", refused.report());
    assert!(!refused.stdout.contains("CANARY") && !refused.stderr.contains("CANARY"), "{}", refused.report());
    world.run(&["credentials", "rotate", "shop.api", "--secret", "token=@secret"]).succeeded();
    world.run(&["run", "sync.toml"]).succeeded();
}

/// A world with a credential of this provider, and the access token that consent brought.
fn with_consent(provider: &mut Provider) -> (World, String) {
    let issuer = provider.issuer.clone();
    let kind = format!(
        r#"kind = "oauth2"
token_url = "{issuer}/token"
authorize_url = "{issuer}/auth"
issuer = "{issuer}"
scopes = ["openid", "offline_access", "orders"]
authorize_parameters = {{ prompt = "consent" }}"#
    );
    let base_url = format!("{issuer}/api");
    let world = shop(&ask("api", &kind), &base_url);
    world.file("sync.toml", sync(&base_url, &api::grants(&issuer), GRANTED));
    world.secret("client-secret", CLIENT_SECRET);
    crate::connect::consented(&world, consents);
    let issued = provider.line();
    let token = issued.strip_prefix("issued ").unwrap().to_owned();
    world.must_not_show(&token);
    (world, token)
}

#[test]
fn a_token_that_a_provider_takes_no_more_is_renewed_and_kept() {
    let mut provider = Provider::start();
    let (world, token) = with_consent(&mut provider);
    world.run(&["run", "sync.toml"]).succeeded();
    assert_eq!(provider.line(), format!("read {token}"), "the token that consent brought is used");

    provider.forgets(&token);
    let before = listed(&world);
    world.run(&["run", "sync.toml"]).succeeded();
    nothing_shows(&world);
    let after = listed(&world);
    assert_ne!(before["generation"], after["generation"], "what was renewed is kept");
    assert!(after["refreshed_ms"].is_u64() && after["redeeming_ms"].is_null(), "{after}");
    let happened = provider.ended();
    let refreshed = happened.iter().filter(|line| line.starts_with("refreshed ")).count();
    assert_eq!(refreshed, 1, "{happened:?}");
    assert!(happened.last().unwrap().starts_with("read "), "{happened:?}");
}

#[test]
fn consent_that_was_withdrawn_is_told_and_can_be_given_again() {
    let mut provider = Provider::start();
    let (world, token) = with_consent(&mut provider);
    provider.is_told_to_revoke(&token);
    let refused = world.run(&["run", "sync.toml"]);
    assert_eq!(refused.status, Some(1), "{}", refused.report());
    assert!(refused.stderr.contains("`invalid_grant`"), "{}", refused.report());
    assert!(refused.stderr.contains("hint: enter it again with `cofferdam connect`"), "{}", refused.report());
    crate::connect::consented(&world, consents);
    world.run(&["run", "sync.toml"]).succeeded();
}

fn listed(world: &World) -> Value {
    let ran = world.run(&["credentials", "list", "--json"]).succeeded();
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["credentials"][0].take()
}

#[test]
fn a_connector_holds_a_secret_only_where_asked_for_granted_and_warned_of() {
    // The connector sends nothing of it: nobody does.
    let url = api::serve_to(&[""]);
    let world = world("kind = \"bearer\"\nreveal = true", &url);
    connect(&world, &["--secret", "token=@secret"]);
    snapshot!("credential-reveal-not-granted", world.run(&["run", "sync.toml"]));
    world.file(
        "sync.toml",
        sync_of(&url, "[source.grants.credentials.api]\nuse = \"shop.api\"\nreveal = true\n"),
    );
    let ran = world.run(&["run", "sync.toml"]).succeeded();
    assert!(ran.stderr.contains("warning[CD0846]: `source` holds the secret"), "{}", ran.report());
    let logged = world.run(&["runs", "logs", "1"]).succeeded();
    assert!(
        logged.stdout.contains("`source` was given the secret of the credential `api`"),
        "{}",
        logged.report()
    );
    nothing_shows(&world);
}
