//! Seals some records anew, each on condition that it is as it was read.

use futures::future::join_all;
use vault::{Place, Plaintext};

use super::job::Job;
use crate::engine::{BATCH_OPERATIONS_MAX, Batch, EngineError, Entry, Expect, Sequence};
use crate::error::Error;
use crate::key::RecordKey;
use crate::storage::Storage;
use crate::value::{self, Stored, chunks_of};

/// A record is in its batch twice, as it was and as it will be.
const BATCH_BYTES: usize = 512 << 10;

/// A record that was opened.
struct Old<'a> {
    place: Place<'a>,
    key: &'a [u8],
    stored: &'a [u8],
    value: Plaintext,
}

impl Storage {
    pub(super) async fn reseal_entries(
        &self,
        organization: &str,
        entries: Vec<Entry>,
        job: &mut Job,
    ) -> Result<(), Error> {
        let (mut batches, mut batch) = (Vec::new(), Batch::default());
        for (key, stored) in &entries {
            let old = match self.open_old(organization, key, stored).await {
                Ok(Some(old)) => old,
                Ok(None) => continue,
                Err(error) if error.is_unreadable() => {
                    job.done.unreadable += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            job.done.records += 1;
            job.done.bytes += old.value.expose().len() as u64;
            job.in_this_walk += 1;
            if chunks_of(stored).is_some() {
                self.reseal_large(&old).await?;
                continue;
            }
            let bytes = batch.byte_count() + 2 * stored.len();
            if batch.put.len() * 2 + 2 > BATCH_OPERATIONS_MAX || bytes > BATCH_BYTES {
                batches.push(std::mem::take(&mut batch));
            }
            let sealed = self.keys.seal(&old.place, old.value.expose(), self.time.believed_ms()).await?;
            batch.put.push((old.key.to_vec(), value::encode_whole(old.place.schema_version, &sealed)));
            batch.expect.push(Expect { key: old.key.to_vec(), value: Some(old.stored.to_vec()) });
        }
        batches.push(batch);
        let committed = join_all(batches.into_iter().map(|batch| self.commit_resealed(batch))).await;
        committed.into_iter().collect()
    }

    /// None for what is sealed under the current generation, and for what has ended: its key goes anyway. A leap of the
    /// clock that is not believed yet ends nothing here, or a wrong clock would cost what it only hides.
    async fn open_old<'a>(
        &self,
        organization: &str,
        key: &'a [u8],
        stored: &'a [u8],
    ) -> Result<Option<Old<'a>>, Error> {
        let decoded = Stored::decode(stored)?;
        let (header, now_ms) = (decoded.header()?, self.time.believed_ms());
        let needs_reseal = self.keys.read().needs_reseal(organization, decoded.sealed)?;
        if !needs_reseal || header.bucket.has_ended(now_ms) {
            return Ok(None);
        }
        let Some(RecordKey { organization, table, key: in_table }) = RecordKey::parse(key) else {
            return Ok(None);
        };
        let place = Place {
            organization,
            table,
            key: in_table,
            schema_version: decoded.schema_version,
            class: header.class,
            bucket: header.bucket,
        };
        let value = self.open_at(&place, &decoded, now_ms).await?;
        Ok(value.map(|value| Old { place, key, stored, value }))
    }

    /// Commits at the call, so that all batches share a sync.
    fn commit_resealed(&self, batch: Batch) -> impl Future<Output = Result<(), Error>> {
        let commit = (!batch.put.is_empty()).then(|| self.engine.commit(batch.clone()));
        async move {
            match commit {
                Some(commit) => self.resealed(commit.await, batch).await,
                None => Ok(()),
            }
        }
    }

    async fn resealed(&self, committed: Result<Sequence, EngineError>, batch: Batch) -> Result<(), Error> {
        match committed {
            Err(EngineError::Conflict { .. }) => {}
            result => return Ok(result.map(drop)?),
        }
        // One of them was replaced meanwhile, by a change that is sealed under the current generation. The others are due.
        for (expect, put) in batch.expect.into_iter().zip(batch.put) {
            let one = Batch { expect: vec![expect], put: vec![put], delete: Vec::new() };
            match self.engine.commit(one).await {
                Ok(_) | Err(EngineError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn reseal_large(&self, old: &Old<'_>) -> Result<(), Error> {
        let organization = old.place.organization;
        let (mut large, head) =
            self.seal_chunks(&old.place, old.value.expose(), self.time.believed_ms()).await?;
        self.write_chunks(organization, &mut large).await?;
        let stored = value::encode_chunked(old.place.schema_version, large.chunks, &head);
        let batch = Batch {
            expect: vec![Expect { key: old.key.to_vec(), value: Some(old.stored.to_vec()) }],
            put: vec![(old.key.to_vec(), stored)],
            delete: Vec::new(),
        };
        let unneeded = match self.engine.commit(batch).await {
            Ok(_) => chunks_of(old.stored).map(|chunks| chunks.id),
            Err(EngineError::Conflict { .. }) => Some(large.chunks.id),
            Err(error) => return Err(error.into()),
        };
        self.writing.finish(&large.chunks.id);
        match unneeded {
            Some(id) => self.remove_chunks(organization, &id).await,
            None => Ok(()),
        }
    }
}
