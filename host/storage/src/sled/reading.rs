//! Reads what is durable: the overlay first, then the database.

use super::database::ANSWER_BYTES;
use super::overlay::Changes;
use super::shared::{Shared, unreadable};
use crate::engine::{EngineError, Entry, Scan};

impl Shared {
    /// The value of a key, as of the newest commit.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.check()?;
        if let Some(changed) = self.overlay.get(key) {
            return Ok(changed);
        }
        let database = self.database()?;
        database.get(key).map_err(|fault| unreadable(&database, fault))
    }

    /// The entries of a range: section by section, each as of a commit that is no older than the call.
    pub(super) fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, EngineError> {
        self.check()?;
        let mut answer = Answer { entries: Vec::new(), bytes: 0, limit: scan.limit };
        let mut after = scan.after.clone();
        while !answer.is_full() {
            let section = self.overlay.section(&scan.prefix, after.as_deref());
            let database = self.database()?;
            let limit = scan.limit - answer.entries.len();
            let page = database
                .scan_until(&Scan { prefix: scan.prefix.clone(), after, limit }, section.until.as_deref())
                .map_err(|fault| unreadable(&database, fault))?;
            let end = match page.entries.last() {
                Some((last, _)) if page.is_cut => Some(last.clone()),
                _ => section.until,
            };
            answer.merge(page.entries, section.changes, end.as_deref());
            match end {
                Some(end) => after = Some(end),
                None => break,
            }
        }
        Ok(answer.entries)
    }
}

struct Answer {
    entries: Vec<Entry>,
    bytes: usize,
    limit: usize,
}

impl Answer {
    fn is_full(&self) -> bool {
        self.entries.len() >= self.limit || self.bytes >= ANSWER_BYTES
    }

    /// Takes the entries of both up to this key, which is as far as both are known; of one that is in both what has changed.
    fn merge(&mut self, found: Vec<Entry>, changes: Changes, end: Option<&[u8]>) {
        let is_within = |key: &Vec<u8>| end.is_none_or(|end| key.as_slice() <= end);
        let mut changes = changes.into_iter().take_while(|(key, _)| is_within(key)).peekable();
        for (key, value) in found {
            while let Some((changed, value)) = changes.next_if(|(changed, _)| *changed < key) {
                self.push(changed, value);
            }
            match changes.next_if(|(changed, _)| *changed == key) {
                Some((_, changed)) => self.push(key, changed),
                None => self.push(key, Some(value)),
            }
        }
        changes.for_each(|(key, value)| self.push(key, value));
    }

    fn push(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let Some(value) = value.filter(|_| !self.is_full()) else { return };
        self.bytes += key.len() + value.len();
        self.entries.push((key, value));
    }
}
