//! What is kept ends when it should, to the hour, under a clock that the tests set.

use super::rows::{batch, run_with, schema};
use super::world::{DAY_MS, HOUR_MS, START_MS, World};
use crate::{ErrorFilter, LogLevel, LogLine, Preview, Retention, RunLog, Session};
use pipeline::records::RunRecords;
use std::sync::Arc;

async fn errors_at(world: &World, records: &crate::SealedRecords, now_ms: u64) -> usize {
    world.clock.set(now_ms);
    records.errors("sync", &ErrorFilter::default(), None, 9).await.unwrap().errors.len()
}

#[tokio::test]
async fn row_errors_live_for_45_days() {
    let world = World::new();
    let records = world.open().await;
    run_with(&records, &[(1, "a", "x")]).await;
    assert_eq!(errors_at(&world, &records, START_MS + 44 * DAY_MS + 23 * HOUR_MS).await, 1);
    assert_eq!(errors_at(&world, &records, START_MS + 45 * DAY_MS).await, 0);
    assert_eq!(records.row_errors("sync", 1, 0, 9).await.unwrap(), []);
    assert_eq!(records.run("sync", Some(1)).await.unwrap().run, 1, "the history stands");
}

#[tokio::test]
async fn what_lives_shorter_by_the_organizations_wish_does() {
    let world = World::new();
    let records = world.open().await;
    let retention = Retention { row_errors_ms: 3 * DAY_MS, previews_ms: 2 * HOUR_MS, ..Retention::default() };
    records.set_retention(&retention).await.unwrap();
    assert_eq!(records.retention().await.unwrap(), retention);
    run_with(&records, &[(1, "a", "x")]).await;
    let preview = Preview { at_ms: START_MS, schema: schema("s"), batches: vec![batch("s", &[(1, "a")])] };
    records.keep_preview("sync", &preview).await.unwrap();
    world.clock.set(START_MS + HOUR_MS + HOUR_MS / 2);
    assert_eq!(records.previews("sync").await.unwrap(), [preview]);
    world.clock.set(START_MS + 2 * HOUR_MS);
    assert_eq!(records.previews("sync").await.unwrap(), []);
    assert_eq!(errors_at(&world, &records, START_MS + 2 * DAY_MS + 23 * HOUR_MS).await, 1);
    assert_eq!(errors_at(&world, &records, START_MS + 3 * DAY_MS).await, 0);
}

#[tokio::test]
async fn nothing_is_kept_for_longer_than_promised() {
    let world = World::new();
    let records = world.open().await;
    let default = Retention::default();
    for longer in [
        Retention { row_errors_ms: 45 * DAY_MS + 1, ..default.clone() },
        Retention { run_logs_ms: 46 * DAY_MS, ..default.clone() },
        Retention { previews_ms: 25 * HOUR_MS, ..default.clone() },
        Retention { events_ms: DAY_MS + 1, ..default.clone() },
    ] {
        assert_eq!(records.set_retention(&longer).await.unwrap_err().code(), "CD1057");
        assert_eq!(records.retention().await.unwrap(), default);
    }
}

#[tokio::test]
async fn the_shortest_life_is_an_hour_and_can_be_written_at_any_moment() {
    let world = World::new();
    let records = world.open().await;
    let shortest = |row_errors_ms| Retention { row_errors_ms, ..Retention::default() };
    assert_eq!(records.set_retention(&shortest(HOUR_MS - 1)).await.unwrap_err().code(), "CD1061");
    records.set_retention(&shortest(HOUR_MS)).await.unwrap();
    for now_ms in [START_MS, START_MS + HOUR_MS / 2, START_MS + 2 * HOUR_MS - 1, START_MS + DAY_MS - 1] {
        world.clock.set(now_ms);
        let run = Some(run_with(&records, &[(1, "a", "x")]).await);
        let filter = ErrorFilter { run, ..ErrorFilter::default() };
        assert_eq!(records.errors("sync", &filter, None, 9).await.unwrap().errors.len(), 1, "{now_ms}");
    }
}

#[tokio::test]
async fn previews_live_for_a_day() {
    let world = World::new();
    let records = world.open().await;
    let preview =
        |name| Preview { at_ms: START_MS, schema: schema("s"), batches: vec![batch("s", &[(1, name)])] };
    records.keep_preview("sync", &preview("a")).await.unwrap();
    records.keep_preview("sync", &preview("b")).await.unwrap();
    records.keep_preview("other", &preview("c")).await.unwrap();
    world.clock.set(START_MS + 23 * HOUR_MS + HOUR_MS / 2);
    assert_eq!(records.previews("sync").await.unwrap(), [preview("b")]);
    world.clock.set(START_MS + 24 * HOUR_MS);
    assert_eq!(records.previews("sync").await.unwrap(), []);
    assert_eq!(records.previews("other").await.unwrap(), []);
}

#[tokio::test]
async fn logs_ledgers_and_texts_of_reports_live_for_45_days() {
    let world = World::new();
    let records = world.open().await;
    let log = Arc::new(RunLog::new(Arc::clone(&records)));
    let session = Session::new(Arc::clone(&records)).with_log(Arc::clone(&log));
    let ticket = session.begin("sync").await.unwrap();
    let (level, connector) = (LogLevel::Info, "source".to_owned());
    log.push(LogLine { at_ms: START_MS, connector, level, text: "a line".into() });
    session.finish(&ticket, super::history::report(&ticket)).await.unwrap();
    records.keep_ledger("sync", 1, &["GET https://a.test/"]).await.unwrap();
    world.clock.set(START_MS + 44 * DAY_MS + 23 * HOUR_MS);
    assert_eq!(records.log("sync", 1).await.unwrap().lines.len(), 1);
    assert_eq!(records.ledger::<Vec<String>>("sync", 1).await.unwrap().unwrap(), ["GET https://a.test/"]);
    assert!(records.report("sync", Some(1)).await.unwrap().is_some());
    world.clock.set(START_MS + 45 * DAY_MS);
    assert_eq!(records.log("sync", 1).await.unwrap().lines, []);
    assert_eq!(records.ledger::<Vec<String>>("sync", 1).await.unwrap(), None);
    assert_eq!(records.report("sync", Some(1)).await.unwrap(), None);
    assert!(records.run("sync", Some(1)).await.unwrap().end.is_some(), "what stands has no texts");
}

#[tokio::test]
async fn a_commit_that_is_recovered_after_its_row_errors_expired_is_true_without_them() {
    let world = World::new();
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    let errors = vec![super::rows::rejected("s", 0, 1, "a", "x")];
    let chunks = vec![super::rows::chunk(1, "sync/s", "s", errors)];
    records.prepare(&ticket, "sync/s", super::rows::prepared(&ticket, "t", chunks)).await.unwrap();
    records.release(&ticket);
    world.clock.set(START_MS + 50 * DAY_MS);
    let ticket = records.begin("sync").await.unwrap();
    records.commit(&ticket, "sync/s", "t", pipeline::records::Amendment::default()).await.unwrap();
    assert_eq!(records.errors("sync", &ErrorFilter::default(), None, 9).await.unwrap().errors, []);
    assert_eq!(records.unit(&ticket, "sync/s").await.unwrap().streams["s"].rejected, 1);
}
