//! What a destination has made durable: seen in its files, and by what it says when it is opened again.

use super::destination::rows;
use super::{Proof, append};
use pipeline::connector::{Destination as _, Writer};
use pipeline::failure::{Cause, GuestError};
use pipeline::model::{CommitReport, LastCommit, Mode, StreamPlan};
use serde_json::json;
use std::path::Path;

async fn keeping(directory: &Path) -> Proof {
    Proof::in_directory("proof", json!({"keep": true}), directory).await
}

/// The file's text; none where there is no file.
fn text(directory: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(directory.join(name)).ok()
}

fn files(directory: &Path) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing_and_a_real_one_may() {
    let directory = tempfile::tempdir().unwrap();
    let proof = keeping(directory.path()).await;
    let plan = append(proof.schema("orders").await);
    let mut dry = proof.writer(None).await;
    dry.capabilities().await.unwrap();
    dry.committed().await.unwrap();
    dry.prepare(vec![plan.clone()], true).await.unwrap();
    assert_eq!(files(directory.path()), 0);
    proof.writer(Some(1)).await.prepare(vec![plan], false).await.unwrap();
    assert_eq!(text(directory.path(), "orders.rows").as_deref(), Some(""));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_durable_with_their_commit_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let proof = keeping(directory.path()).await;
    let plan = append(proof.schema("orders").await);
    let mut writer = proof.writer(Some(1)).await;
    writer.prepare(vec![plan.clone()], false).await.unwrap();
    writer.write(0, rows("orders", &["{\"id\":1}"])).await.unwrap();
    assert_eq!(text(directory.path(), "orders.rows").as_deref(), Some(""));
    writer.commit("first".into(), false).await.unwrap();
    let first = "\"{\\\"id\\\":1}\"\n";
    assert_eq!(text(directory.path(), "orders.rows").as_deref(), Some(first));
    writer.write(0, rows("orders", &["{\"id\":2}"])).await.unwrap();
    drop(writer);
    // What the dropped instance had not committed is nowhere.
    let mut again = proof.writer(Some(2)).await;
    assert_eq!(again.committed().await.unwrap().unwrap().token, "first");
    assert_eq!(text(directory.path(), "orders.rows").as_deref(), Some(first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replace_becomes_visible_at_its_last_commit() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("orders.rows"), "old\n").unwrap();
    let proof = keeping(directory.path()).await;
    let plan = StreamPlan { mode: Mode::Replace, generation: 1, ..append(proof.schema("orders").await) };
    let mut writer = proof.writer(Some(1)).await;
    writer.prepare(vec![plan], false).await.unwrap();
    writer.write(0, rows("orders", &["1"])).await.unwrap();
    writer.commit("1".into(), false).await.unwrap();
    assert_eq!(text(directory.path(), "orders.rows").as_deref(), Some("old\n"));
    writer.write(0, rows("orders", &["2"])).await.unwrap();
    writer.commit("2".into(), true).await.unwrap();
    assert_eq!(text(directory.path(), "orders.rows").as_deref(), Some("\"1\"\n\"2\"\n"));
}

/// The destination that knows fences and keys.
async fn fenced(directory: &Path) -> Proof {
    Proof::in_directory("example-destination", json!({}), directory).await
}

async fn open(proof: &Proof, fence: u64) -> Box<dyn Writer> {
    proof.destination().open("unit".into(), Some(fence)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_fence_is_refused_once_a_newer_one_was_seen() {
    let directory = tempfile::tempdir().unwrap();
    let proof = fenced(directory.path()).await;
    let mut first = open(&proof, 5).await;
    assert!(first.capabilities().await.unwrap().fences);
    open(&proof, 6).await;
    let failure = super::failed(proof.destination().open("unit".into(), Some(5)).await);
    let Cause::Guest(GuestError::Data(text)) = &failure.cause else { panic!("{failure}") };
    assert_eq!(text, "fence 5 is older than 6");
    // Another unit has fences of its own, and the same fence may come back after a crash.
    proof.destination().open("other".into(), Some(1)).await.unwrap();
    open(&proof, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_the_last_durable_commit_is_known_after_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let proof = fenced(directory.path()).await;
    let schema = Proof::new(json!({})).await.schema("orders").await;
    let mut writer = open(&proof, 1).await;
    assert_eq!(writer.committed().await.unwrap(), None);
    writer.prepare(vec![append(schema)], false).await.unwrap();
    writer.write(0, rows("orders", &["{\"id\":1}"])).await.unwrap();
    writer.commit("one".into(), false).await.unwrap();
    writer.write(0, rows("orders", &["{\"id\":2}"])).await.unwrap();
    drop(writer);
    let last = LastCommit { token: "one".into(), report: CommitReport::default() };
    assert_eq!(open(&proof, 2).await.committed().await.unwrap(), Some(last));
    assert_eq!(text(directory.path(), "orders.jsonl").as_deref(), Some("{\"id\":1}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_came_before_is_rejected_at_the_commit_and_a_missing_one_at_the_write() {
    let directory = tempfile::tempdir().unwrap();
    let proof = fenced(directory.path()).await;
    let schema = Proof::new(json!({})).await.schema("orders").await;
    let mut writer = open(&proof, 1).await;
    writer.prepare(vec![append(schema)], false).await.unwrap();
    let report = writer.write(0, rows("orders", &["{\"id\":1}", "{\"a\":1}"])).await.unwrap();
    assert_eq!((report.rejected[0].row, report.rejected[0].code.as_str()), (1, "missing_key"));
    writer.write(1, rows("orders", &["{\"id\":2}", "{\"id\":1}"])).await.unwrap();
    let report = writer.commit("one".into(), true).await.unwrap();
    let late: Vec<_> = report.rejected.iter().map(|late| (late.batch, late.reject.row)).collect();
    assert_eq!(late, [(1, 1)]);
    // Who did not hear that answer is told again.
    let last = open(&proof, 2).await.committed().await.unwrap();
    assert_eq!(last, Some(LastCommit { token: "one".into(), report }));
    assert_eq!(text(directory.path(), "orders.jsonl").as_deref(), Some("{\"id\":1}\n{\"id\":2}\n"));
}
