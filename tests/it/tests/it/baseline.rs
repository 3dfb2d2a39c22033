//! After attacks the process is what it was: memory, descriptors, threads and room for instances come back.

use crate::harness::{budget, guest_bytes, hostile, neighbour_works, open, runtime, tight};
use runtime::{Component, Connection, Grants, Runtime, Settings, Source};
use serde_json::json;
use std::fs;
use std::path::Path;

const QUICK: [&str; 8] = [
    "panic",
    "grow-at-once",
    "recurse",
    "leak-handles",
    "log-lines",
    "offsets-falling",
    "exit-failure",
    "error-text-huge",
];

/// A pool of few slots: it keeps the pages of each slot that it has used, and few are soon used.
fn small_runtime(directory: &Path) -> Runtime {
    let mut settings = Settings::new(directory.to_owned());
    settings.live_instances = 4;
    Runtime::new(settings).unwrap()
}

async fn attack_rounds(component: &Component, rounds: usize) {
    for _ in 0..rounds {
        for name in QUICK {
            let grants = Grants { limits: tight(), ..Grants::none() };
            let connection = Connection::new(component.clone(), &json!({ "attack": name }), grants).unwrap();
            let source = Source::new(connection).unwrap();
            let mut reader = open(&source).await.unwrap();
            while reader.next(budget()).await.is_ok() {}
        }
    }
}

struct Held {
    resident_kib: u64,
    descriptors: usize,
    threads: usize,
}

fn held() -> Held {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    Held {
        resident_kib: line.split_whitespace().nth(1).unwrap().parse().unwrap(),
        descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
        threads: fs::read_dir("/proc/self/task").unwrap().count(),
    }
}

async fn least_held(component: &Component) -> Held {
    let mut least = held();
    for _ in 0..5 {
        attack_rounds(component, 2).await;
        let now = held();
        least.resident_kib = least.resident_kib.min(now.resident_kib);
        least.descriptors = least.descriptors.min(now.descriptors);
        least.threads = least.threads.min(now.threads);
    }
    least
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_descriptors_and_threads_return_to_their_baseline() {
    let directory = tempfile::tempdir().unwrap();
    let component = small_runtime(directory.path()).load(guest_bytes("hostile")).await.unwrap();
    attack_rounds(&component, 10).await;
    // Stores are dropped on other threads: the least of a few looks is what stays.
    let before = least_held(&component).await;
    attack_rounds(&component, 10).await;
    let after = least_held(&component).await;
    assert!(after.descriptors <= before.descriptors, "{} after {}", after.descriptors, before.descriptors);
    assert!(after.threads <= before.threads, "{} after {}", after.threads, before.threads);
    let allowed = before.resident_kib * 105 / 100;
    assert!(after.resident_kib <= allowed, "{} KiB after {} KiB", after.resident_kib, before.resident_kib);
    neighbour_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h58_a_thousand_instances_at_once_are_served_or_refused_and_none_is_lost() {
    let crowd = std::sync::Arc::new(hostile("behave", "next", tight()).await);
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let crowd = crowd.clone();
            tokio::spawn(async move { crowd.read(10).await })
        })
        .collect();
    let mut served = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => served += 1,
            Err(failure) => assert!(failure.to_string().contains("instances are alive"), "{failure}"),
        }
    }
    assert!(served >= runtime().live_instances(), "{served} of 1000 served");
    neighbour_works().await;
}
