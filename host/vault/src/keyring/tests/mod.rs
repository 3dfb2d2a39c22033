mod bad_input;
mod beside;
mod crash;
mod export;
mod rotation;
mod sealing;
mod shredding;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Keyring, Location};
use crate::bucket::{Bucket, Class};
use crate::deployment::DeploymentId;
use crate::error::Error;
use crate::files::disk::Disk;
use crate::kek::{KekProvider, KeyFile};
use crate::record::Place;
use crate::seal_error::SealError;
use crate::slot::ShredSlot;

pub(super) const KEYRING: &str = "/data/keyring";
pub(super) const KEY_FILE: &str = "/keys/cofferdam.key";
pub(super) const SHRED_FILE: &str = "/erasable/shred.key";
pub(super) const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([7; 16]);
/// In the tests' buckets nothing has ended.
pub(super) const NOW_MS: u64 = 1_000;
pub(super) const HOUR: Bucket = Bucket::Hour(10);
pub(super) const DAY: Bucket = Bucket::Day(30);

pub(super) fn key_file(disk: &Disk) -> KeyFile {
    KeyFile::new(Arc::new(disk.clone()), KEY_FILE.into())
}

/// The KEK in a key file, and the slot in it.
pub(super) fn by_key_file(disk: &Disk) -> Location {
    let file = key_file(disk);
    Location {
        files: Arc::new(disk.clone()),
        path: KEYRING.into(),
        slot: Some(file.shred_slot()),
        kek: Arc::new(file),
    }
}

/// Any KEK, and a shred file.
pub(super) fn by_shred_file(disk: &Disk, kek: Arc<dyn KekProvider>) -> Location {
    let files = Arc::new(disk.clone());
    let slot = Some(ShredSlot::file(files.clone(), SHRED_FILE.into()));
    Location { files, path: KEYRING.into(), kek, slot }
}

/// A keyring with the organizations `acme` and `other` and the buckets of the tests.
pub(super) fn with_organizations(disk: &Disk) -> Keyring {
    KeyFile::create(Arc::new(disk.clone()), KEY_FILE.into(), &DEPLOYMENT).unwrap();
    let mut keyring = Keyring::create(by_key_file(disk), DEPLOYMENT).unwrap();
    fill(&mut keyring);
    keyring
}

pub(super) fn fill(keyring: &mut Keyring) {
    keyring.create_organization("acme").unwrap();
    keyring.create_organization("other").unwrap();
    keyring.create_buckets(&[HOUR, DAY], NOW_MS).unwrap();
}

pub(super) fn place(organization: &str, bucket: Bucket) -> Place<'_> {
    Place { organization, table: "row_errors", key: b"run 1", schema_version: 1, class: Class::Rows, bucket }
}

pub(super) fn sealed(keyring: &Keyring, organization: &str, bucket: Bucket) -> Vec<u8> {
    keyring.seal(&place(organization, bucket), b"a row", NOW_MS).unwrap()
}

pub(super) fn opened(
    keyring: &Keyring,
    organization: &str,
    bucket: Bucket,
    record: &[u8],
) -> Result<(), SealError> {
    let plaintext = keyring.open_record(&place(organization, bucket), record, NOW_MS)?;
    assert_eq!(plaintext.expose(), b"a row");
    Ok(())
}

pub(super) fn code<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Ok(_) => "none",
        Err(error) => error.code(),
    }
}

/// Whether any keyring that was ever written, beside the files that are there now, opens the record.
pub(super) fn opens_by_earlier_bytes(
    disk: &Disk,
    location: &dyn Fn(&Disk) -> Location,
    organization: &str,
    bucket: Bucket,
    record: &[u8],
) -> bool {
    disk.written().iter().any(|earlier| {
        let attempt = disk.copy();
        attempt.put(Path::new(KEYRING), earlier);
        let keyring = Keyring::open_read_only(location(&attempt), None);
        keyring.is_ok_and(|keyring| opened(&keyring, organization, bucket, record).is_ok())
    })
}

static_assertions::assert_impl_all!(Keyring: Send, Sync);
static_assertions::assert_not_impl_any!(Keyring: std::fmt::Debug, Clone);
static_assertions::assert_not_impl_any!(crate::MemoryKey: std::fmt::Debug, Clone);
static_assertions::assert_not_impl_any!(crate::Kek: std::fmt::Debug, Clone);
static_assertions::assert_not_impl_any!(crate::Passphrase: std::fmt::Debug, std::fmt::Display, Clone);
static_assertions::assert_not_impl_any!(crate::RecoveryKey: std::fmt::Debug, std::fmt::Display, Clone);

pub(super) fn path(text: &str) -> PathBuf {
    text.into()
}
