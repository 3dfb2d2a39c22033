//! Servers and workers that end in the middle of runs: what was committed is there once, and somebody goes on.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use super::story::{LEASE, Story, quick, slow};
use crate::stopped::until;
use crate::workers::found::{signal, workers};
use crate::world::World;

#[test]
fn a_server_that_is_to_end_hands_its_run_back_and_the_next_one_goes_on_with_it() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&slow(600)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    let run = story.run(&sync);
    until("the first commit", || story.remote.commits() > 0);
    let ended = story.terminate().succeeded();
    assert!(ended.stderr.contains("stopping: "), "{}", ended.report());
    let arrived = story.remote.unit().rows["people"].len();
    assert!(arrived < 600, "it was to end in the middle");
    story.start_again();
    let last = story.ended(&sync);
    assert_eq!((last["outcome"].as_str(), last["run"].as_str()), (Some("done"), Some(&*run)), "{last}");
    story.remote.has_once("people", 600);
    let unit = story.remote.unit();
    assert_eq!((unit.fence, unit.refused.len()), (2, 0), "each holder has a fence of its own");
    story.terminate().succeeded();
}

#[test]
fn runs_of_a_server_that_was_killed_are_taken_over_and_no_row_is_lost_or_there_twice() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&slow(600)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    let run = story.run(&sync);
    // More often than a run is taken over at once that commits nothing in between.
    for times in 1..=6 {
        until("some commits", || {
            let queued = story.get("/queue")["items"][0].clone();
            let waits = queued["state"] == "waiting" && queued["attempts"] != 0;
            assert!(!waits, "it was not taken over at once: {queued}");
            story.remote.commits() >= times * 3
        });
        story.kill();
        story.start_again();
    }
    let last = story.ended(&sync);
    assert_eq!((last["outcome"].as_str(), last["run"].as_str()), (Some("done"), Some(&*run)), "{last}");
    story.remote.has_once("people", 600);
    assert_eq!(story.remote.unit().fence, 7, "the fence rose with each takeover");
    story.terminate().succeeded();
}

#[test]
fn a_run_that_takes_longer_than_its_lease_stays_with_its_holder() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&slow(1_600)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    let (began, run) = (Instant::now(), story.run(&sync));
    let last = story.ended(&sync);
    assert!(began.elapsed() > LEASE, "it was to outlast its lease");
    assert_eq!((last["outcome"].as_str(), last["run"].as_str()), (Some("done"), Some(&*run)), "{last}");
    story.remote.has_once("people", 1_600);
    assert_eq!(story.remote.unit().fence, 1, "nobody took it over");
    story.terminate().succeeded();
}

/// As a machine that was put to sleep does: what it held is nobody's by then, and it takes it over from itself.
#[test]
fn a_server_that_stood_still_for_longer_than_its_leases_goes_on_and_does_nothing_twice() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&slow(1_000)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    let run = story.run(&sync);
    until("the first commit", || story.remote.commits() > 0);
    signal(story.process(), Signal::STOP);
    sleep(LEASE + Duration::from_millis(500));
    signal(story.process(), Signal::CONT);
    let last = story.ended(&sync);
    assert_eq!((last["outcome"].as_str(), last["run"].as_str()), (Some("done"), Some(&*run)), "{last}");
    story.remote.has_once("people", 1_000);
    assert!(story.get("/queue")["items"].as_array().unwrap().is_empty());
    story.delete(&format!("/syncs/{sync}"));
    story.terminate().succeeded();
}

#[test]
fn a_worker_that_is_killed_loses_nothing_but_what_was_not_committed() {
    let mut story = Story::begin();
    let (source, destination) = (story.source(&slow(600)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    let run = story.run(&sync);
    until("the first commit", || story.remote.commits() > 0);
    let first = workers(story.process());
    assert_eq!(first.len(), 1, "an organization has one worker: {first:?}");
    signal(first[0], Signal::KILL);
    let last = story.ended(&sync);
    assert_eq!((last["outcome"].as_str(), last["run"].as_str()), (Some("done"), Some(&*run)), "{last}");
    story.remote.has_once("people", 600);
    story.terminate().succeeded();
}

/// As an upgrade does it: the file is another one, and the process goes on.
#[test]
fn a_server_whose_program_was_replaced_starts_workers_of_its_own_version() {
    let (world, program) = World::with_own_program();
    let mut story = Story::of(world, &[]);
    fs::remove_file(&program).unwrap();
    fs::write(&program, "#!/bin/sh\nexit 7\n").unwrap();
    let (source, destination) = (story.source(&quick(100)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    story.run(&sync);
    let last = story.ended(&sync);
    assert_eq!(last["outcome"], "done", "{last}");
    story.remote.has_once("people", 100);
    story.terminate().succeeded();
}
