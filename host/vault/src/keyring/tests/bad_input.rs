//! Each wrong thing has an error of its own, and changes nothing.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::{any, prop_assert, proptest};
use proptest::test_runner::Config;

use super::{
    DEPLOYMENT, KEY_FILE, KEYRING, SHRED_FILE, by_key_file, by_shred_file, code, key_file, path,
    with_organizations,
};
use crate::deployment::DeploymentId;
use crate::error::Error;
use crate::files::disk::Disk;
use crate::kek::{Argon2Parameters, KeyFile, Passphrase, PassphraseKek, RecoveryKey};
use crate::keyring::{Keyring, Location};
use crate::slot::ShredSlot;

const OTHER: DeploymentId = DeploymentId::from_bytes([8; 16]);

fn closed() -> Disk {
    let disk = Disk::default();
    drop(with_organizations(&disk));
    disk
}

/// Opening fails with this code, and no step is made.
fn check(disk: &Disk, location: Location, expected: &str) -> String {
    let steps = disk.steps();
    let error = Keyring::open(location, Some(&DEPLOYMENT)).err().expect("it does not open");
    assert_eq!((error.code(), disk.steps()), (expected, steps), "{error}");
    error.to_string()
}

#[test]
fn a_missing_key_file_is_named() {
    let disk = closed();
    let location = Location {
        kek: Arc::new(KeyFile::new(Arc::new(disk.clone()), "/no/such.key".into())),
        ..by_key_file(&disk)
    };
    assert_eq!(check(&disk, location, "CD0916"), "key file `/no/such.key` does not exist");
}

#[test]
fn a_swapped_key_file_is_told() {
    let (disk, other) = (closed(), closed());
    disk.put(Path::new(KEY_FILE), &other.bytes(Path::new(KEY_FILE)));
    check(&disk, by_key_file(&disk), "CD0921");
}

#[test]
fn a_key_file_of_another_deployment_is_told() {
    let disk = closed();
    let other = Disk::default();
    KeyFile::create(Arc::new(other.clone()), path(KEY_FILE), &OTHER).unwrap();
    assert_eq!(key_file(&other).deployment().unwrap(), OTHER);
    disk.put(Path::new(KEY_FILE), &other.bytes(Path::new(KEY_FILE)));
    check(&disk, by_key_file(&disk), "CD0920");
}

#[test]
fn a_key_file_of_a_newer_version_is_told() {
    let disk = closed();
    let mut bytes = disk.bytes(Path::new(KEY_FILE));
    bytes[9] = 2;
    disk.put(Path::new(KEY_FILE), &bytes);
    check(&disk, by_key_file(&disk), "CD0919");
}

#[test]
fn a_damaged_or_cut_key_file_is_told() {
    let whole = closed();
    let bytes = whole.bytes(Path::new(KEY_FILE));
    let damaged = |change: &dyn Fn(&mut Vec<u8>)| {
        let (disk, mut bytes) = (whole.copy(), bytes.clone());
        change(&mut bytes);
        disk.put(Path::new(KEY_FILE), &bytes);
        check(&disk, by_key_file(&disk), "CD0918")
    };
    assert!(damaged(&|bytes| bytes[0] ^= 1).contains("does not start"));
    assert!(damaged(&|bytes| bytes[12] ^= 1).contains("checksum"));
    assert!(damaged(&|bytes| bytes.truncate(9_000)).contains("cut off"));
    // The KEK, and the shred key: the last write of the tests left it in the second of its two cells or in the first.
    assert!(damaged(&|bytes| bytes[4096 + 20] ^= 1).contains("a cell with a key"));
    assert!(
        damaged(&|bytes| [3, 4].into_iter().for_each(|cell| bytes[cell * 4096 + 20] ^= 1))
            .contains("a cell with")
    );
    assert!(damaged(&|bytes| bytes.clear()).contains("does not start"));
}

#[test]
fn a_shred_file_is_no_key_file() {
    let disk = closed();
    ShredSlot::create_file(Arc::new(disk.clone()), SHRED_FILE.into(), &DEPLOYMENT).unwrap();
    disk.put(Path::new(KEY_FILE), &disk.bytes(Path::new(SHRED_FILE)));
    assert!(check(&disk, by_key_file(&disk), "CD0918").contains("other keys"));
}

#[test]
fn a_missing_keyring_is_named() {
    let disk = Disk::default();
    assert_eq!(check(&disk, by_key_file(&disk), "CD0916"), "keyring `/data/keyring` does not exist");
}

#[test]
fn a_keyring_of_another_deployment_is_told() {
    let disk = Disk::default();
    KeyFile::create(Arc::new(disk.clone()), path(KEY_FILE), &OTHER).unwrap();
    drop(Keyring::create(by_key_file(&disk), OTHER).unwrap());
    check(&disk, by_key_file(&disk), "CD0920");
}

#[test]
fn a_keyring_of_a_newer_version_is_told() {
    let disk = closed();
    let mut bytes = disk.bytes(Path::new(KEYRING));
    bytes[9] = 2;
    disk.put(Path::new(KEYRING), &bytes);
    let text = check(&disk, by_key_file(&disk), "CD0919");
    assert_eq!(text, "keyring `/data/keyring` has format version 2, this version knows 1");
}

#[test]
fn a_wrong_passphrase_is_told() {
    let disk = Disk::default();
    let cheap = Argon2Parameters::new(19 * 1024, 2).unwrap();
    let phrase = |text: &str| Arc::new(PassphraseKek::new(Passphrase::new(text.to_owned()), cheap));
    ShredSlot::create_file(Arc::new(disk.clone()), SHRED_FILE.into(), &DEPLOYMENT).unwrap();
    let weak = Keyring::create(by_shred_file(&disk, phrase("too short")), DEPLOYMENT);
    assert_eq!(code(weak), "CD0923");
    drop(Keyring::create(by_shred_file(&disk, phrase("a long passphrase")), DEPLOYMENT).unwrap());
    check(&disk, by_shred_file(&disk, phrase("another passphrase")), "CD0922");
    check(&disk, by_key_file(&disk), "CD0916");
    let keyring = Keyring::open(by_shred_file(&disk, phrase("a long passphrase")), None).unwrap();
    // A new passphrase is a rotation.
    let mut keyring = keyring;
    keyring.rotate_kek(phrase("the next passphrase")).unwrap();
    drop(keyring);
    check(&disk, by_shred_file(&disk, phrase("a long passphrase")), "CD0922");
    Keyring::open(by_shred_file(&disk, phrase("the next passphrase")), None).unwrap();
}

#[test]
fn a_passphrase_for_a_keyring_of_a_key_file_is_told() {
    let disk = closed();
    let cheap = Argon2Parameters::new(19 * 1024, 2).unwrap();
    let kek = Arc::new(PassphraseKek::new(Passphrase::new("a long passphrase".to_owned()), cheap));
    check(&disk, Location { kek, ..by_key_file(&disk) }, "CD0921");
}

#[test]
fn a_keyring_with_a_slot_needs_it() {
    let disk = closed();
    check(&disk, Location { slot: None, ..by_key_file(&disk) }, "CD0927");
    let other = by_shred_file(&disk, Arc::new(key_file(&disk)));
    check(&disk, other, "CD0916");
}

#[test]
fn a_slot_in_the_data_directory_is_refused() {
    let disk = Disk::default();
    let file = KeyFile::create(Arc::new(disk.clone()), "/data/keys/file".into(), &DEPLOYMENT).unwrap();
    let location = Location { slot: Some(file.shred_slot()), kek: Arc::new(file), ..by_key_file(&disk) };
    assert_eq!(code(Keyring::create(location, DEPLOYMENT)), "CD0928");
}

#[test]
fn a_second_process_is_refused_and_may_look() {
    let disk = Disk::default();
    let keyring = with_organizations(&disk);
    check(&disk, by_key_file(&disk), "CD0930");
    let mut beside = Keyring::open_read_only(by_key_file(&disk), Some(&DEPLOYMENT)).unwrap();
    assert_eq!(beside.status().unwrap().organizations, 2);
    assert_eq!(code(beside.create_organization("new")), "CD0933");
    drop(keyring);
    Keyring::open(by_key_file(&disk), None).unwrap();
}

#[test]
fn a_keyring_that_somebody_else_has_changed_is_not_overwritten() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let earlier = disk.bytes(Path::new(KEYRING));
    keyring.create_organization("new").unwrap();
    disk.put(Path::new(KEYRING), &earlier);
    assert_eq!(code(keyring.delete_organization("new")), "CD0931");
    assert_eq!(disk.bytes(Path::new(KEYRING)), earlier);
}

#[test]
fn a_recovery_key_with_a_slip_is_told() {
    let text = RecoveryKey::random().unwrap().to_text();
    assert_eq!(text.split('-').count(), 17);
    let problem = |text: &str| match RecoveryKey::parse(text) {
        Err(Error::RecoveryKey { problem }) => problem,
        _ => "none",
    };
    assert_eq!(problem(&text.replace('-', " ").to_uppercase()), "none");
    let slip = if text.starts_with('0') { "1" } else { "0" };
    assert_eq!(problem(&format!("{slip}{}", &text[1..])), "has a wrong digit");
    assert_eq!(problem(&text[5..]), "does not have 68 hex digits");
    assert_eq!(problem(&text.replace('-', "o")), "has characters that are no hex digits");
    assert_eq!(problem(""), "does not have 68 hex digits");
}

#[test]
fn parameters_of_argon2id_have_bounds() {
    for (memory_kib, passes) in [(19 * 1024 - 1, 2), (19 * 1024, 1), ((4 << 20) + 1, 2), (19 * 1024, 1_001)] {
        assert_eq!(code(Argon2Parameters::new(memory_kib, passes)), "CD0924");
    }
}

#[test]
fn calibrating_asks_for_more_passes_on_a_faster_machine() {
    let passes = |took_ms: u64| {
        let clock = std::cell::Cell::new(0);
        let clock_ms = || clock.replace(clock.get() + took_ms);
        Argon2Parameters::calibrate(600, &clock_ms).unwrap()
    };
    assert_eq!(passes(60), Argon2Parameters::new(64 * 1024, 30).unwrap());
    assert_eq!(passes(5_000), Argon2Parameters::new(64 * 1024, 3).unwrap());
    assert_eq!(passes(0), Argon2Parameters::new(64 * 1024, 1_000).unwrap());
}

proptest! {
    #![proptest_config(Config::with_cases(300))]

    /// No panic, no silent repair: what is not the keyring that was written does not open.
    #[test]
    fn no_changed_keyring_opens(bit in any::<proptest::sample::Index>(), is_cut: bool) {
        thread_local!(static CLOSED: Disk = closed());
        let disk = CLOSED.with(Disk::copy);
        let mut bytes = disk.bytes(Path::new(KEYRING));
        if is_cut {
            bytes.truncate(bit.index(bytes.len()));
        } else {
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        disk.put(Path::new(KEYRING), &bytes);
        prop_assert!(Keyring::open(by_key_file(&disk), Some(&DEPLOYMENT)).is_err());
    }
}
