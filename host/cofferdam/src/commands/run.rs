//! `cofferdam run`: move what is new.

mod replay;

use std::sync::Arc;

use cassette::{Cassette, Recorder};
use pipeline::records::RunRecords;
use records::{RunLog, Session};

use crate::host::Host;
use crate::keeper::Keeper;
use crate::moved::{Moved, moved};
use crate::output::Output;
use crate::problem::Problems;
use crate::spec::spec;
use crate::taped::{self, TapedRecords};
use crate::{arguments, places, workers};

pub(super) async fn run(command: arguments::Run, output: &Output) -> Result<(), Problems> {
    if let Some(folder) = command.replay.clone() {
        return replay::run(command, &folder, output).await;
    }
    let path = places::data(command.data.data.as_deref(), &command.sync);
    let mut host = Host::new(command.cache, &command.network, output)?;
    if command.worker {
        host = host.with_workers()?;
    }
    let recorder = match &command.record {
        Some(folder) => Some(Recorder::create(folder, taped::head(&command.sync)?)?),
        None => None,
    };
    if let Some(recorder) = &recorder {
        host = host.recording_or_replaying(Cassette::Record(recorder.clone()));
    }
    let (opened, keeper) = Keeper::new(path, &command.data).opening(&host, &command.sync).await?;
    let deployment = keeper.made(output).await?;
    opened.warnings().iter().for_each(|warning| output.warning(warning));
    if let Some(crew) = &host.crew {
        workers::warnings(&crew.start().await?).for_each(|warning| output.warning(&warning));
    }
    let log = Arc::new(RunLog::new(Arc::clone(&deployment.records)));
    let session = Session::new(Arc::clone(&deployment.records)).with_log(Arc::clone(&log));
    let moving = Moved { host: &host, opened: &opened, deployment, log };
    let mut spec = spec(&opened.document.sync, opened.ports()?);
    let mut records: Arc<dyn RunRecords> = Arc::new(session);
    if let Some(recorder) = recorder {
        spec.options = taped::options(spec.options);
        records = Arc::new(TapedRecords::new(records, recorder));
    }
    moved(moving, spec, records, output).await
}
