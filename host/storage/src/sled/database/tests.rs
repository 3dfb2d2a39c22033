//! What a power cut may leave of sled's file, at its worst.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Counts, Database, SEGMENT_BYTES};
use crate::sled::durable;
use crate::sled::fence::Fence;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Overwrites entries here and there, so that sled moves pages and frees segments.
fn change(database: &Database, fence: &mut Fence, counts: Counts, model: &mut Model) -> Counts {
    let sequence = counts.sequence + 1;
    let length = 300 + usize::try_from(sequence % 7).unwrap() * 900;
    let keys = (0..40).map(|number| (sequence * 7919 + number * 104_729) % 2_000);
    let changes: Model = keys
        .map(|key| (key.to_be_bytes().to_vec(), vec![u8::try_from(sequence % 251).unwrap(); length]))
        .collect();
    let counts = database
        .apply(
            fence,
            sequence,
            counts,
            changes.iter().map(|(key, value)| (key.as_slice(), Some(value.as_slice()))),
        )
        .unwrap();
    model.extend(changes);
    counts
}

/// Everything that was overwritten where something was before is on the disk, everything new behind it is lost.
fn cut(durable: &[u8], live: &[u8]) -> Vec<u8> {
    let mut bytes = live.to_vec();
    bytes.resize(durable.len(), 0);
    bytes
}

fn copy(from: &Path, to: &Path, file: &[u8]) {
    fs::create_dir_all(to.join("blobs")).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    fs::write(to.join("db"), file).unwrap();
}

#[test]
fn what_was_synced_survives_whatever_is_written_behind_it() {
    let place = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = place.path().join("db-1");
    let database = Database::open(&path, 1, 64 << 20).unwrap();
    let (mut fence, mut counts, mut model) = (Fence::default(), Counts::default(), Model::new());
    let mut overwritten = 0;
    for round in 0..8 {
        for _ in 0..40 {
            counts = change(&database, &mut fence, counts, &mut model);
        }
        database.sync(&mut fence).unwrap();
        let (durable, synced, state) = (fs::read(path.join("db")).unwrap(), counts, model.clone());
        for _ in 0..60 {
            counts = change(&database, &mut fence, counts, &mut model);
        }
        // Not synced, but written.
        database.db.flush().unwrap();
        let live = fs::read(path.join("db")).unwrap();
        let changed = durable.chunks(4096).zip(live.chunks(4096)).filter(|(old, new)| old != new).count();
        overwritten += usize::from(changed > 25);
        let after = place.path().join(format!("cut-{round}"));
        copy(&path, &after, &cut(&durable, &live));
        durable::cut(&after, SEGMENT_BYTES).unwrap();
        let found = Database::open(&after, 1, 64 << 20).unwrap();
        found.verify().unwrap();
        assert_eq!(found.counts().unwrap(), synced, "round {round}");
        for (key, value) in &state {
            assert_eq!(found.get(key).unwrap().as_ref(), Some(value), "round {round}");
        }
        found.close().unwrap();
        fs::remove_dir_all(after).unwrap();
    }
    assert!(overwritten > 2, "sled used its segments again in {overwritten} rounds only: nothing was tested");
}
