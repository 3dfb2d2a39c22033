//! The same over the durable engine: a deployment's life from its first record to its restore on another disk.

use std::path::Path;
use std::sync::Arc;

use cofferdam_storage::sled::{Options, SledEngine};
use cofferdam_storage::{Change, Life, Storage, restore_backup};

use crate::engines::{CHUNKS, VALUES, of_space};
use crate::world::{DAY_MS, HOUR_MS, ROWS, START_MS, World, get, keys, put};

const LONG: Life = Life::Until(START_MS + 45 * DAY_MS);

fn engine(world: &World, directory: &Path) -> Arc<SledEngine> {
    let key = *world.keyring().journal_key().expose();
    Arc::new(SledEngine::open(&Options::new(directory, [7; 16], key)).unwrap())
}

async fn close(storage: Storage, engine: Arc<SledEngine>) {
    drop(storage);
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_survives_processes_purging_erasing_and_a_restore() {
    let world = World::new();
    let here = world.directory.path().join("data/here");
    let first = engine(&world, &here);
    let storage = world.open_on(first.clone()).await;
    for organization in ["acme", "other"] {
        storage.create_organization(organization).await.unwrap();
        for number in 0..200 {
            let life = if number % 2 == 0 { LONG } else { Life::Until(START_MS + 3 * HOUR_MS) };
            put(&storage, organization, &format!("{number:03}"), life, organization.as_bytes()).await;
        }
        put(&storage, organization, "large", Life::Standing, &vec![5; 2_000_000]).await;
    }
    let lease = storage.lease("acme", "sync", DAY_MS).await.unwrap();
    close(storage, first).await;

    world.hands.pass(4 * HOUR_MS);
    let second = engine(&world, &here);
    let storage = world.open_on(second.clone()).await;
    assert_eq!(keys(&storage, "acme").await.len(), 101);
    assert!(storage.lease("acme", "sync", DAY_MS).await.unwrap().token() > lease.token());
    storage.commit(Change::new("acme").delete(ROWS, "000").delete(ROWS, "002")).await.unwrap();
    assert_eq!(storage.erase_now("acme").await.unwrap().unwrap().records, 99);
    storage.delete_organization("other").await.unwrap();
    assert_eq!(of_space(second.as_ref(), VALUES).await.len(), 1);
    let mut backup = Vec::new();
    let summary = storage.backup(&mut backup).await.unwrap();
    put(&storage, "acme", "after the backup", LONG, b"a row").await;
    close(storage, second).await;

    let third = engine(&world, &here);
    let storage = world.open_on(third.clone()).await;
    let verified = storage.verify_all().await.unwrap();
    assert_eq!((verified.records, verified.faults), (100, 0));
    close(storage, third).await;

    let fourth = engine(&world, &world.directory.path().join("data/there"));
    let restored = restore_backup(backup.as_slice(), fourth.as_ref(), &world.keyring()).await.unwrap();
    assert_eq!((restored.records, restored.erased, restored.damaged, restored.backup), (99, 0, 0, summary));
    let storage = world.open_on(fourth.clone()).await;
    assert_eq!(get(&storage, "acme", "large").await, Some(vec![5; 2_000_000]));
    assert_eq!(get(&storage, "acme", "after the backup").await, None);
    assert_eq!(storage.verify_all().await.unwrap().records, 99);
    storage.delete_organization("acme").await.unwrap();
    assert_eq!(of_space(fourth.as_ref(), CHUNKS).await.len(), 0);
    close(storage, fourth).await;
}

/// Many tasks at once, so that the engine commits them in groups, while a backup is made and everything is sealed anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_under_load_holds_each_change_whole() {
    let world = World::new();
    let here = engine(&world, &world.directory.path().join("data/here"));
    let storage = Arc::new(world.open_on(here.clone()).await);
    storage.create_organization("acme").await.unwrap();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let storage = storage.clone();
            tokio::spawn(async move {
                for number in 0..60_u32 {
                    let value = number.to_be_bytes().to_vec();
                    let keys = [format!("{writer} left"), format!("{writer} right")];
                    let change = keys
                        .into_iter()
                        .fold(Change::new("acme"), |change, key| change.put(ROWS, key, LONG, value.clone()));
                    storage.commit(change).await.unwrap();
                }
            })
        })
        .collect();
    storage.rotate_organization("acme").await.unwrap();
    let mut backup = Vec::new();
    storage.backup(&mut backup).await.unwrap();
    for writer in writers {
        writer.await.unwrap();
    }
    let verified = storage.verify_all().await.unwrap();
    assert_eq!((verified.records, verified.faults), (16, 0));
    drop(Arc::into_inner(storage).unwrap());
    here.close().await.unwrap();
    let there = engine(&world, &world.directory.path().join("data/there"));
    let restored = restore_backup(backup.as_slice(), there.as_ref(), &world.keyring()).await.unwrap();
    assert_eq!((restored.erased, restored.damaged), (0, 0));
    let storage = world.open_on(there.clone()).await;
    for writer in 0..8 {
        let half = async |side| get(&storage, "acme", &format!("{writer} {side}")).await;
        assert_eq!(half("left").await, half("right").await);
    }
    close(storage, there).await;
}

#[tokio::test]
async fn an_engine_that_was_closed_refuses_and_says_so() {
    let world = World::new();
    let here = engine(&world, &world.directory.path().join("data/here"));
    let storage = world.open_on(here.clone()).await;
    storage.create_organization("acme").await.unwrap();
    here.close().await.unwrap();
    let refused = storage.commit(Change::new("acme").put(ROWS, "1", LONG, vec![1; 100_000])).await;
    assert_eq!(refused.unwrap_err().code(), "CD1006");
}
