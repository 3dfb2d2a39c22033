//! One writer from its opening to its end: its answers are held against what it said of itself and was given.

use super::{Violation, capabilities, commit_report, verdicts, write_report};
use crate::model::{Capabilities, CommitReport, Layouts, StreamPlan, StreamVerdict, WriteReport};

/// What the answers of one writer are judged by.
#[derive(Debug, Clone, Default)]
pub struct Writing {
    /// What the destination said that it understands.
    layouts: Layouts,
    /// Whether it said that its commits may reject rows.
    late_rejects: bool,
    /// Rows of each batch since the last commit, by number.
    row_counts: Vec<u32>,
}

impl Writing {
    /// Whether it has said yet what it can do.
    pub fn knows_capabilities(&self) -> bool {
        self.layouts != Layouts::default()
    }

    /// It says what it can do.
    ///
    /// # Errors
    /// The [`Violation`] that the connector committed, as of all that follow.
    pub fn capabilities(&mut self, given: &Capabilities) -> Result<(), Violation> {
        capabilities(given)?;
        self.layouts = given.layouts;
        self.late_rejects = given.late_rejects;
        Ok(())
    }

    /// It answers plans.
    ///
    /// # Errors
    /// As [`Self::capabilities`].
    pub fn verdicts(&self, given: &[StreamVerdict], plans: &[StreamPlan]) -> Result<(), Violation> {
        verdicts(given, plans, self.layouts)
    }

    /// It took a batch.
    ///
    /// # Errors
    /// As [`Self::capabilities`].
    pub fn written(&mut self, report: &WriteReport, row_count: u32) -> Result<(), Violation> {
        write_report(report, row_count)?;
        self.row_counts.push(row_count);
        Ok(())
    }

    /// It committed; batches are counted anew from here on.
    ///
    /// # Errors
    /// As [`Self::capabilities`].
    pub fn committed(&mut self, report: &CommitReport) -> Result<(), Violation> {
        let row_counts = std::mem::take(&mut self.row_counts);
        commit_report(report, &row_counts, self.late_rejects)
    }
}
