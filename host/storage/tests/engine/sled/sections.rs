//! Scans over many changes, of which some are in the database, some are being applied and some wait.

use std::collections::BTreeMap;

use cofferdam_storage::{Batch, Engine, Scan};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::factory::{Factory, Sled, everything};

const KEYS: u32 = 1_200;

/// Batches, and behind which of them the database is brought up to date.
#[derive(Debug, Clone)]
struct Case {
    batches: Vec<Vec<(u32, Option<u16>)>>,
    synced: usize,
    scans: Vec<(Option<u32>, usize)>,
}

/// Runs of neighbours too: a whole section may be deletions.
fn change() -> impl Strategy<Value = Vec<(u32, Option<u16>)>> {
    let value = prop::option::weighted(0.5, 0_u16..6_000);
    let run = (0..KEYS, 1_u32..128, value);
    run.prop_map(|(first, count, value)| (first..first + count).map(|key| (key, value)).collect())
}

fn case() -> impl Strategy<Value = Case> {
    let batches = prop::collection::vec(change(), 10..40);
    let scan = (prop::option::of(0..KEYS), prop_oneof![Just(1_usize), 1_usize..300, Just(usize::MAX)]);
    (batches, 0_usize..40, prop::collection::vec(scan, 1..8)).prop_map(|(batches, synced, scans)| Case {
        batches,
        synced,
        scans,
    })
}

fn key(number: u32) -> Vec<u8> {
    [b"k".as_slice(), &number.to_be_bytes()].concat()
}

async fn check(case: Case) {
    let place = Sled::new();
    let engine = place.open_engine();
    let mut model = BTreeMap::new();
    for (number, changes) in case.batches.into_iter().enumerate() {
        let mut batch = Batch::default();
        for (at, value) in changes {
            match value.map(|length| vec![u8::try_from(number).unwrap(); usize::from(length)]) {
                Some(value) => {
                    model.insert(key(at), value.clone());
                    batch.put.push((key(at), value));
                }
                None => {
                    model.remove(&key(at));
                    batch.delete.push(key(at));
                }
            }
        }
        engine.commit(batch).await.unwrap();
        if number == case.synced {
            engine.sync().await.unwrap();
        }
    }
    for (after, limit) in case.scans {
        let after = after.map(key);
        let found = engine.scan(Scan { prefix: b"k".to_vec(), after: after.clone(), limit }).await.unwrap();
        let wanted = model.iter().filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
        let wanted: Vec<_> = wanted.take(found.len().max(1)).collect();
        assert!(found.iter().map(|(key, value)| (key, value)).eq(wanted), "a scan gives something else");
        let bytes: usize = found.iter().map(|(key, value)| key.len() + value.len()).sum();
        let rest = model.iter().filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after)).count();
        assert!(found.len() == limit.min(rest) || bytes >= 4 << 20, "a scan ends early at {}", found.len());
    }
    assert!(everything(&engine).await.unwrap().into_iter().eq(model));
}

#[test]
fn scans_over_what_is_applied_and_what_waits_find_what_is_true() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cases = if std::env::var_os("COFFERDAM_TEST_LONG").is_some() { 400 } else { 16 };
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    runner
        .run(&case(), |case| {
            runtime.block_on(check(case));
            Ok(())
        })
        .unwrap();
}
