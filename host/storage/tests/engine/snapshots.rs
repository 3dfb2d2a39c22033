//! Snapshots are the state at one commit, whatever happens while they are read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cofferdam_storage::{Batch, Engine, Entry, Sequence, SnapshotItem};

use crate::factory::{Factory, engines, everything, put};

engines!(
    a_snapshot_of_a_quiet_engine_is_everything,
    a_snapshot_under_writes_is_the_state_at_its_commit,
    a_snapshot_that_is_dropped_early_harms_nobody,
);

async fn read(engine: &dyn Engine) -> (Sequence, BTreeMap<Vec<u8>, Vec<u8>>) {
    let mut snapshot = engine.snapshot().await.unwrap();
    let mut state = BTreeMap::new();
    loop {
        let items = snapshot.next().await.unwrap();
        if items.is_empty() {
            return (snapshot.sequence(), state);
        }
        for item in items {
            match item {
                SnapshotItem::Put((key, value)) => drop(state.insert(key, value)),
                SnapshotItem::Delete(key) => drop(state.remove(&key)),
            }
        }
    }
}

async fn a_snapshot_of_a_quiet_engine_is_everything(factory: impl Factory) {
    let engine = factory.open().await;
    assert_eq!(read(&*engine).await, (0, BTreeMap::new()));
    for number in 0..300_u32 {
        engine.commit(put(&number.to_be_bytes(), &vec![1; 5_000])).await.unwrap();
    }
    let (sequence, state) = read(&*engine).await;
    assert_eq!(sequence, 300);
    assert_eq!(state.into_iter().collect::<Vec<Entry>>(), everything(&*engine).await.unwrap());
}

/// Commit number n writes n to two keys that lie far apart, deletes a third, and so on round robin: so the state at every
/// commit is known, and a mixture of two of them is not one of them.
fn nth(number: u64) -> Batch {
    let slot = u8::try_from(number % 50).unwrap();
    let value = number.to_be_bytes().to_vec();
    let put = vec![(vec![0, slot], value.clone()), (vec![200, slot], [value, vec![3; 2_000]].concat())];
    Batch { put, delete: vec![vec![100, slot], vec![0, (slot + 7) % 50]], ..Batch::default() }
}

fn state_at(sequence: Sequence) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut state = BTreeMap::new();
    for number in 1..=sequence {
        let batch = nth(number);
        batch.delete.iter().for_each(|key| drop(state.remove(key)));
        state.extend(batch.put);
    }
    state
}

/// The newest commit that a reader can see.
async fn newest(engine: &dyn Engine) -> Sequence {
    let numbers = everything(engine).await.unwrap().into_iter();
    numbers.map(|(_, value)| u64::from_be_bytes(*value.first_chunk().unwrap())).max().unwrap_or_default()
}

async fn a_snapshot_under_writes_is_the_state_at_its_commit(factory: impl Factory) {
    let engine = factory.open().await;
    let is_done = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (engine, is_done) = (Arc::clone(&engine), Arc::clone(&is_done));
        async move {
            let mut number = 0;
            while !is_done.load(Ordering::Relaxed) {
                number += 1;
                assert_eq!(engine.commit(nth(number)).await, Ok(number));
                tokio::task::yield_now().await;
            }
        }
    });
    let mut last = 0;
    for _ in 0..15 {
        let before = newest(&*engine).await;
        let (sequence, state) = read(&*engine).await;
        assert!(sequence >= before.max(last), "the snapshot is older than what was there when it began");
        assert!(state == state_at(sequence), "the snapshot is not the state at commit {sequence}");
        last = sequence;
    }
    is_done.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

async fn a_snapshot_that_is_dropped_early_harms_nobody(factory: impl Factory) {
    let engine = factory.open().await;
    for number in 0..200_u32 {
        engine.commit(put(&number.to_be_bytes(), &[1; 100])).await.unwrap();
    }
    let mut snapshot = engine.snapshot().await.unwrap();
    assert!(!snapshot.next().await.unwrap().is_empty());
    drop(snapshot);
    assert_eq!(engine.commit(put(b"a", b"1")).await, Ok(201));
    assert_eq!(read(&*engine).await.0, 201);
}
