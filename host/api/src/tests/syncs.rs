//! Syncs over HTTP: what is sent is what is shown, and only what was read is changed.

use super::world::{DAY_MS, HOUR_MS, World};
use serde_json::{Value, json};

fn whole() -> Value {
    json!({
        "name": "Everything",
        "streams": [{
            "name": "orders",
            "mode": "upsert",
            "fields": ["id", "total"],
            "filter": [
                {"field": "total", "comparison": "greater-or-equal", "value": 1.5},
                {"field": "id", "comparison": "is-not-null"},
            ],
            "limit": 100,
        }],
        "rejects": {"policy": "skip", "row_data": "off", "max_count": 3, "max_rate": 0.5},
        "run": {"parallel_groups": 1, "attempts": 2, "commit_bytes": 1024, "commit_every_ms": 500},
        "schema_changes": "ignore",
        "schedule": {
            "when": {"cron": {"pattern": "0 6 * * MON-FRI", "zone": "Europe/Berlin"}},
            "jitter_ms": 1000,
            "catch_up": {"each": 3},
        },
    })
}

#[tokio::test]
async fn what_is_sent_is_what_is_shown() {
    let world = World::new().await;
    let cast = world.cast().await;
    let works = world.works(&cast).await;
    let sent = works.spec(whole());
    let made = world.post(&works.path, sent.clone()).by(&cast.user).await;
    assert_eq!((made.status(), made.text("/state")), (201, "stopped".into()));
    let shown = world.get(&works.at(&format!("/{}", made.text("/id")))).by(&cast.user).await;
    let mut expected = sent;
    expected["transforms"] = json!([]);
    assert_eq!(shown.json()["does"], expected);
    // What was left out is shown as it counts.
    let id = world.sync(&cast.user, &works, json!({})).await;
    let plain = world.get(&works.at(&format!("/{id}"))).by(&cast.user).await.json();
    let run =
        json!({"parallel_groups": 2, "attempts": 5, "commit_bytes": 16 << 20, "commit_every_ms": 60_000});
    assert_eq!(plain["does"]["run"], run);
    assert_eq!(plain["does"]["rejects"], json!({"policy": "quarantine", "row_data": "stored"}));
    assert_eq!(plain["does"]["schema_changes"], "pause");
    let every = json!({"every": {"interval_ms": HOUR_MS, "from_ms": 0}});
    let id = world.sync(&cast.user, &works, json!({"schedule": {"when": every}})).await;
    let shown = world.get(&works.at(&format!("/{id}"))).by(&cast.user).await.json();
    assert_eq!(shown["does"]["schedule"], json!({"when": every, "jitter_ms": 0, "catch_up": "once"}));
}

#[tokio::test]
async fn only_what_was_read_is_changed_and_runs_disturb_nobody_who_edits() {
    let world = World::new().await;
    let cast = world.cast().await;
    let works = world.works(&cast).await;
    let id = world.sync(&cast.user, &works, json!({})).await;
    let at = works.at(&format!("/{id}"));
    let tag = async || world.get(&at).by(&cast.user).await.header("etag").unwrap().to_owned();
    let read = tag().await;
    let put = |tag: &str, name: &str| {
        let asking = world.ask("PUT", &at).by(&cast.user).header("if-match", tag);
        asking.json(&works.spec(json!({"name": name})))
    };
    for (step, state) in [("start", "running"), ("pause", "paused"), ("stop", "stopped")] {
        let reply = world.ask("POST", &format!("{at}/{step}")).by(&cast.user).await;
        assert_eq!((reply.status(), reply.text("/state")), (200, state.to_owned()));
        assert_eq!(reply.header("etag"), Some(read.as_str()), "{step}");
    }
    let ordered = world.ask("POST", &format!("{at}/runs")).by(&cast.user).await;
    assert_eq!((ordered.status(), tag().await), (202, read.clone()));
    let changed = put(&read, "Orders 2").await;
    assert_eq!((changed.status(), changed.text("/does/name")), (200, "Orders 2".into()));
    assert_eq!(changed.header("etag").unwrap(), tag().await);
    assert_eq!(put(&read, "Orders 3").await.refusal(), (412, "CD1322".into()));
    let blind = world.ask("PUT", &at).by(&cast.user).json(&works.spec(json!({})));
    assert_eq!(blind.await.refusal(), (428, "CD1321".into()));
    // Another sync's tag is none of this one.
    let other = world.sync(&cast.user, &works, json!({})).await;
    let other = world.get(&works.at(&format!("/{other}"))).by(&cast.user).await;
    let now = put(other.header("etag").unwrap(), "Orders 3").await;
    assert_eq!(now.refusal(), (412, "CD1322".into()));
    assert_eq!(world.get(&at).by(&cast.user).await.text("/does/name"), "Orders 2");
}

#[tokio::test]
async fn a_run_is_ordered_listed_and_cancelled() {
    let world = World::new().await;
    let cast = world.cast().await;
    let works = world.works(&cast).await;
    let id = world.sync(&cast.user, &works, json!({})).await;
    let ask = |method: &str, path: String| world.ask(method, &path).by(&cast.user);
    let run = ask("POST", works.at(&format!("/{id}/runs"))).await.text("/run");
    let again = ask("POST", works.at(&format!("/{id}/runs"))).await;
    assert_eq!(again.refusal(), (409, "CD1261".into()));
    assert_eq!(ask("DELETE", works.at(&format!("/{id}"))).await.refusal(), (409, "CD1261".into()));
    let organization = format!("/v1/organizations/{}", cast.acme);
    let queue = ask("GET", format!("{organization}/queue")).await.json();
    let now_ms = 20_000 * DAY_MS;
    let expected = json!({
        "run": run, "sync": id, "cause": "manual", "by": cast.user_id, "queued_ms": now_ms, "attempts": 0,
        "state": "waiting", "ready_ms": now_ms,
    });
    assert_eq!(queue["items"], json!([expected]));
    assert_eq!(ask("GET", works.at(&format!("/{id}"))).await.text("/run"), run);
    let control::Taking::Run(taken) = world.parts.queue.take().await.unwrap() else { panic!() };
    let item = ask("GET", format!("{organization}/queue")).await.json()["items"][0].clone();
    assert_eq!((item["state"].as_str(), item["attempts"].as_u64()), (Some("running"), Some(1)));
    assert_eq!(ask("POST", format!("{organization}/runs/{run}/cancel")).await.status(), 202);
    let item = ask("GET", format!("{organization}/queue")).await.json()["items"][0].clone();
    assert_eq!(item["wish"], "cancel");
    world.parts.queue.finish(taken, &control::RunOutcome::Cancelled).await.unwrap();
    assert_eq!(
        ask("POST", format!("{organization}/runs/{run}/cancel")).await.refusal(),
        (404, "CD1253".into())
    );
    let last = ask("GET", works.at(&format!("/{id}"))).await.json()["last"].clone();
    assert_eq!(last, json!({"run": run, "ended_ms": now_ms, "outcome": "cancelled"}));
    assert_eq!(ask("DELETE", works.at(&format!("/{id}"))).await.status(), 204);
    assert_eq!(ask("GET", works.at(&format!("/{id}"))).await.refusal(), (404, "CD1253".into()));
}

#[tokio::test]
async fn a_sync_that_is_asked_for_twice_with_one_key_is_made_once() {
    let world = World::new().await;
    let cast = world.cast().await;
    let works = world.works(&cast).await;
    let ask = || world.post(&works.path, works.spec(json!({}))).by(&cast.user).header("idempotency-key", "k");
    let (one, other) = (ask().await, ask().await);
    assert_eq!((one.status(), one.text("/id")), (other.status(), other.text("/id")));
    assert_eq!(one.header("etag"), other.header("etag"));
    let at_once = (0..8).map(|_| {
        let asking = world.post(&works.path, works.spec(json!({}))).by(&cast.user);
        asking.header("idempotency-key", "k2").into_future()
    });
    for reply in futures::future::join_all(at_once).await {
        assert!([201, 409].contains(&reply.status()), "{}", reply.status());
    }
    let all = world.get(&works.path).by(&cast.user).await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn every_fault_of_a_sync_is_told_at_once_and_nothing_is_kept() {
    let world = World::new().await;
    let cast = world.cast().await;
    let works = world.works(&cast).await;
    let wrong = works.spec(json!({
        "name": " ",
        "source": "con_none",
        "streams": [{"name": "", "fields": []}],
        "rejects": {"max_rate": 2.0},
        "run": {"attempts": 0},
        "schedule": {"when": {"cron": {"pattern": "0 0 30 2 *", "zone": "Europe/Berlin"}}},
    }));
    let told = world.post(&works.at("/validate"), wrong.clone()).by(&cast.user).await;
    let json = told.json();
    let faults = json["faults"].as_array().unwrap();
    let paths: Vec<&str> = faults.iter().map(|fault| fault["path"].as_str().unwrap()).collect();
    for path in [
        "/name",
        "/source",
        "/streams/0/name",
        "/streams/0/fields",
        "/rejects/max_rate",
        "/run/attempts",
        "/schedule",
    ] {
        assert!(paths.contains(&path), "{path}: {paths:?}");
    }
    let refused = world.post(&works.path, wrong).by(&cast.user).await;
    assert_eq!(refused.refusal(), (422, "CD1260".into()));
    assert!(paths.iter().all(|path| refused.text("/message").contains(path)));
    let fine = world.post(&works.at("/validate"), works.spec(whole())).by(&cast.user).await;
    assert_eq!((fine.status(), fine.json()), (200, json!({"faults": []})));
    assert_eq!(world.get(&works.path).by(&cast.user).await.json()["items"], json!([]));
}

#[tokio::test]
async fn the_times_of_a_schedule_are_told_before_it_is_saved() {
    let world = World::new().await;
    let cast = world.cast().await;
    let path = format!("/v1/organizations/{}/schedules/preview", cast.acme);
    // The night in which there is no 02:30 in Berlin.
    world.clock.pass((20_541 - 20_000) * DAY_MS);
    let user = world.log_in("bob@acme.example").await;
    let when = json!({"cron": {"pattern": "30 2 * * *", "zone": "Europe/Berlin"}});
    let ask = |body: Value| world.post(&path, body).by(&user);
    let told = ask(json!({"schedule": {"when": when}, "count": 3})).await.json();
    let local: Vec<&str> =
        told["times"].as_array().unwrap().iter().map(|time| time["local"].as_str().unwrap()).collect();
    assert_eq!(
        local,
        ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00", "2026-03-31T02:30:00+02:00"]
    );
    assert_eq!(told["times"][0]["due_ms"], 1_774_746_000_000_u64);
    let five = ask(json!({"schedule": {"when": when}})).await.json();
    assert_eq!(five["times"].as_array().unwrap().len(), 5);
    let never = json!({"cron": {"pattern": "0 0 30 2 *", "zone": "Europe/Berlin"}});
    assert_eq!(ask(json!({"schedule": {"when": never}})).await.refusal(), (422, "CD1252".into()));
    for count in [0, 51] {
        let refused = ask(json!({"schedule": {"when": when}, "count": count})).await;
        assert_eq!(refused.refusal(), (400, "CD1311".into()), "{count}");
    }
}
