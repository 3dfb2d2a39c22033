//! Positions as people see and change them.

use super::rows::{chunk, commit, prepared, rejected};
use super::world::World;
use crate::{ErrorFilter, PositionChangeKind, SealedRecords};
use pipeline::records::RunRecords;

async fn checkpoint(records: &SealedRecords) -> Option<String> {
    records.checkpoints("sync").await.unwrap()[0].position.checkpoint.clone()
}

#[tokio::test]
async fn a_position_is_seen_edited_and_reset_and_the_history_says_so() {
    let world = World::new();
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    commit(&records, &ticket, "t1", vec![]).await;
    records.release(&ticket);
    assert_eq!(checkpoint(&records).await.as_deref(), Some("\"t1\""));
    records.edit_checkpoint("sync", "sync/s", r#"{"at":5}"#).await.unwrap();
    let next = records.begin("sync").await.unwrap();
    let unit = records.unit(&next, "sync/s").await.unwrap();
    assert_eq!(unit.position.checkpoint.as_deref(), Some(r#"{"at":5}"#));
    assert_eq!((unit.commits, unit.token.as_deref()), (1, Some("t1")));
    records.release(&next);
    assert_eq!(records.reset_checkpoint("sync", None).await.unwrap(), ["sync/s"]);
    assert_eq!(checkpoint(&records).await, None);
    let kinds: Vec<_> =
        records.position_changes("sync").await.unwrap().iter().map(|change| change.kind).collect();
    assert_eq!(kinds.len(), 2);
    assert!(kinds.contains(&PositionChangeKind::Edited) && kinds.contains(&PositionChangeKind::Reset));
}

#[tokio::test]
async fn nobody_changes_the_positions_of_a_sync_that_runs() {
    let world = World::new();
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    commit(&records, &ticket, "t1", vec![]).await;
    assert_eq!(records.edit_checkpoint("sync", "sync/s", "1").await.unwrap_err().code(), "CD1051");
    assert_eq!(records.reset_checkpoint("sync", None).await.unwrap_err().code(), "CD1051");
    let beside = SealedRecords::new(records.storage.clone(), "local", crate::Settings::default());
    assert_eq!(beside.reset_checkpoint("sync", None).await.unwrap_err().code(), "CD1051", "by its lease");
    assert_eq!(checkpoint(&records).await.as_deref(), Some("\"t1\""));
    records.release(&ticket);
    records.reset_checkpoint("sync", Some("sync/s")).await.unwrap();
}

#[tokio::test]
async fn what_is_no_position_is_refused() {
    let world = World::new();
    let records = world.open().await;
    assert_eq!(records.reset_checkpoint("sync", None).await.unwrap_err().code(), "CD1052");
    let ticket = records.begin("sync").await.unwrap();
    commit(&records, &ticket, "t1", vec![]).await;
    records.release(&ticket);
    let long = format!("\"{}\"", "x".repeat(4 << 20));
    for text in ["", "abc", "1 2", "{", long.as_str()] {
        assert_eq!(records.edit_checkpoint("sync", "sync/s", text).await.unwrap_err().code(), "CD1055");
    }
    let unknown = records.edit_checkpoint("sync", "sync/other", "1").await.unwrap_err();
    assert_eq!(unknown.code(), "CD1054");
    assert!(unknown.to_string().contains("known are `sync/s`"), "{unknown}");
    assert_eq!(checkpoint(&records).await.as_deref(), Some("\"t1\""));
}

#[tokio::test]
async fn a_reset_forgets_a_commit_in_doubt_and_the_next_run_removes_what_it_had() {
    let world = World::new();
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    let chunks = vec![chunk(1, "sync/s", "s", vec![rejected("s", 0, 1, "a", "x")])];
    records.prepare(&ticket, "sync/s", prepared(&ticket, "t1", chunks)).await.unwrap();
    records.release(&ticket);
    assert_eq!(records.checkpoints("sync").await.unwrap()[0].in_doubt, Some(1));
    records.reset_checkpoint("sync", Some("sync/s")).await.unwrap();
    assert_eq!(records.checkpoints("sync").await.unwrap()[0].in_doubt, None);
    let ticket = records.begin("sync").await.unwrap();
    assert_eq!(records.unit(&ticket, "sync/s").await.unwrap().prepared, None);
    assert_eq!(super::crash::remains(&records).await, 0);
    assert_eq!(records.errors("sync", &ErrorFilter::default(), None, 9).await.unwrap().errors, []);
}

#[tokio::test]
async fn only_a_position_that_stands_where_it_was_seen_is_edited() {
    let world = World::new();
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    commit(&records, &ticket, "t1", vec![]).await;
    records.release(&ticket);
    let seen = records.checkpoints("sync").await.unwrap().remove(0).position;
    records.edit_checkpoint_seen("sync", "sync/s", "1", &seen).await.unwrap();
    let moved = records.edit_checkpoint_seen("sync", "sync/s", "2", &seen).await.unwrap_err();
    assert_eq!(moved.code(), "CD1069");
    assert_eq!(checkpoint(&records).await.as_deref(), Some("1"));
}
