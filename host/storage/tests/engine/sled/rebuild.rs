//! Broken databases: kept aside and built anew, or refused with what is missing.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use cofferdam_storage::sled::{BackupItems, NewestBackup, OpenError, Probe, SledEngine};
use cofferdam_storage::{Engine, Entry, Sequence, SnapshotItem};

use super::child::{SelfProbe, current, options, play_probe};
use crate::factory::{Factory, Sled, everything, put};

const PROBE: &str =
    "sled::rebuild::a_broken_database_is_noticed_by_the_probe_and_built_anew_from_the_journal";

/// Leaves the directory as a crash does: the database has not been closed.
async fn crash(place: &Sled, commits: u32) -> Vec<Entry> {
    let engine = place.open_engine();
    for number in 0..commits {
        engine.commit(put(&number.to_be_bytes(), &[6; 200])).await.unwrap();
    }
    // From here on sled does not look at these pages when it opens, only when somebody reads them.
    drop(engine);
    let engine = place.open_engine();
    for number in 0..commits {
        engine.commit(put(&number.to_be_bytes(), &[7; 200])).await.unwrap();
    }
    engine.sync().await.unwrap();
    let expected = everything(&engine).await.unwrap();
    let (live, copy) = (place.directory.path().join("data"), place.directory.path().join("copy"));
    assert!(Command::new("cp").arg("-a").args([&live, &copy]).status().unwrap().success());
    drop(engine);
    fs::remove_dir_all(&live).unwrap();
    fs::rename(copy, live).unwrap();
    expected
}

fn overwrite(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    for byte in bytes.iter_mut().skip(100).step_by(50).take(500) {
        *byte ^= 0x55;
    }
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_broken_database_is_noticed_by_the_probe_and_built_anew_from_the_journal() {
    play_probe();
    let place = Sled::new();
    let expected = crash(&place, 200).await;
    let directory = place.directory.path().join("data");
    overwrite(&directory.join("db-1/db"));
    let engine = SledEngine::open(&options(&directory).probe(Arc::new(SelfProbe(PROBE)))).unwrap();
    assert_eq!(everything(&engine).await.unwrap(), expected);
    assert_eq!(engine.status().sequence, 400);
    assert!(directory.join("db-1.broken-1/db").is_file());
    assert_eq!(engine.commit(put(b"a", b"1")).await, Ok(401));
}

struct AlwaysBroken;

impl Probe for AlwaysBroken {
    fn command(&self, _database: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "echo it hangs >&2; exit 3"]);
        command
    }
}

#[tokio::test]
async fn what_the_probe_refuses_is_kept_aside_each_time_under_another_name() {
    let place = Sled::new();
    let directory = place.directory.path().join("data");
    for round in 1..=3_u32 {
        let expected = crash(&place, round * 10).await;
        let engine = SledEngine::open(&options(&directory).probe(Arc::new(AlwaysBroken))).unwrap();
        assert_eq!(everything(&engine).await.unwrap(), expected);
        engine.close().await.unwrap();
        assert!(directory.join(format!("db-{round}.broken-1/db")).is_file());
        assert!(directory.join(format!("db-{}/db", round + 1)).is_file());
    }
    assert_eq!(fs::read_to_string(directory.join("CURRENT")).unwrap(), current("db-4"));
}

#[tokio::test]
async fn after_a_clean_close_nobody_is_asked() {
    let place = Sled::new();
    place.open_engine().close().await.unwrap();
    drop(SledEngine::open(&place.options().probe(Arc::new(AlwaysBroken))).unwrap());
    assert!(!place.directory.path().join("data/db-1.broken-1").exists());
}

struct Backup {
    sequence: Sequence,
    entries: Vec<Entry>,
}

impl NewestBackup for Backup {
    fn open(&self) -> Result<Option<BackupItems>, String> {
        let items = self.entries.clone().into_iter().map(|entry| Ok(SnapshotItem::Put(entry)));
        Ok(Some(BackupItems { sequence: self.sequence, items: Box::new(items) }))
    }
}

/// A directory whose journal no longer reaches back to the first commit, and what it had at two moments.
async fn aged(place: &Sled) -> (Backup, Vec<Entry>) {
    let engine = place.open_engine();
    for number in 0..700_u32 {
        engine.commit(put(&(number % 100).to_be_bytes(), &[7; 60_000])).await.unwrap();
    }
    let backup = Backup { sequence: 700, entries: everything(&engine).await.unwrap() };
    let before = engine.status().journal_segments;
    engine.backed_up(backup.sequence);
    engine.sync().await.unwrap();
    assert!(before >= 3 && engine.status().journal_segments == 1, "segments that a backup holds are dropped");
    for number in 50..60_u32 {
        engine.commit(put(&number.to_be_bytes(), b"later")).await.unwrap();
    }
    let expected = everything(&engine).await.unwrap();
    engine.close().await.unwrap();
    (backup, expected)
}

#[tokio::test]
async fn where_the_journal_does_not_reach_back_the_newest_backup_is_needed() {
    let place = Sled::new();
    let (backup, expected) = aged(&place).await;
    let directory = place.directory.path().join("data");
    drop(place.open_engine());
    // The opening may have copied the database.
    let current = fs::read_to_string(directory.join("CURRENT")).unwrap();
    let live = current.split(' ').next().unwrap();
    fs::remove_file(directory.join(live).join("db")).unwrap();

    let error = SledEngine::open(&place.options()).map(drop).unwrap_err();
    let OpenError::Broken { reason, missing, .. } = &error else { panic!("{error}") };
    assert_eq!(reason, "it is missing");
    assert!(missing.starts_with("there is no backup, and the journal begins at commit "), "{missing}");
    assert_eq!(error.code(), "CD1045");
    assert_eq!(fs::read_to_string(directory.join("CURRENT")).unwrap(), current);
    assert!(directory.join(live).is_dir());

    let old = Backup { sequence: 10, entries: Vec::new() };
    let error = SledEngine::open(&place.options().newest_backup(Arc::new(old))).map(drop).unwrap_err();
    assert!(error.to_string().contains("the newest backup ends at commit 10"), "{error}");

    let engine = SledEngine::open(&place.options().newest_backup(Arc::new(backup))).unwrap();
    assert!(everything(&engine).await.unwrap() == expected);
    assert_eq!(engine.status().sequence, 710);
    assert!(directory.join(format!("{live}.broken-1")).is_dir());
}

#[tokio::test]
async fn segments_that_no_backup_holds_are_kept() {
    let place = Sled::new();
    let engine = place.open_engine();
    for number in 0..700_u32 {
        engine.commit(put(&(number % 100).to_be_bytes(), &[7; 60_000])).await.unwrap();
    }
    engine.sync().await.unwrap();
    let expected = everything(&engine).await.unwrap();
    assert!(engine.status().journal_segments >= 3);
    engine.close().await.unwrap();
    drop(engine);
    fs::remove_dir_all(place.directory.path().join("data/db-1")).unwrap();
    let engine = place.open_engine();
    assert!(everything(&engine).await.unwrap() == expected);
    drop(place);
}
