//! Event endpoints over HTTP: a story, and what other systems are answered.

use super::world::{Cast, DAY_MS, World, options};
use crate::{Options, Rates};
use control::{ConnectionConfig, SyncSpec};
use measures::Standing;
use serde_json::{Value, json};
use std::num::NonZeroU32;
use storage::Clock as _;

const MANIFEST: &str = "manifest = 1\nname = \"hook\"\npublisher = \"acme\"\nversion = \"1.0.0\"\n\
    contract = \"0.1.0\"\nroles = [\"webhook\", \"destination\"]\ntitle = \"Hook\"\n[webhook]\nheaders = [\"x-event\"]\n\
    [webhook.signature]\nscheme = \"standard-webhooks\"\n";
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

impl World {
    /// A sync that runs and whose source understands messages; answers its path and its id.
    pub(crate) async fn hook(&self, cast: &Cast) -> (String, String) {
        self.hook_of(cast, MANIFEST).await
    }

    /// The same with a source that says this of itself.
    async fn hook_of(&self, cast: &Cast, manifest: &str) -> (String, String) {
        let parts = &self.parts;
        let (acme, admin) = (&cast.acme, &self.admin_id(cast).await);
        let digest = "e".repeat(64);
        parts.installations.install(admin, acme, &digest, manifest).await.unwrap();
        let config = |name: &str| {
            let (name, installation) = (name.to_owned(), digest.clone());
            ConnectionConfig { name, installation, config: json!({}) }
        };
        let source = parts.connections.create(admin, acme, config("Hook")).await.unwrap().id;
        let destination = parts.connections.create(admin, acme, config("To")).await.unwrap().id;
        let spec = json!({ "name": "Events", "source": source, "destination": destination });
        let spec: SyncSpec = serde_json::from_value(spec).unwrap();
        let sync = parts.syncs.create(admin, acme, spec).await.unwrap().id;
        parts.syncs.start(admin, acme, &sync).await.unwrap();
        (format!("/v1/organizations/{acme}/syncs/{sync}"), sync)
    }

    async fn admin_id(&self, cast: &Cast) -> String {
        self.get("/v1/me").by(&cast.admin).await.text("/user")
    }
}

#[tokio::test]
async fn other_systems_leave_messages_with_a_token_that_is_rotated_and_turned_off() {
    let world = World::with(Options { origin: Some("https://c.example".into()), ..options() }).await;
    let cast = world.cast().await;
    let (path, _) = world.hook(&cast).await;
    let at = |rest: &str| format!("{path}/endpoint{rest}");
    assert_eq!(world.get(&at("")).by(&cast.admin).await.refusal(), (404, "CD1253".to_owned()));
    let made = world.ask("POST", &at("")).by(&cast.user).await;
    assert_eq!(made.status(), 201);
    let url = made.text("/url");
    let first = url.strip_prefix("https://c.example").unwrap();
    assert!(first.starts_with("/v1/events/cfd_event_"), "{first}");
    assert_eq!(made.json()["shown"]["signature"], "standard-webhooks");

    let left = world.ask("POST", first).header("x-event", "paid").body("{}").await;
    assert_eq!((left.status(), left.json()), (202, json!({ "sequence": 1, "duplicate": false })));
    // No type, no body, no session: whatever it is, the connector reads it.
    let bare = world.ask("POST", first).header("webhook-id", "a").await;
    assert_eq!((bare.status(), bare.json()), (202, json!({ "sequence": 2, "duplicate": false })));
    let again = world.ask("POST", first).header("webhook-id", "a").await;
    assert_eq!((again.status(), again.json()), (202, json!({ "sequence": 2, "duplicate": true })));
    assert_eq!(world.ask("POST", &format!("{first}x")).body("{}").await.status(), 404);
    let figures = world.parts.measures.text(Standing::default());
    for line in
        ["cofferdam_events_total{which=\"accepted\"} 2", "cofferdam_events_total{which=\"refused\"} 1"]
    {
        assert!(figures.lines().any(|found| found == line), "{line} in {figures}");
    }
    let queue = world.get(&at("/queue")).by(&cast.user).await.json();
    assert_eq!((&queue["waiting"], &queue["next_sequence"]), (&json!(2), &json!(3)));
    // There is a run for them, until somebody ends it: then another one comes later.
    assert_eq!((&queue["left_by_runs"], &queue["next_run_ms"]), (&json!(0), &Value::Null));
    let run = world.get(&path).by(&cast.user).await.text("/run");
    let of_organization = path.split_once("/syncs/").unwrap().0;
    let cancelled =
        world.post(&format!("{of_organization}/runs/{run}/cancel"), json!({})).by(&cast.user).await;
    assert_eq!(cancelled.status(), 202);
    let queue = world.get(&at("/queue")).by(&cast.user).await.json();
    let next_ms = queue["next_run_ms"].as_u64().unwrap();
    assert!((60_000..=75_000).contains(&(next_ms - world.clock.now_ms())), "{queue}");
    assert_eq!(queue["left_by_runs"], 1);

    let rotated = world.post(&at("/rotate"), json!({ "overlap_seconds": 60 })).by(&cast.admin).await;
    let url = rotated.text("/url");
    let second = url.strip_prefix("https://c.example").unwrap();
    assert_eq!(world.ask("POST", first).await.status(), 202);
    world.clock.pass(60_000);
    assert_eq!(world.ask("POST", first).await.refusal(), (404, "CD1270".to_owned()));
    assert_eq!(world.ask("POST", second).await.status(), 202);

    let secret = world.post(&at("/signing-secret"), json!({ "secret": KEY })).by(&cast.user).await;
    assert_eq!(secret.status(), 204);
    assert_eq!(world.ask("POST", second).await.refusal(), (401, "CD1271".to_owned()));
    let shown = world.get(&at("")).by(&cast.admin).await;
    assert_eq!(shown.json()["has_signing_secret"], true);
    assert!(!String::from_utf8_lossy(shown.bytes()).contains(KEY));
    assert_eq!(world.ask("DELETE", &at("/signing-secret")).by(&cast.user).await.status(), 204);
    assert_eq!(world.ask("POST", second).await.status(), 202);

    assert_eq!(world.ask("DELETE", &at("/queue")).by(&cast.user).await.json(), json!({ "dropped": 5 }));
    assert_eq!(world.ask("DELETE", &at("")).by(&cast.user).await.status(), 204);
    assert_eq!(world.ask("POST", second).await.refusal(), (404, "CD1270".to_owned()));
    assert_eq!(world.get(&at("")).by(&cast.admin).await.json()["is_on"], false);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_is_answered_the_same() {
    let world = World::new().await;
    let cast = world.cast().await;
    let (path, _) = world.hook(&cast).await;
    let url = world.ask("POST", &format!("{path}/endpoint")).by(&cast.admin).await.text("/url");
    let zones = format!("/v1/organizations/{}/zones", cast.acme);
    let tag = world.get(&zones).by(&cast.admin).await.header("etag").unwrap().to_owned();
    let set = world.ask("PUT", &zones).by(&cast.admin).header("if-match", &tag);
    set.json(&json!({ "api": [], "events": ["198.51.100.0/24"] })).await;
    let mut told = Vec::new();
    // Also who has a session, or a token of the API.
    let (api, _) = world.token(&cast.admin, &cast.acme, &["write"]).await;
    for path in
        [url.as_str(), "/v1/events/x", "/v1/events/%FF", &url[..url.len() - 1], &format!("/v1/events/{api}")]
    {
        let reply = world.ask("POST", path).by(&cast.admin).body("x".repeat(2 << 20)).await;
        told.push((reply.refusal(), reply.text("/message"), reply.text("/hint")));
    }
    // What cannot be a part of a path is no token of anybody.
    told.retain(|(refusal, ..)| refusal.1 != "CD1316");
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, (404, "CD1270".to_owned()));
    assert_eq!(world.ask("POST", &url).from("198.51.100.9").await.status(), 202);
}

#[tokio::test]
async fn who_guesses_tokens_is_slowed_down_and_who_has_one_is_not() {
    let number = |number| NonZeroU32::new(number).unwrap();
    let rates = Rates { stranger_per_second: number(1), stranger_burst: number(40), ..options().rates };
    let world = World::with(Options { rates, ..options() }).await;
    let cast = world.cast().await;
    let (path, _) = world.hook(&cast).await;
    let url = world.ask("POST", &format!("{path}/endpoint")).by(&cast.admin).await.text("/url");
    for _ in 0..60 {
        assert_eq!(world.ask("POST", &url).from("203.0.113.5").await.status(), 202);
    }
    let mut guesses = Vec::new();
    for _ in 0..60 {
        guesses.push(world.ask("POST", "/v1/events/x").from("203.0.113.5").await.status());
    }
    assert!(guesses.contains(&404) && guesses.ends_with(&[429]), "{guesses:?}");
    assert_eq!(world.ask("POST", &url).from("203.0.113.5").await.status(), 202);
}

#[tokio::test]
async fn a_body_over_the_cap_is_refused_and_a_full_queue_says_when_to_come_again() {
    let world = World::new().await;
    let cast = world.cast().await;
    let (path, _) = world.hook(&cast).await;
    let url = world.ask("POST", &format!("{path}/endpoint")).by(&cast.admin).await.text("/url");
    let large = world.ask("POST", &url).body("x".repeat((1 << 20) + 1)).await;
    assert_eq!(large.refusal(), (413, "CD1312".to_owned()));
    assert_eq!(world.ask("POST", &url).body("x".repeat(1 << 20)).await.status(), 202);
    let full = control::Error::Event(control::EventError::Full { messages_max: 1, bytes_max: 1 });
    let refusal = crate::refusal::Refusal::from(full);
    assert_eq!((refusal.status.as_u16(), refusal.retry_after_ms), (429, Some(5_000)));
    // A day later it is gone, and the number goes on.
    world.clock.pass(DAY_MS);
    let admin = world.log_in("ada@acme.example").await;
    let queue = world.get(&format!("{path}/endpoint/queue")).by(&admin).await.json();
    assert_eq!((&queue["waiting"], &queue["next_sequence"]), (&json!(0), &json!(2)));
}

#[tokio::test]
async fn a_challenge_is_answered_by_the_connector_and_shows_a_browser_text_at_most() {
    let world = World::new().await;
    let cast = world.cast().await;
    let (path, _) = world.hook(&cast).await;
    let url = world.ask("POST", &format!("{path}/endpoint")).by(&cast.admin).await.text("/url");
    let asked =
        world.get(&format!("{url}?hub.challenge=7")).header("x-event", "e").header("x-other", "canary");
    let answered = asked.await;
    assert_eq!(
        (answered.status(), answered.header("content-type")),
        (203, Some("text/plain; charset=utf-8"))
    );
    assert_eq!(answered.header("set-cookie"), None);
    let body = String::from_utf8(answered.bytes().to_vec()).unwrap();
    assert!(body.contains(r#"path: "?hub.challenge=7", headers: [("x-event", "e")]"#), "{body}");
    assert!(!body.contains("canary") && !body.contains("cfd_event_"), "{body}");
    assert_eq!(world.get(&format!("{url}?json")).await.header("content-type"), Some("application/json"));
    let moved = world.get(&format!("{url}?moved")).await;
    assert_eq!((moved.status(), moved.header("location")), (502, None));
    assert_eq!(world.get("/v1/events/x?hub.challenge=7").await.refusal(), (404, "CD1270".to_owned()));
    let queue = world.get(&format!("{path}/endpoint/queue")).by(&cast.admin).await.json();
    assert_eq!(queue["waiting"], 0);
}

#[tokio::test]
async fn a_message_that_only_asks_whether_the_endpoint_is_ours_is_answered_and_not_queued() {
    let world = World::new().await;
    let cast = world.cast().await;
    let slack = MANIFEST.replace("standard-webhooks", "basic")
        + "[webhook.challenge]\nfield = \"type\"\nvalue = \"url_verification\"\nanswer = \"challenge\"\n";
    let (path, _) = world.hook_of(&cast, &slack).await;
    let made = world.ask("POST", &format!("{path}/endpoint")).by(&cast.admin).await.text("/url");
    let at = made.as_str();
    let asks = json!({"type": "url_verification", "challenge": "3eZbrw1a", "token": "x"});
    let asked = world.ask("POST", at).json(&asks).await;
    assert_eq!((asked.status(), asked.bytes()), (200, &b"3eZbrw1a"[..]));
    assert_eq!(asked.header("content-type"), Some("text/plain; charset=utf-8"));
    let waiting = async || {
        let queue = world.get(&format!("{path}/endpoint/queue")).by(&cast.admin).await.json();
        queue["waiting"].as_u64().unwrap()
    };
    assert_eq!(waiting().await, 0);
    // What is no question is a message.
    for (number, body) in (1..).zip([
        json!({"type": "event_callback", "challenge": "x"}),
        json!({"type": "url_verification"}),
        json!({"type": "url_verification", "challenge": 7}),
        json!({"type": "url_verification", "challenge": "a\r\nb"}),
        json!(["url_verification"]),
    ]) {
        assert_eq!(world.ask("POST", at).json(&body).await.status(), 202, "{body}");
        assert_eq!(waiting().await, number, "{body}");
    }
    // Once a key was entered, who asks shows it as well.
    let secret = json!({"secret": "slack:word"});
    let entered = world.post(&format!("{path}/endpoint/signing-secret"), secret).by(&cast.admin).await;
    assert_eq!(entered.status(), 204);
    assert_eq!(world.ask("POST", at).json(&asks).await.refusal(), (401, "CD1271".into()));
    let shown = world.ask("POST", at).header("authorization", "Basic c2xhY2s6d29yZA==").json(&asks).await;
    assert_eq!((shown.status(), shown.bytes()), (200, &b"3eZbrw1a"[..]));
}
