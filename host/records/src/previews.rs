//! Rows that were shown, kept for a day so that they can be shown again.

use crate::codec;
use crate::error::Error;
use crate::records::SealedRecords;
use crate::tables::{Key, PREVIEWS};
use pipeline::model::{Batch, StreamSchema};
use serde::{Deserialize, Serialize};
use storage::Life;

/// Rows of one stream, as its source gave them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// When they were read, in milliseconds since 1970.
    pub at_ms: u64,
    /// By which they are laid out; its name is the stream's.
    pub schema: StreamSchema,
    /// The rows.
    pub batches: Vec<Batch>,
}

impl SealedRecords {
    /// Keeps rows that were shown, in the place of earlier ones of the stream.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn keep_preview(&self, sync: &str, preview: &Preview) -> Result<(), Error> {
        let until = self.storage.now_ms().saturating_add(self.retention().await?.previews_ms);
        let value = codec::to_compact(PREVIEWS, preview)?;
        let key = Key::of(sync).name(&preview.schema.stream);
        self.storage.commit(self.change().put(PREVIEWS, key, Life::Until(until), value)).await?;
        Ok(())
    }

    /// The rows of the sync that were shown within the last day.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn previews(&self, sync: &str) -> Result<Vec<Preview>, Error> {
        let found = self.scan_all(PREVIEWS, &Key::of(sync)).await?;
        found.iter().map(|(_, found)| codec::from_compact(PREVIEWS, found.value.expose())).collect()
    }
}
