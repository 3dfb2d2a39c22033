//! Where a call begins: among the short ones, or among the long ones where it was one before.

use crate::harness::{Waiting, budget, guest_bytes, name_of_thread, open, runtime};
use pipeline::connector::Source as _;
use pipeline::failure::Cause;
use runtime::{Component, Connection, Grants, Level, Limits, LogSink, Source};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// The thread of each log line.
#[derive(Default)]
struct Threads(Mutex<Vec<String>>);

impl LogSink for Threads {
    fn line(&self, _connector: &str, _level: Level, _target: &str, _text: &str) {
        self.0.lock().unwrap().push(name_of_thread());
    }
}

/// The threads on which a guest begins and ends that logs until its processor time is over.
async fn threads(component: &Component, whose: &str, at: &str) -> (String, String) {
    let threads = Arc::new(Threads::default());
    let limits = Limits { cpu_ms: 50, log_lines: u64::MAX, log_bytes: u64::MAX, ..Limits::defaults() };
    let grants = Grants { logs: threads.clone(), limits, ..Grants::none() };
    let config = json!({ "attack": "log-lines", "at": at, "whose": whose });
    let source = Source::new(Connection::new(component.clone(), &config, grants).unwrap()).unwrap();
    let failure = match at {
        "discover" => source.discover().await.err(),
        _ => open(&source).await.unwrap().next(budget()).await.err(),
    };
    let cause = failure.unwrap().cause;
    assert!(matches!(&cause, Cause::Limit { name, .. } if name == "cpu_ms"), "{cause:?}");
    let threads = threads.0.lock().unwrap();
    (threads[0].clone(), threads[threads.len() - 1].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_long_begins_among_the_long_ones_the_next_time_and_nothing_else_does() {
    let _another = Waiting::begin().await;
    let component = runtime().load(guest_bytes("hostile")).await.unwrap();
    let told = |begin: &str, end: &str| (begin.to_owned(), end.to_owned());
    assert_eq!(threads(&component, "ours", "next").await, told("guest", "guest-long"));
    assert_eq!(threads(&component, "ours", "next").await, told("guest-long", "guest-long"));
    assert_eq!(threads(&component, "ours", "discover").await, told("guest", "guest-long"), "another call");
    assert_eq!(threads(&component, "theirs", "next").await, told("guest", "guest-long"), "another's call");
    let other = runtime().load(guest_bytes("hostile")).await.unwrap();
    assert_eq!(threads(&other, "ours", "next").await, told("guest", "guest-long"), "loaded anew");
}

/// How many of 2,000 calls of some 50 microseconds were not among the short ones at their end. Ticks meet some 50 of them.
async fn moved() -> usize {
    let threads = Arc::new(Threads::default());
    let limits = Limits { log_lines: u64::MAX, ..Limits::defaults() };
    let grants = Grants { logs: threads.clone(), limits, ..Grants::none() };
    let component = runtime().load(guest_bytes("hostile")).await.unwrap();
    let connection = Connection::new(component, &json!({ "attack": "work-a-little" }), grants).unwrap();
    let mut reader = open(&Source::new(connection).unwrap()).await.unwrap();
    for _ in 0..2_000 {
        reader.next(budget()).await.unwrap();
    }
    let threads = threads.0.lock().unwrap();
    assert_eq!(threads.len(), 2_000);
    threads.iter().filter(|name| *name != "guest").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tick_meets_by_chance_stays_among_the_short_ones() {
    let _another = Waiting::begin().await;
    // A virtual machine that stands still counts as work of whoever had it: one call is a long one by that, and so begin those behind it.
    let mut rounds = Vec::new();
    while rounds.len() < 20 && rounds.last() != Some(&0) {
        rounds.push(moved().await);
    }
    assert_eq!(rounds.last(), Some(&0), "{rounds:?}");
}
