//! What a change may do, and what it is held against.

use cofferdam_storage::{CHANGE_STEPS_MAX, Change, Life, Range};

use crate::world::{DAY_MS, HOUR_MS, POSITIONS, ROWS, START_MS, World, get, keys, put};

fn code<T>(result: Result<T, cofferdam_storage::Error>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "none")
}

#[tokio::test]
async fn what_was_put_is_found_with_its_end_and_schema() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "1", Life::Until(START_MS + 45 * DAY_MS), b"a row").await;
    put(&storage, "acme", "2", Life::Standing, b"").await;
    let found = storage.get("acme", ROWS, b"1").await.unwrap().unwrap();
    assert_eq!((found.value.expose(), found.schema_version), (b"a row".as_slice(), 3));
    assert_eq!(found.ends_ms, Some((START_MS / DAY_MS + 45) * DAY_MS));
    assert_eq!(get(&storage, "acme", "2").await.as_deref(), Some(b"".as_slice()));
    assert_eq!(get(&storage, "other", "1").await, None);
    assert_eq!(keys(&storage, "acme").await, ["1", "2"]);
}

#[tokio::test]
async fn the_last_step_on_a_record_counts() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let change = Change::new("acme").put(ROWS, "1", Life::Standing, b"first".to_vec()).delete(ROWS, "1");
    storage.commit(change.put(ROWS, "1", Life::Standing, b"last".to_vec())).await.unwrap();
    assert_eq!(get(&storage, "acme", "1").await.as_deref(), Some(b"last".as_slice()));
    let change = Change::new("acme").put(ROWS, "1", Life::Standing, b"more".to_vec()).delete(ROWS, "1");
    storage.commit(change).await.unwrap();
    assert_eq!(get(&storage, "acme", "1").await, None);
}

#[tokio::test]
async fn a_change_whose_expectation_is_wrong_does_nothing() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "1", Life::Standing, b"old").await;
    let revision = storage.get("acme", ROWS, b"1").await.unwrap().unwrap().revision;
    let change = |value: &[u8]| {
        Change::new("acme")
            .expect(ROWS, "1", Some(&revision))
            .put(ROWS, "1", Life::Standing, value.to_vec())
            .put(POSITIONS, "p", Life::Standing, value.to_vec())
    };
    storage.commit(change(b"new")).await.unwrap();
    assert_eq!(code(storage.commit(change(b"late")).await), "CD1001");
    assert_eq!(get(&storage, "acme", "1").await.as_deref(), Some(b"new".as_slice()));
    let position = storage.get("acme", POSITIONS, b"p").await.unwrap().unwrap();
    assert_eq!(position.value.expose(), b"new");
    assert_eq!(code(storage.commit(Change::new("acme").expect(ROWS, "1", None)).await), "CD1001");
    assert_eq!(code(storage.commit(Change::new("acme").expect(ROWS, "2", None)).await), "none");
}

#[tokio::test]
async fn an_expired_record_is_not_there_for_any_call() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "1", Life::Until(START_MS + 2 * HOUR_MS), b"short").await;
    let revision = storage.get("acme", ROWS, b"1").await.unwrap().unwrap().revision;
    assert_eq!(code(storage.commit(Change::new("acme").expect(ROWS, "1", None)).await), "CD1001");
    world.hands.pass(2 * HOUR_MS);
    assert_eq!(get(&storage, "acme", "1").await, None);
    assert_eq!(keys(&storage, "acme").await, Vec::<String>::new());
    assert_eq!(code(storage.commit(Change::new("acme").expect(ROWS, "1", Some(&revision))).await), "CD1001");
    let again = Change::new("acme").expect(ROWS, "1", None).put(ROWS, "1", Life::Standing, b"new".to_vec());
    storage.commit(again).await.unwrap();
    assert_eq!(get(&storage, "acme", "1").await.as_deref(), Some(b"new".as_slice()));
    storage.maintain().await.unwrap();
    assert_eq!(get(&storage, "acme", "1").await.as_deref(), Some(b"new".as_slice()));
}

#[tokio::test]
async fn as_many_steps_as_are_promised_fit_whatever_they_replace() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let large = vec![7; 70_000];
    for round in 0..3_u64 {
        let life = Life::Until(START_MS + (round + 2) * DAY_MS);
        for half in 0..2 {
            let keys = (0..CHANGE_STEPS_MAX).map(|number| format!("{:03}", number + half * CHANGE_STEPS_MAX));
            let change =
                keys.fold(Change::new("acme"), |change, key| change.put(ROWS, key, life, large.clone()));
            storage.commit(change).await.unwrap();
        }
    }
    let range = Range { limit: 3, after: Some(b"039"), ..Range::default() };
    let found = storage.scan("acme", ROWS, range).await.unwrap();
    assert_eq!(found.iter().map(|(key, _)| key.as_slice()).collect::<Vec<_>>(), [b"040", b"041", b"042"]);
    let keys = (0..CHANGE_STEPS_MAX).map(|number| format!("{number:03}"));
    let change = keys.fold(Change::new("acme"), |change, key| change.delete(ROWS, key));
    storage.commit(change).await.unwrap();
    let keys = (0..129).map(|number| format!("{number:03}"));
    let change =
        keys.fold(Change::new("acme"), |change, key| change.put(ROWS, key, Life::Standing, Vec::new()));
    assert_eq!(code(storage.commit(change).await), "CD1004");
}

#[tokio::test]
async fn a_process_that_writes_nothing_leaves_the_keyring_as_it_is() {
    let world = World::new();
    put(&world.open_with_organizations().await, "acme", "1", Life::Standing, b"a row").await;
    let keyring = std::fs::read(world.keyring_path()).unwrap();
    assert!(get(&world.open().await, "acme", "1").await.is_some());
    assert_eq!(std::fs::read(world.keyring_path()).unwrap(), keyring);
    put(&world.open().await, "acme", "2", Life::Standing, b"a row").await;
    assert_ne!(std::fs::read(world.keyring_path()).unwrap(), keyring);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_tasks_miss_in_the_keyring_is_written_once() {
    let world = World::new();
    drop(world.open_with_organizations().await);
    let storage = world.open().await;
    let sequence = || storage.with_keyring(|keyring| keyring.status().unwrap().sequence);
    let before = sequence();
    let puts = (0..64).map(|number| {
        let change = Change::new("acme");
        storage.commit(change.put(ROWS, number.to_string(), Life::Until(START_MS + 400 * DAY_MS), Vec::new()))
    });
    futures::future::try_join_all(puts).await.unwrap();
    // Making the key of a bucket saves the counters too.
    assert_eq!(sequence(), before + 1);
}

#[tokio::test]
async fn a_lease_has_one_holder_and_its_tokens_rise() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let mut first = storage.lease("acme", "sync", 1_000).await.unwrap();
    assert_eq!(code(storage.lease("acme", "sync", 1_000).await), "CD1009");
    storage.lease("other", "sync", 1_000).await.unwrap();
    storage.renew(&mut first, 5_000).await.unwrap();
    world.hands.pass(4_999);
    assert_eq!(code(storage.lease("acme", "sync", 1_000).await), "CD1009");
    world.hands.pass(1);
    let second = storage.lease("acme", "sync", 1_000).await.unwrap();
    assert!(second.token() > first.token());
    assert_eq!(code(storage.renew(&mut first, 1_000).await), "CD1008");
    storage.release(first).await.unwrap();
    assert_eq!(code(storage.lease("acme", "sync", 1_000).await), "CD1009");
    storage.release(second.clone()).await.unwrap();
    assert!(storage.lease("acme", "sync", 1_000).await.unwrap().token() > second.token());
}

#[tokio::test]
async fn a_change_of_an_outdated_lease_is_refused() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let mut first = storage.lease("acme", "sync", 1_000).await.unwrap();
    let put = |lease: &cofferdam_storage::Lease| lease.change().put(ROWS, "1", Life::Standing, Vec::new());
    storage.commit(put(&first)).await.unwrap();
    storage.renew(&mut first, 1_000).await.unwrap();
    storage.commit(put(&first)).await.unwrap();
    world.hands.pass(1_000);
    let second = storage.lease("acme", "sync", 1_000).await.unwrap();
    assert_eq!(code(storage.commit(put(&first)).await), "CD1008");
    storage.commit(put(&second)).await.unwrap();
}

#[tokio::test]
async fn a_lease_ends_with_its_process_where_nobody_else_can_have_the_engine() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let before = storage.lease("acme", "sync", DAY_MS).await.unwrap();
    drop(storage);
    let storage = world.open().await;
    let after = storage.lease("acme", "sync", DAY_MS).await.unwrap();
    assert!(after.token() > before.token());
    assert_eq!(code(storage.commit(before.change().delete(ROWS, "1")).await), "CD1008");
}

#[tokio::test]
async fn keyed_hashes_are_the_same_after_a_rotation_and_a_restart() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let hash = storage.keyed_hasher("acme", "row key").await.unwrap().hash(b"1");
    assert_ne!(hash, storage.keyed_hasher("other", "row key").await.unwrap().hash(b"1"));
    assert_ne!(hash, storage.keyed_hasher("acme", "another").await.unwrap().hash(b"1"));
    let hasher = storage.keyed_hasher("acme", "row key").await.unwrap();
    assert_ne!(hasher.hash_parts([b"ab".as_slice(), b"c"]), hasher.hash_parts([b"a".as_slice(), b"bc"]));
    storage.rotate_organization("acme").await.unwrap();
    drop(storage);
    let storage = world.open().await;
    assert_eq!(storage.keyed_hasher("acme", "row key").await.unwrap().hash(b"1"), hash);
    storage.delete_organization("acme").await.unwrap();
    assert_eq!(code(storage.keyed_hasher("acme", "row key").await), "CD0907");
    storage.create_organization("acme").await.unwrap();
    assert_ne!(storage.keyed_hasher("acme", "row key").await.unwrap().hash(b"1"), hash);
}

#[tokio::test]
async fn a_large_value_comes_back_whole_and_leaves_nothing() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let entries = || async {
        world
            .engine
            .scan(cofferdam_storage::Scan { limit: 10_000, ..Default::default() })
            .await
            .unwrap()
            .len()
    };
    let without = entries().await;
    for bytes in [65_478, 65_479, 65_480, 1 << 20, 3_000_000] {
        let value: Vec<u8> = (0..bytes).map(|index: usize| (index * 7 % 251) as u8).collect();
        put(&storage, "acme", "1", Life::Until(START_MS + 5 * DAY_MS), &value).await;
        assert!(get(&storage, "acme", "1").await == Some(value), "{bytes} bytes");
    }
    assert_eq!(entries().await, without + 1 + 1 + 1 + 3_000_000 / 65_479 + 1);
    put(&storage, "acme", "1", Life::Until(START_MS + 5 * DAY_MS), b"small").await;
    assert_eq!(entries().await, without + 2);
    put(&storage, "acme", "1", Life::Until(START_MS + 5 * DAY_MS), &vec![1; 200_000]).await;
    storage.commit(Change::new("acme").delete(ROWS, "1")).await.unwrap();
    // The entry of the index goes with its bucket.
    assert_eq!(entries().await, without + 1);
}

#[tokio::test]
async fn a_value_over_the_limit_is_refused() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let value = vec![0; vault::PLAINTEXT_BYTES_MAX + 1];
    assert_eq!(
        code(storage.commit(Change::new("acme").put(ROWS, "1", Life::Standing, value)).await),
        "CD1004"
    );
}

#[tokio::test]
async fn what_a_run_may_lose_is_lost_with_its_process() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let cache = storage.cache("acme").unwrap();
    cache.put(b"page", b"rows").await.unwrap();
    assert_eq!(cache.get(b"page").await.unwrap().unwrap().expose(), b"rows");
    storage.maintain().await.unwrap();
    assert!(cache.get(b"page").await.unwrap().is_some());
    drop(cache);
    drop(storage);
    let all = || async {
        world.engine.scan(cofferdam_storage::Scan { prefix: vec![9], after: None, limit: 9 }).await.unwrap()
    };
    assert_eq!(all().await.len(), 1);
    let storage = world.open().await;
    assert_eq!(all().await.len(), 0);
    let cache = storage.cache("acme").unwrap();
    cache.put(b"page", b"rows").await.unwrap();
    cache.clear().await.unwrap();
    assert_eq!(all().await.len(), 0);
}
