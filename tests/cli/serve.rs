//! The server as its operator starts it and its people reach it: over TLS and without, from an empty directory to a verified
//! audit log, through a restart.

use control::{NoteKey, VerifyOptions, verify_export};
use serde_json::{Value, json};

use crate::serving::{PASSWORD, Serving, certificate, text, unchunked};
use crate::world::World;

#[test]
fn from_an_empty_directory_to_a_verified_audit_log() {
    let world = World::new();
    let root = certificate(&world);
    let tls = ["--tls-certificate", "certificate.pem", "--tls-key", "key.pem", "--region", "eu-1"];
    let server = Serving::start(&world, &tls, Some(root.clone()));
    let ready = server.ask("GET", "/readyz", None, None);
    assert_eq!(ready.status, 200);
    assert!(ready.head.contains("strict-transport-security: "), "{}", ready.head);

    let first = json!({"token": server.setup_token(), "email": "op@host.example", "password": PASSWORD});
    server.post("/v1/setup", None, first.clone());
    assert_eq!(server.ask("POST", "/v1/setup", None, Some(&first)).status, 403);
    let operator = server.log_in("op@host.example");
    let wanted = json!({"name": "Acme", "admin_email": "ada@acme.example"});
    let made = server.post("/v1/organizations", Some(&operator), wanted);
    let invitation = text(&made, "/invitation/token");
    server.post("/v1/join", None, json!({"token": invitation, "password": PASSWORD}));
    let admin = server.log_in("ada@acme.example");
    let at = |rest: &str| format!("/v1/organizations/{}{rest}", text(&made, "/organization/id"));
    let wanted = json!({"name": "ci", "scopes": ["read", "admin"], "days": 30});
    let token = text(&server.post(&at("/tokens"), Some(&admin), wanted), "/token");
    assert_eq!(server.get(&at(""), &token).status, 200);
    // Names are all that an operator sees.
    assert_eq!(server.get(&at("/audit"), &operator).status, 403);
    let signed = server.get(&at("/audit/checkpoint"), &token);
    let signed: Value = serde_json::from_str(&signed.body).unwrap();
    for secret in [PASSWORD, &operator, &admin, &token, &invitation] {
        world.must_not_show(secret);
    }
    let ended = server.terminate().succeeded();
    assert!(ended.stderr.contains("stopping: "), "{}", ended.report());
    world.heard(&ended);

    let server = Serving::start(&world, &tls, Some(root));
    assert_eq!(server.get("/v1/me", &admin).status, 200, "a session outlives the process");
    let exported = unchunked(&server.get(&at("/audit/export"), &token).body);
    let key = NoteKey::parse(&text(&signed, "/key")).unwrap();
    let remembered = vec![text(&signed, "/checkpoint")];
    let options = VerifyOptions { key: Some(key), remembered };
    let verified = verify_export(&mut exported.as_bytes(), &options).unwrap();
    assert!(verified.findings.is_empty() && verified.entries > 4, "{verified:?}");
    let edited = exported.replace("token_created", "token_creates");
    assert_ne!(edited, exported);
    assert!(!verify_export(&mut edited.as_bytes(), &options).unwrap().findings.is_empty());
    let compared =
        server.post(&at("/audit/compare"), Some(&token), json!({"checkpoint": text(&signed, "/checkpoint")}));
    assert_eq!(text(&compared, "/result"), "fits");
    let ended = server.terminate().succeeded();
    assert!(!ended.stderr.contains("first"), "it needs no operator any more: {}", ended.report());
    world.heard(&ended);
}

#[test]
fn without_tls_it_is_served_on_loopback_alone() {
    let world = World::new();
    let server = Serving::start(&world, &[], None);
    assert_eq!(server.ask("GET", "/healthz", None, None).status, 200);
    let again = world.run(&["serve", "--data", "other", "--listen", &server.address]);
    assert!(again.stderr.contains("error[CD1302]"), "{}", again.report());
    // One process has the data directory.
    let beside = world.run(&["serve", "--data", "data", "--listen", "127.0.0.1:0"]);
    assert_eq!(beside.status, Some(1));
    assert!(beside.stderr.contains("cofferdam serve"), "{}", beside.report());
    server.terminate().succeeded();
    let everywhere = world.run(&["serve", "--data", "third", "--listen", "0.0.0.0:0"]);
    assert_eq!(everywhere.status, Some(1));
    assert!(everywhere.stderr.contains("error[CD1301]"), "{}", everywhere.report());
}

#[test]
fn all_wrong_settings_are_told_before_anything_is_made() {
    let world = World::new();
    world.file("server.toml", "lisen = \"127.0.0.1:1\"\nregion = \"EU\"\n");
    let mut command =
        world.command(&["serve", "--config", "server.toml", "--requests-at-once", "0", "--data", "data"]);
    command.env("COFFERDAM_ORIGIN", "cofferdam.example.com");
    crate::snapshot!("serve-settings", world.ended(command));
    assert!(!world.path("data").exists());
}
