//! Removes the rows of what has expired. Housekeeping: they are not served and, their keys destroyed, open no more.

use futures::future::join_all;

use crate::engine::{BATCH_OPERATIONS_MAX, Batch, EngineError, Expect, Scan, Sequence};
use crate::error::Error;
use crate::key::{self, Space};
use crate::storage::Storage;
use crate::value::{ValueId, bucket_of, chunks_of};

/// A record costs an expectation and two deletes.
const RECORDS_A_BATCH: usize = BATCH_OPERATIONS_MAX / 3;
/// Batches that an engine may commit as one group.
const BATCHES_AT_ONCE: usize = 24;
/// Of expectations in a batch; keys and the last record find room above it.
const EXPECTATION_BYTES: usize = 512 << 10;

/// What goes together, and the chunks that nobody needs after.
#[derive(Default)]
struct Portion {
    batch: Batch,
    records: u64,
    chunks: Vec<(String, ValueId)>,
}

impl Portion {
    fn is_full(&self) -> bool {
        self.batch.delete.len() > 2 * (RECORDS_A_BATCH - 1) || self.batch.byte_count() > EXPECTATION_BYTES
    }
}

impl Storage {
    /// Removes what has ended by the time that is believed. Answers how many records.
    pub(crate) async fn purge(&self) -> Result<u64, Error> {
        let now_ms = self.time.believed_ms();
        let (mut after, mut purged) = (None, 0);
        loop {
            let limit = RECORDS_A_BATCH * BATCHES_AT_ONCE;
            let entries = self.engine.scan(Scan { prefix: vec![Space::Expiry as u8], after, limit }).await?;
            let mut portions = vec![Portion::default()];
            let mut last = None;
            for (entry, _) in entries {
                let Some((ends_ms, record)) = key::parse_expiry(&entry) else { continue };
                if ends_ms > now_ms {
                    break;
                }
                if portions.last().is_none_or(Portion::is_full) {
                    portions.push(Portion::default());
                }
                if let Some(portion) = portions.last_mut() {
                    self.draft_purge(portion, &entry, record, now_ms).await?;
                }
                last = Some(entry);
            }
            if last.is_none() {
                return Ok(purged);
            }
            after = last;
            for done in join_all(portions.into_iter().map(|portion| self.purge_portion(portion))).await {
                purged += done?;
            }
        }
    }

    async fn draft_purge(
        &self,
        portion: &mut Portion,
        entry: &[u8],
        record: Vec<u8>,
        now_ms: u64,
    ) -> Result<(), Error> {
        portion.batch.delete.push(entry.to_vec());
        let Some(stored) = self.stored(&record).await? else { return Ok(()) };
        // Written again since, with a longer life: that one has an entry of its own.
        if !bucket_of(&stored).is_some_and(|bucket| bucket.has_ended(now_ms)) {
            return Ok(());
        }
        if let (Some(chunks), Some(organization)) = (chunks_of(&stored), key::organization_of(&record)) {
            portion.chunks.push((organization.to_owned(), chunks.id));
        }
        portion.records += 1;
        portion.batch.delete.push(record.clone());
        portion.batch.expect.push(Expect { key: record, value: Some(stored) });
        Ok(())
    }

    /// Commits at the call, so that all portions share a sync.
    fn purge_portion(&self, portion: Portion) -> impl Future<Output = Result<u64, Error>> {
        let Portion { batch, chunks, records } = portion;
        let commit = (!batch.delete.is_empty()).then(|| self.engine.commit(batch));
        async move {
            match commit {
                Some(commit) => self.purge_after(commit.await, &chunks, records).await,
                None => Ok(0),
            }
        }
    }

    async fn purge_after(
        &self,
        committed: Result<Sequence, EngineError>,
        chunks: &[(String, ValueId)],
        records: u64,
    ) -> Result<u64, Error> {
        match committed {
            Ok(_) => {}
            // One of them was written again meanwhile. The entries are still there, for the next pass.
            Err(EngineError::Conflict { .. }) => return Ok(0),
            Err(error) => return Err(error.into()),
        }
        for (organization, id) in chunks {
            self.remove_chunks(organization, id).await?;
        }
        Ok(records)
    }
}
