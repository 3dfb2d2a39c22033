//! What is acknowledged and not applied yet: read, expected and kept as if it were.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cofferdam_storage::sled::{Disk, SledEngine};
use cofferdam_storage::{Batch, Engine, EngineError, Entry};
use tokio::task::JoinHandle;

use super::child::options;
use crate::factory::{Factory, Sled, delete, everything, expecting, put};

/// Keeps the thread that applies where it drops segments of the journal, behind a sync of the database.
struct Gate {
    is_armed: AtomicBool,
    reached: Sender<()>,
    open: Mutex<Receiver<()>>,
}

impl Disk for Gate {
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        if self.is_armed.swap(false, Ordering::SeqCst) {
            self.reached.send(()).unwrap();
            self.open.lock().unwrap().recv().unwrap();
        }
        File::open(path)?.sync_all()
    }
}

/// An engine that has a few entries in its database, and whose commits are not applied until `thaw` is told.
struct Frozen {
    place: Sled,
    engine: Arc<SledEngine>,
    sync: JoinHandle<Result<(), EngineError>>,
    thaw: Sender<()>,
}

impl Frozen {
    async fn new(waiting_bytes: usize) -> Self {
        let place = Sled::new();
        let engine = place.open_engine();
        engine.commit(put(b"applied", b"1")).await.unwrap();
        engine.commit(put(b"b", b"1")).await.unwrap();
        // More than 1 MiB: the next opening begins a second segment, and the first may go.
        for number in 0..20 {
            engine.commit(put(&[b'x', number], &[7; 60_000])).await.unwrap();
        }
        engine.close().await.unwrap();
        drop(engine);
        let ((reached, is_reached), (thaw, open)) = (channel(), channel());
        let gate = Arc::new(Gate { is_armed: AtomicBool::new(false), reached, open: Mutex::new(open) });
        let options = place.options().waiting_bytes(waiting_bytes).disk(Arc::clone(&gate) as _);
        let engine = Arc::new(SledEngine::open(&options).unwrap());
        assert_eq!(engine.status().journal_segments, 2);
        engine.backed_up(engine.status().sequence);
        gate.is_armed.store(true, Ordering::SeqCst);
        let sync = tokio::spawn({
            let engine = Arc::clone(&engine);
            async move { engine.sync().await }
        });
        tokio::task::spawn_blocking(move || is_reached.recv().unwrap()).await.unwrap();
        Self { place, engine, sync, thaw }
    }

    /// Whatever waits to be applied is applied.
    async fn thaw(self) -> (Sled, Arc<SledEngine>) {
        self.thaw.send(()).unwrap();
        self.sync.await.unwrap().unwrap();
        self.engine.sync().await.unwrap();
        (self.place, self.engine)
    }
}

fn keys(entries: &[Entry]) -> Vec<&[u8]> {
    entries.iter().map(|(key, _)| key.as_slice()).filter(|key| !key.starts_with(b"x")).collect()
}

const PLENTY: usize = 4 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_counts_before_it_is_applied() {
    let frozen = Frozen::new(PLENTY).await;
    let engine = Arc::clone(&frozen.engine);
    engine.commit(Batch { delete: vec![b"b".to_vec()], ..put(b"a", b"2") }).await.unwrap();
    engine.commit(expecting(put(b"c", &[5; 9_000]), b"a", Some(b"2"))).await.unwrap();
    let refused = engine.commit(expecting(put(b"d", b""), b"b", Some(b"1"))).await;
    assert_eq!(refused, Err(EngineError::Conflict { key: b"b".to_vec() }));

    assert_eq!(engine.get(b"a").await, Ok(Some(b"2".to_vec())));
    assert_eq!(engine.get(b"b").await, Ok(None));
    let expected = everything(&*engine).await.unwrap();
    assert_eq!(keys(&expected), [b"a".as_slice(), b"applied", b"c"]);
    drop(engine);
    let (place, engine) = frozen.thaw().await;
    assert_eq!(engine.status().entries, 23);
    assert!(everything(&*engine).await.unwrap() == expected);
    drop(engine);
    assert!(everything(&place.open_engine()).await.unwrap() == expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_before_it_has_applied_what_it_acknowledged_loses_nothing() {
    let frozen = Frozen::new(PLENTY).await;
    for number in 0..50_u8 {
        frozen.engine.commit(put(&[b'n', number], &[number; 300])).await.unwrap();
    }
    frozen.engine.commit(delete(b"applied")).await.unwrap();
    let expected = everything(&*frozen.engine).await.unwrap();
    let data = frozen.place.directory.path().join("data");
    let copy = frozen.place.directory.path().join("copy");
    assert!(Command::new("cp").arg("-a").args([&data, &copy]).status().unwrap().success());
    let (_place, _engine) = frozen.thaw().await;
    let engine = SledEngine::open(&options(&copy)).unwrap();
    assert!(everything(&engine).await.unwrap() == expected);
    assert_eq!(engine.status().sequence, 73);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_commits_more_than_may_wait_waits_until_it_is_applied() {
    let frozen = Frozen::new(1).await;
    frozen.engine.commit(put(b"a", b"1")).await.unwrap();
    let engine = Arc::clone(&frozen.engine);
    let mut second = tokio::spawn(async move { engine.commit(put(b"b", b"2")).await });
    let early = tokio::time::timeout(Duration::from_millis(200), &mut second).await;
    assert!(early.is_err(), "it was committed, and there was no room for it");
    assert_eq!(frozen.engine.get(b"b").await, Ok(Some(b"1".to_vec())));
    let (_place, engine) = frozen.thaw().await;
    assert_eq!(second.await.unwrap(), Ok(24));
    assert_eq!(engine.get(b"b").await, Ok(Some(b"2".to_vec())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_does_not_wait_for_who_waits_for_room() {
    let frozen = Frozen::new(1).await;
    frozen.engine.commit(put(b"a", b"1")).await.unwrap();
    let commits: Vec<_> = (0..8_u8)
        .map(|number| {
            let engine = Arc::clone(&frozen.engine);
            tokio::spawn(async move { engine.commit(put(&[b'n', number], b"1")).await })
        })
        .collect();
    let engine = Arc::clone(&frozen.engine);
    let closed = tokio::spawn(async move { engine.close().await });
    frozen.thaw.send(()).unwrap();
    frozen.sync.await.unwrap().unwrap();
    assert_eq!(closed.await.unwrap(), Ok(()));
    let mut committed = 0;
    for commit in commits {
        match commit.await.unwrap() {
            Ok(_) => committed += 1,
            Err(error) => assert_eq!(error.code(), "CD1006"),
        }
    }
    drop(frozen.engine);
    let engine = frozen.place.open_engine();
    let found = everything(&engine).await.unwrap();
    assert_eq!(keys(&found).iter().filter(|key| key.starts_with(b"n")).count(), committed);
}
