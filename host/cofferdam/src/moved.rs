//! One run from its beginning to its report: signals, progress, what goes on beside it, and what is kept of it.

use std::sync::Arc;

use pipeline::clock::{Clock, SystemClock};
use pipeline::records::RunRecords;
use pipeline::report::RunReport;
use pipeline::run::{Run, RunSpec};
use records::{LogLevel, LogLine, RunLog, SealedRecords};
use tokio_util::sync::CancellationToken;

use crate::deployment::Deployment;
use crate::host::Host;
use crate::live::Live;
use crate::opened::Opened;
use crate::output::Output;
use crate::part::Part;
use crate::problem::Problems;
use crate::progress::Progress;
use crate::signals::Wishes;
use crate::summary::Summary;
use crate::taped;
use crate::units;

/// What a run needs beside what it is to do.
pub(crate) struct Moved<'a> {
    pub(crate) host: &'a Host,
    pub(crate) opened: &'a Opened,
    pub(crate) deployment: Deployment,
    /// Where lines of its guests go.
    pub(crate) log: Arc<RunLog>,
}

/// Run it, show what it did, and say how it ended.
pub(crate) async fn moved(
    moving: Moved<'_>,
    spec: RunSpec,
    records: Arc<dyn RunRecords>,
    output: &Output,
) -> Result<(), Problems> {
    let Moved { host, opened, deployment, log } = moving;
    host.logs.keep_in(Arc::clone(&log));
    opened.parts().for_each(|part| note_revealed(part, &log));
    let wishes = Wishes::listen()?;
    let beside = deployment.beside(Some(live(host, opened, &log)))?;
    let driving = Driving { host, opened, wishes };
    let report = driving.run(spec, records, Arc::new(SystemClock::new())).await;
    beside.end().await;
    host.logs.finish();
    let data = deployment.directory.path.clone();
    let kept = keep(&deployment.records, &log, host, &report).await;
    let taped = taped::finish(host, &report, output).await;
    let summary = Summary::new(host, opened, report, Some(data));
    let closed = deployment.close().await;
    show(&summary, output)?;
    summary.ended().map_err(Problems::told_in_document)?;
    // The document is out already.
    kept.and(closed).and(taped).map_err(Problems::told_in_document)
}

/// The run as those see it who come beside it.
fn live(host: &Host, opened: &Opened, log: &Arc<RunLog>) -> Live {
    Live {
        document: opened.document.file.clone().into(),
        holds: opened.parts().filter_map(|part| part.hold.clone()).collect(),
        network: host.shared.network.clone(),
        taken: host.taken.clone(),
        log: Arc::clone(log),
    }
}

/// Who holds a secret stands in the run's log for as long as that is kept.
pub(crate) fn note_revealed(part: &Part, log: &RunLog) {
    for name in &part.revealed {
        let text = format!("`{}` was given the secret of the credential `{name}`", part.name);
        let at_ms = units::now_ms();
        log.push(LogLine { at_ms, connector: "host".into(), level: LogLevel::Warn, text });
    }
}

pub(crate) fn show(summary: &Summary, output: &Output) -> Result<(), Problems> {
    if output.json { output.document(&summary.document()) } else { output.text(&summary.text()) }
}

/// What a run is watched by.
pub(crate) struct Driving<'a> {
    pub(crate) host: &'a Host,
    pub(crate) opened: &'a Opened,
    pub(crate) wishes: Wishes,
}

impl Driving<'_> {
    pub(crate) async fn run(
        self,
        spec: RunSpec,
        records: Arc<dyn RunRecords>,
        clock: Arc<dyn Clock>,
    ) -> RunReport {
        let Self { host, opened, wishes } = self;
        let cancel = CancellationToken::new();
        let progress = Progress::new(&host.screen);
        let run = Run::new(spec, records, clock, Arc::clone(&progress) as _);
        let report = tokio::select! {
            report = run.run(cancel.clone()) => report,
            // These go on for as long as the run does.
            never = wishes.obey(&host.stopper, &cancel, &host.screen) => match never {},
            never = host.taken.obey(&host.stopper, &cancel, &host.screen) => match never {},
            never = progress.draw(|| memory(opened)) => match never {},
        };
        progress.clear();
        report
    }
}

/// The ledger, lines that came after the report, and what was taken back. A run that could not begin has nothing of its own.
pub(crate) async fn keep(
    records: &SealedRecords,
    log: &RunLog,
    host: &Host,
    report: &RunReport,
) -> Result<(), Problems> {
    if report.run == 0 {
        return Ok(());
    }
    log.write().await?;
    let taken = host.taken.kept();
    if !taken.is_empty() {
        records.keep_taken_back(&report.sync, report.run, &taken).await?;
    }
    let requests = host.traffic.entries();
    if requests.is_empty() {
        return Ok(());
    }
    Ok(records.keep_ledger(&report.sync, report.run, &requests).await?)
}

/// What each connector has used at most.
fn memory(opened: &Opened) -> String {
    let used = |part: &Part| {
        let budget = part.connection.budget();
        let used = budget.iter().find(|usage| usage.limit == "memory_bytes").map_or(0, |usage| usage.used);
        format!("{} {}", part.name, units::bytes(used))
    };
    opened.parts().map(used).collect::<Vec<_>>().join(", ")
}
