//! Records in a plain directory, until sealed storage takes their place.
//!
//! For each sync a folder: `lock` (held by the process that runs it), `sync.json` (counts the runs), `units/*.json`,
//! `runs/*.json`, `row-errors/RUN/*.jsonl`. Nothing is encrypted: row errors hold rows, and only the owner may read them.

mod files;

use super::{Amendment, Error, Prepared, RowErrorChunk, RunRecords, RunTicket, UnitRecord};
use crate::report::RunReport;
use async_trait::async_trait;
use files::{file_name, list, lock, read_json, read_json_lines, write_json, write_json_lines};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records in a directory.
#[derive(Debug)]
pub struct DirectoryRecords {
    root: PathBuf,
    held: Mutex<HashMap<RunTicketKey, Arc<Held>>>,
}

type RunTicketKey = (String, u64);

/// The lock of one sync. Each call under way has a share of it, so that it is given back after the last of them.
#[derive(Debug)]
struct Held {
    folder: PathBuf,
    /// Calls of a run come from several tasks: one at a time touches the files.
    turn: Mutex<()>,
    /// Closing the file gives the lock back.
    _lock: File,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct SyncRecord {
    runs: u64,
}

impl DirectoryRecords {
    /// Records under this directory, which is made when the first run begins.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), held: Mutex::default() }
    }

    fn folder(&self, sync: &str) -> PathBuf {
        self.root.join(file_name(sync))
    }

    fn held(&self) -> MutexGuard<'_, HashMap<RunTicketKey, Arc<Held>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a change of the sync's files where waiting for the disk stops nobody.
    async fn change<T: Send + 'static>(
        &self,
        ticket: &RunTicket,
        change: impl FnOnce(&Path) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let held = self.held().get(&(ticket.sync.clone(), ticket.run)).map(Arc::clone);
        let held = held.ok_or_else(|| Error::Fenced { sync: ticket.sync.clone(), run: ticket.run })?;
        blocking(move || {
            let _turn = held.turn.lock().unwrap_or_else(PoisonError::into_inner);
            change(&held.folder)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Error::Unavailable {
            operation: "work on".into(),
            place: "run records".into(),
            message: error.to_string(),
        }),
    }
}

fn begin(folder: PathBuf, sync: &str) -> Result<(u64, Held), Error> {
    let lock = lock(&folder.join("lock"))?.ok_or_else(|| Error::Locked { sync: sync.into() })?;
    let path = folder.join("sync.json");
    let mut record: SyncRecord = read_json(&path)?.unwrap_or_default();
    record.runs += 1;
    write_json(&path, &record)?;
    Ok((record.runs, Held { folder, turn: Mutex::default(), _lock: lock }))
}

fn unit_path(folder: &Path, unit: &str) -> PathBuf {
    folder.join("units").join(format!("{}.json", file_name(unit)))
}

fn run_path(folder: &Path, run: u64) -> PathBuf {
    folder.join("runs").join(format!("{run:010}.json"))
}

fn row_errors_folder(folder: &Path, run: u64) -> PathBuf {
    folder.join("row-errors").join(format!("{run:010}"))
}

/// Row errors first: their file is named by the number of the commit, so that a commit which is cut off before the unit's
/// record is written leaves a file that its repetition replaces.
fn commit(folder: &Path, unit: &str, token: &str, mut amendment: Amendment) -> Result<(), Error> {
    RowErrorChunk::forget_keys(&mut amendment.row_errors);
    let path = unit_path(folder, unit);
    let mut record: UnitRecord = read_json(&path)?.unwrap_or_default();
    let Some((run, chunks)) = record.commit(unit, token, amendment)? else { return Ok(()) };
    if !chunks.is_empty() {
        let name = format!("{:010}-{}.jsonl", record.commits, file_name(unit));
        write_json_lines(&row_errors_folder(folder, run).join(name), &chunks)?;
    }
    write_json(&path, &record)
}

#[async_trait]
impl RunRecords for DirectoryRecords {
    async fn begin(&self, sync: &str) -> Result<RunTicket, Error> {
        let (folder, name) = (self.folder(sync), sync.to_owned());
        let (run, held) = blocking(move || begin(folder, &name)).await?;
        self.held().insert((sync.to_owned(), run), Arc::new(held));
        Ok(RunTicket { sync: sync.into(), run })
    }

    async fn unit(&self, ticket: &RunTicket, unit: &str) -> Result<UnitRecord, Error> {
        let unit = unit.to_owned();
        self.change(ticket, move |folder| Ok(read_json(&unit_path(folder, &unit))?.unwrap_or_default())).await
    }

    async fn prepare(&self, ticket: &RunTicket, unit: &str, mut prepared: Prepared) -> Result<(), Error> {
        RowErrorChunk::forget_keys(&mut prepared.effect.row_errors);
        let unit = unit.to_owned();
        self.change(ticket, move |folder| {
            let path = unit_path(folder, &unit);
            let mut record: UnitRecord = read_json(&path)?.unwrap_or_default();
            record.prepare(&unit, prepared)?;
            write_json(&path, &record)
        })
        .await
    }

    async fn commit(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        amendment: Amendment,
    ) -> Result<(), Error> {
        let (unit, token) = (unit.to_owned(), token.to_owned());
        self.change(ticket, move |folder| commit(folder, &unit, &token, amendment)).await
    }

    async fn discard(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<(), Error> {
        let (unit, token) = (unit.to_owned(), token.to_owned());
        self.change(ticket, move |folder| {
            let path = unit_path(folder, &unit);
            let Some(mut record) = read_json::<UnitRecord>(&path)? else { return Ok(()) };
            record.discard(&token);
            write_json(&path, &record)
        })
        .await
    }

    async fn finish(&self, ticket: &RunTicket, report: RunReport) -> Result<(), Error> {
        let run = ticket.run;
        self.change(ticket, move |folder| write_json(&run_path(folder, run), &report)).await
    }

    fn release(&self, ticket: &RunTicket) {
        self.held().remove(&(ticket.sync.clone(), ticket.run));
    }

    async fn report(&self, sync: &str, run: Option<u64>) -> Result<Option<RunReport>, Error> {
        let folder = self.folder(sync);
        blocking(move || match run {
            Some(run) => read_json(&run_path(&folder, run)),
            None => match list(&folder.join("runs"), ".json")?.last() {
                Some(newest) => read_json(newest),
                None => Ok(None),
            },
        })
        .await
    }

    async fn row_errors(
        &self,
        sync: &str,
        run: u64,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RowErrorChunk>, Error> {
        let folder = row_errors_folder(&self.folder(sync), run);
        blocking(move || {
            let mut chunks = Vec::new();
            let mut to_skip = skip;
            for path in list(&folder, ".jsonl")? {
                read_json_lines(&path, &mut to_skip, limit, &mut chunks)?;
                if chunks.len() >= limit {
                    break;
                }
            }
            Ok(chunks)
        })
        .await
    }
}
