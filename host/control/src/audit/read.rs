//! Entries are read, a page at a time, with what is still readable of their personal fields.

use super::entry::{Entry, Outcome};
use super::log::{Audit, Log, entry_key};
use super::persons::PersonalFields;
use crate::error::Error;
use crate::keeper::{INSTALLATION, unreadable};
use crate::tables::{AUDIT_ENTRIES, Key};
use std::collections::BTreeMap;
use storage::Range;

/// An entry of a log.
#[derive(Clone, PartialEq, Eq)]
pub struct ReadEntry {
    /// Its number, from 0.
    pub number: u64,
    /// When it was made, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What was done: the name of an [`Act`](super::Act), maybe of a later version.
    pub act: String,
    /// The id of who did it.
    pub actor: String,
    /// The id of what it was done to.
    pub subject: String,
    /// Whether it was done.
    pub outcome: Outcome,
    /// Words and numbers of ours.
    pub details: BTreeMap<String, String>,
    /// What tells who somebody is.
    pub personal: PersonalFields,
}

impl Audit {
    /// At most `limit` entries of a log from this number on; fewer may come, though at least one where there is one.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn read(&self, log: &Log, from: u64, limit: usize) -> Result<Vec<ReadEntry>, Error> {
        let mut entries = Vec::new();
        for (number, bytes) in self.lines(log, from, limit).await? {
            let entry = Entry::parse(&bytes).filter(|entry| entry.number == number);
            let entry = entry.ok_or_else(|| unreadable(AUDIT_ENTRIES, &format!("number {number}")))?;
            let personal = self.keeper.open_personal(log, entry.personal.as_ref()).await?;
            let Entry { number, at_ms, act, actor, subject, outcome, details, .. } = entry;
            entries.push(ReadEntry { number, at_ms, act, actor, subject, outcome, details, personal });
        }
        Ok(entries)
    }

    /// The bytes of entries, with their numbers.
    pub(crate) async fn lines(
        &self,
        log: &Log,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, Error> {
        let prefix = Key::of(log.name());
        let after = from.checked_sub(1).map(|before| entry_key(log, before));
        let range = Range { prefix: &prefix, after: after.as_deref(), limit };
        let found = self.keeper.page(INSTALLATION, AUDIT_ENTRIES, range).await?;
        let numbered = found.into_iter().map(|(key, found)| {
            let number = key.last_chunk().copied().map_or(u64::MAX, u64::from_be_bytes);
            (number, found.value.expose().to_vec())
        });
        Ok(numbered.collect())
    }
}
