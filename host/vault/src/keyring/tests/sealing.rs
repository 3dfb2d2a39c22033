use std::sync::OnceLock;

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::{Index, select};

use super::{DAY, DEPLOYMENT, HOUR, NOW_MS, by_key_file, place, sealed, with_organizations};
use crate::bucket::{Bucket, Class};
use crate::files::disk::Disk;
use crate::keyring::Keyring;
use crate::memory_key::MemoryKey;
use crate::record::{OVERHEAD_BYTES, PLAINTEXT_BYTES_MAX, Place, RecordHeader};
use crate::seal_error::SealError;
use crate::secret::Plaintext;

fn keyring() -> &'static Keyring {
    static KEYRING: OnceLock<Keyring> = OnceLock::new();
    KEYRING.get_or_init(|| with_organizations(&Disk::default()))
}

fn code(result: Result<Plaintext, SealError>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "none")
}

proptest! {
    #[test]
    fn opening_undoes_sealing(
        plaintext: Vec<u8>,
        table: String,
        key: Vec<u8>,
        schema_version: u32,
        class in select(Class::ALL.to_vec()),
        bucket in select(vec![Bucket::Standing, HOUR, DAY]),
    ) {
        let place = Place { organization: "acme", table: &table, key: &key, schema_version, class, bucket };
        let record = keyring().seal(&place, &plaintext, NOW_MS).unwrap();
        prop_assert_eq!(record.len(), plaintext.len() + OVERHEAD_BYTES);
        let opened = keyring().open_record(&place, &record, NOW_MS).unwrap();
        prop_assert_eq!(opened.expose(), plaintext.as_slice());
    }

    #[test]
    fn no_flipped_bit_opens(plaintext: Vec<u8>, bit in any::<Index>()) {
        let mut record = keyring().seal(&place("acme", DAY), &plaintext, NOW_MS).unwrap();
        let bit = bit.index(record.len() * 8);
        record[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(keyring().open_record(&place("acme", DAY), &record, NOW_MS).is_err());
    }

    #[test]
    fn no_cut_record_opens(plaintext: Vec<u8>, length in any::<Index>()) {
        let record = keyring().seal(&place("acme", DAY), &plaintext, NOW_MS).unwrap();
        let cut = &record[..length.index(record.len())];
        prop_assert!(keyring().open_record(&place("acme", DAY), cut, NOW_MS).is_err());
    }

    #[test]
    fn a_record_opens_at_no_other_place(table: String, key: Vec<u8>, schema_version: u32) {
        let home = Place { table: &table, key: &key, schema_version, ..place("acme", DAY) };
        let record = keyring().seal(&home, b"a row", NOW_MS).unwrap();
        let (longer_table, longer_key) = (format!("{table}x"), [key.as_slice(), b"x"].concat());
        let elsewhere = [
            Place { organization: "other", ..home },
            Place { table: &longer_table, ..home },
            Place { key: &longer_key, ..home },
            Place { schema_version: schema_version.wrapping_add(1), ..home },
            Place { class: Class::Cache, ..home },
            Place { bucket: HOUR, ..home },
            Place { bucket: Bucket::Standing, ..home },
        ];
        for place in elsewhere {
            prop_assert_eq!(code(keyring().open_record(&place, &record, NOW_MS)), "CD0904", "{:?}", place);
        }
    }
}

/// The header is bound to the record: one that was edited to name the other bucket or class does not open there.
#[test]
fn an_edited_header_does_not_open() {
    let mut record = sealed(keyring(), "acme", DAY);
    record[3..8].copy_from_slice(&HOUR.encode());
    assert_eq!(RecordHeader::parse(&record).unwrap().bucket, HOUR);
    assert_eq!(code(keyring().open_record(&place("acme", HOUR), &record, NOW_MS)), "CD0904");
}

#[test]
fn the_border_between_two_parts_of_a_place_is_sealed() {
    let one = Place { table: "ab", key: b"c", ..place("acme", DAY) };
    let record = keyring().seal(&one, b"a row", NOW_MS).unwrap();
    let other = Place { table: "a", key: b"bc", ..one };
    assert_eq!(code(keyring().open_record(&other, &record, NOW_MS)), "CD0904");
}

#[test]
fn unknown_formats_are_told_apart() {
    let record = sealed(keyring(), "acme", DAY);
    let with = |index: usize, byte| {
        let mut changed = record.clone();
        changed[index] = byte;
        code(keyring().open_record(&place("acme", DAY), &changed, NOW_MS))
    };
    assert_eq!([with(0, 2), with(1, 2), with(2, 9)], ["CD0901", "CD0902", "CD0903"]);
    assert_eq!(code(keyring().open_record(&place("acme", DAY), &[], NOW_MS)), "CD0903");
}

#[test]
fn what_has_ended_is_neither_opened_nor_sealed() {
    let record = sealed(keyring(), "acme", HOUR);
    let end_ms = HOUR.ends_ms().unwrap();
    assert_eq!(code(keyring().open_record(&place("acme", HOUR), &record, end_ms - 1)), "none");
    assert_eq!(code(keyring().open_record(&place("acme", HOUR), &record, end_ms)), "CD0905");
    assert_eq!(keyring().seal(&place("acme", HOUR), b"", end_ms).unwrap_err().code(), "CD0905");
}

#[test]
fn keys_that_do_not_exist_are_named() {
    let seal = |place: Place<'_>| keyring().seal(&place, b"", NOW_MS).unwrap_err().to_string();
    assert_eq!(seal(place("nobody", DAY)), "keyring has no key for organization `nobody`");
    assert_eq!(seal(place("acme", Bucket::Day(31))), "keyring has no key for bucket `day 31`");
}

#[test]
fn a_plaintext_over_the_limit_is_refused() {
    let error = keyring().seal(&place("acme", DAY), &vec![0; PLAINTEXT_BYTES_MAX + 1], NOW_MS).unwrap_err();
    assert_eq!(error.code(), "CD0911");
}

#[test]
fn two_records_of_the_same_row_have_nothing_in_common() {
    let (one, other) = (sealed(keyring(), "acme", DAY), sealed(keyring(), "acme", DAY));
    assert_eq!(one[..12], other[..12]);
    assert_ne!(one[12..36], other[12..36]);
    assert_ne!(one[36..], other[36..]);
}

#[test]
fn nothing_is_sealed_after_opening_before_the_counters_are_saved() {
    let disk = Disk::default();
    let record = sealed(&with_organizations(&disk), "acme", DAY);
    let mut keyring = Keyring::open(by_key_file(&disk), Some(&DEPLOYMENT)).unwrap();
    assert_eq!(code(keyring.open_record(&place("acme", DAY), &record, NOW_MS)), "none");
    let error = keyring.seal(&place("acme", DAY), b"", NOW_MS).unwrap_err();
    assert_eq!(error.code(), "CD0910");
    keyring.save_counters().unwrap();
    sealed(&keyring, "acme", DAY);
    sealed(&keyring, "other", DAY);
}

#[test]
fn a_key_in_memory_opens_what_it_sealed_and_no_other_does() {
    let (one, other) = (MemoryKey::random().unwrap(), MemoryKey::random().unwrap());
    let place = Place { class: Class::Cache, ..place("acme", Bucket::Standing) };
    let record = one.seal(&place, b"cached").unwrap();
    assert_eq!(one.open_record(&place, &record).unwrap().expose(), b"cached");
    assert_eq!(code(other.open_record(&place, &record)), "CD0904");
    let elsewhere = Place { key: b"run 2", ..place };
    assert_eq!(code(one.open_record(&elsewhere, &record)), "CD0904");
    assert_eq!(code(keyring().open_record(&place, &record, NOW_MS)), "CD0908");
}

#[test]
fn a_keyed_hash_tells_organizations_labels_and_messages_apart() {
    let hash =
        |organization, label, message: &[u8]| keyring().keyed_hash(organization, 1, label, message).unwrap();
    assert_eq!(hash("acme", "row key", b"1"), hash("acme", "row key", b"1"));
    assert_ne!(hash("acme", "row key", b"1"), hash("other", "row key", b"1"));
    assert_ne!(hash("acme", "row key", b"1"), hash("acme", "row key", b"2"));
    assert_ne!(hash("acme", "ab", b"c"), hash("acme", "a", b"bc"));
    assert_eq!(keyring().keyed_hash("acme", 2, "", b"").unwrap_err().code(), "CD0908");
}

#[test]
fn a_record_has_keys_until_they_are_destroyed() {
    let mut keyring = with_organizations(&Disk::default());
    let (hour, day) = (sealed(&keyring, "acme", HOUR), sealed(&keyring, "acme", DAY));
    let has_keys = |keyring: &Keyring, record: &[u8]| keyring.has_keys("acme", record).unwrap();
    assert!(has_keys(&keyring, &hour) && has_keys(&keyring, &day));
    keyring.destroy_ended_buckets(HOUR.ends_ms().unwrap()).unwrap();
    assert!(!has_keys(&keyring, &hour) && has_keys(&keyring, &day));
    keyring.rotate_organization("acme").unwrap();
    assert!(has_keys(&keyring, &day));
    keyring.retire_generations("acme").unwrap();
    assert!(!has_keys(&keyring, &day));
    assert_eq!(keyring.has_keys("acme", b"").unwrap_err().code(), "CD0903");
}
