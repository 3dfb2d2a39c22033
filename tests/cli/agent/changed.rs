//! Sources that change between two runs: a sync pauses until somebody has looked, as its policy says, and always where rows can
//! no longer be told apart.

use serde_json::{Value, json};

use super::story::Story;
use crate::api::serve;
use crate::build::MANIFEST;

/// A stream of these columns.
fn columns(columns: &str) -> Value {
    json!({ "streams": [{ "name": "people", "rows": 20, "columns": columns }] })
}

/// The state of a sync, and why it is paused.
fn state(story: &Story, sync: &str) -> (String, Value) {
    let shown = story.get(&format!("/syncs/{sync}"));
    (shown["state"].as_str().unwrap().to_owned(), shown["pause_cause"].clone())
}

#[test]
fn a_sync_whose_source_has_other_fields_pauses_until_somebody_has_looked_or_goes_on_as_its_policy_says() {
    let mut story = Story::begin();
    let destination = story.destination();
    for (policy, pauses) in [("pause", true), ("propagate", false), ("ignore", false)] {
        let source = story.source(&columns("people"));
        let sync = story.sync(&source, &destination, &json!({ "schema_changes": policy }));
        story.post(&format!("/syncs/{sync}/start"), json!({}));
        story.run(&sync);
        assert_eq!(story.ended(&sync)["outcome"], "done", "{policy}");
        story.configure(&source, &columns("orders"));
        story.run(&sync);
        let last = story.ended(&sync);
        if pauses {
            assert_eq!((&last["outcome"], &last["error"]), (&json!("failed"), &json!("CD0864")), "{last}");
            assert_eq!(state(&story, &sync), ("paused".into(), json!("schema_changed")));
            // Somebody looks, and lets it go on.
            story.post(&format!("/connections/{source}/discover"), json!({}));
            story.post(&format!("/syncs/{sync}/start"), json!({}));
            story.run(&sync);
            assert_eq!(story.ended(&sync)["outcome"], "done", "it was looked at");
        } else {
            assert_eq!(state(&story, &sync), ("running".into(), Value::Null), "{policy}: {last}");
        }
    }
    story.terminate().succeeded();
}

#[test]
fn a_sync_whose_source_has_lost_its_key_pauses_whatever_its_policy_says() {
    let url = serve(1);
    let mut story = Story::reaching(url.strip_prefix("http://").unwrap());
    let destination = story.destination();
    let keyed = MANIFEST.replace("    name: movies\n", "    name: movies\n    primary_key: id\n");
    let (with_key, without) = (story.package("1.0.0", &keyed), story.package("1.1.0", MANIFEST));
    for policy in ["propagate", "ignore"] {
        let config = json!({ "base_url": url });
        let source = story.connection_of(&with_key, &config);
        let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
        let rights = json!({
            "hosts": [{ "url": url }], "addresses": [{ "network": "127.0.0.1/32", "port": port }],
        });
        story.grant(&source, &rights);
        let sync = story.sync(&source, &destination, &json!({ "schema_changes": policy }));
        story.post(&format!("/syncs/{sync}/start"), json!({}));
        story.run(&sync);
        let last = story.ended(&sync);
        assert_eq!(last["outcome"], "done", "{policy}: {last}");
        story.upgrade(&source, &without, &config);
        story.grant(&source, &rights);
        story.run(&sync);
        let last = story.ended(&sync);
        assert_eq!(
            (&last["outcome"], &last["error"]),
            (&json!("failed"), &json!("CD0864")),
            "{policy}: {last}"
        );
        assert_eq!(state(&story, &sync), ("paused".into(), json!("schema_changed")), "{policy}");
        let log = story.get(&format!("/syncs/{sync}/runs/2/report"));
        assert!(log.to_string().contains("has lost `id` of its key"), "{log}");
    }
    story.terminate().succeeded();
}
