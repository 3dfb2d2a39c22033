//! Where a call begins: among the short ones, or among the long ones where it was one before.

use crate::harness::{budget, guest_bytes, open, runtime};
use pipeline::connector::Source as _;
use pipeline::failure::Cause;
use runtime::{Component, Connection, Grants, Level, Limits, LogSink, Source};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::thread;

/// The thread of each log line.
#[derive(Default)]
struct Threads(Mutex<Vec<String>>);

impl LogSink for Threads {
    fn line(&self, _connector: &str, _level: Level, _target: &str, _text: &str) {
        self.0.lock().unwrap().push(thread::current().name().unwrap_or_default().to_owned());
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
    let component = runtime().load(guest_bytes("hostile")).await.unwrap();
    let told = |begin: &str, end: &str| (begin.to_owned(), end.to_owned());
    assert_eq!(threads(&component, "ours", "next").await, told("guest", "guest-long"));
    assert_eq!(threads(&component, "ours", "next").await, told("guest-long", "guest-long"));
    assert_eq!(threads(&component, "ours", "discover").await, told("guest", "guest-long"), "another call");
    assert_eq!(threads(&component, "theirs", "next").await, told("guest", "guest-long"), "another's call");
    let other = runtime().load(guest_bytes("hostile")).await.unwrap();
    assert_eq!(threads(&other, "ours", "next").await, told("guest", "guest-long"), "loaded anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tick_meets_by_chance_stays_among_the_short_ones() {
    let threads = Arc::new(Threads::default());
    let limits = Limits { cpu_ms: u64::MAX / 1_000, log_lines: u64::MAX, ..Limits::defaults() };
    let grants = Grants { logs: threads.clone(), limits, ..Grants::none() };
    let component = runtime().load(guest_bytes("hostile")).await.unwrap();
    let connection = Connection::new(component, &json!({ "attack": "work-a-little" }), grants).unwrap();
    let mut reader = open(&Source::new(connection).unwrap()).await.unwrap();
    // Of 50 microseconds each: ticks meet some 50 of them.
    for _ in 0..2_000 {
        reader.next(budget()).await.unwrap();
    }
    let threads = threads.0.lock().unwrap();
    let moved = threads.iter().filter(|name| *name != "guest").count();
    assert_eq!((threads.len(), moved), (2_000, 0));
}
