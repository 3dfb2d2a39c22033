//! Row errors.

use crate::tests::kept::{CANARY, Kept};
use crate::tests::world::World;
use control::Act;
use serde_json::{Value, json};

async fn ids(world: &World, kept: &Kept, by: &str, query: &str) -> Vec<String> {
    let page = world.get(&kept.at(&format!("/errors?{query}"))).by(by).await.json();
    assert_eq!(page["next"], Value::Null, "{query}");
    page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn row_errors_are_found_by_run_stream_code_state_and_id() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    kept.run(&[("v", "odd"), ("w", "refused")]).await;
    for (query, found) in [
        ("", "1-1 1-2 1-3 2-1 2-2"),
        ("run=2", "2-1 2-2"),
        ("code=odd", "1-3 2-1"),
        ("run=1&code=odd&stream=orders&state=open", "1-3"),
        ("stream=other", ""),
        ("state=superseded", ""),
        ("ids=2-2,1-1,7-7", "1-1 2-2"),
    ] {
        assert_eq!(ids(&world, &kept, &cast.user, query).await.join(" "), found, "{query}");
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&kept.at(&format!("/errors?limit=2{cursor}"))).by(&cast.user).await.json();
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.join(" "), "1-1 1-2 1-3 2-1 2-2");
    let counts = world.get(&kept.at("/errors/counts?code=odd")).by(&cast.user).await.json();
    let count = |run| json!({"run": run, "stream": "orders", "code": "odd", "rows": 1});
    assert_eq!(counts, json!({"total": 2, "counts": [count(1), count(2)]}));
}

#[tokio::test]
async fn the_row_is_shown_and_exported_and_not_listed() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    let listed = world.get(&kept.at("/errors")).by(&cast.user).await;
    assert!(!String::from_utf8_lossy(listed.bytes()).contains(CANARY));
    let one = world.get(&kept.at("/errors/1-2")).by(&cast.user).await.json();
    let row = json!({"name": format!("{CANARY} y")});
    assert_eq!((&one["row"], &one["by"], &one["group"]), (&row, &json!("transform 0"), &json!("orders")));
    assert_eq!(one["message"], format!("`{CANARY} y` is refused"));
    assert_eq!(listed.json()["items"][1]["id"], one["id"]);
    let export = world.get(&kept.at("/errors/export?code=refused")).by(&cast.user).await;
    assert_eq!(export.header("content-type"), Some("application/jsonl"));
    let lines: Vec<Value> = String::from_utf8_lossy(export.bytes())
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1], one);
    assert_eq!(kept.acts(&world, Act::RowErrorsExported).await, 1);
    for id in ["1-9", "7-1", "x", "1"] {
        let reply = world.get(&kept.at(&format!("/errors/{id}"))).by(&cast.user).await;
        assert_eq!(reply.refusal(), (404, "CD1253".into()), "{id}");
    }
}

#[tokio::test]
async fn an_export_is_as_long_as_the_rows_and_holds_a_part_at_a_time() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.idle_sync(&cast).await;
    let name = "n".repeat(10_000);
    let rows: Vec<(&str, &str)> = (0..500).map(|_| (name.as_str(), "odd")).collect();
    kept.run(&rows).await;
    let export = world.get(&kept.at("/errors/export")).by(&cast.user).await;
    assert_eq!(export.bytes().split(|byte| *byte == b'\n').count(), 501);
    assert!(export.bytes().len() > 5_000_000);
}

#[tokio::test]
async fn what_is_deleted_is_erased_when_it_is_answered_and_the_log_says_who_did_it() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    let delete =
        async |query: &str| world.ask("DELETE", &kept.at(&format!("/errors{query}"))).by(&cast.user).await;
    for query in ["", "?all=false", "?all=true&code=odd"] {
        assert_eq!(delete(query).await.refusal(), (400, "CD1314".into()), "{query}");
    }
    assert_eq!(ids(&world, &kept, &cast.user, "").await.len(), 3);
    assert_eq!(kept.acts(&world, Act::RowErrorsDeleted).await, 0);
    assert_eq!(delete("?code=odd").await.json(), json!({"deleted": 1}));
    // Nothing is left to be erased later.
    assert_eq!(kept.records.erase_now().await.unwrap(), None);
    assert_eq!(ids(&world, &kept, &cast.user, "").await, ["1-1", "1-2"]);
    assert_eq!(delete("?ids=1-2,1-3").await.json(), json!({"deleted": 1}));
    assert_eq!(delete("?all=true").await.json(), json!({"deleted": 1}));
    assert_eq!(ids(&world, &kept, &cast.user, "").await, [""; 0]);
    assert_eq!(kept.acts(&world, Act::RowErrorsDeleted).await, 3);
    let (token, _) = world.token(&cast.admin, &cast.acme, &["read", "run"]).await;
    let refused = world.ask("DELETE", &kept.at("/errors?all=true")).by(&token).await;
    assert_eq!(refused.refusal(), (403, "CD1242".into()));
}
