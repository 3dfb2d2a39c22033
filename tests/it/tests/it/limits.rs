//! Each limit that is advertised, reached by a connector, and what the budget report says of it.

use crate::harness::{Hostile, budget, hostile, hostile_with, open, read_of, runtime, schema_of};
use crate::hostile_wat::build::{Guest, component};
use crate::hostile_wat::source_with;
use manifest::Unit;
use pipeline::connector::Source as _;
use pipeline::failure::{Cause, Failure};
use pipeline::model::{PageBudget, Step};
use runtime::{Error, Grants, Inspection, Limits, Stop, Stopper};
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
    hostile("request-ten-thousand-hosts", "next", limits).await.read(1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoint_bytes_are_reached() {
    let limits = Limits { checkpoint_bytes: 100, ..Limits::defaults() };
    assert_eq!(hits("checkpoint-huge", limits).await, ("checkpoint_bytes".into(), "100 bytes".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn error_text_bytes_cut_a_longer_text() {
    let limits = Limits { error_text_bytes: 50, ..Limits::defaults() };
    let failure = hostile("error-text-huge", "next", limits).await.read(1).await.unwrap_err();
    assert!(failure.to_string().len() < 250, "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn page_rows_and_page_bytes_are_reached() {
    let limits = Limits { page_rows: 5, ..Limits::defaults() };
    assert_eq!(hits("behave", limits).await, ("page_rows".into(), "5 rows".into()));
    let limits = Limits { page_bytes: 50, ..Limits::defaults() };
    assert_eq!(hits("behave", limits).await, ("page_bytes".into(), "50 bytes".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_was_asked_for_and_less_than_the_limit_breaks_the_contract() {
    let hostile = hostile("behave", "next", Limits::defaults()).await;
    for budget in [PageBudget { max_rows: 5, ..budget() }, PageBudget { max_bytes: 50, ..budget() }] {
        let mut reader = open(&hostile.source).await.unwrap();
        let failure = reader.next(budget).await.unwrap_err();
        assert!(matches!(&failure.cause, Cause::Contract(text) if text.contains("asked for")), "{failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stack_has_a_limit_and_the_message_says_where() {
    let module = "(func $down (param i32) (result i32)
        (i32.add (call $down (i32.add (local.get 0) (i32.const 1))) (local.get 0)))";
    let guest = Guest { module, next: "(call $down (i32.const 0))", ..Guest::default() };
    let failure = next_of(&guest, Limits::defaults()).await.unwrap_err();
    let Cause::Limit { name, allowed, message } = &failure.cause else { panic!("no limit: {failure}") };
    assert_eq!((name.as_str(), allowed.as_str()), ("stack_bytes", "524288 bytes"));
    assert!(message.contains("overflowed in down"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_charged_as_memory_too() {
    let guest = Guest { module: "(table 900000 funcref)", ..Guest::default() };
    let limits = Limits { table_elements: 1_000_000, memory_bytes: 8 << 20, ..Limits::defaults() };
    let failure = next_of(&guest, limits.clone()).await.unwrap_err();
    assert!(matches!(&failure.cause, Cause::Limit { name, .. } if name == "memory_bytes"), "{failure}");
    next_of(&guest, Limits { memory_bytes: 16 << 20, ..limits }).await.unwrap();
}

/// What one call of `next` answers to a guest that was put together by hand.
async fn next_of(guest: &Guest<'_>, limits: Limits) -> Result<Step, Failure> {
    source_with(guest, limits).await.open(read_of(schema_of("rows"))).await?.next(budget()).await
}

/// `fits` uses all of the limit at its ceiling, and `more` is too much by one.
async fn at_its_ceiling(name: &str, fits: &Guest<'_>, more: &Guest<'_>) {
    let limits = Limits::ceilings();
    next_of(fits, limits.clone()).await.unwrap_or_else(|failure| panic!("{name} at its ceiling: {failure}"));
    let failure = next_of(more, limits).await.unwrap_err();
    assert!(matches!(&failure.cause, Cause::Limit { name: hit, .. } if hit == name), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_can_be_used_up_to_their_ceiling() {
    let own = Inspection::of(&component(&Guest::default())).unwrap().core_instances;
    let most = usize::try_from(Limits::ceilings().instances - own).unwrap();
    let each = "(module (memory 1) (table 1 funcref))";
    let beside = |count| Guest { beside: (each, count), ..Guest::default() };
    next_of(&beside(most), Limits::ceilings()).await.unwrap();
    // More than anyone gets is no matter of this connection's limits: it is not even loaded.
    let Err(error) = runtime().load(component(&beside(most + 1))).await else { panic!("it was loaded") };
    assert!(matches!(error, Error::TooMuch { what: "core instances", allowed: 256, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn table_elements_can_be_used_up_to_their_ceiling() {
    let own = source_with(&Guest::default(), Limits::defaults()).await;
    let own = open(&own).await.unwrap().budget().into_iter().find(|usage| usage.limit == "table_elements");
    let most = Limits::ceilings().table_elements - own.unwrap().used;
    let table = |elements: u64| format!("(table {elements} funcref)");
    let (fits, more) = (table(most), table(most + 1));
    let guest = |module| Guest { module, ..Guest::default() };
    at_its_ceiling("table_elements", &guest(&fits), &guest(&more)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_bytes_can_be_used_up_to_their_ceiling() {
    // Of the ceiling 2.5 MiB, 40 pages, are for the stack and the engine's records, and a page is begun for tables.
    let pages = Limits::ceilings().memory_bytes / 65_536 - 41;
    let memory = |pages: u64| format!("(memory (export \"memory\") {pages})");
    let (fits, more) = (memory(pages), memory(pages + 1));
    let guest = |memory| Guest { memory, ..Guest::default() };
    at_its_ceiling("memory_bytes", &guest(&fits), &guest(&more)).await;
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
        match open(&crowd.source).await {
            Ok(reader) => readers.push(reader),
            Err(failure) => break failure,
        }
    };
    assert_eq!(readers.len(), runtime().live_instances());
    assert!(
        matches!(&failure.cause, Cause::NoRoom(text) if text.contains("instances are alive")),
        "{failure}"
    );
    assert_eq!(failure.code(), "CD0622");
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
fn a_default_is_within_its_ceiling_and_an_override_goes_as_far_as_it_whatever_the_key() {
    let (defaults, ceilings) = (Limits::defaults(), Limits::ceilings());
    for (key, _) in manifest::Limits::KEYS {
        let ceiling = ceilings.get(key).unwrap_or_else(|| panic!("`{key}` has no ceiling"));
        assert!(defaults.get(key).unwrap() <= ceiling, "{key}");
        let asked = |amount: u64| -> manifest::Limits {
            serde_json::from_value(serde_json::json!({ key: amount })).unwrap()
        };
        let raised = defaults.clone().with(&asked(ceiling), &ceilings).unwrap();
        for (other, _) in manifest::Limits::KEYS {
            let expect = if other == key { ceiling } else { defaults.get(other).unwrap() };
            assert_eq!(raised.get(other), Some(expect), "{other} where `{key}` was asked for");
        }
        let error = defaults.clone().with(&asked(ceiling + 1), &ceilings).unwrap_err();
        assert!(matches!(error, Error::LimitAboveCeiling { name, .. } if name == key), "{error}");
    }
}

#[test]
fn a_host_that_gives_less_than_the_default_gives_that() {
    let ceilings = Limits { memory_bytes: 64 << 20, ..Limits::ceilings() };
    let limits = Limits::defaults().with(&manifest::Limits::default(), &ceilings).unwrap();
    assert_eq!(limits, Limits { memory_bytes: 64 << 20, ..Limits::defaults() });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_report_has_every_limit_in_the_order_of_the_manifest() {
    let hostile = hostile("behave", "next", Limits::defaults()).await;
    hostile.read(2).await.unwrap();
    let report = hostile.connection.budget();
    let names: Vec<&str> = report.iter().map(|usage| usage.limit.as_str()).collect();
    assert_eq!(names, manifest::Limits::KEYS.map(|(key, _)| key));
    let used = |limit: &str| report.iter().find(|usage| usage.limit == limit).unwrap().used;
    assert_eq!(used("page_rows"), 10);
    assert!((80..2_000).contains(&used("page_bytes")), "{report:?}");
    assert!(used("instances") >= 1 && used("memory_bytes") > 1 << 20, "{report:?}");
    assert!(report.iter().all(|usage| usage.used <= usage.allowed), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_report_tells_the_longest_text_checkpoint_and_wait() {
    let limits = Limits { error_text_bytes: 50, host_call_ms: 100, ..Limits::defaults() };
    let used = |hostile: &Hostile, limit: &str| {
        let report = hostile.connection.budget();
        report.iter().find(|usage| usage.limit == limit).unwrap().used
    };
    let text = hostile("error-text-huge", "next", limits.clone()).await;
    text.read(1).await.unwrap_err();
    assert_eq!(used(&text, "error_text_bytes"), 50);
    let checkpoint = hostile("checkpoint-huge", "next", limits.clone()).await;
    checkpoint.read(1).await.unwrap_err();
    assert_eq!(used(&checkpoint, "checkpoint_bytes"), (5 << 20) + 2, "what was refused is told too");
    let waits = hostile("sleep", "next", limits).await;
    waits.read(1).await.unwrap_err();
    assert!(used(&waits, "call_ms") >= 100, "{:?}", waits.connection.budget());
    assert!(used(&waits, "handles") >= 1, "it waits on one");
}

/// An amount as the documents write it: the largest unit that gives a whole number.
fn written(unit: Unit, amount: u64) -> String {
    let units: &[(u64, &str)] = match unit {
        Unit::Bytes => &[(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")],
        Unit::Milliseconds => &[(3_600_000, "h"), (60_000, "min"), (1_000, "s")],
        Unit::Count => &[],
    };
    match units.iter().find(|(size, _)| amount.is_multiple_of(*size)) {
        Some((size, name)) => format!("{} {name}", amount / size),
        None => {
            let digits = amount.to_string();
            let groups: Vec<&str> =
                digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
            groups.join(",")
        }
    }
}

#[test]
fn the_documents_table_is_that_of_the_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../host/docs/limits.md");
    let text = std::fs::read_to_string(path).unwrap();
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    let rows: Vec<Vec<String>> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(cells)
        .filter(|row: &Vec<_>| row.len() == 4)
        .collect();
    let (defaults, ceilings) = (Limits::defaults(), Limits::ceilings());
    let expect = manifest::Limits::KEYS.map(|(key, unit)| {
        let amount = |limits: &Limits| written(unit, limits.get(key).unwrap());
        [format!("`{key}`"), amount(&defaults), amount(&ceilings)]
    });
    let told: Vec<_> = rows.iter().map(|row| [row[0].clone(), row[1].clone(), row[2].clone()]).collect();
    assert_eq!(told, expect);
    assert!(text.contains("| `stack_bytes` | 512 KiB |"));
}
