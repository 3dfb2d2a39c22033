//! A leaf beside a map that does the same.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Edit, LEAF_BYTES, Slots, Unreadable, find, first_key};
use crate::sled::stored::{self, Head};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// The leaves that come of a leaf by these changes, one after the other, and what each change has replaced.
fn edited(leaf: &[u8], changes: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> (Vec<Vec<u8>>, Vec<Option<Vec<u8>>>) {
    let mut edit = Edit::of(leaf);
    let mut replaced = Vec::new();
    for (key, value) in changes {
        let head = value.as_ref().map(|value| stored::encode(1, value).0);
        let old = edit.change(key, head.as_deref()).unwrap();
        replaced.push(old.map(|slot| {
            let Head::Short(value) = slot.head else { panic!("no value is long") };
            value.to_vec()
        }));
    }
    (edit.finish().unwrap(), replaced)
}

fn entries(leaf: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let entry = |slot: Result<super::Slot<'_>, Unreadable>| {
        let slot = slot.unwrap();
        let Head::Short(value) = slot.head else { panic!("no value is long") };
        (slot.key.to_vec(), value.to_vec())
    };
    Slots::of(leaf).map(entry).collect()
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(0_u8..4, 0..4), prop::collection::vec(any::<u8>(), 0..1024)]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), prop_oneof![0_usize..60, 0_usize..4096]).prop_map(|(byte, length)| vec![byte; length])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn leaves_hold_what_a_map_would_and_are_cut_where_they_are_full(
        rounds in prop::collection::vec(prop::collection::btree_map(key(), prop::option::of(value()), 1..30), 1..6)
    ) {
        let mut model = Model::new();
        // By their bounds.
        let mut leaves: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for changes in rounds {
            for (key, value) in &changes {
                let (bound, leaf) = leaves.range(..=key.clone()).next_back()
                    .map(|(bound, leaf)| (bound.clone(), leaf.clone())).unwrap_or_default();
                let (after, replaced) = edited(&leaf, &BTreeMap::from([(key.clone(), value.clone())]));
                prop_assert_eq!(replaced, vec![model.get(key).cloned()]);
                leaves.remove(&bound);
                for (number, leaf) in after.into_iter().enumerate() {
                    let bound = if number == 0 { bound.clone() } else { first_key(&leaf).unwrap().to_vec() };
                    leaves.insert(bound, leaf);
                }
                match value {
                    Some(value) => model.insert(key.clone(), value.clone()),
                    None => model.remove(key),
                };
            }
            let found: Vec<_> = leaves.values().flat_map(|leaf| entries(leaf)).collect();
            prop_assert_eq!(found, model.clone().into_iter().collect::<Vec<_>>());
            for leaf in leaves.values() {
                prop_assert!(leaf.len() <= LEAF_BYTES || entries(leaf).len() == 1);
            }
        }
    }

    #[test]
    fn many_changes_at_once_are_what_they_are_one_by_one(
        before in prop::collection::btree_map(key(), value(), 0..20),
        changes in prop::collection::btree_map(key(), prop::option::of(value()), 1..40),
    ) {
        let puts = before.clone().into_iter().map(|(key, value)| (key, Some(value))).collect();
        // One leaf, whatever its length.
        let leaf = edited(&[], &puts).0.concat();
        let (after, replaced) = edited(&leaf, &changes);
        let expected: Vec<_> = changes.keys().map(|key| before.get(key).cloned()).collect();
        prop_assert_eq!(replaced, expected);
        let mut model = before;
        for (key, value) in changes {
            match value {
                Some(value) => model.insert(key, value),
                None => model.remove(&key),
            };
        }
        prop_assert_eq!(entries(&after.concat()), model.clone().into_iter().collect::<Vec<_>>());
        for (key, value) in &model {
            let slot = find(&after.concat(), key).unwrap().map(|slot| slot.head == Head::Short(value.as_slice()));
            prop_assert_eq!(slot, Some(true));
        }
    }

    #[test]
    fn a_leaf_that_is_cut_off_anywhere_is_unreadable_or_ends_between_two_entries(
        entries in prop::collection::btree_map(key(), value().prop_map(Some), 1..8), at in any::<prop::sample::Index>()
    ) {
        let leaf = edited(&[], &entries).0.concat();
        let cut = &leaf[..at.index(leaf.len())];
        let whole: Vec<_> = Slots::of(&leaf).map(Result::unwrap).collect();
        let (mut good, mut is_broken) = (0, false);
        for (slot, expected) in Slots::of(cut).zip(&whole) {
            match slot {
                Ok(slot) => { prop_assert_eq!(&slot, expected); good += slot.bytes.len(); }
                Err(Unreadable) => is_broken = true,
            }
        }
        prop_assert_eq!(is_broken, good != cut.len());
    }
}

#[test]
fn a_full_leaf_becomes_two_of_about_the_same_length() {
    let entries: BTreeMap<_, _> = (0_u8..24).map(|number| (vec![number], Some(vec![number; 80]))).collect();
    let leaf = edited(&[], &entries).0.concat();
    let (leaves, _) = edited(&leaf, &BTreeMap::from([(vec![99], Some(vec![1; 80]))]));
    let lengths: Vec<_> = leaves.iter().map(Vec::len).collect();
    assert!(lengths.len() == 2 && lengths[0].abs_diff(lengths[1]) <= 100, "{lengths:?}");
}
