//! Values of rows are in the answers of those routes that show rows or lines, and nowhere else.

use crate::tests::kept::{CANARY, Kept};
use crate::tests::world::World;
use serde_json::{Value, json};

#[tokio::test]
async fn a_value_of_a_row_is_in_no_answer_but_of_those_that_show_rows() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    Kept::preview(&world);
    let condition = |comparison: &str| json!({"where": [{"field": "name", "comparison": comparison, "value": format!("{CANARY} x")}]});
    let asked: Vec<(&str, &str, Value, bool)> = vec![
        ("GET", "/runs", Value::Null, false),
        ("GET", "/runs/1", Value::Null, false),
        ("GET", "/runs/1/report", Value::Null, true),
        ("GET", "/runs/1/log", Value::Null, true),
        ("GET", "/errors", Value::Null, false),
        ("GET", "/errors/counts", Value::Null, false),
        ("GET", "/errors/1-1", Value::Null, true),
        ("GET", "/errors/export", Value::Null, true),
        ("POST", "/preview", json!({}), false),
        ("GET", "/previews", Value::Null, true),
        ("GET", "/checkpoints", Value::Null, false),
        ("POST", "/reprocess", condition("less"), false),
        ("POST", "/reprocess", condition("is-null"), false),
        (
            "POST",
            "/reprocess",
            json!({"where": [{"field": CANARY, "comparison": "equal", "value": 1}]}),
            false,
        ),
        ("POST", "/reprocess", json!({"codes": [{CANARY: 1}]}), false),
        ("POST", "/reprocess", condition("equal"), false),
        ("POST", "/reprocess", condition("equal"), false),
        ("PUT", "/checkpoints/groups/orders", json!({"position": CANARY, "confirm": kept.sync}), false),
        ("DELETE", "/errors?run=1", Value::Null, false),
    ];
    for (number, (method, rest, body, shows)) in asked.into_iter().enumerate() {
        let mut asking =
            world.ask(method, &kept.at(rest)).by(&cast.user).header("idempotency-key", &number.to_string());
        if method == "PUT" {
            let seen = world.get(&kept.at(rest)).by(&cast.user).await;
            asking = asking.header("if-match", seen.header("etag").unwrap());
        }
        if !body.is_null() {
            asking = asking.json(&body);
        }
        let reply = asking.await;
        let has = String::from_utf8_lossy(reply.bytes()).contains(CANARY);
        assert_eq!(has, shows, "{method} {rest} {body}: {}", reply.status());
    }
    let log = format!("/v1/organizations/{}/audit/export", cast.acme);
    let log = world.get(&log).by(&cast.admin).await;
    assert!(String::from_utf8_lossy(log.bytes()).contains("row_errors_deleted"));
    assert!(!String::from_utf8_lossy(log.bytes()).contains(CANARY));
    let queue = world.parts.queue.list(&cast.user_id, &cast.acme).await.unwrap();
    assert_eq!(queue.len(), 1, "one of the wishes became a run");
    assert!(!format!("{queue:?}").contains(CANARY));
}
