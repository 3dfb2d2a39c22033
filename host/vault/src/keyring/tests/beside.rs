//! Reading beside a writer: the keyring and its slot are two files, and a shred may fall between reading both.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{DAY, KEYRING, by_key_file, code, opened, sealed, with_organizations};
use crate::error::Error;
use crate::files::disk::Disk;
use crate::files::{FileSystem, Guard, Lock};
use crate::keyring::{Keyring, Location};

/// Answers so many readings of the keyring from the disk of before, and everything else from the disk of now.
struct Racing {
    before: Disk,
    now: Disk,
    late: AtomicUsize,
}

impl FileSystem for Racing {
    fn read(&self, path: &Path, guard: Guard) -> Result<Option<Vec<u8>>, Error> {
        let count = |late: usize| late.checked_sub(1);
        let is_late = path == Path::new(KEYRING)
            && self.late.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count).is_ok();
        if is_late { self.before.read(path, guard) } else { self.now.read(path, guard) }
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        self.now.create(path, bytes)
    }

    fn overwrite(&self, path: &Path, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.now.overwrite(path, offset, bytes)
    }

    fn sync(&self, path: &Path) -> Result<(), Error> {
        self.now.sync(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), Error> {
        self.now.rename(from, to)
    }

    fn sync_directory(&self, path: &Path) -> Result<(), Error> {
        self.now.sync_directory(path)
    }

    fn remove(&self, path: &Path) -> Result<(), Error> {
        self.now.remove(path)
    }

    fn is_inside(&self, path: &Path, directory: &Path) -> Result<bool, Error> {
        self.now.is_inside(path, directory)
    }

    fn lock(&self, path: &Path) -> Result<Option<Lock>, Error> {
        self.now.lock(path)
    }
}

/// A shred has passed; the reader sees the keyring of before it `late` times.
fn read_beside(late: usize) -> Result<(), Error> {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let record = sealed(&keyring, "other", DAY);
    let before = disk.copy();
    keyring.delete_organization("acme").unwrap();
    let files = Arc::new(Racing { before, now: disk.clone(), late: AtomicUsize::new(late) });
    let steps = disk.steps();
    let beside = Keyring::open_read_only(Location { files, ..by_key_file(&disk) }, None)?;
    assert!(opened(&beside, "other", DAY, &record).is_ok());
    assert_eq!(disk.steps(), steps, "reading changes nothing");
    Ok(())
}

#[test]
fn a_shred_between_reading_the_keyring_and_its_slot_is_noticed_and_read_again() {
    for late in [0, 1] {
        assert_eq!(code(read_beside(late)), "none");
    }
}

#[test]
fn a_keyring_that_stays_an_old_one_is_told_as_such() {
    assert_eq!(code(read_beside(usize::MAX)), "CD0929");
}
