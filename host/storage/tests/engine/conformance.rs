//! What every engine promises, rule by rule.

use cofferdam_storage::{
    BATCH_BYTES_MAX, BATCH_OPERATIONS_MAX, Batch, Engine, EngineError, Entry, KEY_BYTES_MAX, Scan,
    VALUE_BYTES_MAX,
};

use crate::factory::{Factory, delete, engines, everything, expecting, put};

engines!(
    a_value_is_there_once_it_is_committed_and_gone_once_it_is_deleted,
    sequences_rise_by_one_from_one_also_over_a_reopening,
    a_conflict_changes_nothing_and_names_the_key,
    what_is_expected_may_be_absence,
    a_put_wins_over_a_delete_of_the_same_batch,
    scans_ascend_and_stop_at_prefix_after_and_limit,
    a_scan_of_large_values_ends_early_and_goes_on_behind_its_last_key,
    every_limit_is_reached_and_not_passed,
    an_empty_batch_is_a_commit,
    any_bytes_are_keys_and_values,
    everything_is_there_after_a_reopening,
);

async fn keys(engine: &dyn Engine, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<Vec<u8>> {
    let scan = Scan { prefix: prefix.to_vec(), after: after.map(<[u8]>::to_vec), limit };
    engine.scan(scan).await.unwrap().into_iter().map(|(key, _)| key).collect()
}

async fn a_value_is_there_once_it_is_committed_and_gone_once_it_is_deleted(factory: impl Factory) {
    let engine = factory.open().await;
    assert_eq!(engine.get(b"a").await, Ok(None));
    engine.commit(put(b"a", b"1")).await.unwrap();
    assert_eq!(engine.get(b"a").await, Ok(Some(b"1".to_vec())));
    engine.commit(put(b"a", b"2")).await.unwrap();
    assert_eq!(engine.get(b"a").await, Ok(Some(b"2".to_vec())));
    engine.commit(delete(b"a")).await.unwrap();
    assert_eq!(engine.get(b"a").await, Ok(None));
    engine.commit(delete(b"a")).await.unwrap();
}

async fn sequences_rise_by_one_from_one_also_over_a_reopening(factory: impl Factory) {
    let mut engine = factory.open().await;
    for expected in 1..=3 {
        assert_eq!(engine.commit(put(b"a", b"1")).await, Ok(expected));
    }
    let refused = engine.commit(expecting(put(b"a", b"2"), b"a", None)).await;
    assert!(matches!(refused, Err(EngineError::Conflict { .. })));
    assert_eq!(engine.commit(put(b"a", b"2")).await, Ok(4));
    if factory.reopen(&mut engine).await {
        assert_eq!(engine.commit(put(b"a", b"3")).await, Ok(5));
    }
}

async fn a_conflict_changes_nothing_and_names_the_key(factory: impl Factory) {
    let engine = factory.open().await;
    engine.commit(put(b"a", b"1")).await.unwrap();
    let mut batch = Batch { delete: vec![b"a".to_vec()], ..put(b"b", b"2") };
    batch = expecting(expecting(batch, b"a", Some(b"1")), b"c", Some(b"3"));
    assert_eq!(engine.commit(batch).await, Err(EngineError::Conflict { key: b"c".to_vec() }));
    assert_eq!(everything(&*engine).await, Ok(vec![(b"a".to_vec(), b"1".to_vec())]));
}

async fn what_is_expected_may_be_absence(factory: impl Factory) {
    let engine = factory.open().await;
    let create = || expecting(put(b"a", b"1"), b"a", None);
    engine.commit(create()).await.unwrap();
    assert_eq!(engine.commit(create()).await, Err(EngineError::Conflict { key: b"a".to_vec() }));
    // An empty value is there.
    engine.commit(put(b"a", b"")).await.unwrap();
    assert_eq!(engine.commit(create()).await, Err(EngineError::Conflict { key: b"a".to_vec() }));
    engine.commit(expecting(delete(b"a"), b"a", Some(b""))).await.unwrap();
    engine.commit(create()).await.unwrap();
}

async fn a_put_wins_over_a_delete_of_the_same_batch(factory: impl Factory) {
    let mut engine = factory.open().await;
    engine.commit(put(b"a", b"1")).await.unwrap();
    let mut batch = Batch { delete: vec![b"a".to_vec()], ..put(b"a", b"2") };
    batch.put.push((b"a".to_vec(), b"3".to_vec()));
    engine.commit(batch).await.unwrap();
    assert_eq!(engine.get(b"a").await, Ok(Some(b"3".to_vec())));
    factory.reopen(&mut engine).await;
    engine.commit(put(b"b", b"")).await.unwrap();
}

async fn scans_ascend_and_stop_at_prefix_after_and_limit(factory: impl Factory) {
    let engine = factory.open().await;
    for key in [b"b".as_slice(), b"ab", b"\xff", b"a", b"abc", b"", b"\xff\xff", b"ac", b"\0"] {
        engine.commit(put(key, b"x")).await.unwrap();
    }
    let all: [&[u8]; 9] = [b"", b"\0", b"a", b"ab", b"abc", b"ac", b"b", b"\xff", b"\xff\xff"];
    assert_eq!(keys(&*engine, b"", None, 100).await, all);
    assert_eq!(keys(&*engine, b"ab", None, 100).await, [b"ab".as_slice(), b"abc"]);
    assert_eq!(keys(&*engine, b"a", Some(b"ab"), 100).await, [b"abc".as_slice(), b"ac"]);
    assert_eq!(keys(&*engine, b"", Some(b"a"), 2).await, [b"ab".as_slice(), b"abc"]);
    assert_eq!(keys(&*engine, b"", Some(b""), 1).await, [b"\0".as_slice()]);
    assert_eq!(keys(&*engine, b"\xff", None, 100).await, [b"\xff".as_slice(), b"\xff\xff"]);
    // Behind a key before the prefix everything of the prefix comes, behind one after it nothing.
    assert_eq!(keys(&*engine, b"ab", Some(b"a"), 100).await, [b"ab".as_slice(), b"abc"]);
    assert_eq!(keys(&*engine, b"ab", Some(b"b"), 100).await, Vec::<Vec<u8>>::new());
    assert_eq!(keys(&*engine, b"", None, 0).await, Vec::<Vec<u8>>::new());
    assert_eq!(keys(&*engine, b"c", None, 100).await, Vec::<Vec<u8>>::new());
}

async fn a_scan_of_large_values_ends_early_and_goes_on_behind_its_last_key(factory: impl Factory) {
    let engine = factory.open().await;
    let value = vec![5; VALUE_BYTES_MAX];
    for number in 0..100_u8 {
        engine.commit(put(&[number], &value)).await.unwrap();
    }
    let page = keys(&*engine, b"", None, 1000).await;
    assert!(!page.is_empty() && page.len() < 100, "{} entries of 64 KiB came at once", page.len());
    let found = everything(&*engine).await.unwrap();
    let expected: Vec<Entry> = (0..100).map(|number| (vec![number], value.clone())).collect();
    assert!(found == expected);
}

fn too_large(result: Result<u64, EngineError>) -> (&'static str, usize, usize) {
    match result {
        Err(EngineError::TooLarge { what, found, limit }) => (what, found, limit),
        other => panic!("{other:?} is not a limit"),
    }
}

async fn every_limit_is_reached_and_not_passed(factory: impl Factory) {
    let mut engine = factory.open().await;
    let key = |length: usize| vec![b'k'; length];
    engine.commit(put(&key(KEY_BYTES_MAX), &vec![1; VALUE_BYTES_MAX])).await.unwrap();
    let long = engine.commit(put(&key(KEY_BYTES_MAX + 1), b"")).await;
    assert_eq!(too_large(long), ("a key's bytes", KEY_BYTES_MAX + 1, KEY_BYTES_MAX));
    let large = engine.commit(put(b"a", &vec![1; VALUE_BYTES_MAX + 1])).await;
    assert_eq!(too_large(large), ("a value's bytes", VALUE_BYTES_MAX + 1, VALUE_BYTES_MAX));
    assert_eq!(engine.get(&key(KEY_BYTES_MAX + 1)).await, Ok(None));

    let many = |count: usize| Batch {
        put: (0..count).map(|number| (number.to_be_bytes().to_vec(), Vec::new())).collect(),
        ..Batch::default()
    };
    engine.commit(many(BATCH_OPERATIONS_MAX)).await.unwrap();
    let operations = engine.commit(many(BATCH_OPERATIONS_MAX + 1)).await;
    let limit = BATCH_OPERATIONS_MAX;
    assert_eq!(too_large(operations), ("a batch's number of operations", limit + 1, limit));

    // Sixteen values of nearly 64 KiB and one that fills the batch up to the byte.
    let filled = |bytes: usize| {
        let mut batch: Batch = Batch::default();
        batch.put.extend((0..16_u8).map(|number| (vec![b'f', number], vec![number; VALUE_BYTES_MAX - 100])));
        let rest = bytes - batch.byte_count() - 2;
        batch.put.push((b"f~".to_vec(), vec![0; rest]));
        batch
    };
    engine.commit(filled(BATCH_BYTES_MAX)).await.unwrap();
    let bytes = engine.commit(filled(BATCH_BYTES_MAX + 1)).await;
    assert_eq!(too_large(bytes), ("a batch's bytes", BATCH_BYTES_MAX + 1, BATCH_BYTES_MAX));

    let before = everything(&*engine).await.unwrap();
    assert_eq!(before.len(), 1 + BATCH_OPERATIONS_MAX + 17);
    if factory.reopen(&mut engine).await {
        assert!(everything(&*engine).await.unwrap() == before);
    }
}

async fn an_empty_batch_is_a_commit(factory: impl Factory) {
    let mut engine = factory.open().await;
    assert_eq!(engine.commit(Batch::default()).await, Ok(1));
    factory.reopen(&mut engine).await;
    assert_eq!(everything(&*engine).await, Ok(Vec::new()));
}

async fn any_bytes_are_keys_and_values(factory: impl Factory) {
    let mut engine = factory.open().await;
    for byte in 0..=u8::MAX {
        engine.commit(put(&[byte, 0, byte], &[byte; 3])).await.unwrap();
    }
    engine.commit(put(b"", b"")).await.unwrap();
    factory.reopen(&mut engine).await;
    if engine.get(b"").await.unwrap().is_none() {
        return assert!(everything(&*engine).await.unwrap().is_empty(), "a part was kept");
    }
    for byte in 0..=u8::MAX {
        assert_eq!(engine.get(&[byte, 0, byte]).await, Ok(Some(vec![byte; 3])));
    }
}

async fn everything_is_there_after_a_reopening(factory: impl Factory) {
    let mut engine = factory.open().await;
    for number in 0..500_u32 {
        let mut batch = put(&number.to_be_bytes(), format!("value {number}").as_bytes());
        if number >= 100 {
            batch.delete.push((number - 100).to_be_bytes().to_vec());
        }
        engine.commit(batch).await.unwrap();
    }
    let before = everything(&*engine).await.unwrap();
    assert_eq!(before.len(), 100);
    for _ in 0..2 {
        if factory.reopen(&mut engine).await {
            assert_eq!(everything(&*engine).await.unwrap(), before);
        }
    }
}
