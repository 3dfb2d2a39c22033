//! The history of runs.

use super::world::{START_MS, World};
use crate::{Session, TakenBack};
use pipeline::connector::Usage;
use pipeline::records::{Counters, Purpose, RunRecords, RunTicket};
use pipeline::report::{Outcome, RunReport, StreamReport};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn report(ticket: &RunTicket) -> RunReport {
    let counters = Counters { read: 3, accepted: 1, rejected: 2, filtered: 0 };
    let stream = StreamReport { counters, bytes: 99, reject_codes: BTreeMap::from([("x".into(), 2)]) };
    let usage = Usage { limit: "memory".into(), used: 1, allowed: 2 };
    RunReport {
        sync: ticket.sync.clone(),
        run: ticket.run,
        purpose: Purpose::Sync,
        outcome: Outcome::Completed,
        started_ms: START_MS,
        duration_ms: 7,
        error: None,
        groups: Vec::new(),
        streams: BTreeMap::from([("s".into(), stream)]),
        written: BTreeMap::from([("s".into(), 1)]),
        recovered: BTreeMap::new(),
        budgets: BTreeMap::from([("source".into(), vec![usage])]),
        secrets: Vec::new(),
    }
}

#[tokio::test]
async fn a_run_is_in_the_history_from_its_first_moment() {
    let world = World::new();
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    let begun = records.run("sync", None).await.unwrap();
    assert_eq!((begun.run, begun.started_ms, begun.end), (1, START_MS, None));
    assert!(records.syncs().await.unwrap()[0].runs_here);
    records.finish(&ticket, report(&ticket)).await.unwrap();
    records.release(&ticket);
    let ended = records.run("sync", Some(1)).await.unwrap().end.unwrap();
    assert_eq!((ended.outcome, ended.duration_ms, ended.error), (Outcome::Completed, 7, None));
    assert_eq!(ended.streams["s"].counters.rejected, 2);
    assert_eq!(ended.budgets["source"][0].allowed, 2);
    assert!(!records.syncs().await.unwrap()[0].runs_here);
}

#[tokio::test]
async fn runs_are_listed_the_newest_first_in_pages() {
    let world = World::new();
    let records = world.open().await;
    for _ in 0..5 {
        let ticket = records.begin("sync").await.unwrap();
        records.release(&ticket);
    }
    let runs = async |before, limit| {
        let runs = records.runs("sync", before, limit).await.unwrap();
        runs.iter().map(|entry| entry.run).collect::<Vec<_>>()
    };
    assert_eq!(runs(None, 2).await, [5, 4]);
    assert_eq!(runs(Some(4), 2).await, [3, 2]);
    assert_eq!(runs(Some(2), 9).await, [1]);
    assert_eq!(runs(Some(1), 9).await, [0; 0]);
    assert_eq!(records.run("sync", Some(6)).await.unwrap_err().code(), "CD1053");
    assert_eq!(records.runs("sink", None, 1).await.unwrap_err().code(), "CD1052");
}

#[tokio::test]
async fn the_newest_report_is_that_of_the_newest_run_that_gave_one() {
    let world = World::new();
    let records = world.open().await;
    let first = records.begin("sync").await.unwrap();
    records.finish(&first, report(&first)).await.unwrap();
    records.release(&first);
    let second = records.begin("sync").await.unwrap();
    assert_eq!(records.report("sync", None).await.unwrap().unwrap().run, 1);
    records.finish(&second, report(&second)).await.unwrap();
    assert_eq!(records.report("sync", None).await.unwrap().unwrap().run, 2);
}

#[tokio::test]
async fn what_stands_of_a_report_has_no_texts() {
    let world = World::new();
    let records = world.open().await;
    let session = Session::new(Arc::clone(&records));
    let ticket = session.begin("sync").await.unwrap();
    let mut with_texts = report(&ticket);
    let error = pipeline::Error::RowRejected {
        stream: "s".into(),
        index: 1,
        code: "x".into(),
        message: "CANARY message".into(),
        row: Some("CANARY row".into()),
    };
    let (code, message) = (error.code().to_owned(), error.to_string());
    with_texts.error = Some(pipeline::report::ErrorReport { code, message, error, attempt: Some(1) });
    session.finish(&ticket, with_texts.clone()).await.unwrap();
    assert_eq!(session.report("sync", None).await.unwrap(), Some(with_texts));
    let entry = records.run("sync", None).await.unwrap();
    assert_eq!(entry.end.as_ref().unwrap().error.as_deref(), Some("CD0720"));
    assert!(!serde_json::to_string(&entry).unwrap().contains("CANARY"));
}

#[tokio::test]
async fn what_was_taken_back_from_a_run_stays_with_it() {
    let world = World::new();
    let records = world.open().await;
    let taken = TakenBack {
        at_ms: START_MS + 5,
        by: "ada".into(),
        connection: "source".into(),
        text: "the credential `shop.api` was revoked".into(),
        code: Some("CD0860".into()),
    };
    let nowhere = records.keep_taken_back("sync", 1, &[]).await.unwrap_err();
    assert_eq!(nowhere.code(), "CD1052");
    let ticket = records.begin("sync").await.unwrap();
    records.finish(&ticket, report(&ticket)).await.unwrap();
    records.release(&ticket);
    assert_eq!(records.run("sync", None).await.unwrap().taken_back, []);
    records.keep_taken_back("sync", 1, std::slice::from_ref(&taken)).await.unwrap();
    let entry = records.run("sync", Some(1)).await.unwrap();
    assert_eq!(entry.taken_back, [taken]);
    assert_eq!(entry.end.unwrap().outcome, Outcome::Completed, "nothing else of it is changed");
    assert_eq!(records.keep_taken_back("sync", 2, &[]).await.unwrap_err().code(), "CD1053");
}

/// An order is begun anew after a failure; runs of others lie between.
#[tokio::test]
async fn a_run_is_found_by_the_order_by_which_it_was_begun() {
    let world = World::new();
    let records = world.open().await;
    for order in [Some("first"), Some("second"), None, Some("first"), Some("third")] {
        let session = Session::new(Arc::clone(&records));
        let session = order.map_or(Session::new(Arc::clone(&records)), |order| session.with_order(order));
        let ticket = session.begin("sync").await.unwrap();
        assert_eq!(records.run("sync", None).await.unwrap().order.as_deref(), order);
        session.finish(&ticket, report(&ticket)).await.unwrap();
        session.release(&ticket);
    }
    for (order, run) in [("first", Some(4)), ("second", Some(2)), ("third", Some(5)), ("fourth", None)] {
        let found = records.run_of_order("sync", order).await.unwrap();
        assert_eq!(found.as_ref().map(|entry| entry.run), run, "{order}");
        assert!(found.is_none_or(|entry| entry.end.is_some() && entry.order.as_deref() == Some(order)));
    }
    assert_eq!(records.run_of_order("never", "first").await.unwrap(), None);
}

#[tokio::test]
async fn a_run_that_was_broken_off_ends_as_somebody_wished_and_one_that_ended_stays_as_it_did() {
    let world = World::new();
    let records = world.open().await;
    let broken_off = records.begin("sync").await.unwrap();
    records.release(&broken_off);
    let ended = records.begin("sync").await.unwrap();
    records.finish(&ended, report(&ended)).await.unwrap();
    records.release(&ended);
    world.clock.set(START_MS + 70);
    for run in 1..=3 {
        records.end_broken_off("sync", run, Outcome::Cancelled).await.unwrap();
    }
    let end = async |run| records.run("sync", Some(run)).await.unwrap().end.unwrap();
    assert_eq!((end(1).await.outcome, end(1).await.duration_ms), (Outcome::Cancelled, 70));
    assert_eq!((end(2).await.outcome, end(2).await.duration_ms), (Outcome::Completed, 7));
    assert_eq!(records.run("sync", None).await.unwrap().run, 2, "of a run that never was there is nothing");
}
