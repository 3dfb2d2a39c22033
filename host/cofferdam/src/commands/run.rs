//! `cofferdam run`: move what is new.

use std::path::PathBuf;
use std::sync::Arc;

use pipeline::clock::SystemClock;
use pipeline::records::DirectoryRecords;
use pipeline::report::RunReport;
use pipeline::run::Run;
use tokio_util::sync::CancellationToken;

use crate::host::Host;
use crate::opened::Opened;
use crate::output::Output;
use crate::problem::Problems;
use crate::progress::Progress;
use crate::signals::Wishes;
use crate::spec::spec;
use crate::summary::Summary;
use crate::{arguments, places, units};

pub(super) async fn run(command: arguments::Run, output: &Output) -> Result<(), Problems> {
    let records = places::records(command.records, &command.sync);
    let host = Host::new(command.cache, output)?;
    let opened = Opened::new(&host, &command.sync).await?;
    opened.warnings().iter().for_each(|warning| output.warning(warning));
    let report = moved(&host, &opened, records.clone()).await?;
    host.logs.finish();
    let summary = Summary::new(&host, &opened, report, records);
    if output.json {
        output.document(&summary.document())?;
    } else {
        output.text(&summary.text())?;
    }
    summary.ended().map_err(Problems::told_in_document)
}

async fn moved(host: &Host, opened: &Opened, records: PathBuf) -> Result<RunReport, Problems> {
    let spec = spec(&opened.document.sync, opened.ports()?);
    let wishes = Wishes::listen()?;
    let cancel = CancellationToken::new();
    let progress = Progress::new(&host.screen);
    let records = Arc::new(DirectoryRecords::new(records));
    let run = Run::new(spec, records, Arc::new(SystemClock::new()), Arc::clone(&progress) as _);
    let report = tokio::select! {
        report = run.run(cancel.clone()) => report,
        // Both go on for as long as the run does.
        never = wishes.obey(&host.stopper, &cancel, &host.screen) => match never {},
        never = progress.draw(|| memory(opened)) => match never {},
    };
    progress.clear();
    Ok(report)
}

/// What each connector has used at most.
fn memory(opened: &Opened) -> String {
    let used = |part: &crate::part::Part| {
        let budget = part.connection.budget();
        let used = budget.iter().find(|usage| usage.limit == "memory_bytes").map_or(0, |usage| usage.used);
        format!("{} {}", part.name, units::bytes(used))
    };
    opened.parts().map(used).collect::<Vec<_>>().join(", ")
}
