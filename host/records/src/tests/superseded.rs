//! Row errors whose key was accepted since.

use super::rows::{chunk, commit, prepared, rejected, run_with};
use super::world::World;
use crate::{ErrorFilter, ErrorState, SealedRecords, Settings, StateFilter};
use pipeline::records::{Amendment, KeyHash, OpenKeys, RunRecords, RunTicket};
use std::collections::BTreeMap;
use std::sync::Arc;

async fn open(records: &SealedRecords, ticket: &RunTicket) -> Option<Arc<dyn OpenKeys>> {
    records.open_keys(ticket, "s").await.unwrap()
}

fn hash(open: &Arc<dyn OpenKeys>, id: i64) -> Option<KeyHash> {
    open.hash_if_open(&id.to_be_bytes())
}

async fn settle(records: &SealedRecords, ticket: &RunTicket, hashes: Vec<KeyHash>, unsettled: Vec<KeyHash>) {
    let mut prepared = prepared(ticket, "settles", vec![]);
    prepared.effect.settled = BTreeMap::from([("s".into(), hashes)]);
    records.prepare(ticket, "sync/s", prepared).await.unwrap();
    let amendment =
        Amendment { unsettled: BTreeMap::from([("s".into(), unsettled)]), ..Amendment::default() };
    records.commit(ticket, "sync/s", "settles", amendment).await.unwrap();
}

async fn ids(records: &SealedRecords, state: StateFilter) -> Vec<String> {
    let filter = ErrorFilter { state, ..ErrorFilter::default() };
    let page = records.errors("sync", &filter, None, 99).await.unwrap();
    page.errors.iter().map(|error| error.id.to_string()).collect()
}

#[tokio::test]
async fn a_row_error_is_superseded_with_the_commit_that_accepts_its_key() {
    let world = World::new();
    let records = world.open().await;
    run_with(&records, &[(1, "a", "x"), (2, "b", "x"), (3, "c", "x")]).await;
    run_with(&records, &[(1, "again", "x")]).await;
    let ticket = records.begin("sync").await.unwrap();
    let open_keys = open(&records, &ticket).await.unwrap();
    assert_eq!(hash(&open_keys, 4), None);
    let (one, two, three) = (hash(&open_keys, 1), hash(&open_keys, 2), hash(&open_keys, 3));
    let hashes = vec![one.unwrap(), three.unwrap(), two.unwrap()];
    settle(&records, &ticket, hashes, vec![two.unwrap()]).await;
    records.release(&ticket);
    assert_eq!(ids(&records, StateFilter::Superseded).await, ["1-1", "1-3", "2-1"]);
    assert_eq!(ids(&records, StateFilter::Open).await, ["1-2"], "its row was rejected late");
    let first = records.error("sync", "1-1".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(first.state, ErrorState::Superseded { by_run: 3 });
    let ticket = records.begin("sync").await.unwrap();
    let open_keys = open(&records, &ticket).await.unwrap();
    assert_eq!((hash(&open_keys, 1), hash(&open_keys, 3)), (None, None), "they are not open any more");
    assert!(hash(&open_keys, 2).is_some());
}

#[tokio::test]
async fn a_discarded_commit_supersedes_nothing() {
    let world = World::new();
    let records = world.open().await;
    run_with(&records, &[(1, "a", "x")]).await;
    let ticket = records.begin("sync").await.unwrap();
    let open_keys = open(&records, &ticket).await.unwrap();
    let mut discarded = prepared(&ticket, "t2", vec![]);
    discarded.effect.settled = BTreeMap::from([("s".into(), vec![hash(&open_keys, 1).unwrap()])]);
    records.prepare(&ticket, "sync/s", discarded).await.unwrap();
    records.discard(&ticket, "sync/s", "t2").await.unwrap();
    commit(&records, &ticket, "t3", vec![]).await;
    assert_eq!(ids(&records, StateFilter::Open).await, ["1-1"]);
}

#[tokio::test]
async fn nothing_is_looked_for_where_nothing_is_open() {
    let world = World::new();
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    assert!(open(&records, &ticket).await.is_none());
    let staged = vec![chunk(1, "sync/s", "s", vec![rejected("s", 0, 1, "a", "x")])];
    records.prepare(&ticket, "sync/s", prepared(&ticket, "t", staged)).await.unwrap();
    assert!(open(&records, &ticket).await.is_none(), "what is not committed is not there");
    records.commit(&ticket, "sync/s", "t", Amendment::default()).await.unwrap();
    assert!(open(&records, &ticket).await.is_some());
    assert!(records.open_keys(&ticket, "other").await.unwrap().is_none());
    records.delete_errors("sync", &ErrorFilter::default()).await.unwrap();
    assert!(open(&records, &ticket).await.is_none());
}

#[tokio::test]
async fn of_too_many_the_newest_are_looked_for_and_the_history_says_so() {
    let world = World::new();
    let records = world.open_with(Settings { open_keys_max: 2, ..Settings::default() }).await;
    run_with(&records, &[(1, "a", "x"), (2, "b", "x")]).await;
    run_with(&records, &[(3, "c", "x")]).await;
    let ticket = records.begin("sync").await.unwrap();
    let open_keys = open(&records, &ticket).await.unwrap();
    let found: Vec<bool> = (1..=3).map(|id| hash(&open_keys, id).is_some()).collect();
    assert_eq!(found, [false, true, true]);
    records.finish(&ticket, super::history::report(&ticket)).await.unwrap();
    let notes = records.run("sync", None).await.unwrap().notes;
    assert!(notes.len() == 1 && notes[0].contains("the oldest 1 were left out"), "{notes:?}");
}

#[tokio::test]
async fn hashes_stay_what_they_are_in_another_process() {
    let world = World::new();
    let records = world.open().await;
    run_with(&records, &[(1, "a", "x")]).await;
    let ticket = records.begin("sync").await.unwrap();
    let before = hash(&open(&records, &ticket).await.unwrap(), 1).unwrap();
    World::close(records).await;
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    assert_eq!(hash(&open(&records, &ticket).await.unwrap(), 1).unwrap(), before);
}
