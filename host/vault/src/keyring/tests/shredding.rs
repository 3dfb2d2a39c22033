use std::path::Path;
use std::sync::Arc;

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::Config;

use super::{
    DAY, DEPLOYMENT, HOUR, KEYRING, NOW_MS, SHRED_FILE, by_key_file, by_shred_file, code, fill, key_file,
    opened, opens_by_earlier_bytes, path, place, sealed, with_organizations,
};
use crate::bucket::Bucket;
use crate::files::FileSystem;
use crate::files::disk::Disk;
use crate::kek::RecoveryKey;
use crate::keyring::{Deletion, Keyring, Location};
use crate::slot::ShredSlot;

#[test]
fn a_deleted_organization_opens_by_no_earlier_keyring_and_the_others_stay() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let (ours, theirs) = (sealed(&keyring, "acme", DAY), sealed(&keyring, "other", DAY));
    assert!(opens_by_earlier_bytes(&disk, &by_key_file, "acme", DAY, &ours), "the attack works before");
    keyring.delete_organization("acme").unwrap();
    assert_eq!(opened(&keyring, "acme", DAY, &ours).unwrap_err().code(), "CD0907");
    assert!(!opens_by_earlier_bytes(&disk, &by_key_file, "acme", DAY, &ours));
    assert!(opened(&keyring, "other", DAY, &theirs).is_ok());
    keyring.create_organization("acme").unwrap();
    assert_eq!(
        opened(&keyring, "acme", DAY, &ours).unwrap_err().code(),
        "CD0904",
        "a new key opens nothing old"
    );
}

#[test]
fn an_earlier_keyring_says_that_its_shred_key_is_erased() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let earlier = disk.bytes(Path::new(KEYRING));
    keyring.delete_organization("acme").unwrap();
    drop(keyring);
    disk.put(Path::new(KEYRING), &earlier);
    assert_eq!(code(Keyring::open(by_key_file(&disk), None)), "CD0929");
}

#[test]
fn an_ended_bucket_opens_by_no_earlier_keyring_and_the_others_stay() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let (hour, day) = (sealed(&keyring, "acme", HOUR), sealed(&keyring, "acme", DAY));
    assert!(keyring.destroy_ended_buckets(HOUR.ends_ms().unwrap() - 1).unwrap().is_empty());
    assert!(opened(&keyring, "acme", HOUR, &hour).is_ok());
    assert_eq!(keyring.destroy_ended_buckets(HOUR.ends_ms().unwrap()).unwrap(), [HOUR]);
    // Also under a clock that was put back the keys are gone.
    assert_eq!(opened(&keyring, "acme", HOUR, &hour).unwrap_err().code(), "CD0906");
    assert!(opened(&keyring, "acme", DAY, &day).is_ok());
    assert!(!opens_by_earlier_bytes(&disk, &by_key_file, "acme", HOUR, &hour));
    let status = keyring.status().unwrap();
    assert_eq!((status.shreds, status.buckets), (1, vec![DAY]));
}

#[test]
fn a_bucket_that_has_ended_gets_no_key() {
    let mut keyring = with_organizations(&Disk::default());
    let now_ms = Bucket::Hour(12).ends_ms().unwrap();
    let result = keyring.create_buckets(&[Bucket::Hour(13), Bucket::Hour(12)], now_ms);
    assert_eq!(code(result), "CD0905");
    assert_eq!(keyring.seal(&place("acme", Bucket::Hour(13)), b"", NOW_MS).unwrap_err().code(), "CD0906");
}

/// Under a clock that was put back a bucket can come again: with a new key, not with one that is still remembered.
#[test]
fn a_bucket_that_comes_again_has_a_new_key_also_in_memory() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let before = sealed(&keyring, "acme", HOUR);
    keyring.destroy_ended_buckets(HOUR.ends_ms().unwrap()).unwrap();
    keyring.create_buckets(&[HOUR], NOW_MS).unwrap();
    assert_eq!(opened(&keyring, "acme", HOUR, &before).unwrap_err().code(), "CD0904");
    let after = sealed(&keyring, "acme", HOUR);
    drop(keyring);
    let keyring = Keyring::open(by_key_file(&disk), None).unwrap();
    assert!(opened(&keyring, "acme", HOUR, &after).is_ok());
}

#[test]
fn a_shred_file_erases_as_a_key_file_does() {
    let disk = Disk::default();
    let kek = Arc::new(RecoveryKey::random().unwrap());
    let location = |disk: &Disk| by_shred_file(disk, kek.clone());
    ShredSlot::create_file(Arc::new(disk.clone()), SHRED_FILE.into(), &DEPLOYMENT).unwrap();
    let mut keyring = Keyring::create(location(&disk), DEPLOYMENT).unwrap();
    fill(&mut keyring);
    let record = sealed(&keyring, "acme", DAY);
    assert_eq!(keyring.status().unwrap().deletion, Deletion::Erasing { slot: path(SHRED_FILE) });
    keyring.delete_organization("acme").unwrap();
    assert!(!opens_by_earlier_bytes(&disk, &location, "acme", DAY, &record));
}

#[test]
fn without_a_slot_the_status_says_that_deletion_is_logical_only() {
    let disk = Disk::default();
    let kek = Arc::new(RecoveryKey::random().unwrap());
    let location = |disk: &Disk| Location { slot: None, ..by_shred_file(disk, kek.clone()) };
    let mut keyring = Keyring::create(location(&disk), DEPLOYMENT).unwrap();
    fill(&mut keyring);
    let record = sealed(&keyring, "acme", DAY);
    keyring.delete_organization("acme").unwrap();
    assert!(opened(&keyring, "acme", DAY, &record).is_err());
    assert!(opens_by_earlier_bytes(&disk, &location, "acme", DAY, &record), "as the status says");
    let deletion = keyring.status().unwrap().deletion;
    assert_eq!(deletion, Deletion::LogicalOnly);
    assert!(deletion.to_string().starts_with("logical only"), "{deletion}");
    // A slot that is named later does not make earlier keyrings unreadable, so nothing else is said.
    drop(keyring);
    ShredSlot::create_file(Arc::new(disk.clone()), SHRED_FILE.into(), &DEPLOYMENT).unwrap();
    let keyring = Keyring::open(by_shred_file(&disk, kek.clone()), None).unwrap();
    assert_eq!(keyring.status().unwrap().deletion, Deletion::LogicalOnly);
}

/// A torn erasure leaves a cell that is no key any more, though bytes of the key are still in it.
#[test]
fn what_a_torn_erasure_has_left_is_erased_at_the_next_opening() {
    let disk = Disk::default();
    let mut keyring = with_organizations(&disk);
    let used = disk.bytes(key_file(&disk).path());
    keyring.delete_organization("acme").unwrap();
    drop(keyring);
    // The cell of the erased key, as if only its first bytes had been overwritten.
    let erased = used
        .chunks(4096)
        .position(|block| {
            block != [0; 4096] && disk.bytes(key_file(&disk).path()).chunks(4096).all(|now| now != block)
        })
        .unwrap();
    let offset = erased as u64 * 4096 + 8;
    let rest = &used[erased * 4096 + 8..(erased + 1) * 4096];
    disk.overwrite(key_file(&disk).path(), offset, rest).unwrap();
    let keyring = Keyring::open_read_only(by_key_file(&disk), None).unwrap();
    assert!(matches!(keyring.status().unwrap().deletion, Deletion::Unfinished { .. }));
    Keyring::open(by_key_file(&disk), None).unwrap();
    assert!(
        disk.bytes(key_file(&disk).path())[erased * 4096..(erased + 1) * 4096].iter().all(|byte| *byte == 0)
    );
}

#[derive(Clone, Debug)]
enum Change {
    Create(u8),
    Delete(u8),
    Rotate(u8),
    Retire(u8),
    Seal(u8),
    Advance(u8),
    RotateKek,
    Reopen,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let one = prop_oneof![
        any::<u8>().prop_map(Change::Create),
        any::<u8>().prop_map(Change::Delete),
        any::<u8>().prop_map(Change::Rotate),
        any::<u8>().prop_map(Change::Retire),
        any::<u8>().prop_map(Change::Seal),
        any::<u8>().prop_map(Change::Seal),
        (1..3_u8).prop_map(Change::Advance),
        proptest::strategy::Just(Change::RotateKek),
        proptest::strategy::Just(Change::Reopen),
    ];
    proptest::collection::vec(one, 1..25)
}

/// A record, and whether it still should open.
struct Kept {
    organization: String,
    bucket: Bucket,
    record: Vec<u8>,
    generation: u32,
    is_alive: bool,
}

struct Model {
    disk: Disk,
    keyring: Option<Keyring>,
    hour: u32,
    records: Vec<Kept>,
}

impl Model {
    fn keyring(&mut self) -> &mut Keyring {
        self.keyring.as_mut().unwrap()
    }

    fn now_ms(&self) -> u64 {
        Bucket::Hour(self.hour).ends_ms().unwrap()
    }

    fn kill(&mut self, is_dead: impl Fn(&Kept) -> bool) {
        self.records.iter_mut().filter(|kept| is_dead(kept)).for_each(|kept| kept.is_alive = false);
    }

    fn apply(&mut self, change: &Change) {
        let name = |number: &u8| format!("organization {}", number % 3);
        match change {
            Change::Create(number) => drop(self.keyring().create_organization(&name(number))),
            Change::Delete(number) => {
                if self.keyring().delete_organization(&name(number)).is_ok() {
                    self.kill(|kept| kept.organization == name(number));
                }
            }
            Change::Rotate(number) => drop(self.keyring().rotate_organization(&name(number))),
            Change::Retire(number) => {
                if let Ok(current) = self.keyring().current_generation(&name(number)) {
                    self.keyring().retire_generations(&name(number)).unwrap();
                    self.kill(|kept| kept.organization == name(number) && kept.generation != current);
                }
            }
            Change::Seal(number) => self.seal(&name(number), u32::from(number / 64)),
            Change::Advance(hours) => {
                self.hour += u32::from(*hours);
                let now_ms = self.now_ms();
                self.keyring().destroy_ended_buckets(now_ms).unwrap();
                self.kill(|kept| kept.bucket.has_ended(now_ms));
            }
            Change::RotateKek => {
                let file = key_file(&self.disk);
                file.add_key(&DEPLOYMENT, &self.keyring().kek_id()).unwrap();
                self.keyring().rotate_kek(Arc::new(file)).unwrap();
            }
            Change::Reopen => {
                self.keyring = None;
                let mut keyring = Keyring::open(by_key_file(&self.disk), Some(&DEPLOYMENT)).unwrap();
                keyring.save_counters().unwrap();
                self.keyring = Some(keyring);
            }
        }
    }

    fn seal(&mut self, organization: &str, hours: u32) {
        let (bucket, now_ms) = (Bucket::Hour(self.hour + 1 + hours), self.now_ms());
        let Ok(generation) = self.keyring().current_generation(organization) else { return };
        self.keyring().create_buckets(&[bucket], now_ms).unwrap();
        let record = self.keyring().seal(&place(organization, bucket), b"a row", now_ms).unwrap();
        let organization = organization.to_owned();
        self.records.push(Kept { organization, bucket, record, generation, is_alive: true });
    }
}

proptest! {
    #![proptest_config(Config::with_cases(60))]

    /// Whatever happens in whatever order: what lives opens, and what was shredded opens neither by the keyring nor by
    /// any keyring that was ever on the disk.
    #[test]
    fn the_living_open_and_the_shredded_never(changes in changes()) {
        let disk = Disk::default();
        let keyring = Some(with_organizations(&disk));
        let mut model = Model { disk: disk.clone(), keyring, hour: 0, records: Vec::new() };
        for change in &changes {
            model.apply(change);
        }
        let keyring = model.keyring.as_ref().unwrap();
        for kept in &model.records {
            let is_open = keyring.open_record(&place(&kept.organization, kept.bucket), &kept.record, NOW_MS).is_ok();
            prop_assert_eq!(is_open, kept.is_alive);
            let by_earlier =
                opens_by_earlier_bytes(&disk, &by_key_file, &kept.organization, kept.bucket, &kept.record);
            prop_assert!(kept.is_alive || !by_earlier);
        }
    }
}
