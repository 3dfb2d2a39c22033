//! Backups: whole, of one moment, and noticed when they are not.

use std::sync::Arc;

use cofferdam_storage::{
    BackupError, Batch, Change, Life, MemoryEngine, Storage, restore_backup, verify_backup,
};
use proptest::prelude::{any, prop_assert};
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use vault::{KeyFile, Keyring, OsFiles};

use crate::engines::{CHUNKS, Crash, Crashing, everything, of_space};
use crate::world::{DAY_MS, ROWS, START_MS, World, block_on, cases, get, put};

const LONG: Life = Life::Until(START_MS + 45 * DAY_MS);
const START_BYTES: usize = 50;

async fn backup(storage: &Storage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let summary = storage.backup(&mut bytes).await.unwrap();
    assert_eq!(summary.bytes, bytes.len() as u64);
    bytes
}

/// A world with three frames' worth of records, its storage closed, and its backup.
async fn backed_up() -> (World, Vec<u8>) {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    for number in 0..60 {
        put(&storage, "acme", &format!("{number:03}"), LONG, &vec![number; 40_000]).await;
    }
    put(&storage, "acme", "large", Life::Standing, &vec![7; 500_000]).await;
    put(&storage, "other", "1", LONG, b"a row").await;
    let bytes = backup(&storage).await;
    (world, bytes)
}

/// Where frames begin, and the end.
fn frames(backup: &[u8]) -> Vec<usize> {
    let mut at = START_BYTES;
    let mut frames = vec![at];
    while at < backup.len() {
        at += 5 + u32::from_be_bytes(backup[at + 1..at + 5].try_into().unwrap()) as usize;
        frames.push(at);
    }
    assert_eq!(at, backup.len());
    frames
}

async fn verify(world: &World, backup: &[u8]) -> Result<(), BackupError> {
    let keyring = Keyring::open_read_only(world.location(), None).unwrap();
    verify_backup(backup, &keyring).await.map(drop)
}

#[tokio::test]
async fn what_was_backed_up_is_restored_whole() {
    let (world, bytes) = backed_up().await;
    let keyring = world.keyring();
    let summary = verify_backup(bytes.as_slice(), &keyring).await.unwrap();
    assert_eq!((summary.created_ms, summary.frames as usize), (START_MS, frames(&bytes).len() - 2));
    let engine = Arc::new(MemoryEngine::new());
    let restored = restore_backup(bytes.as_slice(), engine.as_ref(), &keyring).await.unwrap();
    assert_eq!((restored.records, restored.erased, restored.damaged, restored.backup), (62, 0, 0, summary));
    assert_eq!(everything(engine.as_ref()).await, everything(world.engine.as_ref()).await);
    drop(keyring);
    let storage = world.open_on(engine).await;
    assert_eq!(get(&storage, "acme", "large").await, Some(vec![7; 500_000]));
    let verified = storage.verify_all().await.unwrap();
    assert_eq!((verified.records, verified.bytes, verified.faults), (62, 60 * 40_000 + 500_000 + 5, 0));
}

#[tokio::test]
async fn every_frame_that_is_changed_moved_or_left_out_is_named_with_its_place() {
    let (world, bytes) = backed_up().await;
    let frames = frames(&bytes);
    assert!(frames.len() >= 4);
    for (number, place) in frames.windows(2).enumerate() {
        let (from, to) = (place[0], place[1]);
        for at in [from, from + 5, from + 40, to - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 4;
            let Err(BackupError::Damaged { frame, offset, .. }) = verify(&world, &changed).await else {
                panic!("a change of byte {at} was not noticed");
            };
            assert_eq!((frame, offset), (number as u64, from as u64));
        }
        let without = [&bytes[..from], &bytes[to..]].concat();
        let error = verify(&world, &without).await.unwrap_err();
        assert!(matches!(error.code(), "CD1073" | "CD1074"), "{error}");
    }
    let [first, second] = [&bytes[frames[0]..frames[1]], &bytes[frames[1]..frames[2]]];
    let exchanged = [&bytes[..START_BYTES], second, first, &bytes[frames[2]..]].concat();
    assert!(matches!(verify(&world, &exchanged).await, Err(BackupError::Damaged { frame: 0, .. })));
    let longer = [bytes.as_slice(), &[0]].concat();
    let error = verify(&world, &longer).await.unwrap_err();
    assert!(matches!(error, BackupError::Damaged { offset, .. } if offset == bytes.len() as u64), "{error}");
}

#[tokio::test]
async fn a_frame_of_another_backup_of_the_same_storage_is_noticed() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "1", LONG, b"a row").await;
    let (one, other) = (backup(&storage).await, backup(&storage).await);
    drop(storage);
    let mixed = [&one[..START_BYTES], &other[START_BYTES..]].concat();
    assert!(matches!(verify(&world, &mixed).await, Err(BackupError::Damaged { frame: 0, .. })));
    verify(&world, &other).await.unwrap();
}

#[tokio::test]
async fn a_backup_that_is_cut_off_says_where() {
    let (world, bytes) = backed_up().await;
    let frames = frames(&bytes);
    for (number, place) in frames.windows(2).enumerate() {
        for length in [place[0], place[0] + 3, place[0] + 5, place[1] - 1] {
            let Err(BackupError::CutOff { frame, offset }) = verify(&world, &bytes[..length]).await else {
                panic!("a cut at byte {length} was not noticed");
            };
            assert_eq!((frame, offset), (number as u64, length as u64));
        }
    }
    assert_eq!(verify(&world, &bytes[..START_BYTES - 1]).await.unwrap_err().code(), "CD1070");
    assert_eq!(verify(&world, b"").await.unwrap_err().code(), "CD1070");
}

#[test]
fn no_flipped_bit_passes() {
    let (world, bytes) = block_on(backed_up());
    let mut runner = TestRunner::new(cases(64));
    let flips = (any::<Index>(), 0..8_u8);
    let flipped = runner.run(&flips, |(at, bit)| {
        let mut changed = bytes.clone();
        // Half of them in the first frame and what is before it.
        let at = at.index(if bit % 2 == 0 { bytes.len() } else { 4_000 });
        changed[at] ^= 1 << bit;
        prop_assert!(block_on(verify(&world, &changed)).is_err());
        Ok(())
    });
    flipped.unwrap();
}

#[tokio::test]
async fn newer_formats_and_other_deployments_are_told_apart() {
    let (world, bytes) = backed_up().await;
    let mut newer = bytes.clone();
    newer[9] = 2;
    assert_eq!(verify(&world, &newer).await.unwrap_err().code(), "CD1071");
    let elsewhere = World::new();
    let files = Arc::new(OsFiles);
    let other = vault::DeploymentId::from_bytes([8; 16]);
    KeyFile::create(files, elsewhere.key_file_path(), &other).unwrap();
    drop(Keyring::create(elsewhere.location(), other).unwrap());
    let error = verify(&elsewhere, &bytes).await.unwrap_err();
    assert!(matches!(error, BackupError::OtherDeployment { .. }), "{error}");
    // The same name and another root key.
    let namesake = World::new();
    drop(namesake.keyring());
    assert_eq!(verify(&namesake, &bytes).await.unwrap_err().code(), "CD1073");
}

#[tokio::test]
async fn a_restore_goes_into_nothing_and_is_no_storage_before_its_end() {
    let (world, bytes) = backed_up().await;
    let keyring = world.keyring();
    let error = restore_backup(bytes.as_slice(), world.engine.as_ref(), &keyring).await.unwrap_err();
    assert_eq!(error.code(), "CD1075");
    let cut = Arc::new(MemoryEngine::new());
    let error = restore_backup(&bytes[..bytes.len() - 1], cut.as_ref(), &keyring).await.unwrap_err();
    assert_eq!(error.code(), "CD1074");
    let crashed = Arc::new(MemoryEngine::new());
    let crashing = Crashing::after(crashed.clone(), 2, Crash::After);
    assert!(restore_backup(bytes.as_slice(), crashing.as_ref(), &keyring).await.is_err());
    drop(keyring);
    for engine in [cut, crashed] {
        let refused = Storage::open(engine, world.keyring(), world.hands.clone()).await;
        assert_eq!(refused.err().map(|error| error.code()), Some("CD1076"));
    }
}

/// Under the keyring of that day; what has ended and what was deleted since stays away, and the rest opens.
#[tokio::test]
async fn an_old_backup_brings_back_only_what_may_still_be_there() {
    let (world, bytes) = backed_up().await;
    let storage = world.open().await;
    storage.delete_organization("other").await.unwrap();
    for day in 1..=46 {
        world.hands.set(START_MS + day * DAY_MS);
        storage.maintain().await.unwrap();
    }
    drop(storage);
    let engine = Arc::new(MemoryEngine::new());
    let keyring = world.keyring();
    let restored = restore_backup(bytes.as_slice(), engine.as_ref(), &keyring).await.unwrap();
    drop(keyring);
    assert_eq!((restored.records, restored.erased, restored.damaged), (1, 61, 0));
    let storage = world.open_on(engine.clone()).await;
    assert_eq!(get(&storage, "acme", "large").await, Some(vec![7; 500_000]));
    let verified = storage.verify_all().await.unwrap();
    assert_eq!((verified.records, verified.ended, verified.faults), (1, 0, 0));
}

#[tokio::test]
async fn a_large_value_whose_keys_are_gone_leaves_nothing_after_a_restore() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "large", Life::Standing, &vec![7; 500_000]).await;
    put(&storage, "acme", "gone", Life::Standing, b"a row").await;
    let bytes = backup(&storage).await;
    storage.commit(Change::new("acme").delete(ROWS, "gone")).await.unwrap();
    storage.erase_now("acme").await.unwrap();
    drop(storage);
    let engine = Arc::new(MemoryEngine::new());
    let restored = restore_backup(bytes.as_slice(), engine.as_ref(), &world.keyring()).await.unwrap();
    assert_eq!((restored.records, restored.damaged), (0, 0));
    let storage = world.open_on(engine.clone()).await;
    assert_eq!(of_space(engine.as_ref(), CHUNKS).await.len(), 0);
    assert_eq!(of_space(engine.as_ref(), crate::engines::VALUES).await.len(), 0);
    put(&storage, "acme", "new", LONG, b"a row").await;
    assert!(get(&storage, "acme", "new").await.is_some());
}

#[tokio::test]
async fn a_backup_holds_of_one_moment_while_others_write() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let pair = |number: u64| {
        let value = number.to_be_bytes().to_vec();
        Change::new("acme").put(ROWS, "a", LONG, value.clone()).put(ROWS, "b", LONG, value)
    };
    for number in 0..20 {
        storage.commit(pair(number)).await.unwrap();
        let (bytes, _) =
            tokio::join!(backup(&storage), async { storage.commit(pair(number + 100)).await.unwrap() });
        let engine = Arc::new(MemoryEngine::new());
        let keyring = Keyring::open_read_only(world.location(), None).unwrap();
        restore_backup(bytes.as_slice(), engine.as_ref(), &keyring).await.unwrap();
        let restored = World::with(engine);
        std::fs::copy(world.key_file_path(), restored.key_file_path()).unwrap();
        std::fs::copy(world.keyring_path(), restored.keyring_path()).unwrap();
        let restored_storage = restored.open().await;
        assert_eq!(get(&restored_storage, "acme", "a").await, get(&restored_storage, "acme", "b").await);
    }
    world.engine.commit(Batch::default()).await.unwrap();
}
