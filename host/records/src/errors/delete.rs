//! Deletes row errors at a user's wish.

use super::ErrorFilter;
use crate::error::Error;
use crate::records::SealedRecords;
use crate::settlement::Fate;
use std::collections::BTreeMap;

impl SealedRecords {
    /// Deletes the row errors that the filter finds, and says how many. Each is gone at once for every reader when its
    /// chunk is done; their bytes are erased by storage within its time. Counters of runs stay. May be done while the sync
    /// runs, and be repeated after it was cut off.
    ///
    /// # Errors
    /// As [`SealedRecords::errors`], or when storage refuses.
    pub async fn delete_errors(&self, sync: &str, filter: &ErrorFilter) -> Result<u64, Error> {
        self.newest_run(sync).await?;
        let mut deleted = 0;
        let mut search = self.search(sync, filter, None).await?;
        while let Some((listed, errors)) = search.next().await? {
            let edits: BTreeMap<u32, Fate> = errors.iter().map(|error| (error.offset, Fate::Dealt)).collect();
            self.edit_chunk(sync, None, listed.at, &edits, 0).await?;
            deleted += edits.len() as u64;
        }
        search.prove_conditions()?;
        Ok(deleted)
    }

    /// Erases what was deleted of the organization, and returns when it is done: everything else is sealed anew, and the former
    /// key destroyed. Says how many records that were; none: nothing was to be erased.
    ///
    /// # Errors
    /// When storage refuses. It goes on from there by itself.
    pub async fn erase_now(&self) -> Result<Option<u64>, Error> {
        Ok(self.storage.erase_now(&self.organization).await?.map(|done| done.records))
    }
}
