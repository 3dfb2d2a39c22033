//! The history of runs.

use crate::tests::kept::CANARY;
use crate::tests::world::World;
use serde_json::{Value, json};

#[tokio::test]
async fn runs_are_listed_from_the_newest_on_with_what_they_moved() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    for _ in 0..4 {
        kept.run(&[("a", "odd")]).await;
    }
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = world.get(&kept.at(&format!("/runs{query}"))).by(&cast.user).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|run| run["run"].as_u64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=2&cursor={next}");
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let first = world.get(&kept.at("/runs?limit=200")).by(&cast.user).await.json()["items"][4].clone();
    assert_eq!(
        first,
        json!({
            "run": 1, "purpose": "sync", "order": "run_x", "started_ms": first["started_ms"], "duration_ms": 2,
            "outcome": "failed", "error": "CD0701",
            "rows": {"read": 6, "accepted": 3, "rejected": 3, "filtered": 0},
        })
    );
}

#[tokio::test]
async fn a_run_is_shown_in_codes_and_counts_and_its_texts_apart() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    let run = world.get(&kept.at("/runs/1")).by(&cast.user).await.json();
    assert_eq!(run["streams"]["orders"]["rows"]["rejected"], 3);
    assert_eq!(run["written"]["orders"], 3);
    assert_eq!(run["groups"][0]["delivery"], "exactly-once");
    assert_eq!(run["budgets"]["source"], json!([{"limit": "memory_bytes", "used": 5, "allowed": 9}]));
    assert_eq!(run["taken_back"][0]["text"], "`shop.test` was taken back");
    assert!(!run.to_string().contains(CANARY));
    let whole = world.get(&kept.at("/runs/1/report")).by(&cast.user).await.json();
    assert_eq!(whole["report"]["error"]["message"], format!("it said {CANARY}"));
    assert_eq!(whole["report"]["groups"][0]["position"], Value::Null, "that is another right");
    assert_eq!(whole["ledger"][0]["group"]["host"], "https://shop.test");
    // A program that reads nothing but runs the sync sees none of it.
    let (token, _) = world.token(&cast.admin, &cast.acme, &["run"]).await;
    for rest in ["/runs", "/runs/1", "/runs/1/report", "/runs/1/log"] {
        assert_eq!(world.get(&kept.at(rest)).by(&token).await.refusal(), (403, "CD1242".into()), "{rest}");
    }
}

#[tokio::test]
async fn a_log_is_read_page_by_page() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    let (mut texts, mut query) = (Vec::new(), "?limit=1".to_owned());
    loop {
        let page = world.get(&kept.at(&format!("/runs/1/log{query}"))).by(&cast.user).await.json();
        assert_eq!((page["items"][0]["level"].as_str(), page["dropped"].as_u64()), (Some("info"), Some(0)));
        texts.push(page["items"][0]["text"].as_str().unwrap().to_owned());
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=1&cursor={next}");
    }
    assert_eq!(texts, [0, 1, 2].map(|number| format!("line {number} of {CANARY}")));
}

#[tokio::test]
async fn a_sync_that_never_ran_has_nothing_and_one_that_is_not_there_is_not_there() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.idle_sync(&cast).await;
    for rest in ["/runs", "/errors", "/checkpoints", "/checkpoints/changes", "/previews"] {
        let reply = world.get(&kept.at(rest)).by(&cast.user).await;
        assert_eq!((reply.status(), reply.json()), (200, json!({"items": []})), "{rest}");
    }
    assert_eq!(world.get(&kept.at("/errors/counts")).by(&cast.user).await.json()["total"], 0);
    let export = world.get(&kept.at("/errors/export")).by(&cast.user).await;
    assert_eq!((export.status(), export.bytes().len()), (200, 0));
    let deleted = world.ask("DELETE", &kept.at("/errors?all=true")).by(&cast.user).await;
    assert_eq!((deleted.status(), deleted.json()), (200, json!({"deleted": 0})));
    let reset = json!({"all": true, "confirm": kept.sync});
    let reset = world.post(&kept.at("/checkpoints/reset"), reset).by(&cast.user).await;
    assert_eq!((reset.status(), reset.json()), (200, json!({"reset": []})));
    for rest in ["/runs/1", "/runs/1/log", "/runs/1/report", "/errors/1-1", "/checkpoints/groups/orders"] {
        let reply = world.get(&kept.at(rest)).by(&cast.user).await;
        assert_eq!(reply.status(), 404, "{rest}");
        assert!(!reply.text("/message").contains("known are"), "{rest}");
    }
    let none = world.kept(&cast.acme, "syn_none");
    for rest in ["/runs", "/runs/1", "/errors", "/errors/export", "/checkpoints", "/previews"] {
        let reply = world.get(&none.at(rest)).by(&cast.user).await;
        assert_eq!(reply.refusal(), (404, "CD1253".into()), "{rest}");
    }
}

#[tokio::test]
async fn with_a_sync_goes_what_its_runs_have_left_behind() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    assert_eq!(world.ask("DELETE", &kept.path).by(&cast.user).await.status(), 204);
    assert!(kept.records.syncs().await.unwrap().is_empty());
    assert!(kept.records.erase_now().await.unwrap().is_some(), "it is erased and not only hidden");
}
