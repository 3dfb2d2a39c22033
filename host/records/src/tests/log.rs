//! Lines of guests.

use super::rows::{chunk, prepared, rejected};
use super::world::World;
use crate::{LogLevel, LogLine, Retention, RunLog, SealedRecords, Session, Settings};
use pipeline::records::{Amendment, RunRecords};
use std::sync::Arc;

fn line(text: impl Into<String>) -> LogLine {
    LogLine { at_ms: 1, connector: "source".into(), level: LogLevel::Info, text: text.into() }
}

fn with_log(records: &Arc<SealedRecords>) -> (Arc<RunLog>, Session) {
    let log = Arc::new(RunLog::new(Arc::clone(records)));
    (Arc::clone(&log), Session::new(Arc::clone(records)).with_log(log))
}

#[tokio::test]
async fn lines_come_back_in_their_order_also_those_from_before_the_run_began() {
    let world = World::new();
    let records = world.open().await;
    let (log, session) = with_log(&records);
    log.push(line("0"));
    log.write().await.unwrap();
    let ticket = session.begin("sync").await.unwrap();
    for number in 1..1_000 {
        log.push(line(format!("{number} {}", "x".repeat(500))));
        log.write_if_much().await.unwrap();
    }
    let so_far = records.log("sync", ticket.run).await.unwrap().lines.len();
    assert!((500..1_000).contains(&so_far), "{so_far} lines are written before the run's end");
    log.write().await.unwrap();
    let kept = records.log("sync", ticket.run).await.unwrap();
    assert_eq!((kept.lines.len(), kept.dropped), (1_000, 0));
    let in_order =
        |(number, line): (usize, &LogLine)| line.text.split(' ').next() == Some(&number.to_string());
    assert!(kept.lines.iter().enumerate().all(in_order));
}

#[tokio::test]
async fn what_is_beyond_the_limits_is_counted_only() {
    let world = World::new();
    let settings = Settings { log_lines_max: 10, log_bytes_max: 1_000, ..Settings::default() };
    let records = world.open_with(settings).await;
    let (log, session) = with_log(&records);
    let ticket = session.begin("sync").await.unwrap();
    log.push(line("x".repeat(1_000)));
    for _ in 0..9 {
        log.push(line("short"));
    }
    log.write().await.unwrap();
    log.push(line("tenth"));
    log.push(line("eleventh"));
    log.write().await.unwrap();
    log.write().await.unwrap();
    let kept = records.log("sync", ticket.run).await.unwrap();
    assert_eq!((kept.lines.len(), kept.dropped), (10, 2));
}

#[tokio::test]
async fn lines_of_a_run_that_never_began_are_kept_nowhere() {
    let world = World::new();
    let records = world.open().await;
    let alive = records.begin("sync").await.unwrap();
    let (log, session) = with_log(&records);
    log.push(line("of another run"));
    assert_eq!(session.begin("sync").await.unwrap_err().code(), "CD0730");
    log.write().await.unwrap();
    assert_eq!(records.log("sync", alive.run).await.unwrap().lines, []);
    assert_eq!(records.log("sync", 2).await.unwrap_err().code(), "CD1053");
}

#[tokio::test]
async fn success_logs_are_off_unless_the_organization_wants_them() {
    let world = World::new();
    let records = world.open().await;
    for (success_logs, expected) in [(false, 0), (true, 1)] {
        records.set_retention(&Retention { success_logs, ..Retention::default() }).await.unwrap();
        let (log, session) = with_log(&records);
        let ticket = session.begin("sync").await.unwrap();
        let chunks = vec![chunk(ticket.run, "sync/s", "s", vec![rejected("s", 0, 1, "a", "x")])];
        let token = format!("{}", ticket.run);
        session.prepare(&ticket, "sync/s", prepared(&ticket, &token, chunks)).await.unwrap();
        session.commit(&ticket, "sync/s", &token, Amendment::default()).await.unwrap();
        log.write().await.unwrap();
        session.release(&ticket);
        let lines = records.log("sync", ticket.run).await.unwrap().lines;
        assert_eq!(lines.len(), expected);
        let text = "committed sync/s: s: 2 read, 1 accepted, 1 rejected, 0 filtered";
        assert!(lines.iter().all(|line| line.text == text), "{lines:?}");
    }
}

#[tokio::test]
async fn pages_of_a_log_hold_each_line_once_and_say_what_is_missing_once() {
    let world = World::new();
    let settings = Settings { log_lines_max: 900, ..Settings::default() };
    let records = world.open_with(settings).await;
    let (log, session) = with_log(&records);
    let ticket = session.begin("sync").await.unwrap();
    for number in 0..1_000 {
        log.push(line(format!("{number} {}", "x".repeat(500))));
        log.write_if_much().await.unwrap();
    }
    log.write().await.unwrap();
    for limit in [1, 7, 100, 899, 900, 5_000] {
        let (mut seen, mut dropped, mut after) = (Vec::new(), 0, None);
        loop {
            let page = records.log_page("sync", ticket.run, after, limit).await.unwrap();
            assert!(page.lines.len() <= limit);
            seen.extend(page.lines);
            dropped += page.dropped;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let whole = records.log("sync", ticket.run).await.unwrap();
        assert!(seen == whole.lines, "{limit}");
        assert_eq!((seen.len(), dropped, whole.dropped), (900, 100, 100), "{limit}");
    }
}
