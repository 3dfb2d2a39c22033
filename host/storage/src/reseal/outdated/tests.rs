use std::sync::Arc;

use vault::{Class, DeploymentId, KeyFile, Keyring, Location, OsFiles};

use crate::{Change, Clock, Life, MemoryEngine, Storage, Table};

const ROWS: Table = Table { name: "rows", class: Class::Rows, schema_version: 1 };

struct Still;

impl Clock for Still {
    fn now_ms(&self) -> u64 {
        20_000 * 24 * 60 * 60 * 1_000
    }
}

/// Storage with ten records, and a job that has not begun to walk.
async fn with_a_job(directory: &std::path::Path) -> Storage {
    let deployment = DeploymentId::from_bytes([7; 16]);
    let file = KeyFile::new(Arc::new(OsFiles), directory.join("key"));
    KeyFile::create(Arc::new(OsFiles), directory.join("key"), &deployment).unwrap();
    let slot = Some(file.shred_slot());
    let path = directory.join("data/keyring");
    std::fs::create_dir(directory.join("data")).unwrap();
    let location = Location { files: Arc::new(OsFiles), path, kek: Arc::new(file), slot };
    let keyring = Keyring::create(location, deployment).unwrap();
    let storage = Storage::open(Arc::new(MemoryEngine::new()), keyring, Arc::new(Still)).await.unwrap();
    storage.create_organization("acme").await.unwrap();
    for number in 0..10 {
        let change = Change::new("acme").put(ROWS, vec![number], Life::Standing, b"a row".to_vec());
        storage.commit(change).await.unwrap();
    }
    storage.begin_job("acme").await.unwrap();
    storage
}

async fn read(storage: &Storage, number: u8) {
    storage.get("acme", ROWS, &[number]).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_was_read_counts_as_what_the_job_has_done_and_is_not_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let storage = with_a_job(folder.path()).await;
    for number in [3, 5, 3] {
        read(&storage, number).await;
    }
    assert_eq!(storage.reseal_what_was_read().await.unwrap(), 2);
    let progress = storage.resealing("acme").await.unwrap().unwrap();
    assert_eq!((progress.records, progress.bytes, progress.generation), (2, 10, 2));
    read(&storage, 3).await;
    assert_eq!(storage.reseal_what_was_read().await.unwrap(), 0, "it is sealed under the current one");
    assert_eq!(storage.finish_job("acme").await.unwrap().records, 10);
}

#[tokio::test]
async fn whoever_waits_for_a_job_of_his_own_is_not_disturbed() {
    let folder = tempfile::tempdir().unwrap();
    let storage = with_a_job(folder.path()).await;
    read(&storage, 3).await;
    let its_own = storage.resealing.lock().await;
    assert_eq!(storage.reseal_what_was_read().await.unwrap(), 0);
    drop(its_own);
    assert_eq!(storage.finish_job("acme").await.unwrap().records, 10);
}
