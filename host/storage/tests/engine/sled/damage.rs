//! Every file of a closed directory, cut and changed at many places. Whatever was done to it, opening and reading gives exactly
//! what was acknowledged, or says what is damaged.

use std::fs;
use std::path::{Path, PathBuf};

use cofferdam_storage::sled::{OpenError, SledEngine};
use cofferdam_storage::{Engine, EngineError, Entry};
use tempfile::TempDir;

use super::child::options;
use super::open::files;
use crate::factory::{delete, everything, put};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Exact,
    Refused,
    Unreadable,
}

/// In memory, because what is tested is what is read, not when it was written.
fn place() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Enough that sled has several pages and more than one database file.
async fn fill(directory: &Path) -> Vec<Entry> {
    let engine = SledEngine::open(&options(directory)).unwrap();
    for number in 0..120_u32 {
        let value = vec![u8::try_from(number).unwrap(); 100 + usize::try_from(number).unwrap() * 20];
        engine.commit(put(&number.to_be_bytes(), &value)).await.unwrap();
        if number % 10 == 3 {
            engine.commit(delete(&(number - 1).to_be_bytes())).await.unwrap();
        }
    }
    let expected = everything(&engine).await.unwrap();
    engine.close().await.unwrap();
    expected
}

async fn open_and_read(directory: &Path, expected: &[Entry], what: &str) -> Outcome {
    let engine = match SledEngine::open(&options(directory)) {
        Ok(engine) => engine,
        Err(OpenError::File { source, .. }) => panic!("{what}: {source} is not told as damage"),
        Err(_) => return Outcome::Refused,
    };
    match everything(&engine).await {
        Err(EngineError::Damaged { .. }) => return Outcome::Unreadable,
        found => assert!(found.unwrap() == expected, "{what}: something else is there"),
    }
    // What was opened can be written, and that is there the next time.
    engine.commit(put(b"~", b"more")).await.unwrap();
    engine.close().await.unwrap();
    drop(engine);
    let engine = SledEngine::open(&options(directory)).unwrap();
    let found = everything(&engine).await.unwrap();
    assert!(found[..found.len() - 1] == *expected && found.last().unwrap().0 == b"~", "{what}: then lost");
    Outcome::Exact
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Does this to each file, in a copy of the directory, and counts the outcomes.
async fn damage(cases: impl Fn(&[u8]) -> Vec<(String, Option<Vec<u8>>)>) -> Vec<(PathBuf, String, Outcome)> {
    let place = place();
    let original = place.path().join("original");
    let expected = fill(&original).await;
    let mut outcomes = Vec::new();
    for (path, bytes) in files(&original) {
        let name = path.strip_prefix(&original).unwrap().to_owned();
        for (case, changed) in cases(&bytes) {
            let damaged = place.path().join("damaged");
            copy(&original, &damaged);
            match changed {
                Some(changed) => fs::write(damaged.join(&name), changed).unwrap(),
                None => fs::remove_file(damaged.join(&name)).unwrap(),
            }
            let what = format!("{} {case}", name.display());
            let outcome = open_and_read(&damaged, &expected, &what).await;
            outcomes.push((name.clone(), case, outcome));
            fs::remove_dir_all(&damaged).unwrap();
        }
    }
    outcomes
}

/// So many places of a file that has so many bytes, at both ends and spread between, never at the same distances.
fn places(length: usize, count: usize) -> Vec<usize> {
    let spread = (0..count).map(|number| number * length / count + (number * 7919) % (length / count).max(1));
    let mut places: Vec<usize> =
        spread.chain([0, length.saturating_sub(1)]).filter(|at| *at < length).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// What is behind the last byte in use is room: sled and the journal both write ahead.
fn used(bytes: &[u8]) -> usize {
    let last = bytes.last().copied().unwrap_or_default();
    bytes.iter().rposition(|byte| *byte != last).map_or(bytes.len(), |at| (at + 9).min(bytes.len()))
}

fn count() -> usize {
    if std::env::var_os("COFFERDAM_TEST_LONG").is_some() { 1_000 } else { 40 }
}

#[tokio::test]
async fn a_changed_bit_is_noticed_or_harmless() {
    let outcomes = damage(|bytes| {
        let change = |at: usize| {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << (at % 8);
            (format!("changed at byte {at}"), Some(changed))
        };
        places(used(bytes), count()).into_iter().map(change).collect()
    })
    .await;
    let refused = outcomes.iter().filter(|(_, _, outcome)| *outcome == Outcome::Refused).count();
    assert!(refused * 4 > outcomes.len(), "only {refused} of {} were refused: {outcomes:?}", outcomes.len());
    // The format, the live database's name and the journal are covered byte by byte.
    for (name, case, outcome) in outcomes {
        if name == Path::new("format") || name == Path::new("CURRENT") {
            assert_eq!(outcome, Outcome::Refused, "{} {case}", name.display());
        }
    }
}

#[tokio::test]
async fn a_cut_file_is_noticed_or_harmless() {
    let outcomes = damage(|bytes| {
        let cut = |at: usize| (format!("cut to {at} bytes"), Some(bytes[..at].to_vec()));
        places(used(bytes), count()).into_iter().map(cut).collect()
    })
    .await;
    for (name, case, outcome) in outcomes {
        // The journal's last entry only notes that it was closed; what is cut before it is missed by the database.
        if name.starts_with("journal") && outcome == Outcome::Exact {
            let kept: usize = case.split(' ').nth(2).unwrap().parse().unwrap();
            assert!(kept > 100_000, "{} {case} and nobody noticed", name.display());
        }
    }
}

#[tokio::test]
async fn a_missing_file_is_noticed_or_built_anew() {
    let outcomes = damage(|_| vec![("removed".to_owned(), None)]).await;
    let outcome = |wanted: &str| {
        let found = outcomes.iter().find(|(name, _, _)| name == Path::new(wanted));
        found.unwrap_or_else(|| panic!("no {wanted} in {outcomes:?}")).2
    };
    assert_eq!(outcome("format"), Outcome::Refused);
    assert_eq!(outcome("CURRENT"), Outcome::Refused);
    assert_eq!(outcome("journal/0000000000000001"), Outcome::Refused);
    assert_eq!(outcome("db-1/db"), Outcome::Exact);
}
