//! Forgets a sync that is no more: its rows and lines, its history and its positions.

use crate::error::Error;
use crate::records::SealedRecords;
use crate::tables::{
    CHANGES, ERROR_CHUNKS, ERROR_COUNTS, ERROR_GROUPS, ERROR_INDEX, ERROR_KEYS, ERROR_SCHEMAS, KEPT_ROWS,
    Key, LEDGERS, LOGS, PREVIEWS, REPORTS, RUNS, SETTLEMENTS, STAGES, SYNCS, UNITS,
};
use storage::{CHANGE_STEPS_MAX, Table};

/// All that is kept by a sync; its own record last, so that what was cut off is gone on with.
const OF_SYNC: [Table; 17] = [
    ERROR_GROUPS,
    ERROR_INDEX,
    ERROR_CHUNKS,
    ERROR_KEYS,
    ERROR_SCHEMAS,
    ERROR_COUNTS,
    SETTLEMENTS,
    KEPT_ROWS,
    STAGES,
    PREVIEWS,
    LOGS,
    REPORTS,
    LEDGERS,
    CHANGES,
    UNITS,
    RUNS,
    SYNCS,
];

impl SealedRecords {
    /// Deletes all that is kept of a sync that nobody will run again. It is gone at once for every reader; its bytes are erased
    /// by storage within its time. May be repeated after it was cut off.
    ///
    /// # Errors
    /// [`Error::Running`], or when storage refuses.
    pub async fn forget_sync(&self, sync: &str) -> Result<(), Error> {
        let _nobody_runs_it = self.hold_idle(sync).await?;
        for table in OF_SYNC {
            loop {
                let found = self.scan_page(table, &Key::of(sync), None).await?;
                if found.is_empty() {
                    break;
                }
                for some in found.chunks(CHANGE_STEPS_MAX) {
                    let gone = some.iter().map(|(key, _)| key.clone());
                    let change = gone.fold(self.change(), |change, key| change.delete(table, key));
                    self.storage.commit(change).await?;
                }
            }
        }
        Ok(())
    }
}
