//! Every change, stopped behind every step, with every kind of power cut, and with a second crash while the first is mended.

use std::path::Path;
use std::sync::Arc;

use super::{
    DAY, DEPLOYMENT, HOUR, KEY_FILE, NOW_MS, by_key_file, key_file, opened, opens_by_earlier_bytes, sealed,
    with_organizations,
};
use crate::bucket::Bucket;
use crate::error::Error;
use crate::files::disk::{Disk, cuts};
use crate::kek::KeyFile;
use crate::keyring::{Deletion, Keyring};

type Change = fn(&mut Keyring, &Disk) -> Result<(), Error>;

/// A keyring before the change, and records by which its keys are recognised.
struct Before {
    disk: Disk,
    /// Organization, bucket, record, and whether the change is to destroy it.
    records: Vec<(&'static str, Bucket, Vec<u8>, bool)>,
}

/// `doomed` says which records the change destroys.
fn before(doomed: fn(&str, Bucket) -> bool) -> Before {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let mut records = Vec::new();
    for organization in ["acme", "other"] {
        for bucket in [HOUR, DAY, Bucket::Standing] {
            let record = sealed(&keyring, organization, bucket);
            records.push((organization, bucket, record, doomed(organization, bucket)));
        }
    }
    keyring.save_counters().unwrap();
    Before { disk, records }
}

impl Before {
    /// What must hold however it went: the keyring opens, everything that was not to be destroyed opens, what was to be
    /// destroyed is there as a whole or gone as a whole, and what is gone is gone from every earlier keyring.
    fn check(&self, disk: &Disk, is_acknowledged: bool, when: &str) {
        let keyring = Keyring::open(by_key_file(disk), Some(&DEPLOYMENT));
        let keyring = keyring.unwrap_or_else(|error| panic!("{when}: {error}"));
        let is_open = |(organization, bucket, record, _): &(&str, Bucket, Vec<u8>, bool)| {
            opened(&keyring, organization, *bucket, record).is_ok()
        };
        assert!(self.records.iter().filter(|record| !record.3).all(is_open), "{when}: a key was lost");
        let doomed: Vec<_> = self.records.iter().filter(|record| record.3).collect();
        let survivors = doomed.iter().filter(|record| is_open(record)).count();
        assert!(survivors == 0 || survivors == doomed.len(), "{when}: destroyed by half");
        assert!(survivors == 0 || !is_acknowledged, "{when}: an acknowledged shred was undone");
        let file = disk.bytes(Path::new(KEY_FILE));
        let keks = file.chunks(4096).skip(1).take(2).filter(|cell| cell.iter().any(|byte| *byte != 0));
        assert_eq!(keks.count(), 1, "{when}: a KEK that is not in use is left");
        let slot = keyring.status().unwrap().deletion;
        assert!(matches!(slot, Deletion::Erasing { .. }), "{when}: {slot}");
        if survivors == 0 {
            for (organization, bucket, record, _) in doomed {
                let opens = opens_by_earlier_bytes(disk, &by_key_file, organization, *bucket, record);
                assert!(!opens, "{when}: an earlier keyring opens what was destroyed");
            }
        }
    }
}

/// Answers how many situations were checked.
fn survives(doomed: fn(&str, Bucket) -> bool, change: Change) -> usize {
    let before = before(doomed);
    let mut situations = 0;
    for steps in 0.. {
        let disk = before.disk.copy();
        let mut keyring = Keyring::open(by_key_file(&disk), Some(&DEPLOYMENT)).unwrap();
        disk.stop_after(steps);
        let is_acknowledged = change(&mut keyring, &disk).is_ok();
        drop(keyring);
        for cut in cuts() {
            before.check(
                &disk.after_cut(cut),
                is_acknowledged,
                &format!("power cut {cut:?} behind step {steps}"),
            );
            situations += 1;
        }
        situations += survives_a_second_crash(&before, &disk.after_kill(), is_acknowledged, steps);
        if is_acknowledged {
            break;
        }
    }
    situations
}

/// The process was killed and nothing is synced that was not; then the power goes while the keyring is opened again.
fn survives_a_second_crash(before: &Before, killed: &Disk, is_acknowledged: bool, steps: usize) -> usize {
    let mut situations = 0;
    for more in 0.. {
        let disk = killed.copy();
        disk.stop_after(more);
        let is_open = Keyring::open(by_key_file(&disk), Some(&DEPLOYMENT)).is_ok();
        for cut in cuts() {
            let when = format!("killed behind step {steps}, power cut {cut:?} behind step {more} of opening");
            before.check(&disk.after_cut(cut), is_acknowledged, &when);
            situations += 1;
        }
        if is_open {
            break;
        }
    }
    situations
}

#[test]
fn deleting_an_organization_survives_a_crash_at_every_step() {
    let situations = survives(|id, _| id == "acme", |keyring, _| keyring.delete_organization("acme"));
    assert!(situations > 500, "{situations}");
}

#[test]
fn destroying_ended_buckets_survives_a_crash_at_every_step() {
    let end_ms = || HOUR.ends_ms().unwrap();
    let situations = survives(
        |_, bucket| bucket == HOUR,
        |keyring, _| keyring.destroy_ended_buckets(HOUR.ends_ms().unwrap()).map(drop),
    );
    assert!(situations > 500 && end_ms() > NOW_MS, "{situations}");
}

#[test]
fn retiring_generations_survives_a_crash_at_every_step() {
    let situations = survives(
        |id, _| id == "acme",
        |keyring, _| {
            keyring.rotate_organization("acme")?;
            keyring.retire_generations("acme")
        },
    );
    assert!(situations > 500, "{situations}");
}

#[test]
fn creating_survives_a_crash_at_every_step() {
    let situations = survives(
        |_, _| false,
        |keyring, _| {
            keyring.create_organization("new")?;
            keyring.create_buckets(&[Bucket::Day(31), Bucket::Day(32)], NOW_MS)
        },
    );
    assert!(situations > 200, "{situations}");
}

#[test]
fn rotating_the_kek_survives_a_crash_at_every_step() {
    let situations = survives(
        |_, _| false,
        |keyring, disk| {
            let file = key_file(disk);
            file.add_key(&DEPLOYMENT, &keyring.kek_id())?;
            keyring.rotate_kek(Arc::new(file))
        },
    );
    assert!(situations > 500, "{situations}");
}

/// Of a keyring that was never acknowledged nothing need be left, but what is there is whole.
#[test]
fn the_first_write_survives_a_crash_at_every_step() {
    let empty = Disk::default();
    KeyFile::create(Arc::new(empty.clone()), KEY_FILE.into(), &DEPLOYMENT).unwrap();
    for steps in 0.. {
        let disk = empty.copy();
        disk.stop_after(steps);
        let is_acknowledged = Keyring::create(by_key_file(&disk), DEPLOYMENT).is_ok();
        for cut in cuts() {
            match Keyring::open(by_key_file(&disk.after_cut(cut)), Some(&DEPLOYMENT)) {
                Ok(_) => {}
                Err(Error::Missing { .. }) => assert!(!is_acknowledged, "{cut:?} behind step {steps}"),
                Err(error) => panic!("{cut:?} behind step {steps}: {error}"),
            }
        }
        if is_acknowledged {
            break;
        }
    }
}

#[test]
fn after_a_failed_write_nothing_is_changed_until_it_is_opened_anew() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let record = sealed(&keyring, "acme", DAY);
    disk.stop_after(3);
    assert_eq!(keyring.delete_organization("acme").unwrap_err().code(), "CD0913");
    let disk = disk.after_kill();
    assert_eq!(keyring.create_organization("new").unwrap_err().code(), "CD0932");
    assert!(opened(&keyring, "acme", DAY, &record).is_ok(), "what was sealed still opens");
    let mut keyring = Keyring::open(by_key_file(&disk), None).unwrap();
    keyring.create_organization("new").unwrap();
}
