//! Judges the batches of one group one after the other: each sees what is durable and what those before it change.

use std::collections::HashMap;

use super::expected::Expected;
use super::shared::Shared;
use crate::engine::{Batch, EngineError};

/// What becomes of a group.
pub(super) struct Judged {
    /// One verdict for each batch: with it the number of those before it that are committed.
    pub(super) verdicts: Vec<Result<u32, EngineError>>,
    /// How many are committed.
    pub(super) accepted: u32,
}

struct Judge<'a> {
    shared: &'a Shared,
    known: &'a mut Expected,
    accepted: u32,
    /// What those before have changed.
    changes: HashMap<&'a [u8], Option<&'a [u8]>>,
}

impl Judged {
    pub(super) fn of(group: &[Batch], shared: &Shared, known: &mut Expected) -> Self {
        let mut judge = Judge { shared, known, accepted: 0, changes: HashMap::new() };
        let verdicts = group.iter().enumerate().map(|(number, batch)| {
            let verdict = judge.judge(batch);
            // Nobody comes behind the last one.
            if verdict.is_ok() {
                judge.accept(batch, number + 1 < group.len());
            }
            verdict
        });
        let verdicts = verdicts.collect();
        Self { verdicts, accepted: judge.accepted }
    }

    /// The batches that are committed, in their order.
    pub(super) fn committed<'a>(&self, group: &'a [Batch]) -> impl Iterator<Item = &'a Batch> {
        let verdicts = self.verdicts.iter().map(Result::is_ok);
        group.iter().zip(verdicts).filter_map(|(batch, is_ok)| is_ok.then_some(batch))
    }
}

impl<'a> Judge<'a> {
    fn judge(&mut self, batch: &Batch) -> Result<u32, EngineError> {
        for expect in &batch.expect {
            let expected = expect.value.as_deref();
            let is_true = match self.changes.get(expect.key.as_slice()) {
                Some(changed) => *changed == expected,
                None => self.has(&expect.key, expected)?,
            };
            if !is_true {
                return Err(EngineError::Conflict { key: expect.key.clone() });
            }
        }
        Ok(self.accepted)
    }

    /// Whether a key has this value by what is durable.
    fn has(&mut self, key: &[u8], expected: Option<&[u8]>) -> Result<bool, EngineError> {
        if let Some(known) = self.known.get(key) {
            return Ok(known == expected);
        }
        let found = self.shared.get(key)?;
        let is_true = found.as_deref() == expected;
        self.known.note(key, found);
        Ok(is_true)
    }

    fn accept(&mut self, batch: &'a Batch, is_followed: bool) {
        self.accepted += 1;
        if is_followed {
            self.changes.extend(batch.delete.iter().map(|key| (key.as_slice(), None)));
            let puts = batch.put.iter();
            self.changes.extend(puts.map(|(key, value)| (key.as_slice(), Some(value.as_slice()))));
        }
    }
}
