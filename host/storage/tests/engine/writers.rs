//! Many writers at once, and writers that go away.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_storage::{Engine, EngineError};

use crate::factory::{Factory, engines, everything, expecting, put};

engines!(
    of_writers_that_expect_the_same_exactly_one_wins,
    counters_lose_no_increment,
    a_batch_whose_future_is_dropped_is_whole_or_not_there,
);

async fn of_writers_that_expect_the_same_exactly_one_wins(factory: impl Factory) {
    let engine = factory.open().await;
    for round in 0..20_u8 {
        let writers: Vec<_> = (0..32_u8)
            .map(|writer| {
                let engine = Arc::clone(&engine);
                tokio::spawn(async move {
                    engine.commit(expecting(put(&[round], &[writer]), &[round], None)).await
                })
            })
            .collect();
        let mut winners = Vec::new();
        for (writer, task) in (0..).zip(writers) {
            match task.await.unwrap() {
                Ok(_) => winners.push(writer),
                Err(EngineError::Conflict { key }) => assert_eq!(key, [round]),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(engine.get(&[round]).await, Ok(Some(winners)));
    }
}

/// Reads and adds one, again and again until nobody was faster.
async fn increment(engine: &dyn Engine, key: &[u8]) {
    loop {
        let old = engine.get(key).await.unwrap();
        let count = old.as_deref().map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
        let batch = expecting(put(key, &(count + 1).to_be_bytes()), key, old.as_deref());
        match engine.commit(batch).await {
            Ok(_) => return,
            Err(EngineError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn counters_lose_no_increment(factory: impl Factory) {
    let mut engine = factory.open().await;
    let writers: Vec<_> = (0..16_usize)
        .map(|writer| {
            let engine = Arc::clone(&engine);
            tokio::spawn(async move {
                for step in 0..12 {
                    increment(&*engine, &[u8::try_from((writer + step) % 3).unwrap()]).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let expected: Vec<_> = (0..3_u8).map(|key| (vec![key], 64_u64.to_be_bytes().to_vec())).collect();
    assert_eq!(everything(&*engine).await.unwrap(), expected);
    if factory.reopen(&mut engine).await {
        assert_eq!(everything(&*engine).await.unwrap(), expected);
    }
}

async fn a_batch_whose_future_is_dropped_is_whole_or_not_there(factory: impl Factory) {
    let mut engine = factory.open().await;
    let mut kept = Vec::new();
    for number in 0..60_u8 {
        let mut batch = put(&[number, 1], b"one");
        batch.put.push((vec![number, 2], b"two".to_vec()));
        let commit = engine.commit(batch);
        // Some futures are never looked at, some end within the time, most are dropped while they wait.
        let patience = Duration::from_micros(u64::from(number % 10) * 400);
        if let Ok(result) = tokio::time::timeout(patience, commit).await {
            result.unwrap();
            kept.push(number);
        }
    }
    // A later commit comes after all of them.
    engine.commit(put(b"last", b"")).await.unwrap();
    let check = async |engine: &dyn Engine| {
        for number in 0..60_u8 {
            let one = engine.get(&[number, 1]).await.unwrap();
            let two = engine.get(&[number, 2]).await.unwrap();
            assert_eq!(one.is_some(), two.is_some(), "batch {number} was torn");
            assert!(one.is_some() || !kept.contains(&number), "batch {number} was acknowledged and is gone");
        }
    };
    check(&*engine).await;
    if factory.reopen(&mut engine).await {
        check(&*engine).await;
    }
}
