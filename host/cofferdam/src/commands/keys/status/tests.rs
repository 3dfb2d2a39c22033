//! What is told beside a process that seals everything anew, as long as it is at it.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use records::SealedRecords;
use storage::{
    Batch, Engine, EngineError, Entry, MemoryEngine, Scan, Sequence, Snapshot, Storage, SystemClock,
};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::{document, resealing, text};
use crate::arguments::{General, KeyOptions};
use crate::control::{Control, Held};
use crate::data::Directory;
use crate::deployment::ORGANIZATION;
use crate::output::Output;

/// Stands still where the second page of what is to be sealed anew would be read.
struct Halting {
    inner: MemoryEngine,
    reached: Semaphore,
    go_on: Semaphore,
}

#[async_trait]
impl Engine for Halting {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.inner.get(key).await
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Entry>, EngineError> {
        if scan.after.is_some() {
            self.reached.add_permits(1);
            self.go_on.acquire().await.unwrap().forget();
        }
        self.inner.scan(scan).await
    }

    async fn commit(&self, batch: Batch) -> Result<Sequence, EngineError> {
        self.inner.commit(batch).await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        self.inner.snapshot().await
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

fn options(folder: &TempDir) -> KeyOptions {
    KeyOptions { key_file: Some(folder.path().join("keys/key")), ..KeyOptions::default() }
}

async fn told(path: &Path, folder: &TempDir) -> (serde_json::Value, String) {
    let directory = Directory::existing(path, &options(folder)).unwrap();
    let status = directory.keyring_beside().unwrap().status().unwrap();
    let resealing = resealing(&directory, &status).await;
    (document(&directory, &status, &resealing), text(&directory, &status, &resealing))
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_sealing_anew_has_come_is_asked_of_whoever_is_at_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data");
    let output = Output::new(&General { json: false, verbose: 0 });
    let (_directory, keyring) = Directory::made(&path, &options(&folder), &output).unwrap();
    let halting =
        Halting { inner: MemoryEngine::new(), reached: Semaphore::new(0), go_on: Semaphore::new(0) };
    let engine = Arc::new(halting);
    let storage = Storage::open(Arc::clone(&engine) as _, keyring, Arc::new(SystemClock)).await.unwrap();
    let storage = Arc::new(storage);
    storage.create_organization(ORGANIZATION).await.unwrap();
    let records =
        Arc::new(SealedRecords::new(Arc::clone(&storage), ORGANIZATION, records::Settings::default()));
    for run in 1..=3 {
        records.keep_ledger("orders", run, &["a request"]).await.unwrap();
    }
    let held = Held { storage: Arc::clone(&storage), records, live: None };
    let control = Control::listen(&path, held).unwrap();
    assert!(told(&path, &folder).await.1.contains("organizations   1\n"));

    let rotating = Arc::clone(&storage);
    let rotating = tokio::spawn(async move { rotating.rotate_organization(ORGANIZATION).await });
    engine.reached.acquire().await.unwrap().forget();
    let (document, text) = told(&path, &folder).await;
    assert_eq!(document["rotating"], serde_json::json!([ORGANIZATION]), "{document}");
    assert_eq!(document["resealing"][ORGANIZATION]["records"], 3, "{document}");
    assert!(text.contains("1; being sealed anew: local (3 records so far, "), "{text}");

    // Without its answer the rest is told all the same.
    control.end().await;
    let (document, text) = told(&path, &folder).await;
    assert_eq!(document["resealing"], serde_json::json!({}), "{document}");
    assert!(text.contains("1; being sealed anew: local\n"), "{text}");
    engine.go_on.add_permits(1_000);
    rotating.await.unwrap().unwrap();
    assert!(told(&path, &folder).await.1.contains("organizations   1\n"));
}
