//! What an operator sees of runs by break-glass: metadata, and what an admin selected. Nothing else, and changes nothing.

use crate::tests::kept::Kept;
use crate::tests::world::{Cast, World};
use serde_json::{Value, json};

async fn let_look(world: &World, cast: &Cast, selected: &[&str]) -> String {
    let path = format!("/v1/organizations/{}/break-glass", cast.acme);
    let id = world.post(&path, json!({"reason": "ticket"})).by(&cast.operator).await.text("/id");
    let approval = json!({"minutes": 60, "selected": selected});
    let approved = world.post(&format!("{path}/{id}/approve"), approval).by(&cast.admin).await;
    assert_eq!(approved.status(), 204);
    format!("{path}/{id}")
}

/// By the right that shows it.
const SHOWN: [(&str, &str); 13] = [
    ("", "/runs"),
    ("", "/runs/1"),
    ("read_run_logs", "/runs/1/log"),
    ("read_run_logs", "/runs/1/report"),
    ("read_rows", "/errors"),
    ("read_rows", "/errors/1-1"),
    ("read_rows", "/errors/counts"),
    ("read_rows", "/errors/export"),
    ("read_rows", "/previews"),
    ("read_positions", "/checkpoints"),
    ("read_positions", "/checkpoints/changes"),
    ("read_positions", "/checkpoints/groups/orders"),
    ("read_configurations", ""),
];

async fn seen(world: &World, cast: &Cast, kept: &Kept) -> Vec<&'static str> {
    let mut seen = Vec::new();
    for (_, rest) in SHOWN {
        if world.get(&kept.at(rest)).by(&cast.operator).await.status() == 200 {
            seen.push(rest);
        }
    }
    seen
}

#[tokio::test]
async fn an_operator_sees_metadata_and_what_was_selected_and_changes_nothing() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    assert_eq!(seen(&world, &cast, &kept).await, [""; 0]);
    for right in ["", "read_run_logs", "read_rows", "read_positions"] {
        let selected = Some(right).filter(|right| !right.is_empty());
        let glass = let_look(&world, &cast, selected.as_slice()).await;
        let expected: Vec<&str> = SHOWN
            .into_iter()
            .filter(|(needs, _)| needs.is_empty() || *needs == right)
            .map(|(_, rest)| rest)
            .collect();
        assert_eq!(seen(&world, &cast, &kept).await, expected, "{right}");
        assert_eq!(world.ask("DELETE", &glass).by(&cast.admin).await.status(), 204);
    }
    let_look(&world, &cast, &["read_run_logs", "read_configurations", "read_rows", "read_positions"]).await;
    for (method, rest, body) in [
        ("DELETE", "/errors?all=true", Value::Null),
        ("POST", "/reprocess", json!({})),
        ("POST", "/preview", json!({})),
        ("POST", "/checkpoints/reset", json!({"all": true, "confirm": kept.sync})),
        ("PUT", "/checkpoints/groups/orders", json!({"position": "1", "confirm": kept.sync})),
    ] {
        let asking = world.ask(method, &kept.at(rest)).by(&cast.operator).header("if-match", "\"x\"");
        let reply = if body.is_null() { asking.await } else { asking.json(&body).await };
        assert_eq!(reply.refusal(), (403, "CD1242".into()), "{method} {rest}");
    }
    let listed = world.get(&kept.at("/errors")).by(&cast.user).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
}
