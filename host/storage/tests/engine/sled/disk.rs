//! Disks that fail: a sync that does not succeed, a write that finds no room.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cofferdam_storage::sled::{Disk, OpenError, SledEngine};
use cofferdam_storage::{Engine, EngineError};

use crate::factory::{Factory, Sled, everything, put};

/// The n-th sync fails, and every one after it.
struct Unsynced {
    left: AtomicUsize,
}

impl Unsynced {
    fn after(count: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(count) })
    }

    fn step(&self) -> io::Result<()> {
        let step = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        step.map(drop).map_err(|_| io::Error::other("the disk has lost what was written"))
    }
}

impl Disk for Unsynced {
    fn sync(&self, file: &File) -> io::Result<()> {
        self.step()?;
        file.sync_data()
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        File::open(path)?.sync_all()
    }
}

#[tokio::test]
async fn a_failed_sync_stops_the_engine_and_loses_nothing_that_was_acknowledged() {
    let mut stopped = 0;
    for count in 0..40 {
        let place = Sled::new();
        let mut acknowledged = 0_u8;
        match SledEngine::open(&place.options().disk(Unsynced::after(count))) {
            Err(error) => assert!(matches!(error, OpenError::File { .. }), "sync {count}: {error}"),
            Ok(engine) => {
                let failure = loop {
                    match engine.commit(put(&[acknowledged], &[1])).await {
                        Ok(_) => acknowledged += 1,
                        Err(error) => break error,
                    }
                };
                assert!(matches!(failure, EngineError::Stopped { .. }), "{failure}");
                // Nothing is served or written after it, though the next sync might succeed.
                assert_eq!(engine.get(&[0]).await, Err(failure.clone()));
                assert_eq!(engine.commit(put(b"a", b"1")).await, Err(failure.clone()));
                assert_eq!(engine.close().await, Err(failure));
                stopped += 1;
            }
        }
        let engine = place.open_engine();
        let found = everything(&engine).await.unwrap();
        let found: Vec<u8> = found.into_iter().map(|(key, _)| key[0]).collect();
        let expected: Vec<u8> = (0..acknowledged).collect();
        let unknown: Vec<u8> = (0..=acknowledged).collect();
        assert!(found == expected || found == unknown, "sync {count}: {found:?} of {expected:?}");
    }
    assert!(stopped > 10, "only {stopped} engines came as far as a commit");
}

/// The n-th write is cut in the middle; those after it succeed.
struct Short {
    left: AtomicUsize,
}

impl Disk for Short {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.write_all_at(bytes, offset)
    }
}

#[tokio::test]
async fn a_write_that_finds_no_room_is_refused_and_the_next_one_succeeds() {
    for cut in 3..9 {
        let place = Sled::new();
        let engine =
            SledEngine::open(&place.options().disk(Arc::new(Short { left: AtomicUsize::new(cut) }))).unwrap();
        let mut expected = Vec::new();
        let mut refusals = 0;
        for number in 0..10_u8 {
            match engine.commit(put(&[number], &[number; 500])).await {
                Ok(_) => expected.push((vec![number], vec![number; 500])),
                Err(error) => {
                    assert_eq!(error.code(), "CD1005");
                    refusals += 1;
                }
            }
        }
        assert_eq!(refusals, 1);
        assert_eq!(everything(&engine).await.unwrap(), expected);
        drop(engine);
        assert_eq!(everything(&place.open_engine()).await.unwrap(), expected);
    }
}
