//! Previews, and for how long they and the rest are kept.

use crate::ports::{Blame, ConnectorFault};
use crate::tests::kept::{CANARY, Kept};
use crate::tests::world::{DAY_MS, HOUR_MS, World};
use control::Act;
use serde_json::{Value, json};

#[tokio::test]
async fn a_preview_is_made_once_and_its_rows_are_read_apart_for_a_day() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.idle_sync(&cast).await;
    Kept::preview(&world);
    let make = || {
        let asking = world.post(&kept.at("/preview"), json!({"rows": 2})).by(&cast.user);
        asking.header("idempotency-key", "k")
    };
    let made = make().await;
    assert_eq!((made.status(), made.json()), (201, json!({"streams": [{"stream": "orders", "rows": 2}]})));
    assert_eq!(make().await.bytes(), made.bytes());
    assert_eq!(kept.acts(&world, Act::PreviewMade).await, 1);
    let shown = || world.get(&kept.at("/previews")).by(&cast.user);
    let rows = json!([
        {"operation": "insert", "row": {"name": CANARY}}, {"operation": "insert", "row": {"name": "b"}},
    ]);
    let item = &shown().await.json()["items"][0];
    assert_eq!((&item["rows"], &item["fields"]), (&rows, &json!([{"name": "name", "type": "text"}])));
    world.clock.pass(DAY_MS);
    let by = world.log_in("bob@acme.example").await;
    assert_eq!(world.get(&kept.at("/previews")).by(&by).await.json(), json!({"items": []}));
}

#[tokio::test]
async fn of_a_sync_of_which_no_rows_are_kept_there_is_no_preview() {
    let world = World::new().await;
    let cast = world.cast().await;
    let works = world.works(&cast).await;
    let sync = world.sync(&cast.admin, &works, json!({"rejects": {"row_data": "off"}})).await;
    let kept = world.kept(&cast.acme, &sync);
    Kept::preview(&world);
    let refused = world.post(&kept.at("/preview"), json!({"rows": 2})).by(&cast.user).await;
    assert_eq!(refused.refusal(), (409, "CD1339".into()));
    assert_eq!(world.get(&kept.at("/previews")).by(&cast.user).await.json(), json!({"items": []}));
    assert_eq!(kept.acts(&world, Act::PreviewMade).await, 0);
}

#[tokio::test]
async fn what_a_connector_cannot_show_is_refused_and_noted() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.idle_sync(&cast).await;
    let said = |text: &str| text.to_owned();
    *world.connectors.fault.lock().unwrap() = Some(ConnectorFault {
        blame: Blame::System,
        code: said("CD0301"),
        message: said("it is away"),
        hint: said("wait"),
        retry_after_ms: None,
    });
    let reply = world.post(&kept.at("/preview"), json!({})).by(&cast.user).await;
    assert_eq!(reply.refusal(), (502, "CD0301".into()));
    assert_eq!(kept.acts(&world, Act::PreviewMade).await, 2);
}

#[tokio::test]
async fn each_class_of_data_can_be_kept_for_a_shorter_time() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.idle_sync(&cast).await;
    let path = format!("/v1/organizations/{}/retention", cast.acme);
    let now = world.get(&path).by(&cast.user).await;
    assert_eq!(now.json()["row_errors_ms"], 45 * DAY_MS);
    let times = |change: Value| {
        let mut times = now.json();
        times.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        times
    };
    let set = async |change: Value, tag: &str| {
        world.ask("PUT", &path).by(&cast.admin).header("if-match", tag).json(&times(change)).await
    };
    let tag = now.header("etag").unwrap().to_owned();
    for (name, longest) in [
        ("row_errors_ms", 45 * DAY_MS),
        ("run_logs_ms", 45 * DAY_MS),
        ("previews_ms", DAY_MS),
        ("events_ms", DAY_MS),
    ] {
        assert_eq!(set(json!({name: longest + 1}), &tag).await.refusal(), (422, "CD1057".into()), "{name}");
        assert_eq!(set(json!({name: HOUR_MS - 1}), &tag).await.refusal(), (422, "CD1061".into()), "{name}");
    }
    assert_eq!(world.get(&path).by(&cast.user).await.json(), now.json(), "nothing changed");
    let done = set(json!({"previews_ms": 2 * HOUR_MS, "row_errors_ms": 2 * HOUR_MS}), &tag).await;
    assert_eq!(done.status(), 200);
    assert_eq!(set(json!({}), &tag).await.refusal(), (412, "CD1322".into()));
    assert_eq!(world.get(&path).by(&cast.user).await.json(), done.json());
    Kept::preview(&world);
    world.post(&kept.at("/preview"), json!({})).by(&cast.user).await;
    kept.run(&[("a", "odd")]).await;
    world.clock.pass(2 * HOUR_MS);
    let by = world.log_in("bob@acme.example").await;
    for rest in ["/previews", "/errors"] {
        assert_eq!(world.get(&kept.at(rest)).by(&by).await.json(), json!({"items": []}), "{rest}");
    }
    let admin = world.log_in("ada@acme.example").await;
    let audit =
        world.get(&format!("/v1/organizations/{}/audit?limit=200", cast.acme)).by(&admin).await.json();
    let changed: Vec<&Value> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["act"] == "retention_changed")
        .collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0]["details"]["previews_ms"], (2 * HOUR_MS).to_string());
}
