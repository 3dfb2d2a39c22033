//! Whole runs of which rows are rejected, or might be as late as at the commit, with what is kept of them by default beside
//! `row_data = "off"`.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use pipeline::clock::SystemClock;
use pipeline::report::{Outcome, RunReport};
use pipeline::run::{NoObserver, RowData, Run, RunSpec};
use records::{SealedRecords, Session, Settings};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::clock::{Took, Watch};
use crate::measured::Pair;
use crate::native_rows::{NativeRows, Rejecting, STREAM};
use crate::report::{Goal, Report};
use crate::sealed::{Home, ORGANIZATION};

const ROWS: u64 = 2_000_000;
/// What is promised is promised for so many.
const LONG_ROWS: u64 = 10_000_000;
const REPETITIONS: usize = 3;

/// Rows, and which of them the destination rejects.
struct Rows {
    native: NativeRows,
    rejecting: Rejecting,
}

pub(crate) fn run(tokio: &Runtime, directory: &Path, is_long: bool, report: &mut Report) -> Result<()> {
    let count = if is_long { LONG_ROWS } else { ROWS };
    let rejecting = Rejecting { every: 100, late: false };
    let few = Rows { native: NativeRows::new(count), rejecting };
    let what = format!("a run that rejects 1 % of {} rows", few.native.count());
    compare(tokio, directory, &few, &what, Goal::RatioAtLeast(0.85), report)?;
    let rejecting = Rejecting { every: 1, late: false };
    let all = Rows { native: NativeRows::new(count / 2), rejecting };
    let what = format!("a run that rejects all of {} rows", all.native.count());
    compare(tokio, directory, &all, &what, Goal::AtLeast(150.0), report)?;
    // No row is rejected. All have to be kept, commit by commit, because they might be.
    let rejecting = Rejecting { every: u32::MAX, late: true };
    let late = Rows { native: NativeRows::new(count / 2), rejecting };
    let what = format!("a run of {} rows to a destination with late rejects", late.native.count());
    compare(tokio, directory, &late, &what, Goal::None, report)
}

fn compare(
    tokio: &Runtime,
    directory: &Path,
    rows: &Rows,
    what: &str,
    goal: Goal,
    report: &mut Report,
) -> Result<()> {
    let once = |row_data| move || once(tokio, directory, rows, row_data);
    let pair = Pair::of(REPETITIONS, once(RowData::Stored), once(RowData::Off))?;
    let what = format!("{what}, beside `row_data = \"off\"`");
    report.add(pair.row(&what, rows.native.count() as f64 / 1e3, "k rows/s", goal));
    let (low, high) = pair.spread();
    let cpu = pair.cpu_ratio();
    let cpu_us = pair.ours_cpu_seconds() * 1e6 / rows.native.count() as f64;
    report.note(format!(
        "{what}: ratio by processor time {cpu:.2}, {cpu_us:.2} µs of it a row; repetitions between {low:.2} and {high:.2}."
    ));
    Ok(())
}

/// One run with fresh storage, to the end.
fn once(tokio: &Runtime, directory: &Path, rows: &Rows, row_data: RowData) -> Result<Took> {
    let home = Home::new_in(directory)?;
    let mut spec = RunSpec::new("bench", Arc::new(rows.native.clone()), Arc::new(rows.rejecting));
    spec.rejects.row_data = row_data;
    tokio.block_on(async {
        let open = home.open().await?;
        let records = SealedRecords::new(Arc::clone(&open.storage), ORGANIZATION, Settings::default());
        let session = Arc::new(Session::new(Arc::new(records)));
        let watch = Watch::start()?;
        let run = Run::new(spec, session, Arc::new(SystemClock::new()), Arc::new(NoObserver));
        let ended = run.run(CancellationToken::new()).await;
        let took = watch.stop()?;
        judge(&ended, rows)?;
        open.close().await?;
        Ok(took)
    })
}

fn judge(ended: &RunReport, rows: &Rows) -> Result<()> {
    ensure!(ended.outcome == Outcome::Completed, "the run ended with {:?}", ended.error);
    let counters = &ended.streams.get(STREAM).context("the run has no stream")?.counters;
    let count = rows.native.count();
    let (read, rejected) = (counters.read, counters.rejected);
    ensure!(
        (read, rejected) == (count, count / u64::from(rows.rejecting.every)),
        "{rejected} of {read} rejected"
    );
    Ok(())
}
