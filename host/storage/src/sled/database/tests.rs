//! What a power cut may leave of sled's file, at its worst, and what a reader finds while a database changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{COUNTS_KEY, Counts, Database, SEGMENT_BYTES};
use crate::engine::{Entry, Scan};
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

fn everything(database: &Database) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    loop {
        let after = found.last().map(|(key, _)| key.clone());
        let page = database.scan(&Scan { after, limit: usize::MAX, ..Scan::default() }).unwrap();
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}

#[test]
fn what_nobody_changes_is_found_at_every_moment_while_leaves_are_cut() {
    let place = tempfile::tempdir_in("/dev/shm").unwrap();
    let database = Database::open(&place.path().join("db-1"), 1, 64 << 20).unwrap();
    let (kept, other) = (vec![7; 60], vec![1; 900]);
    let apply = |counts: Counts, keys: &BTreeSet<u32>, value: &[u8]| {
        let keys: Vec<_> = keys.iter().copied().map(u32::to_be_bytes).collect();
        let changes = keys.iter().map(|key| (key.as_slice(), Some(value)));
        database.apply(&mut Fence::default(), counts.sequence + 1, counts, changes).unwrap()
    };
    let standing: BTreeSet<u32> = (1..=20).map(|number| number * 1_000).collect();
    let mut counts = apply(Counts::default(), &standing, &kept);
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut rounds = 0;
            while !is_done.load(Ordering::Relaxed) || rounds == 0 {
                for number in &standing {
                    assert_eq!(
                        database.get(&number.to_be_bytes()).unwrap().as_ref(),
                        Some(&kept),
                        "key {number}"
                    );
                }
                if rounds % 32 == 0 {
                    let found = everything(&database);
                    assert!(found.is_sorted_by(|(one, _), (next, _)| one < next));
                    let found = found.into_iter().filter(|(_, value)| *value == kept).map(|(key, _)| key);
                    assert!(found.eq(standing.iter().map(|number| number.to_be_bytes().to_vec())));
                }
                rounds += 1;
            }
            rounds
        });
        for distance in (1..=390).rev() {
            // Ever closer to those that stay, on both sides: the leaf of each is cut again and again.
            let others = standing.iter().flat_map(|number| [number - distance, number + distance]).collect();
            counts = apply(counts, &others, &other);
        }
        is_done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 32);
    });
    database.verify().unwrap();
    assert_eq!(counts, database.counts().unwrap());
}

#[test]
fn values_that_come_together_lie_together() {
    let place = tempfile::tempdir_in("/dev/shm").unwrap();
    let database = Database::open(&place.path().join("db-1"), 1, 64 << 20).unwrap();
    let keys: Vec<_> = (0_u32..10_000).map(u32::to_be_bytes).collect();
    let changes = keys.iter().map(|key| (key.as_slice(), Some([7; 90].as_slice())));
    database.apply(&mut Fence::default(), 1, Counts::default(), changes).unwrap();
    // Without that sled would have 10,000.
    let leaves = database.db.len() - 1;
    assert!((490..700).contains(&leaves), "{leaves}");
}

#[test]
fn a_database_of_another_format_is_refused() {
    let place = tempfile::tempdir_in("/dev/shm").unwrap();
    let database = Database::open(&place.path().join("db-1"), 1, 64 << 20).unwrap();
    assert_eq!(database.counts().unwrap(), Counts::default());
    // As format 1 had them.
    database.db.insert(COUNTS_KEY, [1_u64, 0, 0].map(u64::to_be_bytes).concat()).unwrap();
    assert!(database.counts().unwrap_err().0.contains("format"));
}
