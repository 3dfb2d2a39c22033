//! The journal: what a power cut tears is cut off, what somebody changes is noticed.

use std::fs;
use std::path::{Path, PathBuf};

use cofferdam_storage::Engine;
use cofferdam_storage::sled::{OpenError, SledEngine};

use super::child::{current, options};
use crate::factory::{Factory, Sled, everything, put};

const MAGIC: &[u8] = b"CFJ1";

fn segment(directory: &Path) -> PathBuf {
    directory.join("journal/0000000000000001")
}

/// Where the entries of a segment begin.
fn entries(bytes: &[u8]) -> Vec<usize> {
    (96..bytes.len()).step_by(8).filter(|at| bytes[*at..].starts_with(MAGIC)).collect()
}

/// A directory with ten commits whose database is lost, as after a power cut before the first sync: what the journal has
/// is all there is. Answers with the bytes of its segment.
async fn ten(place: &Sled) -> (PathBuf, Vec<u8>) {
    let engine = place.open_engine();
    for number in 0..10_u8 {
        engine.commit(put(&[number], &[number; 40])).await.unwrap();
    }
    let directory = place.directory.path().join("data");
    let bytes = fs::read(segment(&directory)).unwrap();
    engine.close().await.unwrap();
    (directory, bytes)
}

/// Opens the directory with this journal and without its database; the number of commits that are there.
async fn count(directory: &Path, journal: &[u8]) -> Result<usize, OpenError> {
    fs::write(segment(directory), journal).unwrap();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("db-") {
            fs::remove_dir_all(path).unwrap();
        }
    }
    fs::write(directory.join("CURRENT"), current("db-1")).unwrap();
    let engine = SledEngine::open(&options(directory))?;
    let found = everything(&engine).await.unwrap();
    let expected: Vec<_> =
        (0..u8::try_from(found.len()).unwrap()).map(|number| (vec![number], vec![number; 40])).collect();
    assert_eq!(found, expected);
    Ok(found.len())
}

#[tokio::test]
async fn an_entry_that_was_torn_at_any_byte_is_cut_off() {
    let place = Sled::new();
    let (directory, bytes) = ten(&place).await;
    let starts = entries(&bytes);
    // One notes the opening, ten are commits.
    assert_eq!(starts.len(), 11);
    let (last, end) = (starts[10], bytes.len());
    assert_eq!(count(&directory, &bytes).await.unwrap(), 10);
    // Up to the last byte that is not zero.
    for torn in (last..last + 114).step_by(7) {
        let cut = bytes[..torn].to_vec();
        let zeros = [&bytes[..torn], &vec![0; end - torn]].concat();
        let garbage = [&bytes[..torn], &vec![0xA5; 300]].concat();
        for journal in [cut, zeros, garbage] {
            assert_eq!(count(&directory, &journal).await.unwrap(), 9, "torn at {torn}");
        }
    }
}

#[tokio::test]
async fn an_entry_that_is_changed_missing_or_moved_before_others_is_damage() {
    let place = Sled::new();
    let (directory, bytes) = ten(&place).await;
    let starts = entries(&bytes);
    let (third, fourth, fifth) = (starts[3], starts[4], starts[5]);
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    for at in (third..fourth - 8).step_by(5) {
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        cases.push((format!("changed at {at}"), changed));
    }
    cases.push(("left out".to_owned(), [&bytes[..third], &bytes[fourth..]].concat()));
    let zeroed = [&bytes[..third], &vec![0; fourth - third], &bytes[fourth..]].concat();
    cases.push(("zeroed".to_owned(), zeroed));
    let swapped = [&bytes[..third], &bytes[fourth..fifth], &bytes[third..fourth], &bytes[fifth..]].concat();
    cases.push(("swapped".to_owned(), swapped));
    let twice = [&bytes[..fourth], &bytes[third..fourth], &bytes[fourth..]].concat();
    cases.push(("twice".to_owned(), twice));
    for (case, journal) in cases {
        match count(&directory, &journal).await {
            Err(error @ OpenError::Damaged { offset, .. }) => {
                assert_eq!(error.code(), "CD1044");
                let expected = u64::try_from(third).unwrap()..=u64::try_from(fifth).unwrap();
                assert!(expected.contains(&offset), "{case}: byte {offset}");
            }
            other => panic!("{case}: {other:?}"),
        }
        assert_eq!(
            fs::read(segment(&directory)).unwrap(),
            journal,
            "{case}: the refusal changed the journal"
        );
    }
}

#[tokio::test]
async fn a_segment_that_is_missing_or_of_another_number_is_damage() {
    let place = Sled::new();
    let engine = place.open_engine();
    for number in 0..900_u32 {
        engine.commit(put(&(number % 10).to_be_bytes(), &[7; 60_000])).await.unwrap();
    }
    let count = engine.status().journal_segments;
    assert!(count >= 4, "{count} segments");
    engine.close().await.unwrap();
    drop(engine);
    let journal = place.directory.path().join("data/journal");
    let name = |number: usize| journal.join(format!("{number:016}"));
    for missing in 2..=count {
        fs::rename(name(missing), journal.join("aside")).unwrap();
        let error = SledEngine::open(&place.options()).map(drop).unwrap_err();
        assert!(error.to_string().contains("this segment of the journal is missing"), "{missing}: {error}");
        fs::rename(journal.join("aside"), name(missing)).unwrap();
    }
    fs::rename(name(2), journal.join("aside")).unwrap();
    fs::copy(name(3), name(2)).unwrap();
    let error = SledEngine::open(&place.options()).map(drop).unwrap_err();
    assert!(error.to_string().contains("the file is segment 3"), "{error}");
    fs::rename(journal.join("aside"), name(2)).unwrap();
    assert_eq!(everything(&place.open_engine()).await.unwrap().len(), 10);
}
