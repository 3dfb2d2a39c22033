//! What every implementation of the port promises, and what this one promises beyond it.

use super::rows::{chunk as rows_chunk, commit, prepared as rows_prepared, rejected};
use super::world::World;
use crate::{ErrorFilter, SealedRecords};
use pipeline::records::conformance::{chunk, conformance, prepared, row_error};
use pipeline::records::{Amendment, Error, RunRecords};
use std::sync::Arc;

#[tokio::test]
async fn the_promises_of_the_port_are_kept() {
    let worlds = std::sync::Mutex::new(Vec::new());
    conformance(async || {
        let world = World::new();
        let records = world.open().await;
        worlds.lock().unwrap().push(world);
        records as Arc<dyn RunRecords>
    })
    .await;
}

#[tokio::test]
async fn the_promises_of_the_port_are_kept_on_disk_too() {
    let worlds = std::sync::Mutex::new(Vec::new());
    conformance(async || {
        let folder = tempfile::TempDir::new().unwrap();
        let options = storage::sled::Options::new(folder.path().join("data"), [7; 16], [9; 32]);
        let engine = storage::SledEngine::open(&options).unwrap();
        let world = World::over(Arc::new(engine));
        let records = world.open().await;
        worlds.lock().unwrap().push((world, folder));
        records as Arc<dyn RunRecords>
    })
    .await;
}

/// Commits of one unit, each with two row errors.
async fn commits_of(records: &SealedRecords, ticket: &pipeline::records::RunTicket, unit: &str) {
    for number in 0..10 {
        let errors = (0..2).map(|index| rejected(unit, 2 * number + index, 1, "a", "x")).collect();
        let token = format!("{unit} {number}");
        let chunks = vec![rows_chunk(ticket.run, unit, unit, errors)];
        records.prepare(ticket, unit, rows_prepared(ticket, &token, chunks)).await.unwrap();
        records.commit(ticket, unit, &token, Amendment::default()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn units_that_commit_at_the_same_time_share_the_numbers_of_their_run() {
    let world = World::new();
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    let mut units = tokio::task::JoinSet::new();
    for unit in ["a", "b", "c"] {
        let (records, ticket) = (Arc::clone(&records), ticket.clone());
        units.spawn(async move { commits_of(&records, &ticket, unit).await });
    }
    units.join_all().await;
    let page = records.errors("sync", &ErrorFilter::default(), None, 99).await.unwrap();
    let numbers: Vec<u64> = page.errors.iter().map(|error| error.id.number).collect();
    assert_eq!(numbers, (1..=60).collect::<Vec<u64>>());
    for unit in ["a", "b", "c"] {
        let of_unit = page.errors.iter().filter(|error| error.unit == unit);
        let indexes: Vec<u64> = of_unit.map(|error| error.error.index).collect();
        assert_eq!(indexes, (0..20).collect::<Vec<u64>>(), "in the order of its commits");
    }
}

#[tokio::test]
async fn everything_is_sealed_anew_only_where_somebody_deletes() {
    let world = World::new();
    let records = world.open().await;
    let due = async || records.storage.erase_due_since_ms("local").await.unwrap();
    let ticket = records.begin("sync").await.unwrap();
    let chunks = || vec![rows_chunk(1, "sync/s", "s", vec![rejected("s", 0, 1, "a", "x")])];
    records.prepare(&ticket, "sync/s", rows_prepared(&ticket, "t1", chunks())).await.unwrap();
    records.discard(&ticket, "sync/s", "t1").await.unwrap();
    assert_eq!(super::crash::remains(&records).await, 0);
    commit(&records, &ticket, "t2", chunks()).await;
    assert_eq!(due().await, None);
    records.delete_errors("sync", &ErrorFilter::default()).await.unwrap();
    assert!(due().await.is_some());
    records.storage.erase_now("local").await.unwrap();
    commit(&records, &ticket, "t3", chunks()).await;
    assert_eq!(records.errors("sync", &ErrorFilter::default(), None, 9).await.unwrap().errors.len(), 1);
}

#[tokio::test]
async fn records_survive_the_process() {
    let world = World::new();
    let first = world.open().await;
    let ticket = first.begin("sync").await.unwrap();
    first.prepare(&ticket, "u/ü", prepared("t1", "1", vec![chunk(1)])).await.unwrap();
    World::close(first).await;
    let second = world.open().await;
    let ticket = second.begin("sync").await.unwrap();
    assert_eq!(ticket.run, 2);
    let unit = second.unit(&ticket, "u/ü").await.unwrap();
    assert_eq!(unit.prepared.unwrap().token, "t1");
    second.commit(&ticket, "u/ü", "t1", Amendment::default()).await.unwrap();
    let kept = second.row_errors("sync", 1, 0, 9).await.unwrap();
    assert_eq!(kept.into_iter().flat_map(|chunk| chunk.errors).collect::<Vec<_>>(), [row_error(1)]);
}

#[tokio::test]
async fn the_right_is_given_back_after_the_calls_under_way_and_at_once_without_any() {
    let world = World::new();
    let records = world.open().await;
    for run in 1..20 {
        let ticket = records.begin("sync").await.unwrap();
        assert_eq!(ticket.run, run);
        let share = records.seats.of(&ticket).unwrap();
        records.release(&ticket);
        assert_eq!(records.begin("sync").await.unwrap_err(), Error::Locked { sync: "sync".into() });
        drop(share);
    }
}

#[tokio::test]
async fn a_run_whose_sync_began_again_elsewhere_writes_nothing_more() {
    let world = World::new();
    let first = world.open().await;
    let second =
        Arc::new(SealedRecords::new(Arc::clone(&first.storage), "local", crate::Settings::default()));
    let ticket = first.begin("sync").await.unwrap();
    assert_eq!(second.begin("sync").await.unwrap_err().code(), "CD0730", "its lease is held");
    // As if the lease had ended while the first was suspended.
    world.clock.set(super::world::START_MS + 120_000);
    assert_eq!(second.begin("sync").await.unwrap().run, 2);
    let fenced = Error::Fenced { sync: "sync".into(), run: 1 };
    assert_eq!(first.prepare(&ticket, "u", prepared("t", "1", vec![chunk(1)])).await.unwrap_err(), fenced);
    assert_eq!(first.commit(&ticket, "u", "t", Amendment::default()).await.unwrap_err().code(), "CD0734");
}

#[tokio::test(start_paused = true)]
async fn a_run_holds_its_lease_for_as_long_as_it_lives() {
    let world = World::new();
    let records = world.open().await;
    let beside = SealedRecords::new(Arc::clone(&records.storage), "local", crate::Settings::default());
    let ticket = records.begin("sync").await.unwrap();
    for minute in 1..=5 {
        for third in 0..3 {
            world.clock.set(super::world::START_MS + minute * 60_000 + third * 20_000);
            // The runtime's clock is paused: it leaps to the next timer, that of the renewal.
            tokio::time::sleep(std::time::Duration::from_secs(20)).await;
        }
        assert_eq!(beside.begin("sync").await.unwrap_err().code(), "CD0730", "after {minute} minutes");
    }
    records.release(&ticket);
    while beside.begin("sync").await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn names_of_syncs_and_units_never_meet() {
    let world = World::new();
    let records = world.open().await;
    let (long, longer) = ("x".repeat(300), "x".repeat(301));
    for name in ["..", "a/b", "A", "a", "", long.as_str(), longer.as_str(), "é"] {
        let ticket = records.begin(name).await.unwrap();
        assert_eq!(ticket.run, 1, "{name}");
        records.prepare(&ticket, name, prepared("t", "1", vec![])).await.unwrap();
    }
    assert_eq!(records.syncs().await.unwrap().len(), 8);
}
