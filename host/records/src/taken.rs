//! What was taken back from a run while it went on, kept with the run for good: names and codes, no texts of connectors.

use crate::codec;
use crate::error::Error;
use crate::records::{Attempts, SealedRecords};
use crate::runs::RunEntry;
use crate::tables::{Key, RUNS};
use serde::{Deserialize, Serialize};
use storage::Life;

/// Something that was taken back from a run while it went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBack {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Who did it.
    pub by: String,
    /// The connection that had it.
    pub connection: String,
    /// What it was, and what came of it, in the host's words.
    pub text: String,
    /// The code with which the run was ended for it; none: the connection went on with less.
    pub code: Option<String>,
}

impl SealedRecords {
    /// Keeps with a run that has ended what was taken back from it. In the place of what was kept of that before.
    ///
    /// # Errors
    /// [`Error::UnknownSync`], [`Error::UnknownRun`], or when storage refuses.
    pub async fn keep_taken_back(&self, sync: &str, run: u64, taken: &[TakenBack]) -> Result<(), Error> {
        let key = Key::of(sync).number(run);
        let mut attempts = Attempts::at(RUNS);
        loop {
            let Some((mut entry, read)) = self.read_json::<RunEntry>(RUNS, &key).await? else {
                let newest = self.newest_run(sync).await?;
                return Err(Error::UnknownRun { sync: sync.into(), run, newest });
            };
            entry.taken_back = taken.to_vec();
            let value = codec::to_json(RUNS, &entry)?;
            let change = self.change().expect(RUNS, key.clone(), Some(&read));
            if self.try_commit(change.put(RUNS, key.clone(), Life::Standing, value)).await? {
                return Ok(());
            }
            attempts.again()?;
        }
    }
}
