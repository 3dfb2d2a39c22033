//! Each limit that is advertised, reached by a connector, and what the budget report says of it.

use crate::harness::{hostile, hostile_with, runtime};
use pipeline::failure::Cause;
use runtime::{Error, Grants, Limits, Stop, Stopper};
use std::time::{Duration, Instant};

async fn hits(attack: &str, limits: Limits) -> (String, String) {
    let hostile = hostile(attack, "next", limits).await;
    match hostile.read(100_000).await.unwrap_err().cause {
        Cause::Limit { name, allowed, .. } => (name, allowed),
        other => panic!("no limit: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_bytes_is_reached_and_names_what_is_allowed() {
    let limits = Limits { memory_bytes: 16 << 20, ..Limits::defaults() };
    assert_eq!(hits("touch-everything", limits).await, ("memory_bytes".into(), "16777216 bytes".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn cpu_ms_is_reached() {
    let limits = Limits { cpu_ms: 100, ..Limits::defaults() };
    assert_eq!(hits("loop", limits).await, ("cpu_ms".into(), "100 ms".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn call_ms_is_reached_by_a_call_that_neither_waits_nor_ends() {
    let limits = Limits { call_ms: 200, ..Limits::defaults() };
    assert_eq!(hits("loop", limits).await, ("call_ms".into(), "200 ms".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn host_call_ms_is_reached_by_a_wait() {
    let limits = Limits { host_call_ms: 100, ..Limits::defaults() };
    assert_eq!(hits("sleep", limits).await, ("host_call_ms".into(), "100 ms".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn run_ms_is_reached_over_all_calls() {
    let limits = Limits { run_ms: 300, ..Limits::defaults() };
    assert_eq!(hits("loop", limits).await, ("run_ms".into(), "300 ms".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_is_not_charged_as_processor_time() {
    let limits = Limits { cpu_ms: 100, host_call_ms: 400, ..Limits::defaults() };
    assert_eq!(hits("sleep", limits).await.0, "host_call_ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn h25_work_that_ends_within_its_limit_is_not_hurt() {
    let limits = Limits { cpu_ms: 5_000, ..Limits::defaults() };
    let hostile = hostile("busy-then-end", "next", limits).await;
    hostile.read(10).await.unwrap();
    let cpu = hostile.connection.budget().into_iter().find(|usage| usage.limit == "cpu_ms").unwrap();
    assert!((10..5_000).contains(&cpu.used), "{cpu:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_and_log_bytes_are_reached() {
    let limits = Limits { log_lines: 7, ..Limits::defaults() };
    assert_eq!(hits("log-lines", limits).await, ("log_lines".into(), "7 lines".into()));
    let limits = Limits { log_bytes: 100_000, ..Limits::defaults() };
    assert_eq!(hits("log-bytes", limits).await, ("log_bytes".into(), "100000 bytes".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_are_reached() {
    let limits = Limits { handles: 50, ..Limits::defaults() };
    assert_eq!(hits("leak-handles", limits).await, ("handles".into(), "50 handles".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_refused_requests_leave_no_handle_behind() {
    let limits = Limits { handles: 50, ..Limits::defaults() };
    hostile("request-many-hosts", "next", limits).await.read(1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoint_bytes_and_error_text_bytes_are_reached() {
    let limits = Limits { checkpoint_bytes: 100, ..Limits::defaults() };
    let failure = hostile("checkpoint-huge", "next", limits).await.read(1).await.unwrap_err();
    assert!(failure.to_string().contains("allowed are 100"), "{failure}");
    let limits = Limits { error_text_bytes: 50, ..Limits::defaults() };
    let failure = hostile("error-text-huge", "next", limits).await.read(1).await.unwrap_err();
    assert!(failure.to_string().len() < 250, "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn page_rows_and_page_bytes_are_reached() {
    let limits = Limits { page_rows: 5, ..Limits::defaults() };
    let failure = hostile("behave", "next", limits).await.read(1).await.unwrap_err();
    assert!(failure.to_string().contains("a page of 10 rows, asked for were at most 5"), "{failure}");
    let limits = Limits { page_bytes: 50, ..Limits::defaults() };
    let failure = hostile("behave", "next", limits).await.read(1).await.unwrap_err();
    assert!(failure.to_string().contains("bytes, asked for were at most 50"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn table_elements_and_instances_are_reached_when_an_instance_is_made() {
    let limits = Limits { table_elements: 1, ..Limits::defaults() };
    assert_eq!(hits("behave", limits).await.0, "table_elements");
    let limits = Limits { instances: 1, ..Limits::defaults() };
    assert_eq!(hits("behave", limits).await.0, "instances");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_instance_too_many_is_refused_and_room_comes_back() {
    let crowd = hostile("behave", "next", Limits::defaults()).await;
    let mut readers = Vec::new();
    let failure = loop {
        match crate::harness::open(&crowd.source).await {
            Ok(reader) => readers.push(reader),
            Err(failure) => break failure,
        }
    };
    assert_eq!(readers.len(), runtime().live_instances());
    assert!(matches!(&failure.cause, Cause::Host(text) if text.contains("instances are alive")), "{failure}");
    drop(readers);
    crowd.read(10).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_call_is_abandoned_after_its_grace() {
    let (stopper, stop) = Stopper::new();
    let hostile = hostile_with("loop", "next", Grants { stop, ..Grants::none() }).await;
    let began = Instant::now();
    stopper.stop();
    let failure = hostile.read(1).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Stopped);
    assert!(began.elapsed() >= Duration::from_secs(5));
    assert!(!Stop::never().is_requested());
}

#[test]
fn a_limit_above_the_ceiling_is_refused_by_name() {
    let asked = manifest::Limits { memory_bytes: Some(1 << 40), ..Default::default() };
    let error = Limits::defaults().with(&asked, &Limits::ceilings()).unwrap_err();
    assert!(matches!(error, Error::LimitAboveCeiling { name: "memory_bytes", .. }), "{error}");
    assert_eq!(error.code(), "CD0502");
}

#[test]
fn every_default_is_within_its_ceiling_and_every_key_of_the_manifest_is_applied() {
    let ceilings = Limits::ceilings();
    let every = manifest::Limits {
        memory_bytes: Some(1),
        table_elements: Some(2),
        instances: Some(3),
        cpu_ms: Some(4),
        call_ms: Some(5),
        host_call_ms: Some(6),
        run_ms: Some(7),
        requests: Some(8),
        request_bytes: Some(9),
        response_bytes: Some(10),
        bytes_out: Some(11),
        bytes_in: Some(12),
        log_lines: Some(13),
        log_bytes: Some(14),
        page_rows: Some(15),
        page_bytes: Some(16),
        checkpoint_bytes: Some(17),
        error_text_bytes: Some(18),
        handles: Some(19),
    };
    let limits = Limits::defaults().with(&every, &ceilings).unwrap();
    let expect = Limits {
        memory_bytes: 1,
        table_elements: 2,
        instances: 3,
        cpu_ms: 4,
        call_ms: 5,
        host_call_ms: 6,
        run_ms: 7,
        requests: 8,
        request_bytes: 9,
        response_bytes: 10,
        bytes_out: 11,
        bytes_in: 12,
        log_lines: 13,
        log_bytes: 14,
        page_rows: 15,
        page_bytes: 16,
        checkpoint_bytes: 17,
        error_text_bytes: 18,
        handles: 19,
    };
    assert_eq!(limits, expect);
    assert_eq!(manifest::Limits::KEYS.len(), 19);
}
