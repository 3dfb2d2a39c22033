//! A run that is broken off wherever it waits, and work that ends just when its time does.
//!
//! The attack `work-and-log` of the guest `hostile` says something, waits and sends a request, ten times; then it gives ten rows.

use crate::harness::{budget, guest_bytes, open, target};
use crate::oracle::room;
use async_trait::async_trait;
use egress::{Body, Usage};
use http::Request;
use pipeline::clock::SystemClock;
use pipeline::failure::Cause;
use pipeline::records::MemoryRecords;
use pipeline::report::Outcome;
use pipeline::run::{NoObserver, Run, RunSpec};
use runtime::{
    Answer, Component, Connection, Destination, Grants, HttpOut, Level, Limits, LogSink, NoHttp, Runtime,
    Settings, Source,
};
use scrub::Watch;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_util::sync::CancellationToken;

/// Log lines and requests of one call.
const EVENTS: usize = 20;
const SLOTS: usize = 3;

/// Cancels at one of the guest's calls into the host. Where that is a request, it is never answered.
struct At {
    event: usize,
    seen: AtomicUsize,
    reached: CancellationToken,
}

impl At {
    fn event(event: usize) -> Arc<Self> {
        Arc::new(Self { event, seen: AtomicUsize::new(0), reached: CancellationToken::new() })
    }

    fn count(&self) -> bool {
        let is_it = self.seen.fetch_add(1, Ordering::SeqCst) == self.event;
        if is_it {
            self.reached.cancel();
        }
        is_it
    }
}

impl LogSink for At {
    fn line(&self, _connector: &str, _level: Level, _target: &str, _text: &str) {
        self.count();
    }
}

#[async_trait]
impl HttpOut for At {
    async fn answer(&self, request: Request<Body>, secrets: &Watch) -> Answer {
        if self.count() {
            std::future::pending::<()>().await;
        }
        NoHttp.answer(request, secrets).await
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

/// An engine with few slots, so that one that is not given back is missed.
struct Narrow {
    runtime: Runtime,
    hostile: Component,
    proof: Component,
}

impl Narrow {
    async fn new() -> Self {
        let mut settings = Settings::new(target().join("it-cache"));
        settings.live_instances = SLOTS;
        let runtime = Runtime::new(settings).unwrap();
        let hostile = runtime.load(guest_bytes("hostile")).await.unwrap();
        let proof = runtime.load(guest_bytes("proof")).await.unwrap();
        Self { runtime, hostile, proof }
    }

    fn source(&self, attack: &str, grants: Grants) -> Source {
        let config = json!({ "attack": attack });
        Source::new(Connection::new(self.hostile.clone(), &config, grants).unwrap()).unwrap()
    }

    fn working(&self, at: &Arc<At>) -> Source {
        self.source("work-and-log", Grants { logs: at.clone(), http: at.clone(), ..Grants::none() })
    }

    fn destination(&self) -> Destination {
        let config: Value = json!({ "abilities": ["columns", "append", "insert"] });
        Destination::new(Connection::new(self.proof.clone(), &config, Grants::none()).unwrap()).unwrap()
    }

    /// Instances end on other threads, a moment later.
    async fn every_slot_is_free(&self) {
        let source = self.source("behave", Grants::none());
        room::slots_come_back(&self.runtime, &source, std::time::Duration::from_secs(60)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h26_a_call_that_nobody_waits_for_any_more_ends_wherever_it_is() {
    let narrow = Narrow::new().await;
    for event in 0..=EVENTS {
        let at = At::event(event);
        let mut reader = open(&narrow.working(&at)).await.unwrap();
        let ended = tokio::select! {
            biased;
            () = at.reached.cancelled() => false,
            step = reader.next(budget()) => step.map(|_| true).unwrap(),
        };
        assert_eq!(ended, event == EVENTS, "at event {event}");
    }
    narrow.every_slot_is_free().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h26_a_run_that_is_cancelled_ends_wherever_its_source_is_and_the_next_begins_at_once() {
    let narrow = Narrow::new().await;
    for event in 0..EVENTS {
        let (at, records) = (At::event(event), Arc::new(MemoryRecords::new()));
        let run = |source: Source| {
            let mut spec = RunSpec::new("sync", Arc::new(source), Arc::new(narrow.destination()));
            spec.options.stop_grace_ms = 20;
            Run::new(spec, records.clone(), Arc::new(SystemClock::new()), Arc::new(NoObserver))
        };
        let report = run(narrow.working(&at)).run(at.reached.clone()).await;
        assert_eq!(report.outcome, Outcome::Cancelled, "at event {event}: {:?}", report.error);
        assert!([0, 10].contains(&report.total().accepted), "half a page was kept");
        // What was there before is read again, or was committed whole.
        let next = run(narrow.source("behave", Grants::none())).run(CancellationToken::new()).await;
        assert_eq!(next.outcome, Outcome::Completed, "after event {event}: {:?}", next.error);
    }
    narrow.every_slot_is_free().await;
}

/// The guest works for 100 ms: whether it ends just before its limit or just behind it, it ends in one of the two ways.
#[tokio::test(flavor = "multi_thread")]
async fn h25_work_that_ends_just_when_its_time_does_ends_well_or_at_the_limit() {
    let narrow = Narrow::new().await;
    for ms in (80..=120).step_by(4) {
        let limits = [
            ("cpu_ms", Limits { cpu_ms: ms, ..Limits::defaults() }),
            ("call_ms", Limits { call_ms: ms, ..Limits::defaults() }),
        ];
        for (name, limits) in limits {
            let source = narrow.source("busy-then-end", Grants { limits, ..Grants::none() });
            let mut reader = open(&source).await.unwrap();
            if let Err(failure) = reader.next(budget()).await {
                assert!(matches!(&failure.cause, Cause::Limit { name: hit, .. } if hit == name), "{failure}");
            }
        }
    }
    narrow.every_slot_is_free().await;
}
