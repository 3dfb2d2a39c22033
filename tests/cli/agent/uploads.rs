//! Components are compiled when they are sent, each in a process of its own that may be lost (H59, H62).

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::story::{Story, quick};
use crate::bombs::{component, quadratic};
use crate::stopped::until;
use crate::workers::found::{signal, workers};

/// More than anybody waits for.
const BLOCKS: usize = 20_000;

fn compiled(story: &Story, cache: &str) -> usize {
    let entries = fs::read_dir(story.world.path(cache)).into_iter().flatten();
    entries
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "compiled"))
        .count()
}

#[test]
fn what_was_sent_is_compiled_before_its_first_run_and_in_a_process_that_is_gone() {
    let mut story = Story::begin_with(&["--cache", "cache"]);
    let source = story.source(&quick(100));
    assert_eq!(compiled(&story, "cache"), 1, "the upload compiles");
    assert!(workers(story.process()).is_empty(), "whoever compiled has ended");
    let destination = story.destination();
    assert_eq!(compiled(&story, "cache"), 2);
    let before = story.world.files("cache");
    let sync = story.sync(&source, &destination, &json!({}));
    story.run(&sync);
    assert_eq!(story.ended(&sync)["outcome"], "done");
    story.remote.has_once("people", 100);
    assert!(story.world.files("cache") == before, "a run found what it needs");
    story.terminate().succeeded();
}

/// By whatever ends a process: the compiler's fault, the system's, or its memory killer.
#[test]
fn a_compiler_that_is_lost_costs_one_upload_and_nothing_else() {
    let mut story = Story::begin_with(&["--operations", "127.0.0.1:0"]);
    let bomb = quadratic(BLOCKS);
    for how in [Signal::SEGV, Signal::KILL] {
        let (status, answer) = thread::scope(|scope| {
            let upload = scope.spawn(|| story.upload(&bomb));
            until("a process that compiles", || !workers(story.process()).is_empty());
            // It answers meanwhile.
            story.get("/connectors");
            workers(story.process()).into_iter().for_each(|process| signal(process, how));
            upload.join().unwrap()
        });
        refused(status, &answer, "CD1406", "ended by signal");
    }
    assert_eq!(story.get("/connectors")["items"], json!([]), "nothing is installed");
    let figures = story.figures();
    assert!(figures.contains("cofferdam_workers_lost_total 2"), "{figures}");
    assert!(figures.contains("cofferdam_workers 0"), "{figures}");
    story.source(&quick(1));
    story.terminate().succeeded();
}

#[test]
fn a_compiler_is_ended_at_its_limit_of_time_and_with_whoever_waits_for_it() {
    let mut story = Story::begin_with(&["--compile-seconds", "1"]);
    let (status, answer) = story.upload(&quadratic(BLOCKS));
    refused(status, &answer, "CD0411", "took longer than 1s");
    assert!(workers(story.process()).is_empty());
    story.terminate().succeeded();
}

#[test]
fn a_compiler_that_wants_more_memory_than_it_may_have_is_lost() {
    let mut story = Story::begin_with(&["--compile-memory", "200"]);
    let (status, answer) = story.upload(&quadratic(BLOCKS));
    refused(status, &answer, "CD1406", "memory allocation of");
    story.terminate().succeeded();
}

/// The rest of a bomb's hours is nobody's.
#[test]
fn a_compiler_ends_with_the_server_that_started_it() {
    let mut story = Story::begin();
    let bomb = quadratic(BLOCKS);
    let (compiler, since) = thread::scope(|scope| {
        let upload = scope.spawn(|| catch_unwind(AssertUnwindSafe(|| story.upload(&bomb))).is_err());
        until("a process that compiles", || !workers(story.process()).is_empty());
        let compiler = workers(story.process())[0];
        signal(story.process(), Signal::KILL);
        let since = Instant::now();
        assert!(upload.join().unwrap(), "nobody answered");
        (compiler, since)
    });
    story.kill();
    until("the compiler to end", || fs::metadata(format!("/proc/{compiler}")).is_err());
    // By itself it ends when its memory does, which takes twice as long on any machine.
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
}

/// What is only found when it is linked is found before somebody makes a connection of it.
#[test]
fn a_component_whose_exports_are_others_is_refused_when_it_is_sent() {
    let mut story = Story::begin();
    let (status, answer) = story.upload(&component(""));
    refused(status, &answer, "CD0407", "does not match the contract");
    story.terminate().succeeded();
}

fn refused(status: u16, answer: &Value, code: &str, words: &str) {
    assert_eq!((status, answer["code"].as_str()), (422, Some(code)), "{answer}");
    assert!(answer["message"].as_str().unwrap().contains(words), "{answer}");
}
