use std::path::Path;
use std::sync::Arc;

use super::{
    DAY, DEPLOYMENT, KEY_FILE, KEYRING, by_key_file, by_shred_file, code, fill, key_file, opened, path,
    place, sealed, with_organizations,
};
use crate::deployment::KeyId;
use crate::files::disk::Disk;
use crate::kek::{KekProvider, KeyFile, RecoveryKey};
use crate::keyring::{Keyring, Location};

fn rotated(keyring: &mut Keyring, disk: &Disk) -> (KeyId, KeyId) {
    let former = keyring.kek_id();
    let next = key_file(disk).add_key(&DEPLOYMENT, &former).unwrap();
    keyring.rotate_kek(Arc::new(key_file(disk))).unwrap();
    (former, next)
}

#[test]
fn rotating_the_kek_touches_no_record_and_erases_the_former_one() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let record = sealed(&keyring, "acme", DAY);
    let file_before = disk.bytes(Path::new(KEY_FILE));
    let (former, next) = rotated(&mut keyring, &disk);
    assert_ne!(former, next);
    drop(keyring);
    let keyring = Keyring::open(by_key_file(&disk), Some(&DEPLOYMENT)).unwrap();
    assert_eq!(keyring.kek_id(), next);
    assert!(opened(&keyring, "acme", DAY, &record).is_ok());
    drop(keyring);
    // The key file of before has the former KEK, and neither the present one nor the present shred key.
    disk.put(Path::new(KEY_FILE), &file_before);
    assert_eq!(code(Keyring::open(by_key_file(&disk), None)), "CD0921");
}

#[test]
fn an_earlier_keyring_opens_no_more_under_the_former_kek() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let (keyring_before, file_before) = (disk.bytes(Path::new(KEYRING)), disk.bytes(Path::new(KEY_FILE)));
    rotated(&mut keyring, &disk);
    // Who had seen the former KEK, but not the slot: the KEK's cells of before, the slot of now.
    let mut file = file_before;
    let shred_cells = 3 * 4096..5 * 4096;
    file[shred_cells.clone()].copy_from_slice(&disk.bytes(Path::new(KEY_FILE))[shred_cells]);
    let disk = disk.copy();
    disk.put(Path::new(KEYRING), &keyring_before);
    disk.put(Path::new(KEY_FILE), &file);
    assert_eq!(code(Keyring::open(by_key_file(&disk), None)), "CD0929");
}

#[test]
fn many_rotations_in_a_row_alternate_between_the_two_cells() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let record = sealed(&keyring, "acme", DAY);
    for _ in 0..5 {
        rotated(&mut keyring, &disk);
        keyring.create_organization("short-lived").unwrap();
        keyring.delete_organization("short-lived").unwrap();
        drop(keyring);
        keyring = Keyring::open(by_key_file(&disk), Some(&DEPLOYMENT)).unwrap();
        assert!(opened(&keyring, "acme", DAY, &record).is_ok());
    }
}

#[test]
fn rotating_to_the_same_kek_is_refused() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    assert_eq!(code(keyring.rotate_kek(Arc::new(key_file(&disk)))), "CD0936");
}

#[test]
fn the_kek_moves_to_another_provider_and_the_slot_stays() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let record = sealed(&keyring, "acme", DAY);
    let former = keyring.kek_id();
    let provider: Arc<dyn KekProvider> = Arc::new(RecoveryKey::random().unwrap());
    keyring.rotate_kek(provider.clone()).unwrap();
    drop(keyring);
    let location = Location { kek: provider, ..by_key_file(&disk) };
    let mut keyring = Keyring::open(location, None).unwrap();
    assert!(opened(&keyring, "acme", DAY, &record).is_ok());
    assert_ne!(keyring.kek_id(), former);
    keyring.delete_organization("acme").unwrap();
    assert_eq!(code(key_file(&disk).current(&DEPLOYMENT).map(drop)), "CD0918", "the former KEK is erased");
}

#[test]
fn earlier_generations_open_until_they_are_retired() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let (first, other) = (sealed(&keyring, "acme", DAY), sealed(&keyring, "other", DAY));
    assert!(!keyring.needs_reseal("acme", &first).unwrap());
    assert_eq!(keyring.rotate_organization("acme").unwrap(), 2);
    assert!(keyring.needs_reseal("acme", &first).unwrap());
    assert!(!keyring.needs_reseal("other", &other).unwrap());
    assert!(opened(&keyring, "acme", DAY, &first).is_ok());
    assert_eq!(keyring.status().unwrap().rotating, [("acme".to_owned(), 2)]);
    let again = sealed(&keyring, "acme", DAY);
    assert!(!keyring.needs_reseal("acme", &again).unwrap());
    keyring.retire_generations("acme").unwrap();
    assert_eq!(opened(&keyring, "acme", DAY, &first).unwrap_err().code(), "CD0908");
    assert!(opened(&keyring, "acme", DAY, &again).is_ok());
    assert!(opened(&keyring, "other", DAY, &other).is_ok());
    assert!(keyring.status().unwrap().rotating.is_empty());
}

#[test]
fn retiring_without_an_earlier_generation_writes_nothing() {
    let mut keyring = with_organizations(&Disk::default());
    let sequence = keyring.status().unwrap().sequence;
    keyring.retire_generations("acme").unwrap();
    assert_eq!(keyring.status().unwrap().sequence, sequence);
}

/// The header of a record says which generation sealed it; the same record does not open as one of another.
#[test]
fn a_record_does_not_open_as_one_of_another_generation() {
    let mut keyring = with_organizations(&Disk::default());
    let mut record = sealed(&keyring, "acme", DAY);
    keyring.rotate_organization("acme").unwrap();
    record[11] = 2;
    let error = keyring.open_record(&place("acme", DAY), &record, super::NOW_MS).map(drop).unwrap_err();
    assert_eq!(error.code(), "CD0904");
}

#[test]
fn a_key_file_is_never_made_over_another() {
    let disk = Disk::default();
    with_organizations(&disk);
    assert_eq!(
        code(KeyFile::create(Arc::new(disk.clone()), path(KEY_FILE), &DEPLOYMENT).map(drop)),
        "CD0917"
    );
    // A keyring that is only out of sight has its shred key in the slot still.
    let elsewhere = Location { path: "/other/keyring".into(), ..by_key_file(&disk) };
    assert_eq!(code(Keyring::create(elsewhere, DEPLOYMENT)), "CD0917");
}

#[test]
fn a_keyring_is_never_made_over_another() {
    let disk = Disk::default();
    drop(with_organizations(&disk));
    let before = disk.bytes(Path::new(KEYRING));
    let slot = Location { slot: None, ..by_key_file(&disk) };
    assert_eq!(code(Keyring::create(slot, DEPLOYMENT)), "CD0917");
    assert_eq!(disk.bytes(Path::new(KEYRING)), before);
    // Not even when another provider is named.
    let other = by_shred_file(&disk, Arc::new(RecoveryKey::random().unwrap()));
    assert_eq!(code(Keyring::create(other, DEPLOYMENT)), "CD0917");
}

#[test]
fn organizations_are_named_once_and_in_bounds() {
    let mut keyring = with_organizations(&Disk::default());
    assert_eq!(code(keyring.create_organization("acme")), "CD0935");
    assert_eq!(code(keyring.create_organization("")), "CD0935");
    assert_eq!(code(keyring.create_organization(&"x".repeat(256))), "CD0935");
    keyring.create_organization(&"x".repeat(255)).unwrap();
    for result in [keyring.delete_organization("nobody"), keyring.retire_generations("nobody")] {
        assert_eq!(code(result), "CD0907");
    }
    assert_eq!(code(keyring.rotate_organization("nobody")), "CD0907");
    assert_eq!(keyring.organizations().count(), 3);
}

#[test]
fn filling_twice_makes_no_second_key_for_a_bucket() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let record = sealed(&keyring, "acme", DAY);
    keyring.create_buckets(&[DAY, DAY], super::NOW_MS).unwrap();
    assert!(opened(&keyring, "acme", DAY, &record).is_ok());
    keyring.delete_organization("acme").unwrap();
    keyring.delete_organization("other").unwrap();
    fill(&mut keyring);
    assert_eq!(keyring.status().unwrap().buckets.len(), 2);
}
