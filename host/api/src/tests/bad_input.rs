//! Every field wrong in every way in which a client does it: refused with its place and what is allowed, and nothing changed.

use super::works::Works;
use super::world::{Cast, World};
use serde_json::{Map, Value, json};

struct Stage {
    world: World,
    cast: Cast,
    works: Works,
    sync: String,
}

impl Stage {
    async fn new() -> Self {
        let world = World::new().await;
        let cast = world.cast().await;
        let works = world.works(&cast).await;
        let sync = world.sync(&cast.user, &works, json!({})).await;
        Self { world, cast, works, sync }
    }

    /// Everything that could have been changed.
    async fn state(&self) -> Value {
        let at = |rest: &str| format!("/v1/organizations/{}{rest}", self.cast.acme);
        let mut state = Map::new();
        for path in ["/syncs", "/queue", "/deletion", "/audit/checkpoint", &format!("/syncs/{}", self.sync)] {
            let mut shown = self.world.get(&at(path)).by(&self.cast.admin).await.json();
            // It is signed anew each time.
            shown.as_object_mut().unwrap().retain(|name, _| name != "checkpoint");
            state.insert(path.to_owned(), shown);
        }
        state.into()
    }

    /// What is taken by each route that takes a body.
    fn routes(&self) -> Vec<(&'static str, String, Value)> {
        let organization = format!("/v1/organizations/{}", self.cast.acme);
        let sync = self.works.spec(json!({
            "transforms": [],
            "streams": [{"name": "a", "mode": "append", "fields": ["b"], "filter": [], "limit": 1}],
            "rejects": {"policy": "skip", "row_data": "off", "max_count": 1, "max_rate": 0.5},
            "run": {"parallel_groups": 1, "attempts": 1, "commit_bytes": 1, "commit_every_ms": 1},
            "schema_changes": "pause",
            "schedule": {
                "when": {"cron": {"pattern": "0 6 * * *", "zone": "UTC"}}, "jitter_ms": 0, "catch_up": "once",
            },
        }));
        let times = json!({"schedule": sync["schedule"], "count": 1});
        vec![
            ("POST", self.works.path.clone(), sync.clone()),
            ("POST", self.works.at("/validate"), sync.clone()),
            ("PUT", self.works.at(&format!("/{}", self.sync)), sync),
            ("POST", format!("{organization}/schedules/preview"), times),
            ("POST", format!("{organization}/deletion"), json!({"name": "Acme"})),
            ("POST", format!("{organization}/deletion/confirm"), json!({"name": "Acme"})),
            ("DELETE", "/v1/me".to_owned(), json!({"password": "canary"})),
        ]
    }

    async fn send(&self, method: &str, path: &str, body: Vec<u8>) -> super::asked::Reply {
        let asking = self.world.ask(method, path).by(&self.cast.admin).body(body);
        if method == "PUT" {
            let read = self.world.get(path).by(&self.cast.admin).await;
            return asking.header("if-match", read.header("etag").unwrap()).await;
        }
        asking.await
    }
}

/// The pointer of everything within a document.
fn pointers(value: &Value, at: &str) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (format!("{at}/{name}"), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (format!("{at}/{index}"), value)).collect()
        }
        _ => Vec::new(),
    };
    inner.into_iter().flat_map(|(at, value)| [vec![at.clone()], pointers(value, &at)].concat()).collect()
}

/// As a refusal names a place.
fn place(pointer: &str) -> String {
    let mut place = String::new();
    for part in pointer.split('/').skip(1) {
        match part.parse::<usize>() {
            Ok(index) => place.push_str(&format!("[{index}]")),
            Err(_) if place.is_empty() => place.push_str(part),
            Err(_) => place.push_str(&format!(".{part}")),
        }
    }
    place
}

#[tokio::test]
async fn every_field_of_another_type_is_refused_with_its_place() {
    let stage = Stage::new().await;
    let before = stage.state().await;
    for (method, path, body) in stage.routes() {
        for pointer in pointers(&body, "") {
            for wrong in
                [json!({"canary": 1}), json!(["canary", []]), json!(true), json!("canary"), json!(-1.5)]
            {
                let mut sent = body.clone();
                let target = sent.pointer_mut(&pointer).unwrap();
                // Of its own type it may be right.
                if std::mem::discriminant(target) == std::mem::discriminant(&wrong)
                    && !target.is_number()
                    && !target.is_object()
                {
                    continue;
                }
                // An unknown word of a list of words is tried elsewhere; an optional share is a number.
                if pointer == "/rejects/max_rate" && wrong.is_number() {
                    continue;
                }
                *target = wrong.clone();
                let reply = stage.send(method, &path, sent.to_string().into_bytes()).await;
                let told = reply.text("/message");
                assert_eq!(
                    reply.refusal(),
                    (400, "CD1311".into()),
                    "{method} {path} {pointer} {wrong}: {told}"
                );
                let first = pointer.split('/').nth(1).unwrap();
                assert!(told.contains(first), "{pointer} {wrong}: {told}");
                assert!(wrong.is_object() || !told.contains("canary"), "{pointer} {wrong}: {told}");
                let is_leaf = !wrong.is_object() && !body.pointer(&pointer).unwrap().is_object();
                if is_leaf && !pointer.contains("/when") && !pointer.ends_with("catch_up") {
                    assert!(told.contains(&place(&pointer)), "{pointer} {wrong}: {told}");
                }
            }
        }
    }
    assert_eq!(stage.state().await, before);
}

#[tokio::test]
async fn every_unknown_or_doubled_or_missing_field_is_refused_and_named() {
    let stage = Stage::new().await;
    let before = stage.state().await;
    for (method, path, body) in stage.routes() {
        let objects = std::iter::once(String::new()).chain(pointers(&body, ""));
        for pointer in objects.filter(|pointer| body.pointer(pointer).unwrap().is_object()) {
            let mut sent = body.clone();
            sent.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().insert("canary".into(), json!(1));
            let reply = stage.send(method, &path, sent.to_string().into_bytes()).await;
            assert_eq!(reply.refusal(), (400, "CD1311".into()), "{path} {pointer}");
        }
        for name in body.as_object().unwrap().keys() {
            let text = body.to_string();
            let doubled = format!("{},\"{name}\":{}}}", &text[..text.len() - 1], body[name]);
            let reply = stage.send(method, &path, doubled.into_bytes()).await;
            assert_eq!(reply.refusal(), (400, "CD1311".into()), "{path} {name}");
            assert!(reply.text("/message").contains(name), "{path} {name}: {}", reply.text("/message"));
        }
        for name in ["name", "source", "destination", "password", "schedule"] {
            let mut sent = body.clone();
            let is_optional = name == "schedule" && body.get("source").is_some();
            if sent.as_object_mut().unwrap().remove(name).is_none() || is_optional {
                continue;
            }
            let reply = stage.send(method, &path, sent.to_string().into_bytes()).await;
            assert_eq!(reply.text("/message"), format!("the body: missing field `{name}`"), "{path}");
        }
    }
    assert_eq!(stage.state().await, before);
}

#[tokio::test]
async fn what_is_no_document_is_refused() {
    let stage = Stage::new().await;
    let before = stage.state().await;
    for (method, path, body) in stage.routes() {
        let text = body.to_string();
        let bad_utf_8 = [b"{\"name\":\"\xff\",".as_slice(), &text.as_bytes()[1..]].concat();
        let deep = format!("{{\"name\":{}", "[".repeat(100_000));
        for (sent, status) in [
            (Vec::new(), 400),
            (text.as_bytes()[..text.len() - 1].to_vec(), 400),
            (format!("{text}x").into_bytes(), 400),
            (format!("[{text}]").into_bytes(), 400),
            (bad_utf_8, 400),
            (deep.into_bytes(), 400),
            (vec![b' '; 10 << 20], 413),
        ] {
            let reply = stage.send(method, &path, sent).await;
            assert_eq!(reply.status(), status, "{method} {path}: {:?}", reply.text("/message"));
        }
        let asking = stage.world.ask(method, &path).by(&stage.cast.admin);
        assert_eq!(asking.header("content-type", "text/plain").await.status(), 415, "{path}");
    }
    assert_eq!(stage.state().await, before);
}

/// What has the right form and is no sync: at which place, as `/syncs/validate` tells it.
#[tokio::test]
async fn every_value_beyond_what_is_allowed_is_refused_with_its_place() {
    let stage = Stage::new().await;
    let before = stage.state().await;
    let long = "x".repeat(300);
    let (far, other) = ("9".repeat(300), "con_aaaaaaaaaaaaaaaaaaaaaaaaaa");
    let cron = |pattern: &str, zone: &str| json!({"when": {"cron": {"pattern": pattern, "zone": zone}}});
    let every = |interval_ms: u64| json!({"when": {"every": {"interval_ms": interval_ms, "from_ms": 0}}});
    let many: Vec<&str> = std::iter::repeat_n(stage.works.source.as_str(), 17).collect();
    for (part, value, place) in [
        ("name", json!(""), "/name"),
        ("name", json!(long), "/name"),
        ("name", json!("a\u{7}b"), "/name"),
        ("source", json!(other), "/source"),
        ("source", json!("../../etc"), "/source"),
        ("source", json!(long), "/source"),
        ("destination", json!(""), "/destination"),
        ("transforms", json!([other]), "/transforms/0"),
        ("transforms", json!([stage.works.source]), "/transforms/0"),
        ("transforms", json!(many), "/transforms"),
        ("streams", json!([]), "/streams"),
        ("streams", json!([{"name": ""}]), "/streams/0/name"),
        ("streams", json!([{"name": long}]), "/streams/0/name"),
        ("streams", json!([{"name": "a"}, {"name": "a"}]), "/streams/1/name"),
        ("streams", json!([{"name": "a", "fields": []}]), "/streams/0/fields"),
        ("streams", json!([{"name": "a", "fields": ["b", "b"]}]), "/streams/0/fields/1"),
        (
            "streams",
            json!([{"name": "a", "filter": [{"field": "b", "comparison": "is-null", "value": 1}]}]),
            "/streams/0/filter/0/value",
        ),
        ("rejects", json!({"max_rate": 1.01}), "/rejects/max_rate"),
        ("rejects", json!({"max_rate": -0.01}), "/rejects/max_rate"),
        ("run", json!({"parallel_groups": 0}), "/run/parallel_groups"),
        ("run", json!({"parallel_groups": 65}), "/run/parallel_groups"),
        ("run", json!({"attempts": 101}), "/run/attempts"),
        ("run", json!({"commit_bytes": (64 << 20) + 1}), "/run/commit_bytes"),
        ("run", json!({"commit_every_ms": 60_001}), "/run/commit_every_ms"),
        ("schedule", cron("* * * *", "UTC"), "/schedule"),
        ("schedule", cron(&long, "UTC"), "/schedule"),
        ("schedule", cron("0 6 * * *", "Mars/Olympus"), "/schedule"),
        ("schedule", cron("0 6 * * *", "../../etc/passwd"), "/schedule"),
        ("schedule", cron("0 6 31 2 *", "UTC"), "/schedule"),
        ("schedule", every(59_999), "/schedule"),
        ("schedule", every(u64::MAX), "/schedule"),
    ] {
        let sent = stage.works.spec(json!({part: value}));
        let told = stage.world.post(&stage.works.at("/validate"), sent.clone()).by(&stage.cast.user).await;
        assert_eq!(told.status(), 200, "{part} {value}");
        let faults = told.json()["faults"].as_array().unwrap().clone();
        assert!(faults.iter().any(|fault| fault["path"] == place), "{part} {value}: {faults:?}");
        let refused = stage.world.post(&stage.works.path, sent).by(&stage.cast.user).await;
        assert_eq!(refused.refusal(), (422, "CD1260".into()), "{part} {value}");
        assert!(!refused.text("/message").contains(&long) && !refused.text("/message").contains("passwd"));
    }
    // Numbers that are none of ours.
    let text = stage.works.spec(json!({"run": {"attempts": 0}})).to_string();
    for number in ["1e400", "-0.0", "NaN", "0x10", "007", far.as_str()] {
        let sent = text.replace("\"attempts\":0", &format!("\"attempts\":{number}"));
        assert_eq!(stage.send("POST", &stage.works.path, sent.into_bytes()).await.status(), 400, "{number}");
    }
    assert_eq!(stage.state().await, before);
}

#[tokio::test]
async fn words_ids_cursors_and_tags_that_are_none_are_refused() {
    let stage = Stage::new().await;
    let before = stage.state().await;
    let (world, by) = (&stage.world, &stage.cast.user);
    for (part, value) in [
        ("streams", json!([{"name": "a", "mode": "canary"}])),
        ("streams", json!([{"name": "a", "filter": [{"field": "b", "comparison": "canary"}]}])),
        ("rejects", json!({"policy": "canary"})),
        ("rejects", json!({"row_data": "canary"})),
        ("schema_changes", json!("canary")),
        ("schedule", json!({"when": {"canary": {}}})),
        (
            "schedule",
            json!({"when": {"cron": {"pattern": "* * * * *", "zone": "UTC"}}, "catch_up": "canary"}),
        ),
    ] {
        let reply = world.post(&stage.works.path, stage.works.spec(json!({part: value}))).by(by).await;
        assert_eq!(reply.refusal(), (400, "CD1311".into()), "{part} {value}");
        let told = reply.text("/message");
        assert!(told.contains("expected") && !told.contains("canary"), "{told}");
    }
    let organization = format!("/v1/organizations/{}", stage.cast.acme);
    for list in [stage.works.path.clone(), format!("{organization}/queue")] {
        for (query, code) in [
            ("cursor=canary", "CD1315"),
            ("cursor=", "CD1315"),
            ("limit=0", "CD1314"),
            ("limit=201", "CD1314"),
            ("limit=-1", "CD1314"),
            ("limit=1e3", "CD1314"),
            ("canary=1", "CD1314"),
            ("limit=1&limit=2", "CD1314"),
        ] {
            let reply = world.get(&format!("{list}?{query}")).by(by).await;
            assert_eq!(reply.refusal(), (400, code.to_owned()), "{list} {query}");
        }
    }
    let long = "x".repeat(10_000);
    for id in ["syn_aaaaaaaaaaaaaaaaaaaaaaaaaa", "x", "%00", "%ff", "..%2f..", long.as_str()] {
        let at = stage.works.at(&format!("/{id}"));
        for (method, path) in [
            ("GET", at.clone()),
            ("DELETE", at.clone()),
            ("POST", format!("{at}/start")),
            ("POST", format!("{at}/pause")),
            ("POST", format!("{at}/stop")),
            ("POST", format!("{at}/runs")),
            ("POST", format!("{organization}/runs/{id}/cancel")),
        ] {
            let reply = world.ask(method, &path).by(by).await;
            assert_eq!(reply.status(), 404, "{method} {}", &path[..path.len().min(99)]);
        }
        let asking =
            world.ask("PUT", &at).by(by).header("if-match", "\"x\"").json(&stage.works.spec(json!({})));
        assert_eq!(asking.await.status(), 404);
    }
    let at = stage.works.at(&format!("/{}", stage.sync));
    for tag in ["\"x\"", "*", "x", "W/\"x\"", ""] {
        let asking = world.ask("PUT", &at).by(by).header("if-match", tag).json(&stage.works.spec(json!({})));
        assert_eq!(asking.await.refusal(), (412, "CD1322".into()), "{tag}");
    }
    assert_eq!(stage.state().await, before);
}
