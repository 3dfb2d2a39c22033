//! Records on their way to the host: left out, changed, rejected, queued.

use std::collections::VecDeque;

use cofferdam_sdk::{Budget, Operation, PageBuilder, Result, StreamSchema};
use serde_json::value::RawValue;

/// Rows and rejects that wait for room in a page.
#[derive(Default)]
pub(crate) struct Queue {
    rows: VecDeque<Box<RawValue>>,
    rejects: VecDeque<Rejected>,
}

/// A record that is none.
pub(crate) struct Rejected {
    pub(crate) raw: String,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Queue {
    pub(crate) fn push(&mut self, row: Box<RawValue>) {
        self.rows.push_back(row);
    }

    pub(crate) fn reject(&mut self, rejected: Rejected) {
        self.rejects.push_back(rejected);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.rejects.is_empty()
    }

    /// Moves what fits into a page.
    pub(crate) fn fill(
        &mut self,
        page: &mut PageBuilder,
        budget: &Budget,
        schema: &StreamSchema,
    ) -> Result<()> {
        let count = self.rejects.len().min(budget.rows_max);
        for rejected in self.rejects.drain(..count) {
            page.reject_raw(&schema.stream, rejected.raw.into_bytes(), rejected.code, rejected.message);
        }
        page.fill_json(schema, Operation::Insert, &mut self.rows)
    }
}
