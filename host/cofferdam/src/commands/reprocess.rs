//! `cofferdam reprocess`: rejected rows of a run through the transforms and to the destination as they are now.

use std::sync::Arc;

use pipeline::records::Purpose;
use records::{Choice, Reprocess, RunLog, Session};

use crate::host::Host;
use crate::keeper::Keeper;
use crate::moved::{Moved, moved};
use crate::output::Output;
use crate::problem::{Own, Problems};
use crate::spec::spec;
use crate::units::counted;
use crate::{arguments, places, remote, subject};

pub(super) async fn run(command: arguments::Reprocess, output: &Output) -> Result<(), Problems> {
    if command.server.is_meant(&command.data)? {
        return remote::reprocess(&command).perform(&command.server, output).await;
    }
    let path = places::data(command.data.data.as_deref(), &command.sync);
    let host = Host::new(command.cache, &command.network, output)?;
    let (opened, keeper) = Keeper::new(path, &command.data).opening(&host, &command.sync).await?;
    let sync = &opened.document.sync.name;
    let mut named = command.rows.ids.iter().filter_map(|id| id.sync.as_ref());
    if let Some(other) = named.find(|named| *named != sync) {
        return Err(Own::SeveralSyncs { first: sync.clone(), second: other.clone() }.into());
    }
    let deployment = keeper.existing().await?;
    opened.warnings().iter().for_each(|warning| output.warning(warning));
    let filter = subject::filter(&command.rows);
    let records = Arc::clone(&deployment.records);
    let reprocess = Reprocess::new(records, sync, command.run, filter, command.force).await?;
    output.aside(&told(reprocess.choice()));
    let log = Arc::new(RunLog::new(Arc::clone(&deployment.records)));
    let session = Session::new(Arc::clone(&deployment.records)).with_log(Arc::clone(&log));
    let session = session.with_reprocess(Arc::clone(&reprocess));
    let mut spec = spec(&opened.document.sync, opened.ports()?);
    spec.source = reprocess.source();
    spec.purpose = Purpose::Reprocess;
    let moving = Moved { host: &host, opened: &opened, deployment, log };
    moved(moving, spec, Arc::new(session), output).await
}

/// What is sent, and what is left and why.
fn told(choice: Choice) -> String {
    let Choice { rows, kept_without_row, superseded } = choice;
    let mut text = format!("{} sent through again\n", counted(rows, "rejected row is", "rejected rows are"));
    if superseded > 0 {
        let left = counted(superseded, "superseded row is", "superseded rows are");
        text.push_str(&format!(
            "{left} left: a later row of the same key has arrived (`--force` sends them too)\n"
        ));
    }
    if kept_without_row > 0 {
        let left = counted(kept_without_row, "rejected row is", "rejected rows are");
        text.push_str(&format!("{left} left: nothing is kept of them that could be sent\n"));
    }
    text
}
