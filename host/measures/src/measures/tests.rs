//! What is told, and that it stays little.

use super::{CODES_MAX, Measures, ROUTES_MAX, Rows};
use crate::labels::{Method, Outcome, Refused};
use crate::standing::{Events, Queue, Standing, Storage};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn line<'a>(text: &'a str, begins: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(begins)).map(str::trim)
}

#[test]
fn what_happens_is_counted_and_what_stands_is_told() {
    let measures = Measures::new();
    measures.request("/v1/syncs/{sync}", Method::of("GET"), 200, SECOND);
    measures.request("/v1/syncs/{sync}", Method::of("GET"), 204, SECOND);
    measures.request("", Method::of("BREW"), 404, SECOND);
    measures.refusal("CD1316");
    measures.connection_refused(Refused::Handshake);
    measures.run(Outcome::Done, SECOND);
    measures.run(Outcome::Failed, SECOND);
    measures.run_error("CD0701");
    measures.run_error("whatever a guest says");
    measures.rows(Rows { read: 10, accepted: 7, rejected: 2, filtered: 1 });
    measures.schedule_delay(SECOND);
    (0..3).for_each(|_| measures.event_accepted());
    measures.event_refused();
    measures.certificate_failed();
    measures.denials("CD0202", 5);
    measures.denials("whatever a guest says", 1);
    (0..2).for_each(|_| measures.refresh(true));
    measures.refresh(false);
    let open = measures.connection();
    let storage = Storage { commits: 9, is_sound: true, ..Storage::default() };
    let queue = Queue { waiting: 4, running: 2 };
    let events = Some(Events { waiting: 7, waiting_bytes: 700 });
    let standing = Standing { storage: Some(storage), queue: Some(queue), events, ..Standing::default() };
    let text = measures.text(standing);
    for (begins, value) in [
        (r#"cofferdam_requests_total{route="/v1/syncs/{sync}",method="GET",status="2xx"}"#, "2"),
        (r#"cofferdam_requests_total{route="",method="other",status="4xx"}"#, "1"),
        (r#"cofferdam_request_duration_seconds_count{route="/v1/syncs/{sync}"}"#, "2"),
        (r#"cofferdam_refusals_total{code="CD1316"}"#, "1"),
        (r#"cofferdam_connections_refused_total{which="handshake"}"#, "1"),
        (r#"cofferdam_runs_total{which="done"}"#, "1"),
        (r#"cofferdam_runs_total{which="failed"}"#, "1"),
        (r#"cofferdam_run_errors_total{code="CD0701"}"#, "1"),
        (r#"cofferdam_run_errors_total{code="none"}"#, "1"),
        (r#"cofferdam_rows_total{which="accepted"}"#, "7"),
        (r#"cofferdam_events_total{which="accepted"}"#, "3"),
        (r#"cofferdam_certificate_attempts_total{which="failed"}"#, "1"),
        (r#"cofferdam_certificate_attempts_total{which="obtained"}"#, "0"),
        ("cofferdam_schedule_delay_seconds_count", "1"),
        ("cofferdam_connections ", "1"),
        ("cofferdam_storage_commits_total", "9"),
        ("cofferdam_storage_sound", "1"),
        ("cofferdam_runs_waiting", "4"),
        (r#"cofferdam_denials_total{code="CD0202"}"#, "5"),
        (r#"cofferdam_denials_total{code="none"}"#, "1"),
        (r#"cofferdam_credential_refreshes_total{which="renewed"}"#, "2"),
        (r#"cofferdam_credential_refreshes_total{which="failed"}"#, "1"),
        ("cofferdam_events_waiting ", "7"),
        ("cofferdam_events_waiting_bytes ", "700"),
    ] {
        assert_eq!(line(&text, begins), Some(value), "{begins} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    drop(open);
    let text = measures.text(Standing::default());
    assert_eq!(line(&text, "cofferdam_connections "), Some("0"));
    assert_eq!(line(&text, "cofferdam_runs_waiting"), None, "what is not known is not told");
}

#[test]
fn whoever_names_whatever_a_scrape_stays_small() {
    let measures = Measures::new();
    for number in 0..10_000 {
        measures.request(&format!("/v1/{number}"), Method::of(&format!("M{number}")), number % 1_000, SECOND);
        measures.run_error(&format!("CD{number:04}"));
    }
    let text = measures.text(Standing::default());
    // Ten buckets, an infinite one, a sum and a count for each route; six classes of status.
    let lines_max = (ROUTES_MAX + 1) * (13 + 6) + CODES_MAX + 1 + 100;
    assert!(text.lines().count() <= lines_max, "{}", text.lines().count());
    let counted: u64 = text
        .lines()
        .filter(|line| line.starts_with("cofferdam_requests_total"))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
        .sum();
    assert_eq!(counted, 10_000, "nothing is left out for it");
}
