//! What is not durable yet is seen by nobody.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use cofferdam_storage::sled::{Disk, SledEngine};
use cofferdam_storage::{Engine, EngineError, SnapshotItem};

use crate::factory::{Factory, Sled, everything, expecting, put};

/// Each sync that it is armed for waits to be told how it ends.
struct Slow {
    is_armed: AtomicBool,
    reached: Sender<()>,
    outcome: Mutex<Receiver<bool>>,
}

impl Disk for Slow {
    fn sync(&self, file: &File) -> io::Result<()> {
        if self.is_armed.swap(false, Ordering::SeqCst) {
            self.reached.send(()).unwrap();
            if !self.outcome.lock().unwrap().recv().unwrap() {
                return Err(io::Error::other("the disk has lost what was written"));
            }
        }
        file.sync_data()
    }
}

struct Slowed {
    place: Sled,
    engine: Arc<SledEngine>,
    disk: Arc<Slow>,
    reached: Arc<Mutex<Receiver<()>>>,
    outcome: Sender<bool>,
}

impl Slowed {
    async fn new() -> Self {
        let place = Sled::new();
        let ((reached, is_reached), (outcome, outcomes)) = (channel(), channel());
        let disk = Slow { is_armed: AtomicBool::new(false), reached, outcome: Mutex::new(outcomes) };
        let disk = Arc::new(disk);
        let engine = Arc::new(SledEngine::open(&place.options().disk(Arc::clone(&disk) as _)).unwrap());
        engine.commit(put(b"a", b"old")).await.unwrap();
        Self { place, engine, disk, reached: Arc::new(Mutex::new(is_reached)), outcome }
    }

    /// A commit that has been written and waits for its sync.
    async fn begin(&self) -> tokio::task::JoinHandle<Result<u64, EngineError>> {
        self.disk.is_armed.store(true, Ordering::SeqCst);
        let engine = Arc::clone(&self.engine);
        let commit = tokio::spawn(async move { engine.commit(put(b"a", b"new")).await });
        let reached = Arc::clone(&self.reached);
        tokio::task::spawn_blocking(move || reached.lock().unwrap().recv().unwrap()).await.unwrap();
        commit
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_commit_that_waits_for_its_sync_is_seen_by_no_reader() {
    let slowed = Slowed::new().await;
    let engine = &slowed.engine;
    let commit = slowed.begin().await;
    let old = vec![(b"a".to_vec(), b"old".to_vec())];
    assert_eq!(engine.get(b"a").await, Ok(Some(b"old".to_vec())));
    assert_eq!(everything(&**engine).await.as_ref(), Ok(&old));
    assert_eq!(engine.status().sequence, 1);
    let mut snapshot = engine.snapshot().await.unwrap();
    let found = snapshot.next().await.unwrap();
    assert_eq!(found, old.into_iter().map(SnapshotItem::Put).collect::<Vec<_>>());
    // Who expects something comes behind it, and is judged by what it leaves.
    let mut expected = Vec::new();
    for value in [b"old", b"new"] {
        let engine = Arc::clone(engine);
        let batch = expecting(put(&[value[0]], b""), b"a", Some(value));
        expected.push(tokio::spawn(async move { engine.commit(batch).await }));
    }
    slowed.outcome.send(true).unwrap();
    assert_eq!(commit.await.unwrap(), Ok(2));
    assert_eq!(engine.get(b"a").await, Ok(Some(b"new".to_vec())));
    let [old, new] = <[_; 2]>::try_from(expected).unwrap();
    assert_eq!(old.await.unwrap(), Err(EngineError::Conflict { key: b"a".to_vec() }));
    assert_eq!(new.await.unwrap(), Ok(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_commit_whose_sync_fails_is_seen_by_nobody_and_nobody_behind_it_is_answered_but_with_the_failure() {
    let slowed = Slowed::new().await;
    let commit = slowed.begin().await;
    let behind = tokio::spawn({
        let engine = Arc::clone(&slowed.engine);
        async move { engine.commit(expecting(put(b"b", b""), b"a", Some(b"new"))).await }
    });
    slowed.outcome.send(false).unwrap();
    let failure = commit.await.unwrap().unwrap_err();
    assert!(matches!(failure, EngineError::Stopped { .. }), "{failure}");
    assert_eq!(behind.await.unwrap(), Err(failure.clone()));
    assert_eq!(slowed.engine.get(b"a").await, Err(failure));
    drop(slowed.engine);
    let found = slowed.place.open_engine().get(b"b").await.unwrap();
    assert_eq!(found, None);
}
