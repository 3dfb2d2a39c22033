//! What an operator sees of connections by break-glass: what an admin selected, for a time.

use super::connecting::Connected;
use serde_json::{Value, json};

const HOUR_MS: u64 = 60 * 60 * 1_000;

impl Connected {
    /// The admin lets the operator look at this.
    async fn let_look(&self, selected: &[&str]) -> String {
        let wish = self.world.post(&self.at("/break-glass"), json!({"reason": "ticket"}));
        let id = wish.by(&self.cast.operator).await.text("/id");
        let approval = json!({"minutes": 60, "selected": selected});
        let approved = self.ask("POST", &format!("/break-glass/{id}/approve")).json(&approval).await;
        assert_eq!(approved.status(), 204);
        id
    }

    async fn seen(&self, rest: &str) -> u16 {
        self.world.get(&self.at(rest)).by(&self.cast.operator).await.status()
    }

    /// The entries of looks, as their outcomes and what was looked at.
    async fn looks(&self) -> Vec<String> {
        let entries = self.get("/audit?limit=200").await.json();
        let of = |entry: &Value| {
            let outcome = if entry["was_refused"] == true { "refused" } else { "done" };
            (entry["act"] == "break_glass_used")
                .then(|| format!("{outcome} {}", entry["details"]["action"].as_str().unwrap()))
        };
        entries["items"].as_array().unwrap().iter().filter_map(of).collect()
    }
}

#[tokio::test]
async fn an_operator_sees_what_was_selected_for_its_time_and_changes_nothing() {
    let shop = Connected::new().await;
    let (open, closed) = (["/connectors", "/connections", "{c}/catalog"], "{c}");
    for rest in open {
        assert_eq!(shop.seen(rest).await, 200, "{rest}");
    }
    assert_eq!(shop.seen(closed).await, 403);
    shop.let_look(&["read_rows"]).await;
    assert_eq!(shop.seen(closed).await, 403, "it was not selected");
    let glass = shop.let_look(&["read_configurations"]).await;
    assert_eq!(shop.seen(closed).await, 200);
    for (method, rest, body) in [
        ("DELETE", "{c}", Value::Null),
        ("DELETE", "{c}/consent", Value::Null),
        ("POST", "{c}/check", Value::Null),
        ("POST", "{c}/discover", Value::Null),
        ("DELETE", "{c}/credentials/api", Value::Null),
        ("PUT", "{c}/credentials/api", json!({"fields": {"token": "canary-4711"}})),
        ("PUT", "{c}/consent", json!({})),
    ] {
        let asked =
            shop.world.ask(method, &shop.at(rest)).by(&shop.cast.operator).header("if-match", "\"x\"");
        let refused = if body.is_null() { asked.await } else { asked.json(&body).await };
        assert_eq!(refused.refusal(), (403, "CD1242".into()), "{method} {rest}");
    }
    // An admin of another organization gains nothing by it.
    assert_eq!(shop.world.get(&shop.at(closed)).by(&shop.cast.eve).await.status(), 404);
    assert_eq!(shop.ask("DELETE", &format!("/break-glass/{glass}")).await.status(), 204);
    assert_eq!(shop.seen(closed).await, 403);
    shop.let_look(&["read_configurations"]).await;
    assert_eq!(shop.seen(closed).await, 200);
    shop.world.clock.pass(HOUR_MS);
    assert_eq!(shop.seen(closed).await, 403);
    let looks = shop.looks().await;
    let done: Vec<&String> = looks.iter().filter(|look| look.starts_with("done")).collect();
    assert_eq!(done, ["done read_configurations", "done read_configurations"], "{looks:?}");
    assert!(looks.contains(&"refused enter_credentials".to_owned()), "{looks:?}");
}
