//! Whence a log is exported: a server, or a data directory that no server has.

use std::io::{self, Write};
use std::sync::Arc;

use control::{Act, Audit, Event, INSTALLATION, Log};
use storage::Storage;
use tokio::io::AsyncReadExt;

use crate::arguments::OneLog;
use crate::deployment::Deployment;
use crate::places;
use crate::problem::{Problem, Problems};
use crate::remote::{Error, exported_audit};

const PIPE_BYTES: usize = 64 << 10;
/// Who exports from a data directory has no account.
const BY: &str = "local";

/// Whether that it is exported is written down in the log. A server always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    InTheLog,
    Nowhere,
}

/// Writes a log as it is now.
pub(super) async fn write(log: &OneLog, told: Told, out: &mut (dyn Write + Send)) -> Result<(), Problems> {
    if log.data.data.is_none() {
        return exported_audit(&log.server, log.installation, out).await;
    }
    let path = places::data_here(log.data.data.as_deref());
    let deployment = Deployment::existing(&path, &log.data).await?;
    let written = of_storage(Arc::clone(&deployment.storage), log, told, out).await;
    let closed = deployment.close().await;
    written.and(closed)
}

async fn of_storage(
    storage: Arc<Storage>,
    wanted: &OneLog,
    told: Told,
    out: &mut (dyn Write + Send),
) -> Result<(), Problems> {
    let log = named(&storage, wanted)?;
    let audit = Audit::open(storage).await?;
    if told == Told::InTheLog {
        audit.append(&log, &Event::done(Act::AuditExported, BY, log.name())).await?;
    }
    let (mut writer, mut reader) = tokio::io::duplex(PIPE_BYTES);
    let exporting = async move { audit.export(&log, &mut writer).await };
    let passing = async {
        let mut part = vec![0; PIPE_BYTES];
        loop {
            let count = reader.read(&mut part).await?;
            match part.get(..count) {
                Some(read @ [_, ..]) => out.write_all(read)?,
                _ => return Ok::<(), io::Error>(()),
            }
        }
    };
    let (exported, passed) = tokio::join!(exporting, passing);
    passed.map_err(|error| Problem::output(&error))?;
    exported?;
    Ok(())
}

/// The log that is meant. That of a deleted organization is still there, under its whole name.
fn named(storage: &Storage, wanted: &OneLog) -> Result<Log, Problems> {
    let owners = storage.organizations();
    if !owners.iter().any(|owner| owner == INSTALLATION) {
        return Err(Error::NoAuditLog.into());
    }
    if wanted.installation {
        return Ok(Log::installation());
    }
    let mut known = owners.iter().filter_map(|owner| owner.split_once('/').map(|(_, id)| (owner, id)));
    let wanted = wanted.server.organization.as_deref();
    if let Some(whole) = wanted.filter(|wanted| wanted.contains('/')) {
        return Ok(Log::of(whole));
    }
    let mut found = known.clone().filter(|(_, id)| wanted.is_none_or(|wanted| wanted == *id));
    match (found.next(), found.next()) {
        (Some((owner, _)), None) => Ok(Log::of(owner)),
        _ => {
            let known = known.by_ref().map(|(_, id)| format!("`{id}`")).collect();
            Err(Error::WhichOne { what: "organization", said: wanted.map(ToOwned::to_owned), known }.into())
        }
    }
}
