//! Row errors are sent through again by a run of the queue.

use crate::tests::kept::CANARY;
use crate::tests::world::World;
use control::{Act, Cause, Taking};
use records::Reprocess;
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn a_reprocess_is_a_run_of_the_queue_that_finds_what_was_chosen() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    kept.run(&[("a", "odd"), ("b", "odd")]).await;
    let value = format!("{CANARY} b");
    let wish = json!({
        "codes": ["odd"], "where": [{"field": "name", "comparison": "greater-or-equal", "value": value}],
    });
    let ask = || world.post(&kept.at("/reprocess"), wish.clone()).by(&cast.user);
    let asked = ask().header("idempotency-key", "k").await;
    assert_eq!(asked.status(), 202, "{:?}", asked.bytes());
    let told = asked.json();
    assert_eq!((&told["of_run"], &told["rows"]), (&json!(2), &json!(1)));
    assert_eq!(ask().header("idempotency-key", "k").await.bytes(), asked.bytes());
    assert_eq!(ask().await.refusal(), (409, "CD1261".into()), "it waits");
    let Taking::Run(taken) = world.parts.queue.take().await.unwrap() else { panic!("nothing waits") };
    assert_eq!(taken.order.run, told["run"]);
    let Cause::Reprocess { by, request } = &taken.order.cause else { panic!("{:?}", taken.order.cause) };
    assert_eq!(*by, cast.user_id);
    let request = kept.records.reprocess_request(request).await.unwrap();
    let chosen = Reprocess::of(Arc::clone(&kept.records), request).await.unwrap();
    assert_eq!((chosen.of_run(), chosen.choice().rows), (2, 1));
    assert_eq!(ask().await.refusal(), (409, "CD1261".into()), "it runs");
    assert_eq!(kept.acts_of(&world, Act::ReprocessRequested, &taken.order.run).await, 1);
}

#[tokio::test]
async fn what_finds_nothing_or_cannot_be_judged_makes_no_run() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    let field = |name: &str, value: serde_json::Value| json!({"where": [{"field": name, "comparison": "equal", "value": value}]});
    for (wish, refusal) in [
        (json!({"codes": ["none"]}), (409, "CD1060")),
        (json!({"run": 9}), (404, "CD1053")),
        (field("nome", json!("a")), (400, "CD1311")),
        (field("name", json!(CANARY.len())), (400, "CD1311")),
        (field("name", json!({"x": CANARY})), (400, "CD1311")),
        (json!({"ids": ["x"]}), (400, "CD1311")),
        (json!({"ids": vec!["1-1"; 1_001]}), (400, "CD1311")),
        (json!({"codes": vec!["x"; 101]}), (400, "CD1311")),
        (json!({"where": vec![json!({"field": "name", "comparison": "is-null"}); 33]}), (400, "CD1311")),
    ] {
        let reply = world.post(&kept.at("/reprocess"), wish.clone()).by(&cast.user).await;
        assert_eq!(reply.refusal(), (refusal.0, refusal.1.to_owned()), "{wish}");
        assert!(!reply.text("/message").contains(CANARY));
    }
    assert!(matches!(world.parts.queue.take().await.unwrap(), Taking::Nothing { .. }));
    let idle = world.kept(&cast.acme, &kept.sync);
    // A program needs both: to run, and to see rows.
    for (scopes, status) in [(["read"].as_slice(), 403), (&["run"], 403), (&["read", "run"], 202)] {
        let (token, _) = world.token(&cast.admin, &cast.acme, scopes).await;
        assert_eq!(world.post(&idle.at("/reprocess"), json!({})).by(&token).await.status(), status);
    }
}
