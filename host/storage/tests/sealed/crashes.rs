//! A crash between any two commits, before or after the one that it hits, loses nothing that was acknowledged and leaves
//! nothing behind.

use std::collections::BTreeSet;

use cofferdam_storage::{Change, Error, Life, MemoryEngine, Storage};

use crate::engines::{CHUNKS, Crash, Crashing, EXPIRY, RECORDS, VALUES, everything, of_space, put_raw};
use crate::world::{DAY_MS, HOUR_MS, ROWS, START_MS, World, get, keys, put};

const LONG: Life = Life::Until(START_MS + 45 * DAY_MS);

/// Runs a scenario again and again from the same start, with a crash one commit later each time, until it comes through.
/// After each crash another process opens what is there. Answers how many crashes there were.
async fn at_every_commit(
    start: &World,
    scenario: impl AsyncFn(&World, &Storage) -> Result<(), Error>,
    check: impl AsyncFn(&World, &Storage, bool),
) -> usize {
    let mut crashes = 0;
    for crash in [Crash::Before, Crash::After] {
        for commits in 0.. {
            let world = start.fork().await;
            let engine = Crashing::after(world.engine.clone(), commits, crash);
            let done = match Storage::open(engine.clone(), world.keyring(), world.hands.clone()).await {
                Ok(storage) => scenario(&world, &storage).await,
                Err(error) => Err(error),
            };
            // Clearing away behind a change that is acknowledged may fail in silence: the next process does it.
            assert!(done.is_ok() || engine.has_crashed(), "{commits} {crash:?}: {done:?}");
            let storage = world.open().await;
            check(&world, &storage, done.is_ok()).await;
            no_chunk_is_lost_or_left(&world).await;
            if !engine.has_crashed() {
                break;
            }
            crashes += 1;
        }
    }
    crashes
}

/// Every value that has chunks is named by a record, and has all of them.
async fn no_chunk_is_lost_or_left(world: &World) {
    let engine = world.engine.as_ref();
    let records = of_space(engine, RECORDS).await;
    let named: BTreeSet<Vec<u8>> = records
        .iter()
        .filter(|(_, stored)| stored[0] == 2)
        .map(|(_, stored)| stored[5..21].to_vec())
        .collect();
    let ids = |space, id_ends: usize| async move {
        let entries = of_space(engine, space).await;
        let ids = entries.iter().map(|(key, _)| key[key.len() - 16 - id_ends..key.len() - id_ends].to_vec());
        ids.collect::<BTreeSet<Vec<u8>>>()
    };
    assert_eq!(ids(VALUES, 0).await, named);
    assert_eq!(ids(CHUNKS, 4).await, named);
}

impl World {
    /// Another world in which the same has happened.
    async fn fork(&self) -> Self {
        let world = Self::with(std::sync::Arc::new(MemoryEngine::new()));
        put_raw(world.engine.as_ref(), &everything(self.engine.as_ref()).await).await;
        std::fs::copy(self.keyring_path(), world.keyring_path()).unwrap();
        std::fs::copy(self.key_file_path(), world.key_file_path()).unwrap();
        world.hands.set(self.hands.now());
        world
    }
}

#[tokio::test]
async fn a_large_value_is_there_whole_or_as_it_was() {
    let start = World::new();
    put(&start.open_with_organizations().await, "acme", "1", LONG, &vec![1; 1_200_000]).await;
    let crashes = at_every_commit(
        &start,
        async |_, storage| {
            let change = Change::new("acme").put(ROWS, "1", LONG, vec![2; 2_100_000]);
            storage.commit(change.put(ROWS, "2", LONG, vec![2; 100])).await.map(drop)
        },
        async |_, storage, is_done| {
            let value = get(storage, "acme", "1").await.unwrap();
            let is_new = get(storage, "acme", "2").await.is_some();
            assert!(is_new || !is_done);
            assert!(value == if is_new { vec![2; 2_100_000] } else { vec![1; 1_200_000] });
        },
    )
    .await;
    assert!(crashes >= 10, "{crashes}");
}

#[tokio::test]
async fn purging_goes_on_where_it_was_cut_off() {
    let start = World::new();
    let storage = start.open_with_organizations().await;
    for number in 0..150 {
        put(&storage, "acme", &format!("{number:03}"), Life::Until(START_MS + 2 * HOUR_MS), b"a row").await;
    }
    put(&storage, "acme", "large", Life::Until(START_MS + 2 * HOUR_MS), &vec![1; 200_000]).await;
    put(&storage, "acme", "stays", LONG, &vec![1; 200_000]).await;
    drop(storage);
    start.hands.pass(2 * HOUR_MS);
    let crashes = at_every_commit(
        &start,
        async |_, _| Ok(()),
        async |world, storage, _| {
            assert_eq!(keys(storage, "acme").await, ["stays"]);
            assert_eq!(of_space(world.engine.as_ref(), RECORDS).await.len(), 1);
            assert_eq!(of_space(world.engine.as_ref(), EXPIRY).await.len(), 1);
        },
    )
    .await;
    assert!(crashes >= 8, "{crashes}");
}

/// What is deleted after the crash is erased as well, whatever generation it was sealed under by then.
#[tokio::test]
async fn erasing_goes_on_where_it_was_cut_off() {
    let start = World::new();
    let storage = start.open_with_organizations().await;
    for number in 0..70 {
        put(&storage, "acme", &format!("{number:02}"), LONG, b"a row").await;
    }
    put(&storage, "acme", "large", LONG, &vec![1; 200_000]).await;
    drop(storage);
    let crashes = at_every_commit(
        &start,
        async |_, storage| {
            storage.commit(Change::new("acme").delete(ROWS, "00")).await?;
            storage.erase_now("acme").await.map(drop)
        },
        async |world, storage, is_done| {
            let records = of_space(world.engine.as_ref(), RECORDS).await;
            let doomed = records.into_iter().filter(|(key, _)| key.ends_with(b"07"));
            let doomed: Vec<_> = doomed.collect();
            assert!(!is_done || get(storage, "acme", "00").await.is_none());
            storage.commit(Change::new("acme").delete(ROWS, "00").delete(ROWS, "07")).await.unwrap();
            storage.erase_now("acme").await.unwrap().unwrap();
            assert_eq!(keys(storage, "acme").await.len(), 69);
            let verified = storage.verify_all().await.unwrap();
            assert_eq!((verified.records, verified.faults), (69, 0));
            assert!(storage.with_keyring(|keyring| keyring.status().unwrap().rotating.is_empty()));
            assert!(storage.resealing("acme").await.unwrap().is_none());
            assert!(storage.erase_due_since_ms("acme").await.unwrap().is_none());
            put_raw(world.engine.as_ref(), &doomed).await;
            assert!(storage.get("acme", ROWS, b"07").await.is_err());
        },
    )
    .await;
    assert!(crashes >= 16, "{crashes}");
}

#[tokio::test]
async fn sealing_anew_what_was_read_goes_on_where_it_was_cut_off() {
    let start = World::new();
    let storage = start.open_with_organizations().await;
    for number in 0..10 {
        put(&storage, "acme", &format!("{number:02}"), LONG, b"a row").await;
    }
    put(&storage, "acme", "large", LONG, &vec![1; 200_000]).await;
    drop(storage);
    let crashes = at_every_commit(
        &start,
        async |_, storage| {
            storage.with_keyring_mut(|keyring| keyring.rotate_organization("acme")).await?;
            for key in ["03", "04", "large"] {
                storage.get("acme", ROWS, key.as_bytes()).await?;
            }
            storage.maintain().await.map(drop)
        },
        async |world, storage, _| {
            world.hands.pass(HOUR_MS);
            storage.maintain().await.unwrap();
            assert_eq!(keys(storage, "acme").await.len(), 11);
            assert_eq!(get(storage, "acme", "large").await, Some(vec![1; 200_000]));
            assert!(storage.with_keyring(|keyring| keyring.status().unwrap().rotating.is_empty()));
            let verified = storage.verify_all().await.unwrap();
            assert_eq!((verified.records, verified.faults), (11, 0));
        },
    )
    .await;
    assert!(crashes >= 8, "{crashes}");
}

#[tokio::test]
async fn an_organization_is_deleted_as_a_whole_or_not_at_all() {
    let start = World::new();
    let storage = start.open_with_organizations().await;
    put(&storage, "acme", "1", LONG, &vec![1; 200_000]).await;
    put(&storage, "other", "1", LONG, b"a row").await;
    drop(storage);
    let crashes = at_every_commit(
        &start,
        async |_, storage| storage.delete_organization("acme").await,
        async |world, storage, is_done| {
            assert!(get(storage, "other", "1").await.is_some());
            if storage.organizations().contains(&"acme".to_owned()) {
                assert!(!is_done);
                assert_eq!(get(storage, "acme", "1").await.map(|value| value.len()), Some(200_000));
            } else {
                assert_eq!(of_space(world.engine.as_ref(), RECORDS).await.len(), 1);
            }
        },
    )
    .await;
    assert!(crashes >= 8, "{crashes}");
}

/// A future that is dropped is a crash of one task: the others go on.
#[tokio::test]
async fn a_dropped_commit_is_whole_or_not_there_and_its_chunks_go_at_the_next_opening() {
    let start = World::new();
    drop(start.open_with_organizations().await);
    for polls in 0..40 {
        let world = start.fork().await;
        let slow = crate::engines::Slow::over(world.engine.clone());
        let storage = world.open_on(slow).await;
        // Saves the counters, which is the keyring's affair, on a thread that would outlive the dropped future.
        put(&storage, "acme", "0", LONG, b"").await;
        let change = Change::new("acme").put(ROWS, "1", LONG, vec![1; 2_100_000]);
        let mut commit = Box::pin(storage.commit(change.put(ROWS, "2", LONG, Vec::new())));
        let mut is_done = false;
        for _ in 0..polls {
            is_done = futures::poll!(&mut commit).is_ready();
            if is_done {
                break;
            }
        }
        drop(commit);
        storage.maintain().await.unwrap();
        let found = [get(&storage, "acme", "1").await.is_some(), get(&storage, "acme", "2").await.is_some()];
        assert_eq!(found[0], found[1]);
        drop(storage);
        let storage = world.open().await;
        assert_eq!(get(&storage, "acme", "2").await.is_some(), found[1]);
        no_chunk_is_lost_or_left(&world).await;
        if is_done {
            return assert!(polls > 4, "{polls}");
        }
    }
    panic!("the commit did not come to its end");
}
