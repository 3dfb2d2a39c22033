//! What the keys have that were expected of late: every change of an organization expects its head, and the database need not be
//! asked for it each time. Exact, because whoever leads has it, and nobody else changes a value.

use std::collections::HashMap;

use crate::engine::Batch;

/// More keys than a busy host has organizations and leases; then it begins anew.
const KEYS_MAX: usize = 1024;
/// Longer values are asked for again: with the longest keys it is 2 MiB at most.
const VALUE_BYTES_MAX: usize = 1 << 10;

#[derive(Default)]
pub(super) struct Expected(HashMap<Vec<u8>, Option<Vec<u8>>>);

impl Expected {
    /// What a key has, if that is known; the inner none: there is none.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.0.get(key).map(Option::as_deref)
    }

    /// A key was looked up.
    pub(super) fn note(&mut self, key: &[u8], value: Option<Vec<u8>>) {
        if value.as_ref().is_some_and(|value| value.len() > VALUE_BYTES_MAX) {
            return;
        }
        if self.0.len() >= KEYS_MAX {
            self.0.clear();
        }
        self.0.insert(key.to_vec(), value);
    }

    /// A batch is committed. What it has changed is looked up again when it is expected.
    pub(super) fn forget(&mut self, batch: &Batch) {
        let puts = batch.put.iter().map(|(key, _)| key);
        for key in batch.delete.iter().chain(puts) {
            self.0.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Expected, KEYS_MAX, VALUE_BYTES_MAX};
    use crate::engine::Batch;

    #[test]
    fn what_a_commit_has_changed_is_not_known_any_more() {
        let mut known = Expected::default();
        known.note(b"put", Some(vec![1]));
        known.note(b"deleted", Some(vec![2]));
        known.note(b"missing", None);
        let put = vec![(b"put".to_vec(), vec![3])];
        known.forget(&Batch { put, delete: vec![b"deleted".to_vec()], ..Batch::default() });
        assert_eq!((known.get(b"put"), known.get(b"deleted")), (None, None));
        assert_eq!(known.get(b"missing"), Some(None));
    }

    #[test]
    fn neither_long_values_nor_any_number_of_keys_are_kept() {
        let mut known = Expected::default();
        known.note(b"long", Some(vec![0; VALUE_BYTES_MAX + 1]));
        assert_eq!(known.get(b"long"), None);
        for number in 0..3 * KEYS_MAX {
            known.note(&number.to_be_bytes(), None);
            assert!(known.0.len() <= KEYS_MAX);
        }
    }
}
