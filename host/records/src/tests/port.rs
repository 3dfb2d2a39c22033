//! What every implementation of the port promises, and what this one promises beyond it.

use super::world::World;
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
        Arc::new(crate::SealedRecords::new(Arc::clone(&first.storage), "local", crate::Settings::default()));
    let ticket = first.begin("sync").await.unwrap();
    assert_eq!(second.begin("sync").await.unwrap_err().code(), "CD0730", "its lease is held");
    // As if the lease had ended while the first was suspended.
    world.clock.set(super::world::START_MS + 120_000);
    assert_eq!(second.begin("sync").await.unwrap().run, 2);
    let fenced = Error::Fenced { sync: "sync".into(), run: 1 };
    assert_eq!(first.prepare(&ticket, "u", prepared("t", "1", vec![chunk(1)])).await.unwrap_err(), fenced);
    assert_eq!(first.commit(&ticket, "u", "t", Amendment::default()).await.unwrap_err().code(), "CD0734");
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
