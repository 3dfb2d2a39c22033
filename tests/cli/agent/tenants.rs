//! Organizations beside each other in one server: what becomes of one is no matter of the other.

use rustix::process::Signal;
use serde_json::json;

use super::story::{Story, slow};
use crate::stopped::until;
use crate::workers::found::{signal, workers};

#[test]
fn an_organization_whose_neighbour_loses_its_worker_does_not_notice() {
    let mut story = Story::begin();
    let sync = |story: &Story| {
        let (source, destination) = (story.source(&slow(1_000)), story.destination());
        story.sync(&source, &destination, &json!({}))
    };
    let of_one = sync(&story);
    story.found("Other", "eve@other.example");
    let of_other = sync(&story);
    story.turn();
    story.run(&of_one);
    until("the first commit", || story.remote.commits() > 0);
    let first = workers(story.process());
    assert_eq!(first.len(), 1, "one organization runs: {first:?}");
    story.turn();
    story.run(&of_other);
    until("the worker of the other", || workers(story.process()).len() == 2);
    let second = workers(story.process()).into_iter().find(|worker| !first.contains(worker)).unwrap();
    until("commits of both", || story.remote.units_committed() == 2);
    signal(first[0], Signal::KILL);
    let last = story.ended(&of_other);
    assert_eq!(last["outcome"], "done", "{last}");
    let run = story.get(&format!("/syncs/{of_other}/runs/1"));
    for group in run["groups"].as_array().unwrap() {
        assert_eq!(group["attempts"], 1, "nothing was tried again: {run}");
    }
    assert!(workers(story.process()).contains(&second), "its worker is the one that it had");
    story.turn();
    let last = story.ended(&of_one);
    assert_eq!(last["outcome"], "done", "{last}");
    story.remote.has_once("people", 1_000);
    story.terminate().succeeded();
}
