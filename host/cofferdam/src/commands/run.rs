//! `cofferdam run`: move what is new.

use std::sync::Arc;

use records::{RunLog, Session};

use crate::host::Host;
use crate::keeper::Keeper;
use crate::moved::{Moved, moved};
use crate::output::Output;
use crate::problem::Problems;
use crate::spec::spec;
use crate::{arguments, places};

pub(super) async fn run(command: arguments::Run, output: &Output) -> Result<(), Problems> {
    let path = places::data(command.data.data.as_deref(), &command.sync);
    let host = Host::new(command.cache, &command.network, output)?;
    let (opened, keeper) = Keeper::new(path, &command.data).opening(&host, &command.sync).await?;
    let deployment = keeper.made(output).await?;
    opened.warnings().iter().for_each(|warning| output.warning(warning));
    let log = Arc::new(RunLog::new(Arc::clone(&deployment.records)));
    let session = Session::new(Arc::clone(&deployment.records)).with_log(Arc::clone(&log));
    let moving = Moved { host: &host, opened: &opened, deployment, log };
    let spec = spec(&opened.document.sync, opened.ports()?);
    moved(moving, spec, session, output).await
}
