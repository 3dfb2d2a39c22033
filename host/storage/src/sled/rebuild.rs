//! Builds a broken database anew, beside it: from the journal alone where that reaches back to the first commit, otherwise from
//! the newest backup and the journal behind it. The broken one is kept under another name.

use std::collections::BTreeMap;
use std::fs;

use super::database::{Counts, Database, Fault};
use super::disk::sync_tree;
use super::error::OpenError;
use super::fence::Fence;
use super::journal::Place;
use super::layout::Layout;
use super::options::{BackupItems, Options};
use super::replay::{self, ReplayError};
use super::survey::Survey;
use crate::engine::SnapshotItem;

/// Items of a backup are put into the database so many bytes at a time.
const STEP_BYTES: usize = 1 << 20;

/// Puts a whole database in the place of the broken one.
pub(super) fn rebuild(
    options: &Options,
    layout: &Layout,
    place: &Place,
    survey: &Survey,
    (broken, reason): (u64, Fault),
) -> Result<Database, OpenError> {
    let path = layout.database(broken);
    let refuse =
        |missing: String| OpenError::Broken { path: path.clone(), reason: reason.0.clone(), missing };
    let backup =
        if survey.first() == 1 { None } else { Some(usable_backup(options, survey).map_err(&refuse)?) };
    let number = broken.saturating_add(1);
    let fresh = layout.database(number);
    let unwritable = |fault: Fault| refuse(format!("`{}` cannot be written: {}", fresh.display(), fault.0));
    let database = Database::open(&fresh, number, options.cache_bytes).map_err(unwritable)?;
    let counts = match backup {
        Some(backup) => fill(&database, backup).map_err(&refuse)?,
        None => Counts::default(),
    };
    match replay::into_database(place, &survey.segments, &database, counts) {
        Ok(_) => {}
        Err(ReplayError::Journal(error)) => return Err(error),
        Err(ReplayError::Database(fault)) => return Err(unwritable(fault)),
    }
    sync_tree(&*options.disk, &fresh).map_err(OpenError::file("sync", &fresh))?;
    layout.write_current(&*options.disk, number)?;
    if path.exists() {
        fs::rename(&path, layout.broken(broken)).map_err(OpenError::file("move aside", &path))?;
        options.disk.sync_directory(&layout.directory).map_err(OpenError::file("sync", &layout.directory))?;
    }
    Ok(database)
}

/// A backup that the journal goes on from.
fn usable_backup(options: &Options, survey: &Survey) -> Result<BackupItems, String> {
    let begins = survey.first();
    let found = options.backup.as_ref().map_or(Ok(None), |backup| backup.open());
    let found = found.map_err(|why| format!("the newest backup cannot be read: {why}"))?;
    let backup =
        found.ok_or_else(|| format!("there is no backup, and the journal begins at commit {begins}"))?;
    let sequence = backup.sequence;
    if sequence.saturating_add(1) < begins {
        return Err(format!(
            "the newest backup ends at commit {sequence}, and the journal begins at {begins}"
        ));
    }
    if sequence > survey.newest() {
        let newest = survey.newest();
        return Err(format!("the newest backup ends at commit {sequence}, and the journal at {newest}"));
    }
    Ok(backup)
}

fn fill(database: &Database, backup: BackupItems) -> Result<Counts, String> {
    let mut counts = Counts::default();
    let mut fence = Fence::default();
    let mut step: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
    let mut bytes = 0;
    let mut flush = |step: &mut BTreeMap<Vec<u8>, Option<Vec<u8>>>, sequence| {
        let changes = step.iter().map(|(key, value)| (key.as_slice(), value.as_deref()));
        counts = database.apply(&mut fence, sequence, counts, changes).map_err(|fault| fault.0)?;
        step.clear();
        database.sync_when_due(&mut fence).map_err(|fault| fault.0)?;
        Ok::<Counts, String>(counts)
    };
    for item in backup.items {
        let (key, value) = match item? {
            SnapshotItem::Put((key, value)) => (key, Some(value)),
            SnapshotItem::Delete(key) => (key, None),
        };
        bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        step.insert(key, value);
        if bytes >= STEP_BYTES {
            // Not yet the state of any commit: the database has no name that counts before it is whole.
            flush(&mut step, 0)?;
            bytes = 0;
        }
    }
    let counts = flush(&mut step, backup.sequence)?;
    database.sync(&mut fence).map_err(|fault| fault.0)?;
    Ok(counts)
}
