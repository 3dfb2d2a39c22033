//! Takes batches, counts them, and fails where it was told to.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use cofferdam_sdk::{
    Capabilities, CommitReport, Error, Incoming, LateReject, Layouts, Modes, Operations, Reject, Result,
    Rows, StreamPlan, StreamVerdict, WriteReport, Writer,
};

use crate::{config::Config, totals::Totals, touch};

/// The writer.
#[derive(Debug)]
pub struct NullWriter {
    config: Config,
    totals: BTreeMap<String, Totals>,
    rows: u64,
    taken: u64,
    late: Vec<LateReject>,
    writes: u64,
    commits: u64,
}

impl NullWriter {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, totals: BTreeMap::new(), rows: 0, taken: 0, late: Vec::new(), writes: 0, commits: 0 }
    }

    /// What was counted since this writer was opened, for each stream.
    #[must_use]
    pub fn totals(&self) -> &BTreeMap<String, Totals> {
        &self.totals
    }

    /// Which rows of a batch are rejected now; those to be rejected late are kept for the commit.
    fn reject(&mut self, number: u64, row_count: u32) -> Vec<Reject> {
        let (every, late_every) = (self.config.reject_every, self.config.late_reject_every);
        let (rows, taken) = (self.rows, self.taken);
        self.rows += u64::from(row_count);
        self.taken += u64::from(row_count);
        if every.is_none() && late_every.is_none() {
            return Vec::new();
        }
        let mut rejected = Vec::new();
        self.taken = taken;
        for row in 0..row_count {
            if is_multiple(rows + u64::from(row) + 1, every) {
                rejected.push(Reject::new(row, "made_up", "rejected as configured"));
                continue;
            }
            self.taken += 1;
            if is_multiple(self.taken, late_every) {
                let reject = Reject::new(row, "made_up_late", "rejected at the commit as configured");
                self.late.push(LateReject { batch: number, reject });
            }
        }
        rejected
    }
}

fn is_multiple(number: u64, every: Option<u64>) -> bool {
    every.is_some_and(|every| number.is_multiple_of(every))
}

impl Writer for NullWriter {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            exactly_once: false,
            transactions: self.config.transactions,
            fences: false,
            late_rejects: self.config.late_reject_every.is_some(),
            layouts: Layouts::COLUMNS | Layouts::JSON_LINES,
            modes: Modes::APPEND | Modes::UPSERT | Modes::MIRROR | Modes::REPLACE,
            operations: Operations::INSERT | Operations::UPDATE | Operations::UPSERT | Operations::DELETE,
        }
    }

    fn prepare(&mut self, plans: &[StreamPlan], _: bool) -> Result<Vec<StreamVerdict>> {
        let layout = |plan: &StreamPlan| self.config.layout.map_or(plan.schema.layout, Into::into);
        Ok(plans.iter().map(|plan| StreamVerdict::all_stored(plan, layout(plan))).collect())
    }

    fn write(&mut self, number: u64, incoming: Incoming<'_>) -> Result<WriteReport> {
        self.writes += 1;
        if self.config.fail_at_write == Some(self.writes) {
            return Err(Error::transient(format!("write {} fails as configured", self.writes)));
        }
        let rejected = self.reject(number, incoming.row_count());
        if !self.totals.contains_key(incoming.stream()) {
            self.totals.insert(incoming.stream().to_owned(), Totals::default());
        }
        let Some(totals) = self.totals.get_mut(incoming.stream()) else {
            return Ok(WriteReport { rejected });
        };
        totals.add_rows(&incoming.batch.operations, incoming.row_count());
        totals.bytes += incoming.batch.byte_count() as u64;
        totals.rejected += rejected.len() as u64;
        if self.config.touch {
            match &incoming.batch.rows {
                Rows::Columns(_) => touch::columns(&incoming.columns()?, &mut totals.values)?,
                Rows::JsonLines(lines) => touch::json_lines(lines, &mut totals.values)?,
            }
        }
        Ok(WriteReport { rejected })
    }

    fn commit(&mut self, token: &str, last: bool) -> Result<CommitReport> {
        self.commits += 1;
        if self.config.fail_at_commit == Some(self.commits) {
            return Err(Error::transient(format!("commit {} fails as configured", self.commits)));
        }
        let rejected = std::mem::take(&mut self.late);
        for (stream, totals) in &self.totals {
            log::info!("`{stream}`: {totals}");
        }
        let word = if last { ", the last one" } else { "" };
        log::info!("commit {} (`{token}`{word}): {} rejected late", self.commits, rejected.len());
        Ok(CommitReport { rejected })
    }
}
