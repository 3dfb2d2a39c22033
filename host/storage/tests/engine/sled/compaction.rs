//! Space is given back by copying; a crash at any step leaves exactly one live database.

use std::fs;
use std::path::Path;

use cofferdam_storage::{Engine, Entry};

use super::child::current;
use crate::factory::{Factory, Sled, delete, everything, put};

/// Fills the database beyond 32 MiB and deletes nearly all of it.
async fn wasteful(place: &Sled) -> (cofferdam_storage::SledEngine, Vec<Entry>) {
    let engine = place.open_engine();
    for number in 0..900_u32 {
        engine.commit(put(&number.to_be_bytes(), &[7; 60_000])).await.unwrap();
    }
    for number in 0..890_u32 {
        engine.commit(delete(&number.to_be_bytes())).await.unwrap();
    }
    let expected = everything(&engine).await.unwrap();
    assert_eq!(expected.len(), 10);
    engine.sync().await.unwrap();
    (engine, expected)
}

fn databases(directory: &Path) -> Vec<String> {
    let names =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("db-")).collect()
}

#[tokio::test]
async fn a_wasteful_database_is_copied_while_it_is_read() {
    let place = Sled::new();
    let directory = place.directory.path().join("data");
    let (engine, expected) = wasteful(&place).await;
    let before = engine.status();
    assert!(before.disk_bytes > 3 * before.live_bytes, "{before:?}");
    let mut snapshot = engine.snapshot().await.unwrap();
    assert!(engine.compact_if_needed().await.unwrap());
    let after = engine.status();
    assert!(after.disk_bytes < before.disk_bytes / 2, "{before:?} {after:?}");
    assert_eq!((after.sequence, after.entries, after.live_bytes), (1790, 10, before.live_bytes));
    assert_eq!(everything(&engine).await.unwrap(), expected);
    assert_eq!(databases(&directory), ["db-2"]);
    // A snapshot that began before goes on in the old one.
    assert_eq!(snapshot.next().await.unwrap().len(), 10);
    assert!(!engine.compact_if_needed().await.unwrap(), "there is nothing more to gain");
    engine.commit(put(b"a", b"1")).await.unwrap();
    engine.close().await.unwrap();
    drop(engine);
    assert_eq!(everything(&place.open_engine()).await.unwrap().len(), 11);
}

#[tokio::test]
async fn a_wasteful_database_is_copied_at_the_opening() {
    let place = Sled::new();
    let (engine, expected) = wasteful(&place).await;
    engine.close().await.unwrap();
    drop(engine);
    let engine = place.open_engine();
    assert_eq!(everything(&engine).await.unwrap(), expected);
    assert_eq!(databases(&place.directory.path().join("data")), ["db-2"]);
}

#[tokio::test]
async fn what_a_cut_off_copy_has_left_is_removed() {
    let place = Sled::new();
    let directory = place.directory.path().join("data");
    let engine = place.open_engine();
    engine.commit(put(b"a", b"1")).await.unwrap();
    engine.close().await.unwrap();
    drop(engine);
    // Cut off before the switch: a half-made copy, and perhaps the half-written name of it.
    fs::create_dir(directory.join("db-2")).unwrap();
    fs::write(directory.join("db-2/db"), b"half").unwrap();
    fs::write(directory.join("CURRENT.new"), b"db-").unwrap();
    let engine = place.open_engine();
    assert_eq!(engine.get(b"a").await, Ok(Some(b"1".to_vec())));
    assert_eq!(databases(&directory), ["db-1"]);
    drop(engine);
    // Cut off behind the switch: the old one is still there.
    fs::rename(directory.join("db-1"), directory.join("db-2")).unwrap();
    fs::create_dir(directory.join("db-1")).unwrap();
    fs::write(directory.join("CURRENT"), current("db-2")).unwrap();
    let engine = place.open_engine();
    assert_eq!(engine.get(b"a").await, Ok(Some(b"1".to_vec())));
    assert_eq!(databases(&directory), ["db-2"]);
    drop(engine);
    // What was kept aside is not a leftover.
    fs::create_dir(directory.join("db-1.broken-1")).unwrap();
    drop(place.open_engine());
    assert!(directory.join("db-1.broken-1").is_dir());
}
