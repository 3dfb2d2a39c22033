//! Remembers which records near the cursor were given already, so that a later run does not give them again.
//!
//! A record is known by its cursor's value and a hash of its text. One that was given twice is remembered twice; one
//! that has changed has another hash, and is given again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

/// The most records that are remembered: about 200 kB in a checkpoint, of which the host takes 1 MiB by default. With
/// more of them at one value the oldest are forgotten, and come again.
const RECORDS_MAX: usize = 10_000;

/// Hashes of records by the microsecond of their cursor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memory(BTreeMap<i64, Vec<Hash>>);

/// A hash as JSON carries it without loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Hash(u64);

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        format!("{:016x}", hash.0)
    }
}

impl TryFrom<String> for Hash {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u64::from_str_radix(&text, 16).map(Self)
    }
}

impl Memory {
    /// Whether a record is known. Each is known as often as it was added.
    pub(crate) fn take(&mut self, micros: i64, record: &str) -> bool {
        let Some(hashes) = self.0.get_mut(&micros) else { return false };
        let hash = Hash(XxHash3_64::oneshot(record.as_bytes()));
        let Some(place) = hashes.iter().position(|known| *known == hash) else { return false };
        hashes.swap_remove(place);
        true
    }

    pub(crate) fn add(&mut self, micros: i64, record: &str) {
        self.0.entry(micros).or_default().push(Hash(XxHash3_64::oneshot(record.as_bytes())));
    }

    /// Forgets what is before this microsecond, and the oldest of what is too much.
    pub(crate) fn forget_before(&mut self, micros: i64) {
        self.0 = self.0.split_off(&micros);
        self.0.retain(|_, hashes| !hashes.is_empty());
        let mut count: usize = self.0.values().map(Vec::len).sum();
        while count > RECORDS_MAX
            && let Some(mut oldest) = self.0.first_entry()
        {
            let hashes = oldest.get_mut();
            let kept = hashes.len().saturating_sub(count - RECORDS_MAX);
            count -= hashes.len() - kept;
            hashes.truncate(kept);
            if kept == 0 {
                oldest.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Memory, RECORDS_MAX};

    #[test]
    fn a_record_is_known_as_often_as_it_was_given() {
        let mut memory = Memory::default();
        memory.add(7, "a");
        memory.add(7, "a");
        memory.add(8, "b");
        let mut memory: Memory = serde_json::from_str(&serde_json::to_string(&memory).unwrap()).unwrap();
        let known = [(7, "a"), (7, "a"), (7, "a"), (7, "b"), (8, "b")]
            .map(|(micros, text)| memory.take(micros, text));
        assert_eq!(known, [true, true, false, false, true]);
    }

    #[test]
    fn what_is_old_or_too_much_is_forgotten() {
        let mut memory = Memory::default();
        for record in 0..RECORDS_MAX + 10 {
            memory.add(if record < 5 { 1 } else { 2 }, &record.to_string());
        }
        memory.add(0, "old");
        memory.forget_before(1);
        let kept: usize = memory.0.values().map(Vec::len).sum();
        assert_eq!((kept, memory.0.contains_key(&0), memory.0.contains_key(&1)), (RECORDS_MAX, false, false));
        assert!(serde_json::to_string(&memory).unwrap().len() < 256 << 10);
        memory.forget_before(3);
        assert_eq!(memory, Memory::default());
    }
}
