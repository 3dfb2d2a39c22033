//! Whatever order a log was written in, what was synced is what opens.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{BLOCK_BYTES, Durable, NAME, cut, newest};
use crate::sled::database::{Counts, Database, SEGMENT_BYTES};
use crate::sled::fence::Fence;

const CACHE_BYTES: u64 = 16 << 20;

/// New entries, about two segments of them.
fn fill(database: &Database, fence: &mut Fence, mut counts: Counts) -> Counts {
    for _ in 0..20 {
        let sequence = counts.sequence + 1;
        let value = vec![u8::try_from(sequence % 251).unwrap(); 55_000];
        let changes = [(&sequence.to_be_bytes()[..], Some(&value[..]))];
        counts = database.apply(fence, sequence, counts, changes.into_iter()).unwrap();
    }
    counts
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("blobs")).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Takes away every second block of what was written since.
fn lose_half(durable: &[u8], path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let mut lost = 0;
    for (number, block) in bytes.chunks_mut(4096).enumerate() {
        let before = durable.get(number * 4096..number * 4096 + block.len());
        let is_new = before != Some(&*block);
        if is_new && number % 2 == 0 {
            match before {
                Some(before) => block.copy_from_slice(before),
                None => block.fill(0),
            }
            lost += 1;
        }
    }
    assert!(lost > 50, "only {lost} blocks were lost");
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_log_with_holes_behind_what_was_synced_is_cut_off_there() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("db-1");
    let database = Database::open(&path, 1, CACHE_BYTES).unwrap();
    let mut fence = Fence::default();
    let synced = fill(&database, &mut fence, Counts::default());
    database.sync(&mut fence).unwrap();
    let mut durable = fs::read(path.join("db")).unwrap();
    durable.resize(durable.len().next_multiple_of(4096), 0);
    let newest = fill(&database, &mut fence, synced);
    database.flush().unwrap();
    let after = place.path().join("after");
    copy(&path, &after);
    lose_half(&durable, &after.join("db"));
    cut(&after, SEGMENT_BYTES).unwrap();
    let found = Database::open(&after, 1, CACHE_BYTES).unwrap();
    found.verify().unwrap();
    assert_eq!(found.counts().unwrap(), synced);
    // It goes on from there.
    let mut fence = Fence::default();
    assert_eq!(fill(&found, &mut fence, synced), newest);
    found.verify().unwrap();
}

#[test]
fn the_newer_of_two_notes_counts_and_a_torn_one_does_not() {
    let place = tempfile::tempdir().unwrap();
    let durable = Durable::open(place.path()).unwrap();
    assert_eq!(newest(&durable.file).unwrap(), None);
    durable.note(100).unwrap();
    durable.note(200).unwrap();
    assert_eq!(newest(&durable.file).unwrap(), Some((2, 200)));
    let again = Durable::open(place.path()).unwrap();
    again.note(300).unwrap();
    assert_eq!(newest(&again.file).unwrap(), Some((3, 300)));
    again.file.write_all_at(&[9], BLOCK_BYTES + 9).unwrap();
    assert_eq!(newest(&again.file).unwrap(), Some((2, 200)));
}

#[test]
fn a_database_of_which_nothing_is_noted_is_left_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("db"), [7; 100]).unwrap();
    cut(place.path(), SEGMENT_BYTES).unwrap();
    fs::write(place.path().join(NAME), [0; 5000]).unwrap();
    cut(place.path(), SEGMENT_BYTES).unwrap();
    assert_eq!(fs::read(place.path().join("db")).unwrap(), [7; 100]);
}

#[test]
fn a_snapshot_of_what_is_cut_off_is_forgotten() {
    let place = tempfile::tempdir().unwrap();
    Durable::open(place.path()).unwrap().note(0x100).unwrap();
    for name in
        ["db", "conf", "snap.0000000000000100", "snap.0000000000000101", "snap.0000000000000050.generating"]
    {
        fs::write(place.path().join(name), "").unwrap();
    }
    cut(place.path(), SEGMENT_BYTES).unwrap();
    let mut names: Vec<_> =
        fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["conf", "db", "durable", "snap.0000000000000100"]);
}
