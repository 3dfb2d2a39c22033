//! A connector that takes three workers with it is quarantined, also after the server has started again, until an admin lifts
//! that (H59).

use rustix::process::Signal;
use serde_json::{Value, json};

use super::story::{Story, quick};
use crate::serving::text;
use crate::stopped::until;
use crate::workers::found::{signal, workers};

fn connector(story: &Story, name: &str) -> Value {
    let listed = story.get("/connectors");
    let of_name = |one: &&Value| one["name"] == name;
    let digest = text(listed["items"].as_array().unwrap().iter().find(of_name).unwrap(), "/digest");
    story.get(&format!("/connectors/{digest}"))
}

#[test]
fn a_quarantine_outlives_the_server_and_is_lifted_by_an_admin() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&quick(100)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    story.remote.falls_silent();
    story.run(&sync);
    for lost in 1..=3 {
        until("a call of the destination", || story.remote.held() >= lost);
        workers(story.process()).into_iter().for_each(|process| signal(process, Signal::KILL));
        until("the loss to be known", || {
            connector(&story, "remote")["losses"].as_array().unwrap().len() >= lost
        });
    }
    let last = story.ended(&sync);
    assert_eq!((&last["outcome"], &last["error"]), (&json!("failed"), &json!("CD1402")), "{last}");
    let shown = connector(&story, "remote");
    let how = shown["losses"][2]["how"].as_str().unwrap();
    assert!(how.contains("it ended by signal 9"), "{shown}");
    assert_eq!(shown["quarantined_ms"], shown["losses"][2]["at_ms"], "{shown}");

    story.remote.speaks();
    story.terminate().succeeded();
    story.start_again();
    story.run(&sync);
    let last = story.ended(&sync);
    assert_eq!(last["error"], "CD1402", "{last}");
    assert_eq!(story.remote.commits(), 0);

    // Whoever else was being called may be in quarantine too.
    for name in ["remote", "faker"] {
        let digest = text(&connector(&story, name), "/digest");
        story.delete(&format!("/connectors/{digest}/quarantine"));
        assert_eq!(connector(&story, name)["losses"], json!([]));
    }
    story.run(&sync);
    assert_eq!(story.ended(&sync)["outcome"], "done");
    story.remote.has_once("people", 100);
    story.terminate().succeeded();
}
