//! Rows that people look at before they move, and positions that they set: over HTTP, in a real server.

use serde_json::{Value, json};

use super::story::{Story, quick};

#[test]
fn first_rows_are_shown_and_kept_for_as_long_as_is_said_and_of_a_sync_without_row_data_never() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&quick(100)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    let made = story.post(&format!("/syncs/{sync}/preview"), json!({ "rows": 3 }));
    assert_eq!(made, json!({ "streams": [{ "stream": "people", "rows": 3 }] }), "an answer has no rows");
    let kept = story.get(&format!("/syncs/{sync}/previews"));
    assert_eq!(kept["items"][0]["rows"].as_array().unwrap().len(), 3, "{kept}");
    assert_eq!(kept["items"][0]["rows"][0]["row"]["id"], 1, "{kept}");
    assert_eq!(story.remote.commits(), 0, "nothing was moved");
    let name = kept["items"][0]["rows"][0]["row"]["name"].as_str().unwrap_or_default().to_owned();
    story.world.must_not_show(&name);

    let silent = story.sync(&source, &destination, &json!({ "rejects": { "row_data": "off" } }));
    let refused = story.refused(("POST", &format!("/syncs/{silent}/preview")), &json!({}));
    assert_eq!(refused, (409, "CD1339".into()));
    let kept = story.get(&format!("/syncs/{silent}/previews"));
    assert_eq!(kept["items"], json!([]), "{kept}");
    // A day at most.
    let days = story.get("/retention");
    assert_eq!(days["previews_ms"], 24 * 60 * 60 * 1_000, "{days}");
    story.terminate().succeeded();
}

#[test]
fn a_position_of_megabytes_is_set_read_and_forgotten() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&quick(100)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    story.run(&sync);
    assert_eq!(story.ended(&sync)["outcome"], "done");
    let path = format!("/syncs/{sync}/checkpoints/groups/people");
    let long = format!("\"{}\"", "x".repeat(3 << 20));
    let set =
        |story: &Story, position: &str| story.put(&path, &json!({ "position": position, "confirm": sync }));
    assert!(set(&story, &long)["position"] == long.as_str());
    assert!(story.get(&path)["position"] == long.as_str());
    let listed = story.get(&format!("/syncs/{sync}/checkpoints"));
    assert_eq!(listed["items"][0]["position_bytes"], long.len(), "a list has no long ones");
    let changes = story.get(&format!("/syncs/{sync}/checkpoints/changes"));
    assert_eq!(changes["items"][0]["kind"], "edited", "{changes}");
    let reset =
        story.post(&format!("/syncs/{sync}/checkpoints/reset"), json!({ "all": true, "confirm": sync }));
    assert_eq!(reset["reset"], json!(["people"]));
    // It begins anew: each row comes a second time.
    story.run(&sync);
    assert_eq!(story.ended(&sync)["outcome"], "done");
    assert_eq!(story.remote.unit().rows["people"].len(), 200);
    story.terminate().succeeded();
}

#[test]
fn a_sync_is_deleted_by_its_id_whatever_was_read_of_it() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&quick(10)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    story.delete(&format!("/syncs/{sync}"));
    assert_eq!(story.refused(("GET", &format!("/syncs/{sync}")), &Value::Null), (404, "CD1253".into()));
    story.terminate().succeeded();
}
