//! The providers on the real file system, and a keyring on it as a whole.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::{CredentialKek, KekProvider, KeyFile, WantedKek};
use crate::bucket::{Bucket, Class};
use crate::deployment::{DeploymentId, KeyId};
use crate::error::Error;
use crate::files::OsFiles;
use crate::keyring::{Keyring, Location};
use crate::record::Place;

const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([7; 16]);

fn wanted(id: KeyId) -> WantedKek<'static> {
    WantedKek { deployment: DEPLOYMENT, id, hint: &[] }
}

fn credential(directory: &Path, name: &str, bytes: &[u8]) -> CredentialKek {
    let path = directory.join(name);
    let _ = fs::remove_file(&path);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    CredentialKek::new(Arc::new(OsFiles), directory, "kek")
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "none")
}

#[test]
fn a_credential_is_32_bytes_or_64_digits() {
    let directory = tempfile::tempdir().unwrap();
    let raw = credential(directory.path(), "kek", &[0xab; 32]).current(&DEPLOYMENT).unwrap().id();
    let digits = credential(directory.path(), "kek", format!("{}\n", "aB".repeat(32)).as_bytes());
    assert_eq!(digits.current(&DEPLOYMENT).unwrap().id(), raw);
    for wrong in [&[0xab_u8; 31][..], b"", &[b'x'; 64], &[b'a'; 63]] {
        let current = credential(directory.path(), "kek", wrong).current(&DEPLOYMENT);
        assert_eq!(code(current.map(drop)), "CD0925");
    }
}

#[test]
fn a_credential_that_was_not_handed_over_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let provider = CredentialKek::new(Arc::new(OsFiles), directory.path(), "kek");
    assert_eq!(code(provider.current(&DEPLOYMENT).map(drop)), "CD0925");
}

#[test]
fn the_previous_credential_is_found_by_its_id() {
    let directory = tempfile::tempdir().unwrap();
    let id = credential(directory.path(), "kek", &[1; 32]).current(&DEPLOYMENT).unwrap().id();
    let provider = credential(directory.path(), "kek", &[2; 32]);
    assert_eq!(code(provider.find(&wanted(id)).map(drop)), "CD0921");
    credential(directory.path(), "kek.previous", &[1; 32]);
    assert_eq!(provider.find(&wanted(id)).unwrap().id(), id);
    assert_ne!(provider.current(&DEPLOYMENT).unwrap().id(), id);
}

#[test]
fn a_credential_that_everybody_reads_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let provider = credential(directory.path(), "kek", &[1; 32]);
    fs::set_permissions(directory.path().join("kek"), Permissions::from_mode(0o444)).unwrap();
    assert_eq!(code(provider.current(&DEPLOYMENT).map(drop)), "CD0914");
}

fn location(directory: &TempDir) -> Location {
    let file = KeyFile::new(Arc::new(OsFiles), directory.path().join("keys/cofferdam.key"));
    Location {
        files: Arc::new(OsFiles),
        path: directory.path().join("data/keyring"),
        slot: Some(file.shred_slot()),
        kek: Arc::new(file),
    }
}

fn machine() -> (TempDir, Keyring) {
    let directory = tempfile::tempdir().unwrap();
    for name in ["data", "keys"] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    KeyFile::create(Arc::new(OsFiles), directory.path().join("keys/cofferdam.key"), &DEPLOYMENT).unwrap();
    let mut keyring = Keyring::create(location(&directory), DEPLOYMENT).unwrap();
    keyring.create_organization("acme").unwrap();
    (directory, keyring)
}

#[test]
fn a_keyring_lives_on_a_real_file_system() {
    let (directory, keyring) = machine();
    let place = Place {
        organization: "acme",
        table: "checkpoints",
        key: b"1",
        schema_version: 1,
        class: Class::Checkpoints,
        bucket: Bucket::Standing,
    };
    let record = keyring.seal(&place, b"position", 0).unwrap();
    assert_eq!(code(Keyring::open(location(&directory), None)), "CD0930");
    drop(keyring);
    let mut keyring = Keyring::open(location(&directory), Some(&DEPLOYMENT)).unwrap();
    assert_eq!(keyring.open_record(&place, &record, 0).unwrap().expose(), b"position");
    let slot_before = fs::read(directory.path().join("keys/cofferdam.key")).unwrap();
    keyring.delete_organization("acme").unwrap();
    let slot = fs::read(directory.path().join("keys/cofferdam.key")).unwrap();
    let erased = slot_before
        .chunks(4096)
        .zip(slot.chunks(4096))
        .filter(|(before, now)| before.iter().any(|byte| *byte != 0) && now.iter().all(|byte| *byte == 0));
    assert_eq!(erased.count(), 1, "the former shred key is overwritten where it lay");
    let names: Vec<_> =
        fs::read_dir(directory.path().join("data")).unwrap().map(|name| name.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the keyring and its lock: {names:?}");
}

#[test]
fn exposed_and_linked_key_files_and_keyrings_are_refused() {
    let (directory, keyring) = machine();
    drop(keyring);
    for name in ["keys/cofferdam.key", "data/keyring"] {
        let path = directory.path().join(name);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert_eq!(code(Keyring::open(location(&directory), None)), "CD0914", "{name}");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let real = path.with_extension("real");
        fs::rename(&path, &real).unwrap();
        symlink(&real, &path).unwrap();
        assert_eq!(code(Keyring::open(location(&directory), None)), "CD0915", "{name}");
        fs::remove_file(&path).unwrap();
        fs::rename(&real, &path).unwrap();
    }
    Keyring::open(location(&directory), None).unwrap();
}

#[test]
fn a_slot_that_a_link_leads_into_the_data_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("data")).unwrap();
    symlink(directory.path().join("data"), directory.path().join("keys")).unwrap();
    KeyFile::create(Arc::new(OsFiles), directory.path().join("keys/cofferdam.key"), &DEPLOYMENT).unwrap();
    assert_eq!(code(Keyring::create(location(&directory), DEPLOYMENT)), "CD0928");
}
