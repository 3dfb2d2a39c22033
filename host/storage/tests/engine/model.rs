//! Random batches against a map, with reopenings at random moments.

use std::collections::BTreeMap;

use cofferdam_storage::{Batch, EngineError, Entry, Expect, Scan};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::factory::{Factory, Hasty, Memory, Sled, everything};

#[derive(Debug, Clone)]
enum Step {
    Commit(Batch),
    Scan(Scan),
    Reopen,
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Few keys, so that they meet.
fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(prop::sample::select(vec![0_u8, 1, 255]), 0..3)
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..4), (0_usize..3000).prop_map(|length| vec![7; length])]
}

fn batch() -> impl Strategy<Value = Batch> {
    let expect = (key(), prop::option::of(vec(any::<u8>(), 0..2)));
    let expect = vec(expect.prop_map(|(key, value)| Expect { key, value }), 0..2);
    (expect, vec((key(), value()), 0..6), vec(key(), 0..4)).prop_map(|(expect, put, delete)| Batch {
        expect,
        put,
        delete,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let scan = (key(), prop::option::of(key()), 0_usize..5);
    prop_oneof![
        8 => batch().prop_map(Step::Commit),
        3 => scan.prop_map(|(prefix, after, limit)| Step::Scan(Scan { prefix, after, limit })),
        1 => Just(Step::Reopen),
    ]
}

fn commit(model: &mut Model, batch: Batch) -> bool {
    if batch.expect.iter().any(|one| model.get(&one.key) != one.value.as_ref()) {
        return false;
    }
    batch.delete.iter().for_each(|key| drop(model.remove(key)));
    model.extend(batch.put);
    true
}

fn scan(model: &Model, scan: &Scan) -> Vec<Entry> {
    let wanted = model.iter().filter(|(key, _)| {
        key.starts_with(&scan.prefix) && scan.after.as_ref().is_none_or(|after| *key > after)
    });
    wanted.take(scan.limit).map(|(key, value)| (key.clone(), value.clone())).collect()
}

async fn run<F: Factory>(steps: Vec<Step>) {
    let factory = F::new();
    let mut engine = factory.open().await;
    let mut model = Model::new();
    let mut sequence = 0;
    for step in steps {
        match step {
            Step::Commit(batch) => match engine.commit(batch.clone()).await {
                Ok(found) => {
                    sequence += 1;
                    assert_eq!(found, sequence);
                    assert!(commit(&mut model, batch), "an expectation was not held");
                }
                Err(EngineError::Conflict { .. }) => assert!(!commit(&mut model.clone(), batch)),
                Err(error) => panic!("{error}"),
            },
            Step::Scan(wanted) => {
                assert_eq!(engine.scan(wanted.clone()).await.unwrap(), scan(&model, &wanted))
            }
            Step::Reopen => drop(factory.reopen(&mut engine).await),
        }
    }
    factory.reopen(&mut engine).await;
    let expected: Vec<Entry> = model.into_iter().collect();
    assert_eq!(everything(&*engine).await.unwrap(), expected);
}

fn check_over<F: Factory>(cases: u32) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let steps = vec(step(), 1..40);
    runner
        .run(&steps, |steps| {
            runtime.block_on(run::<F>(steps));
            Ok(())
        })
        .unwrap();
}

fn long() -> bool {
    std::env::var_os("COFFERDAM_TEST_LONG").is_some()
}

#[test]
fn memory_does_what_a_map_does() {
    check_over::<Memory>(if long() { 5_000 } else { 500 });
}

#[test]
fn sled_does_what_a_map_does() {
    check_over::<Sled>(if long() { 500 } else { 25 });
}

#[test]
fn sled_that_applies_at_once_does_what_a_map_does() {
    check_over::<Hasty>(if long() { 500 } else { 25 });
}
