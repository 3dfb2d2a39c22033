//! What a connector sees of the machine: nothing but what it was granted.

use crate::harness::{hostile, hostile_with, tight};
use pipeline::connector::Source as _;
use runtime::{Directory, Grants, Limits};

async fn lines_of(attack: &str) -> Vec<String> {
    let hostile = hostile(attack, "next", Limits::defaults()).await;
    hostile.read(10).await.expect("the look around ends well");
    hostile.lines.all()
}

#[tokio::test(flavor = "multi_thread")]
async fn h63_environment_arguments_input_and_terminal_are_empty() {
    let expect = ["Info environment 0", "Info arguments 0", "Info terminal false", "Info input 0"];
    assert_eq!(lines_of("look-around").await, expect);
}

#[tokio::test(flavor = "multi_thread")]
async fn h63_no_file_opens_without_a_grant() {
    let lines = lines_of("open-files").await;
    assert_eq!(lines.len(), 6);
    assert!(lines.iter().all(|line| line.ends_with(" false")), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_directory_opens_and_nothing_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let data =
        Directory { name: "data".into(), path: directory.path().to_owned(), writable: false, root: None };
    let grants = Grants { directories: vec![data], ..Grants::none() };
    let hostile = hostile_with("open-files", "next", grants).await;
    hostile.read(10).await.unwrap();
    let open: Vec<_> = hostile.lines.all().into_iter().filter(|line| line.ends_with(" true")).collect();
    assert!(open.is_empty(), "only `/data` itself may open, which the guest does not try: {open:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_stream_tells_nothing_of_the_host() {
    let directory = tempfile::tempdir().unwrap();
    let data =
        Directory { name: "data".into(), path: directory.path().to_owned(), writable: false, root: None };
    let grants = Grants { directories: vec![data], ..Grants::none() };
    let hostile = hostile_with("read-stream-error", "next", grants).await;
    hostile.read(1).await.unwrap();
    let text = hostile.lines.all().remove(0);
    assert!(text.contains("directory") && text.len() < 200, "{text}");
    let host = directory.path().to_string_lossy().into_owned();
    assert!(!text.contains(&host) && !text.contains("backtrace") && !text.contains(".rs:"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn h54_every_socket_call_answers_access_denied() {
    let expect = ["Info tcp access-denied", "Info udp access-denied", "Info lookup access-denied"];
    assert_eq!(lines_of("open-sockets").await, expect);
}

#[tokio::test(flavor = "multi_thread")]
async fn h53_clocks_tick_in_milliseconds() {
    let lines = lines_of("measure-clock").await;
    let step: u64 = lines[0].rsplit(' ').next().unwrap().parse().unwrap();
    assert!(step >= 1_000 && step.is_multiple_of(1_000), "{step} µs");
}

#[tokio::test(flavor = "multi_thread")]
async fn h51_nothing_outlives_an_instance() {
    for _ in 0..3 {
        assert_eq!(lines_of("keep-global-state").await, ["Info calls 1"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h52_fresh_memory_is_empty_after_other_instances_wrote_it() {
    for _ in 0..20 {
        assert_eq!(lines_of("read-fresh-memory").await, ["Info foreign bytes 0"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h29_log_lines_cannot_forge_others_or_drive_a_terminal() {
    let lines = lines_of("log-escapes").await;
    assert_eq!(lines, [r"Info first\nINFO host: forged \u{1b}[2J\u{1b}]0;title\u{7} \u{202e}desrever"]);
    let printed = lines_of("print-bad-text").await;
    assert_eq!(printed.len(), 1);
    assert!(printed[0].starts_with("Warn ") && printed[0].contains("bad"), "{printed:?}");
}

/// Names are compared byte by byte: what looks alike is told apart wherever the names are shown together.
#[tokio::test(flavor = "multi_thread")]
async fn h46_fields_that_look_alike_are_two_fields() {
    let hostile = hostile("catalog-homoglyphs", "discover", Limits::defaults()).await;
    let catalog = hostile.source.discover().await.unwrap();
    let names: Vec<_> =
        catalog.streams[0].schema.schema.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["number", "text", "numb\u{435}r"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn h54_a_request_without_a_grant_is_denied_and_told() {
    let hostile = hostile("request-without-grant", "next", Limits::defaults()).await;
    let failure = hostile.read(1).await.unwrap_err();
    assert_eq!(failure.code(), "CD0603", "{failure}");
    assert_eq!(failure.denials.len(), 1);
    assert!(!failure.denials[0].contains("key=1"), "the query may hold a secret: {:?}", failure.denials);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_that_the_guest_handled_does_not_explain_a_later_failure() {
    let hostile = hostile("swallow-a-denial-then-fail", "next", Limits::defaults()).await;
    let failure = hostile.read(2).await.unwrap_err();
    assert_eq!(failure.code(), "CD0605", "{failure}");
    assert_eq!(failure.denials.len(), 1, "it is told all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_tells_its_place_its_functions_and_its_last_words() {
    let hostile = hostile("panic", "next", tight()).await;
    let failure = hostile.read(1).await.unwrap_err();
    let text = failure.to_string();
    assert!(text.contains("panicked at hostile/src/processor.rs:"), "{text}");
    assert!(text.contains("in hostile::processor::panic_deep::parse_cursor"), "{text}");
    assert!(!text.contains("rust_begin_unwind") && !text.contains("core::panicking"), "{text}");
    assert!(failure.log_tail.iter().any(|line| line.contains("the len is 3")), "{:?}", failure.log_tail);
    assert_eq!(failure.call, "reader.next");
    assert_eq!(failure.code(), "CD0610");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failure_the_instance_is_gone_and_says_so() {
    let hostile = hostile("panic", "next", tight()).await;
    let mut reader = crate::harness::open(&hostile.source).await.unwrap();
    reader.next(crate::harness::budget()).await.unwrap_err();
    let failure = reader.next(crate::harness::budget()).await.unwrap_err();
    assert!(failure.to_string().contains("gone after an earlier failure"), "{failure}");
}
