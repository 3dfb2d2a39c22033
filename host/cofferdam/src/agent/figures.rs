//! What is counted of a run that this process executed. Figures know no organization and no sync.

use std::time::Duration;

use control::{Cause, Order, RunOutcome};
use measures::{Measures, Outcome, Rows};
use pipeline::report::RunReport;

use crate::traffic::{End, Traffic};
use crate::units::now_ms;

/// A run begins here.
pub(super) fn begins(measures: &Measures, order: &Order) {
    // What is tried again is late for other reasons.
    if let Cause::Schedule { due_ms } = order.cause
        && order.attempt == 1
    {
        measures.schedule_delay(Duration::from_millis(now_ms().saturating_sub(due_ms)));
    }
}

/// What a run moved.
pub(super) fn moved(measures: &Measures, report: &RunReport) {
    let total = report.total();
    let (read, accepted) = (total.read, total.accepted);
    measures.rows(Rows { read, accepted, rejected: total.rejected, filtered: total.filtered });
}

/// What its connectors asked for and did not get.
pub(super) fn denied(measures: &Measures, traffic: &Traffic) {
    for (group, amounts) in traffic.sums() {
        if let End::Denied { code, .. } = group.end {
            measures.denials(&code, amounts.requests);
        }
    }
}

/// How it ended, in a word.
pub(super) fn word(outcome: &RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Done => "done",
        RunOutcome::Failed { .. } => "failed",
        RunOutcome::Cancelled => "cancelled",
        RunOutcome::HandedBack => "handed back",
    }
}

/// A run has ended here.
pub(super) fn ended(measures: &Measures, outcome: &RunOutcome, took: Duration) {
    let how = match outcome {
        RunOutcome::Done => Outcome::Done,
        RunOutcome::Failed { error, .. } => {
            measures.run_error(error);
            Outcome::Failed
        }
        RunOutcome::Cancelled => Outcome::Cancelled,
        RunOutcome::HandedBack => Outcome::HandedBack,
    };
    measures.run(how, took);
}
