//! On whose threads the host works for a guest: what a guest can make it do without end is done on the guests' own.

use crate::harness::{Waiting, budget, hostile_with, name_of_thread, open};
use crate::oracle::{Attack, suffers};
use async_trait::async_trait;
use bytes::Bytes;
use egress::{Body, Usage};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use pipeline::model::Step;
use runtime::{Answer, Grants, HttpOut, NoHttp};
use scrub::Watch;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Denies each request, at once or when it has waited, and tells on which thread.
struct Denies {
    waits: bool,
    threads: Mutex<Vec<String>>,
}

#[async_trait]
impl HttpOut for Denies {
    async fn answer(&self, request: Request<Body>, secrets: &Watch) -> Answer {
        if self.waits {
            // Never over at once, which a short time is now and then.
            tokio::task::yield_now().await;
        }
        self.threads.lock().unwrap().push(name_of_thread());
        NoHttp.answer(request, secrets).await
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

/// The threads on which ten requests were denied.
async fn denied_on(waits: bool) -> Vec<String> {
    let denies = Arc::new(Denies { waits, threads: Mutex::default() });
    let grants = Grants { http: denies.clone(), ..Grants::none() };
    hostile_with("work-and-log", "next", grants).await.read(1).await.unwrap();
    let threads = denies.threads.lock().unwrap().clone();
    assert_eq!(threads.len(), 10);
    threads
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_judged_on_the_guests_thread_and_waits_on_the_hosts() {
    assert!(denied_on(false).await.iter().all(|name| name.starts_with("guest")));
    assert!(!denied_on(true).await.iter().any(|name| name.starts_with("guest")));
}

/// Answers with a body of no bytes that tells on which thread it is thrown away.
struct Answers(UnboundedSender<String>);

/// What a body holds.
struct ThrownAway(UnboundedSender<String>);

impl Drop for ThrownAway {
    fn drop(&mut self) {
        let _ = self.0.send(name_of_thread());
    }
}

#[async_trait]
impl HttpOut for Answers {
    async fn answer(&self, _: Request<Body>, _: &Watch) -> Answer {
        let held = ThrownAway(self.0.clone());
        let body = Empty::<Bytes>::new().map_err(move |never| {
            let _held = &held;
            match never {}
        });
        Ok(Response::new(body.boxed_unsync()))
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

/// The thread on which an instance that ended well is thrown away, with an answer that it kept.
async fn thrown_away_on(attack: &str) -> String {
    let (told, mut threads): (_, UnboundedReceiver<String>) = unbounded_channel();
    let grants = Grants { http: Arc::new(Answers(told)), ..Grants::none() };
    let guest = hostile_with(attack, "next", grants).await;
    let mut reader = open(&guest.source).await.unwrap();
    assert_eq!(reader.next(budget()).await.unwrap(), Step::End);
    assert!(threads.try_recv().is_err(), "it lives as long as its reader");
    drop(reader);
    threads.recv().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn much_memory_is_given_back_among_the_long_calls_and_little_at_once() {
    assert_eq!(thrown_away_on("keep-an-answer-and-8-mebibytes").await, "guest-long");
    assert_eq!(thrown_away_on("keep-an-answer").await, name_of_thread());
}

/// Linux's number of `SIGURG`.
#[cfg(target_os = "linux")]
const INTERRUPTS: i32 = 23;

/// Each of these instructions fills 64 MiB.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_long_call_is_interrupted_where_it_is_told_of_no_tick() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interruptions = signal(SignalKind::from_raw(INTERRUPTS)).unwrap();
    let _another = Waiting::begin().await;
    let fills = |attack: &Attack| attack.test == "h07_fills_its_whole_memory_again_and_again";
    suffers(&crate::hostile_wat::attacks().into_iter().find(fills).unwrap()).await;
    // It would never come: without it this test ends with the runner's time.
    interruptions.recv().await.unwrap();
}
