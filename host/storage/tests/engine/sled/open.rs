//! Directories that are refused. A refusal changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cofferdam_storage::Engine;
use cofferdam_storage::sled::{OpenError, Options, SledEngine};

use crate::factory::{DEPLOYMENT, Factory, JOURNAL_KEY, Sled, put};

/// Every file but the lock, with its bytes.
pub(crate) fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.file_name().unwrap() != "lock" {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// A directory with one commit, closed.
async fn used() -> (Sled, PathBuf) {
    let place = Sled::new();
    let engine = place.open_engine();
    engine.commit(put(b"a", b"1")).await.unwrap();
    engine.close().await.unwrap();
    let directory = place.directory.path().join("data");
    (place, directory)
}

fn refused(options: &Options, directory: &Path) -> OpenError {
    let before = files(directory);
    let error = SledEngine::open(options).map(drop).unwrap_err();
    assert_eq!(files(directory), before, "the refusal changed something");
    error
}

#[tokio::test]
async fn a_directory_of_another_deployment_is_refused() {
    let (_place, directory) = used().await;
    let error = refused(&Options::new(&directory, [8; 16], JOURNAL_KEY), &directory);
    let OpenError::OtherDeployment { found, expected, .. } = &error else { panic!("{error}") };
    assert_eq!((found, expected), (&"07".repeat(16), &"08".repeat(16)));
    assert_eq!(error.code(), "CD1042");
}

#[tokio::test]
async fn a_directory_of_a_newer_version_is_refused() {
    let (place, directory) = used().await;
    let mut bytes = fs::read(directory.join("format")).unwrap();
    bytes[8..12].copy_from_slice(&2_u32.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..28]);
    bytes[28..].copy_from_slice(&crc.to_le_bytes());
    fs::write(directory.join("format"), bytes).unwrap();
    let error = refused(&place.options(), &directory);
    assert!(matches!(error, OpenError::NewerFormat { found: 2, known: 1, .. }), "{error}");
    assert_eq!(error.code(), "CD1041");
}

#[tokio::test]
async fn a_journal_under_another_key_is_refused() {
    let (_place, directory) = used().await;
    let error = refused(&Options::new(&directory, DEPLOYMENT, [1; 32]), &directory);
    assert!(error.to_string().contains("the key is another one"), "{error}");
}

#[tokio::test]
async fn a_directory_without_its_format_file_is_not_taken_for_a_new_one() {
    let (place, directory) = used().await;
    fs::remove_file(directory.join("format")).unwrap();
    let error = refused(&place.options(), &directory);
    assert!(error.to_string().contains("the file is missing, and there are commits"), "{error}");
}

#[tokio::test]
async fn a_directory_whose_making_was_cut_off_is_made_again() {
    let place = Sled::new();
    place.open_engine().close().await.unwrap();
    let directory = place.directory.path().join("data");
    // Everything before the last step, then less and less.
    fs::remove_file(directory.join("format")).unwrap();
    place.open_engine().close().await.unwrap();
    for gone in ["format", "CURRENT"] {
        fs::remove_file(directory.join(gone)).unwrap();
    }
    fs::remove_file(directory.join("db-1/db")).unwrap();
    let engine = place.open_engine();
    assert_eq!(engine.commit(put(b"a", b"1")).await, Ok(1));
}

#[tokio::test]
async fn one_process_does_not_open_a_directory_twice() {
    let place = Sled::new();
    let engine = place.open_engine();
    let error = SledEngine::open(&place.options()).map(drop).unwrap_err();
    let OpenError::InUse { pid, holder, .. } = &error else { panic!("{error}") };
    assert_eq!((*pid, holder.as_str()), (std::process::id(), "the test suite"));
    assert_eq!(error.code(), "CD1040");
    engine.close().await.unwrap();
    drop(place.open_engine());
}

#[tokio::test]
async fn a_closed_engine_answers_that_it_has_stopped() {
    let place = Sled::new();
    let engine = place.open_engine();
    engine.commit(put(b"a", b"1")).await.unwrap();
    engine.close().await.unwrap();
    assert_eq!(engine.get(b"a").await.unwrap_err().code(), "CD1006");
    assert_eq!(engine.commit(put(b"a", b"2")).await.unwrap_err().code(), "CD1006");
    assert_eq!(engine.close().await.unwrap_err().code(), "CD1006");
}

#[tokio::test]
async fn the_status_counts_what_is_there() {
    let place = Sled::new();
    let engine = place.open_engine();
    for number in 0..20_u8 {
        engine.commit(put(&[number], &[1; 9])).await.unwrap();
    }
    engine.commit(put(&[0], &[1; 4])).await.unwrap();
    engine.commit(crate::factory::delete(&[1])).await.unwrap();
    engine.commit(crate::factory::delete(&[1])).await.unwrap();
    assert_eq!(engine.status().sequence, 23);
    engine.sync().await.unwrap();
    let status = engine.status();
    assert_eq!((status.sequence, status.entries, status.live_bytes), (23, 19, 18 * 10 + 5));
    assert_eq!(status.journal_segments, 1);
    engine.close().await.unwrap();
    let again = place.open_engine().status();
    assert_eq!((again.sequence, again.entries, again.live_bytes), (23, 19, 18 * 10 + 5));
    drop(place);
}
