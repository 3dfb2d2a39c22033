use std::path::Path;
use std::sync::Arc;

use proptest::prelude::{any, prop_assert, proptest};
use proptest::test_runner::Config;

use super::{DAY, DEPLOYMENT, KEY_FILE, KEYRING, by_key_file, code, opened, sealed, with_organizations};
use crate::files::disk::Disk;
use crate::kek::{Argon2Parameters, KeyFile, Passphrase, PassphraseKek, RecoveryKey};
use crate::keyring::{ExportSummary, Keyring};

/// A machine with a new key file and no keyring.
fn new_machine() -> Disk {
    let disk = Disk::default();
    KeyFile::create(Arc::new(disk.clone()), KEY_FILE.into(), &DEPLOYMENT).unwrap();
    disk
}

#[test]
fn what_is_exported_opens_on_another_machine() {
    let keyring = with_organizations(&Disk::default());
    let record = sealed(&keyring, "acme", DAY);
    let recovery = RecoveryKey::random().unwrap();
    let export = keyring.export(&recovery).unwrap();
    // Once on paper and back.
    let recovery = RecoveryKey::parse(&recovery.to_text()).unwrap();
    let disk = new_machine();
    drop(Keyring::import(by_key_file(&disk), &export, &recovery).unwrap());
    let mut imported = Keyring::open(by_key_file(&disk), Some(keyring.deployment())).unwrap();
    assert!(opened(&imported, "acme", DAY, &record).is_ok());
    imported.save_counters().unwrap();
    let again = sealed(&imported, "acme", DAY);
    assert!(opened(&keyring, "acme", DAY, &again).is_ok());
    assert!(imported.status().unwrap().sequence > keyring.status().unwrap().sequence);
}

#[test]
fn a_passphrase_serves_as_recovery_key() {
    let keyring = with_organizations(&Disk::default());
    let cheap = Argon2Parameters::new(19 * 1024, 2).unwrap();
    let phrase = |text: &str| PassphraseKek::new(Passphrase::new(text.to_owned()), cheap);
    let export = keyring.export(&phrase("correct horse battery")).unwrap();
    let disk = new_machine();
    let wrong = Keyring::import(by_key_file(&disk), &export, &phrase("correct horse batteries"));
    assert_eq!(code(wrong), "CD0922");
    Keyring::import(by_key_file(&disk), &export, &phrase("correct horse battery")).unwrap();
}

#[test]
fn an_export_of_before_a_shred_is_known_by_its_number() {
    let mut keyring = with_organizations(&Disk::default());
    let recovery = RecoveryKey::random().unwrap();
    let export = keyring.export(&recovery).unwrap();
    keyring.delete_organization("acme").unwrap();
    let summary = ExportSummary::parse(&export).unwrap();
    assert_eq!((summary.deployment, summary.shreds), (DEPLOYMENT, 0));
    assert_eq!(keyring.status().unwrap().shreds, 1);
    let fresh = ExportSummary::parse(&keyring.export(&recovery).unwrap()).unwrap();
    assert_eq!((fresh.shreds, fresh.key), (1, summary.key));
}

#[test]
fn another_recovery_key_is_told_and_nothing_is_written() {
    let keyring = with_organizations(&Disk::default());
    let export = keyring.export(&RecoveryKey::random().unwrap()).unwrap();
    let disk = new_machine();
    let (steps, other) = (disk.steps(), RecoveryKey::random().unwrap());
    assert_eq!(code(Keyring::import(by_key_file(&disk), &export, &other)), "CD0937");
    assert_eq!(disk.steps(), steps);
}

#[test]
fn an_import_never_replaces_a_keyring() {
    let disk = Disk::default();
    let keyring = with_organizations(&disk);
    let recovery = RecoveryKey::random().unwrap();
    let export = keyring.export(&recovery).unwrap();
    drop(keyring);
    let before = disk.bytes(Path::new(KEYRING));
    assert_eq!(code(Keyring::import(by_key_file(&disk), &export, &recovery)), "CD0917");
    assert_eq!(disk.bytes(Path::new(KEYRING)), before);
}

#[test]
fn an_export_of_a_newer_version_is_told() {
    let keyring = with_organizations(&Disk::default());
    let recovery = RecoveryKey::random().unwrap();
    let mut export = keyring.export(&recovery).unwrap();
    export[9] = 2;
    assert_eq!(code(Keyring::import(by_key_file(&new_machine()), &export, &recovery)), "CD0919");
}

proptest! {
    #![proptest_config(Config::with_cases(150))]

    #[test]
    fn no_changed_export_is_imported(bit in any::<proptest::sample::Index>(), is_cut: bool) {
        let keyring = with_organizations(&Disk::default());
        let recovery = RecoveryKey::random().unwrap();
        let mut export = keyring.export(&recovery).unwrap();
        if is_cut {
            export.truncate(bit.index(export.len()));
        } else {
            let bit = bit.index(export.len() * 8);
            export[bit / 8] ^= 1 << (bit % 8);
        }
        prop_assert!(Keyring::import(by_key_file(&new_machine()), &export, &recovery).is_err());
    }
}
