//! Runs that are asked for, are due, and are ended by people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::story::{Story, quick, slow};
use crate::stopped::until;

#[test]
fn a_sync_that_is_due_moves_its_rows() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&quick(100)), story.destination());
    let soon = SystemTime::now() + Duration::from_secs(2);
    let from_ms = u64::try_from(soon.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let schedule = json!({ "when": { "every": { "interval_ms": 3_600_000, "from_ms": from_ms } } });
    let sync = story.sync(&source, &destination, &json!({ "schedule": schedule }));
    story.post(&format!("/syncs/{sync}/start"), json!({}));
    let last = story.ended(&sync);
    assert_eq!(last["outcome"], "done", "{last}");
    assert!(last["ended_ms"].as_u64().unwrap() >= from_ms, "not before it is due: {last}");
    story.remote.has_once("people", 100);
    story.terminate().succeeded();
}

#[test]
fn a_connection_is_tried_and_looked_into() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&quick(100)), story.destination());
    for connection in [&source, &destination] {
        story.post(&format!("/connections/{connection}/check"), json!({}));
    }
    let found = story.post(&format!("/connections/{source}/discover"), json!({}));
    assert_eq!(found["streams"], 1, "{found}");
    let catalog = story.get(&format!("/connections/{source}/catalog"));
    assert_eq!(catalog["streams"]["items"][0]["name"], "people", "{catalog}");
    story.terminate().succeeded();
}

#[test]
fn a_run_that_is_cancelled_ends_at_once_and_the_next_one_goes_on() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&slow(400)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    let run = story.run(&sync);
    until("the first commit", || story.remote.commits() > 0);
    story.post(&format!("/runs/{run}/cancel"), json!({}));
    let last = story.ended(&sync);
    assert_eq!((last["outcome"].as_str(), last["run"].as_str()), (Some("cancelled"), Some(&*run)), "{last}");
    let arrived = story.remote.unit().rows["people"].len();
    assert!(arrived < 400, "it was to be ended in the middle");
    story.run(&sync);
    let last = story.ended(&sync);
    assert_eq!(last["outcome"], "done", "{last}");
    story.remote.has_once("people", 400);
    story.terminate().succeeded();
}

#[test]
fn a_sync_that_is_paused_ends_its_run_at_a_commit_and_makes_up_for_it_when_it_goes_on() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&slow(400)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    story.run(&sync);
    until("the first commit", || story.remote.commits() > 0);
    story.post(&format!("/syncs/{sync}/pause"), json!({}));
    let last = story.ended(&sync);
    assert_eq!(last["outcome"], "cancelled", "{last}");
    assert!(story.remote.unit().rows["people"].len() < 400);
    story.post(&format!("/syncs/{sync}/start"), json!({}));
    story.run(&sync);
    assert_eq!(story.ended(&sync)["outcome"], "done");
    story.remote.has_once("people", 400);
    story.terminate().succeeded();
}

#[test]
fn what_a_connection_lacks_stands_in_the_history_of_its_sync() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&quick(10)), story.destination());
    story.grant(&destination, &json!({}));
    let sync = story.sync(&source, &destination, &json!({}));
    story.run(&sync);
    let last = story.ended(&sync);
    assert_eq!(last["outcome"], "failed", "{last}");
    assert!(last["error"].as_str().unwrap().starts_with("CD"), "{last}");
    assert_eq!(story.remote.commits(), 0);
    story.terminate().succeeded();
}

#[test]
fn what_is_taken_back_while_a_run_goes_on_is_cut_off() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&slow(4_000)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    story.run(&sync);
    until("the first commit", || story.remote.commits() > 0);
    story.grant(&destination, &json!({}));
    let last = story.ended(&sync);
    assert_eq!(last["outcome"], "failed", "{last}");
    assert!(story.remote.unit().rows["people"].len() < 4_000);
    story.terminate().succeeded();
}
