//! Each rule of the disk, by what is found after many cuts.

use std::collections::BTreeSet;
use std::sync::Arc;

use fastrand::Rng;

use super::{Content, Disk, Image};
use crate::event::Event;

const ROOT: u64 = 1;
const OTHER: u64 = 2;
const FILE: u64 = 10;
/// Many enough that what may happen does happen.
const CUTS: u64 = 1500;

/// Two recorded directories.
fn disk(events: &[Event]) -> Disk {
    let mut disk = Disk::default();
    for (inode, path) in [(ROOT, "root"), (OTHER, "other")] {
        let node = disk.add(inode, (0o700, Content::Directory));
        disk.roots.push((path.into(), node));
    }
    let mut random = Rng::with_seed(7);
    events.iter().for_each(|event| disk.apply(event, &mut random).unwrap());
    disk
}

/// Everything that the part of an image is found to be.
fn found<T: Ord>(events: &[Event], part: impl Fn(&Image) -> T) -> BTreeSet<T> {
    let disk = disk(events);
    (0..CUTS).map(|seed| part(&disk.after_cut(&mut Rng::with_seed(seed)))).collect()
}

fn contents(name: &str) -> impl Fn(&Image) -> Option<Vec<u8>> {
    move |image| image.file(name).map(<[u8]>::to_vec)
}

fn there(names: &[&str]) -> impl Fn(&Image) -> Vec<bool> {
    move |image| names.iter().map(|name| image.file(name).is_some()).collect()
}

fn create(inode: u64, name: &str) -> Event {
    Event::Create { directory: ROOT, inode, mode: 0o600, name: name.to_owned() }
}

fn write(inode: u64, offset: u64, data: &[u8]) -> Event {
    Event::Write { inode, offset, data: Arc::from(data) }
}

fn rename(old: &str, new: &str) -> Event {
    let (old, new) = (old.to_owned(), new.to_owned());
    Event::Rename { old_directory: ROOT, old, new_directory: ROOT, new }
}

fn unlink(name: &str) -> Event {
    Event::Unlink { directory: ROOT, name: name.to_owned() }
}

fn resize(size: u64) -> Event {
    Event::Resize { inode: FILE, size }
}

fn sync(inode: u64) -> Event {
    Event::Sync { inode, is_data_only: false }
}

const DATA_SYNC: Event = Event::Sync { inode: FILE, is_data_only: true };

/// A file with these bytes, all of it durable.
fn durable(data: &[u8]) -> Vec<Event> {
    vec![create(FILE, "file"), write(FILE, 0, data), sync(FILE), sync(ROOT)]
}

#[test]
fn what_was_synced_is_certain() {
    assert_eq!(found(&durable(b"bytes"), contents("file")), BTreeSet::from([Some(b"bytes".to_vec())]));
}

#[test]
fn a_file_that_was_synced_needs_its_name_synced_too() {
    let events = [create(FILE, "file"), write(FILE, 0, b"bytes"), sync(FILE)];
    assert_eq!(found(&events, contents("file")), BTreeSet::from([None, Some(b"bytes".to_vec())]));
}

#[test]
fn a_name_that_was_synced_may_have_no_contents() {
    let events = [create(FILE, "file"), sync(ROOT), write(FILE, 0, b"bytes")];
    assert_eq!(
        found(&events, contents("file")),
        BTreeSet::from([Some(Vec::new()), Some(b"bytes".to_vec()), Some(vec![0; 5])])
    );
}

#[test]
fn blocks_that_were_not_synced_are_kept_in_any_combination() {
    let mut events = durable(&[b'.'; 3 * 4096]);
    (0..3).for_each(|block| events.push(write(FILE, block * 4096, &[b'x'; 4096])));
    let whole_blocks = found(&events, |image: &Image| {
        let blocks = image.file("file").unwrap().chunks(4096);
        let text: String =
            blocks.map(|block| if block == [block[0]; 4096] { block[0].into() } else { '?' }).collect();
        text
    });
    for combination in ["...", "x..", ".x.", "..x", "xx.", "x.x", ".xx", "xxx"] {
        assert!(whole_blocks.contains(combination), "{combination} is not among {whole_blocks:?}");
    }
}

#[test]
fn a_torn_write_is_torn_between_sectors_and_nowhere_else() {
    let mut events = durable(&[b'.'; 2048]);
    events.push(write(FILE, 100, &[b'x'; 1000]));
    let sectors = found(&events, |image: &Image| {
        let bytes = image.file("file").unwrap();
        [&bytes[100..512], &bytes[512..1024], &bytes[1024..1100]].map(|part| {
            assert!(part.iter().all(|byte| *byte == part[0]), "a sector was torn");
            part[0] == b'x'
        })
    });
    assert_eq!(sectors.len(), 8, "{sectors:?}");
}

#[test]
fn of_two_writes_of_one_place_the_first_may_be_what_is_found() {
    let mut events = durable(b"one");
    events.extend([write(FILE, 0, b"two"), write(FILE, 0, b"six")]);
    let expected = [b"one", b"two", b"six"].map(|bytes| Some(bytes.to_vec()));
    assert_eq!(found(&events, contents("file")), BTreeSet::from(expected));
}

#[test]
fn a_hole_holds_zeros() {
    let mut events = durable(b"");
    events.extend([write(FILE, 4, b"x"), sync(FILE)]);
    assert_eq!(found(&events, contents("file")), BTreeSet::from([Some(b"\0\0\0\0x".to_vec())]));
}

#[test]
fn a_data_sync_makes_the_size_durable_that_the_data_need() {
    let mut events = durable(b"one");
    events.extend([resize(1), resize(5), write(FILE, 4, b"x"), DATA_SYNC]);
    assert_eq!(found(&events, contents("file")), BTreeSet::from([Some(b"o\0\0\0x".to_vec())]));
}

#[test]
fn a_data_sync_leaves_a_size_that_no_data_need_uncertain_and_a_full_sync_does_not() {
    let mut events = durable(b"one");
    events.extend([resize(1), DATA_SYNC]);
    assert_eq!(
        found(&events, contents("file")),
        BTreeSet::from([b"one", b"o".as_slice()].map(|b| Some(b.to_vec())))
    );
    events.push(sync(FILE));
    assert_eq!(found(&events, contents("file")), BTreeSet::from([Some(b"o".to_vec())]));
}

#[test]
fn a_rename_is_there_as_a_whole_or_not_at_all() {
    let mut events = durable(b"new");
    events.extend([create(11, "old"), write(11, 0, b"old"), sync(11), sync(ROOT), rename("file", "old")]);
    let both = |image: &Image| (contents("file")(image), contents("old")(image));
    let (old, new) = (Some(b"old".to_vec()), Some(b"new".to_vec()));
    assert_eq!(found(&events, both), BTreeSet::from([(new.clone(), old), (None, new)]));
}

#[test]
fn a_rename_may_come_before_the_contents() {
    let events = [create(FILE, "new"), write(FILE, 0, b"bytes"), rename("new", "file"), sync(ROOT)];
    assert!(found(&events, contents("file")).contains(&Some(Vec::new())));
}

#[test]
fn a_name_that_was_removed_may_come_back_until_its_directory_is_synced() {
    let mut events = durable(b"bytes");
    events.push(unlink("file"));
    assert_eq!(found(&events, there(&["file"])).len(), 2);
    events.push(sync(ROOT));
    assert_eq!(found(&events, there(&["file"])), BTreeSet::from([vec![false]]));
}

#[test]
fn names_are_lost_each_on_its_own() {
    let events = [create(10, "a"), create(11, "b")];
    assert_eq!(found(&events, there(&["a", "b"])).len(), 4);
}

#[test]
fn a_directory_whose_name_is_lost_takes_everything_with_it() {
    let directory = Event::MakeDirectory { directory: ROOT, inode: 20, mode: 0o700, name: "d".to_owned() };
    let inside = Event::Create { directory: 20, inode: 21, mode: 0o600, name: "file".to_owned() };
    let mut events = vec![directory, inside, sync(21), sync(20)];
    assert_eq!(found(&events, there(&["d/file"])).len(), 2);
    events.push(sync(ROOT));
    assert_eq!(found(&events, there(&["d/file"])), BTreeSet::from([vec![true]]));
}

#[test]
fn a_rename_between_directories_is_certain_where_it_was_synced() {
    let mut events = durable(b"bytes");
    let (old, new) = ("file".to_owned(), "file".to_owned());
    events.push(Event::Rename { old_directory: ROOT, old, new_directory: OTHER, new });
    events.push(sync(OTHER));
    let places = found(&events, |image: &Image| {
        let other = Image { roots: image.roots[1..].to_vec() };
        (image.file("file").is_some(), other.file("file").is_some())
    });
    assert_eq!(places, BTreeSet::from([(false, true), (true, true)]));
}

#[test]
fn what_a_failed_sync_has_lost_no_later_sync_brings_back() {
    let mut kept = BTreeSet::new();
    for seed in 0..CUTS {
        let mut disk = disk(&durable(b"one"));
        let mut random = Rng::with_seed(seed);
        for event in [write(FILE, 0, b"two"), Event::FailedSync { inode: FILE }, sync(FILE)] {
            disk.apply(&event, &mut random).unwrap();
        }
        kept.insert(contents("file")(&disk.after_cut(&mut random)));
    }
    assert_eq!(kept, BTreeSet::from([b"one", b"two"].map(|bytes| Some(bytes.to_vec()))));
}

#[test]
fn names_that_a_failed_sync_has_lost_no_later_sync_brings_back() {
    let mut kept = BTreeSet::new();
    for seed in 0..CUTS {
        let mut disk = disk(&[create(FILE, "file")]);
        let mut random = Rng::with_seed(seed);
        for event in [Event::FailedSync { inode: ROOT }, sync(ROOT)] {
            disk.apply(&event, &mut random).unwrap();
        }
        kept.insert(there(&["file"])(&disk.after_cut(&mut random)));
    }
    assert_eq!(kept.len(), 2);
}

#[test]
fn a_sync_of_everything_is_one_of_each() {
    let events = [create(FILE, "file"), write(FILE, 0, b"bytes"), Event::SyncAll];
    assert_eq!(found(&events, contents("file")), BTreeSet::from([Some(b"bytes".to_vec())]));
}

#[test]
fn a_number_that_is_used_again_is_another_file() {
    let mut events = durable(b"one");
    events.extend([unlink("file"), create(FILE, "next"), write(FILE, 0, b"two"), sync(FILE)]);
    let of_old = found(&events, contents("file"));
    assert_eq!(of_old, BTreeSet::from([None, Some(b"one".to_vec())]));
}

#[test]
fn a_file_that_the_recorder_has_missed_is_told() {
    let error = disk(&[]).apply(&write(99, 0, b"x"), &mut Rng::with_seed(0)).unwrap_err();
    assert!(error.to_string().contains("never seen"), "{error}");
}

#[test]
fn the_same_seed_gives_the_same_disk() {
    let disk =
        disk(&[create(FILE, "file"), write(FILE, 0, &[b'x'; 9000]), create(11, "b"), rename("b", "c")]);
    for seed in 0..50 {
        let image = || disk.after_cut(&mut Rng::with_seed(seed));
        assert_eq!(image(), image());
    }
}
