//! Gives back the space of what was overwritten and deleted, by copying what is live into a new database.

use std::path::Path;

use super::database::{Counts, Database, Fault};
use super::disk::{Disk, sync_tree};
use super::error::OpenError;
use super::fence::Fence;
use super::layout::Layout;
use crate::engine::Scan;

/// The disk that a database may take for each byte that is live.
const WASTE_MAX: u64 = 3;
/// Below that there is nothing to gain.
const DISK_BYTES_MIN: u64 = 32 << 20;

/// Whether copying gives back more than it costs.
pub(super) fn is_worthwhile(database: &Database, counts: Counts) -> bool {
    let disk = database.disk_bytes();
    disk > DISK_BYTES_MIN && disk > counts.live_bytes.saturating_mul(WASTE_MAX)
}

/// Makes a copy, all of it durable, the live one. The old one is left for the caller to remove: until then, and after a crash
/// at any moment, the directory has exactly one live database, and the other is a leftover.
pub(super) fn copy(
    layout: &Layout,
    disk: &dyn Disk,
    old: &Database,
    cache_bytes: u64,
) -> Result<Database, OpenError> {
    let number = old.number.saturating_add(1);
    let path = layout.database(number);
    let fresh = fill(&path, number, old, cache_bytes)
        .map_err(|fault| OpenError::file("copy the database to", &path)(std::io::Error::other(fault.0)))?;
    sync_tree(disk, &path).map_err(OpenError::file("sync", &path))?;
    layout.write_current(disk, number)?;
    Ok(fresh)
}

/// Nobody writes to the old one meanwhile: the thread that does is here, or the engine is not open yet.
fn fill(path: &Path, number: u64, old: &Database, cache_bytes: u64) -> Result<Database, Fault> {
    let expected = old.counts()?;
    let fresh = Database::open(path, number, cache_bytes)?;
    let mut counts = Counts { sequence: expected.sequence, ..Counts::default() };
    let mut fence = Fence::default();
    let mut after = None;
    loop {
        let entries = old.scan(&Scan { prefix: Vec::new(), after: after.take(), limit: usize::MAX })?;
        let Some((last, _)) = entries.last() else { break };
        after = Some(last.clone());
        let changes = entries.iter().map(|(key, value)| (key.as_slice(), Some(value.as_slice())));
        counts = fresh.apply(&mut fence, expected.sequence, counts, changes)?;
        fresh.sync_when_due(&mut fence)?;
    }
    if counts != expected {
        return Err(Fault(format!("it has {} entries and should have {}", counts.entries, expected.entries)));
    }
    fresh.apply(&mut fence, expected.sequence, counts, std::iter::empty())?;
    fresh.sync(&mut fence)?;
    Ok(fresh)
}
