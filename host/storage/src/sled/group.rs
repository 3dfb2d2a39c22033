//! Judges the batches of one group one after the other: each sees the database and what those before it change.

use std::collections::HashMap;

use tokio::sync::oneshot;

use super::database::{Change, Database};
use super::shared::unreadable;
use crate::engine::{Batch, EngineError, Sequence};

/// A batch that waits for its commit.
pub(super) struct Pending {
    pub(super) batch: Batch,
    pub(super) answer: oneshot::Sender<Result<Sequence, EngineError>>,
}

/// What becomes of a group.
pub(super) struct Judged<'a> {
    /// One verdict for each batch: with it the number of those before it that are committed.
    pub(super) verdicts: Vec<Result<u32, EngineError>>,
    /// How many are committed.
    pub(super) accepted: u32,
    changes: HashMap<&'a [u8], Option<&'a [u8]>>,
}

impl<'a> Judged<'a> {
    pub(super) fn of(group: &'a [Pending], database: &Database) -> Self {
        let mut judged =
            Self { verdicts: Vec::with_capacity(group.len()), accepted: 0, changes: HashMap::new() };
        for pending in group {
            let verdict = judged.judge(&pending.batch, database);
            if verdict.is_ok() {
                judged.accept(&pending.batch);
            }
            judged.verdicts.push(verdict);
        }
        judged
    }

    fn judge(&self, batch: &Batch, database: &Database) -> Result<u32, EngineError> {
        for expect in &batch.expect {
            let expected = expect.value.as_deref();
            let is_true = match self.changes.get(expect.key.as_slice()) {
                Some(changed) => *changed == expected,
                None => {
                    let found = database.get(&expect.key).map_err(|fault| unreadable(database, fault))?;
                    found.as_deref() == expected
                }
            };
            if !is_true {
                return Err(EngineError::Conflict { key: expect.key.clone() });
            }
        }
        Ok(self.accepted)
    }

    fn accept(&mut self, batch: &'a Batch) {
        self.changes.extend(batch.delete.iter().map(|key| (key.as_slice(), None)));
        self.changes.extend(batch.put.iter().map(|(key, value)| (key.as_slice(), Some(value.as_slice()))));
        self.accepted += 1;
    }

    /// The batches that are committed, in their order.
    pub(super) fn committed(&self, group: &'a [Pending]) -> impl Iterator<Item = &'a Batch> {
        let verdicts = self.verdicts.iter().map(Result::is_ok);
        group.iter().zip(verdicts).filter_map(|(pending, is_ok)| is_ok.then_some(&pending.batch))
    }

    /// The last change of each key.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change<'a>> {
        self.changes.iter().map(|(key, value)| (*key, *value))
    }
}
