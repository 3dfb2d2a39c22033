//! Deleted records are erased, and nothing else is lost by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cofferdam_storage::{Change, Entry, Life, Storage};

use crate::engines::{CHUNKS, RECORDS, Recording, of_space, put_raw};
use crate::world::{DAY_MS, HOUR_MS, MINUTE_MS, ROWS, START_MS, World, get, keys, put};

const LONG: Life = Life::Until(START_MS + 45 * DAY_MS);

/// What was ever put for a record.
fn versions(recording: &Recording, key: &str) -> Vec<Entry> {
    let ends = |entry: &Entry| entry.0.first() == Some(&RECORDS) && entry.0.ends_with(key.as_bytes());
    recording.written().into_iter().filter(ends).collect()
}

/// How many of these open when they are put back.
async fn opening(world: &World, storage: &Storage, key: &str, versions: &[Entry]) -> usize {
    let mut opened = 0;
    for version in versions {
        put_raw(world.engine.as_ref(), std::slice::from_ref(version)).await;
        opened += usize::from(storage.get("acme", ROWS, key.as_bytes()).await.is_ok());
    }
    opened
}

#[tokio::test]
async fn a_deleted_record_is_gone_at_once_and_erased_when_it_is_asked_for() {
    let recording = Recording::new();
    let world = World::with(recording.clone());
    let storage = world.open_with_organizations().await;
    let large = vec![9; 200_000];
    for (key, value) in [("gone", b"a row".as_slice()), ("stays", b"another"), ("large", &large)] {
        put(&storage, "acme", key, LONG, value).await;
    }
    put(&storage, "other", "stays", LONG, b"a row").await;
    storage.commit(Change::new("acme").delete(ROWS, "gone")).await.unwrap();
    assert_eq!(keys(&storage, "acme").await, ["large", "stays"]);
    assert_eq!(storage.erase_due_since_ms("acme").await.unwrap(), Some(START_MS));
    let done = storage.erase_now("acme").await.unwrap().unwrap();
    assert_eq!((done.records, done.bytes, done.unreadable, done.generation), (2, 200_007, 0, 2));
    assert_eq!(storage.erase_due_since_ms("acme").await.unwrap(), None);
    assert_eq!(storage.erase_now("acme").await.unwrap(), None);
    assert_eq!(get(&storage, "acme", "stays").await.as_deref(), Some(b"another".as_slice()));
    assert_eq!(get(&storage, "acme", "large").await, Some(large));
    assert!(get(&storage, "other", "stays").await.is_some());
    assert_eq!(of_space(world.engine.as_ref(), CHUNKS).await.len(), 4);
    let versions = versions(&recording, "gone");
    assert_eq!((versions.len(), opening(&world, &storage, "gone", &versions).await), (1, 0));
}

#[tokio::test]
async fn what_ends_within_a_day_or_is_discarded_needs_no_erasing() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "1", Life::Until(START_MS + 24 * HOUR_MS), b"a row").await;
    storage.commit(Change::new("acme").delete(ROWS, "1").delete(ROWS, "never there")).await.unwrap();
    assert_eq!(storage.erase_due_since_ms("acme").await.unwrap(), None);
    put(&storage, "acme", "2", Life::Until(START_MS + 49 * HOUR_MS), b"a row").await;
    put(&storage, "acme", "3", Life::Until(START_MS + 49 * HOUR_MS), b"a row").await;
    storage.commit(Change::new("acme").discard(ROWS, "3")).await.unwrap();
    assert_eq!(keys(&storage, "acme").await, ["2"]);
    assert_eq!(storage.erase_due_since_ms("acme").await.unwrap(), None);
    storage.commit(Change::new("acme").delete(ROWS, "2")).await.unwrap();
    assert_eq!(storage.erase_due_since_ms("acme").await.unwrap(), Some(START_MS));
}

#[tokio::test]
async fn maintenance_erases_within_a_day_and_many_deletions_at_once() {
    let recording = Recording::new();
    let world = World::with(recording.clone());
    let storage = world.open_with_organizations().await;
    for number in 0..300 {
        put(&storage, "acme", &format!("{number:03}"), LONG, b"a row").await;
    }
    for number in 0..10 {
        storage.commit(Change::new("acme").delete(ROWS, format!("{number:03}"))).await.unwrap();
        world.hands.pass(HOUR_MS);
        storage.maintain().await.unwrap();
    }
    assert_eq!(storage.with_keyring(|keyring| keyring.current_generation("acme").unwrap()), 1);
    let mut erased = Vec::new();
    while storage.now_ms() < START_MS + 23 * HOUR_MS {
        world.hands.pass(30 * MINUTE_MS);
        erased.extend(storage.maintain().await.unwrap().organizations_erased);
    }
    assert_eq!(erased, ["acme"]);
    assert_eq!(keys(&storage, "acme").await.len(), 290);
    for number in 0..10 {
        let key = format!("{number:03}");
        assert_eq!(opening(&world, &storage, &key, &versions(&recording, &key)).await, 0);
    }
}

/// Writers write on while everything is sealed anew, twice; each record counts up, so that a lost change is noticed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_change_is_lost_while_everything_is_sealed_anew() {
    let world = World::new();
    let storage = Arc::new(world.open_with_organizations().await);
    for number in 0..400 {
        put(&storage, "acme", &format!("still {number}"), LONG, &vec![7; 500]).await;
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (storage, is_over) = (storage.clone(), is_over.clone());
            tokio::spawn(async move {
                let mut written = 0_u32;
                while !is_over.load(Ordering::SeqCst) {
                    written += 1;
                    let key = format!("writer {writer} {}", written % 10);
                    // Some of them are large, and lie in chunks.
                    let length = if written.is_multiple_of(16) { 70_000 } else { 10 };
                    let mut value = written.to_be_bytes().to_vec();
                    value.resize(length, 0);
                    put(&storage, "acme", &key, LONG, &value).await;
                    tokio::task::yield_now().await;
                }
                written
            })
        })
        .collect();
    let mut generation = 1;
    for _ in 0..3 {
        generation = storage.rotate_organization("acme").await.unwrap().generation;
    }
    is_over.store(true, Ordering::SeqCst);
    for (writer, written) in futures::future::join_all(writers).await.into_iter().enumerate() {
        let written = written.unwrap();
        for last in written.saturating_sub(9).max(1)..=written {
            let found = get(&storage, "acme", &format!("writer {writer} {}", last % 10)).await.unwrap();
            assert_eq!(found[..4], last.to_be_bytes(), "a change of writer {writer} was lost");
        }
    }
    assert_eq!(generation, 4);
    let verified = storage.verify_all().await.unwrap();
    assert_eq!((verified.faults, verified.first), (0, Vec::new()));
    assert!(verified.records >= 400);
}

#[tokio::test]
async fn what_does_not_open_is_counted_and_does_not_hold_up_the_erasing() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "1", LONG, b"a row").await;
    put(&storage, "acme", "2", LONG, b"a row").await;
    let (key, mut value) = of_space(world.engine.as_ref(), RECORDS).await.remove(0);
    *value.last_mut().unwrap() ^= 1;
    put_raw(world.engine.as_ref(), &[(key, value)]).await;
    let done = storage.rotate_organization("acme").await.unwrap();
    assert_eq!((done.records, done.unreadable), (1, 1));
    assert!(storage.with_keyring(|keyring| keyring.status().unwrap().rotating.is_empty()));
    assert!(get(&storage, "acme", "2").await.is_some());
}

/// A leap of the clock hides records; sealing anew must not take it for their end.
#[tokio::test]
async fn a_clock_that_is_doubted_costs_nothing_while_everything_is_sealed_anew() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "1", LONG, b"a row").await;
    world.hands.pass(100 * DAY_MS);
    assert_eq!(get(&storage, "acme", "1").await, None);
    assert_eq!(storage.rotate_organization("acme").await.unwrap().records, 1);
    world.hands.set(START_MS);
    assert!(get(&storage, "acme", "1").await.is_some());
}

#[tokio::test]
async fn an_engine_forgets_an_organization_that_was_deleted() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "1", Life::Standing, &vec![1; 100_000]).await;
    storage.lease("acme", "sync", 1_000).await.unwrap();
    storage.delete_organization("acme").await.unwrap();
    let left = crate::engines::everything(world.engine.as_ref()).await;
    assert!(left.iter().all(|(key, _)| !key.windows(4).any(|part| part == b"acme")), "{left:?}");
    assert_eq!(storage.organizations(), ["other"]);
    let late = storage.commit(Change::new("acme").put(ROWS, "1", Life::Standing, Vec::new())).await;
    assert_eq!(late.unwrap_err().code(), "CD0907");
    storage.create_organization("acme").await.unwrap();
    assert_eq!(get(&storage, "acme", "1").await, None);
}

#[tokio::test]
async fn an_engine_is_left_alone_by_maintenance_that_was_stopped() {
    let world = World::new();
    let storage = Arc::new(world.open_with_organizations().await);
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let maintenance = storage.spawn_maintenance(std::time::Duration::from_millis(1), move |pass| {
        tell.send(pass.is_ok()).unwrap();
    });
    assert_eq!([told.recv().await, told.recv().await], [Some(true), Some(true)]);
    maintenance.stop().await;
    while told.recv().await.is_some() {}
    assert_eq!(Arc::strong_count(&storage), 1);
    let sequence = world.engine.commit(cofferdam_storage::Batch::default()).await.unwrap();
    assert_eq!(world.engine.commit(cofferdam_storage::Batch::default()).await.unwrap(), sequence + 1);
}
