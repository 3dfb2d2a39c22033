//! Values that are larger than one value of an engine.
//!
//! Before the first chunk it is noted which record the chunks are of, in the same batch; the note stays as long as the
//! chunks. The record that names them comes last and with it everything else of its change. Chunks that no record names
//! are removed by whoever replaced or removed the record, and after a crash by [`Storage::sweep_values`].

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vault::{Place, Plaintext, SealError, random_bytes};
use zeroize::Zeroizing;

use crate::engine::{BATCH_BYTES_MAX, BATCH_OPERATIONS_MAX, Batch, Scan, VALUE_BYTES_MAX};
use crate::error::Error;
use crate::key::{self, Space};
use crate::read::Opened;
use crate::storage::Storage;
use crate::value::{Chunks, PIECE_BYTES_MAX, Summary, ValueId, chunks_of};

/// Entries of a batch of chunks. One less than what fits leaves room for the keys.
const CHUNKS_A_BATCH: usize = BATCH_BYTES_MAX / VALUE_BYTES_MAX - 1;
/// Values that a sweep looks at between two answers of the engine.
const VALUES_A_PAGE: usize = 64;

/// Values whose chunks are written and whose record has not come yet.
#[derive(Default)]
pub(crate) struct Writing(Mutex<HashSet<ValueId>>);

impl Writing {
    fn ids(&self) -> MutexGuard<'_, HashSet<ValueId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the record came, or will never come. What is not finished, because its future was dropped while the engine
    /// had the batch, stays here, and is swept when storage is next opened.
    pub(crate) fn finish(&self, id: &ValueId) {
        self.ids().remove(id);
    }
}

/// A value that is to be written in chunks.
pub(crate) struct Large {
    pub(crate) chunks: Chunks,
    /// The key of the record.
    pub(crate) record: Vec<u8>,
    sealed: Vec<Vec<u8>>,
}

impl Storage {
    /// Seals a value in chunks, and what its record says of them. Writes nothing.
    pub(crate) async fn seal_chunks(
        &self,
        place: &Place<'_>,
        plaintext: &[u8],
        now_ms: u64,
    ) -> Result<(Large, Vec<u8>), Error> {
        if plaintext.len() > vault::PLAINTEXT_BYTES_MAX {
            let (found, limit) = (plaintext.len(), vault::PLAINTEXT_BYTES_MAX);
            return Err(Error::TooLarge { what: "a value's bytes", found, limit });
        }
        let id = random_bytes().map_err(SealError::from)?;
        let table = chunk_table(place.table);
        let mut sealed = Vec::new();
        for (number, piece) in (0_u32..).zip(plaintext.chunks(PIECE_BYTES_MAX)) {
            let key = chunk_key(place.key, &id, number);
            let of_chunk = Place { table: &table, key: &key, ..*place };
            sealed.push(self.keys.seal(&of_chunk, piece, now_ms).await?);
        }
        let count = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        let chunks = Chunks { id, count };
        let summary = Summary { chunks, bytes: plaintext.len() as u64 }.encode();
        let head = self.keys.seal(place, &summary, now_ms).await?;
        Ok((Large { chunks, record: key::of_place(place)?, sealed }, head))
    }

    /// Writes the chunks, before the record that names them.
    pub(crate) async fn write_chunks(&self, organization: &str, large: &mut Large) -> Result<(), Error> {
        self.has_chunks.store(true, Ordering::Release);
        let id = large.chunks.id;
        self.writing.ids().insert(id);
        let mut put = vec![(key::value(Space::Values, organization, &id)?, large.record.clone())];
        for (number, sealed) in (0_u32..).zip(std::mem::take(&mut large.sealed)) {
            if put.len() >= CHUNKS_A_BATCH {
                let full = std::mem::take(&mut put);
                self.engine.commit(Batch { put: full, ..Batch::default() }).await?;
            }
            put.push((key::chunk(organization, &id, number)?, sealed));
        }
        self.engine.commit(Batch { put, ..Batch::default() }).await?;
        Ok(())
    }

    /// Puts a value together of its chunks; `summary` is what its record says of them.
    pub(crate) async fn assemble(
        &self,
        place: &Place<'_>,
        chunks: Chunks,
        summary: &[u8],
        now_ms: u64,
    ) -> Result<Opened, Error> {
        // What is in the clear may have been changed, what is sealed not.
        let summary = Summary::decode(summary).filter(|summary| summary.chunks == chunks);
        let rejected = || SealError::Rejected {
            organization: place.organization.to_owned(),
            table: place.table.to_owned(),
        };
        let length = usize::try_from(summary.ok_or_else(rejected)?.bytes).unwrap_or(usize::MAX);
        let table = chunk_table(place.table);
        // Room for all from the start: growing would leave copies behind.
        let mut whole = Zeroizing::new(Vec::with_capacity(length.min(vault::PLAINTEXT_BYTES_MAX)));
        let prefix = key::value(Space::Chunks, place.organization, &chunks.id)?;
        let mut after = None;
        let mut number = 0;
        while number < chunks.count {
            let scan = Scan { prefix: prefix.clone(), after: after.take(), limit: BATCH_OPERATIONS_MAX };
            let entries = self.engine.scan(scan).await?;
            for (stored_key, sealed) in &entries {
                if *stored_key != key::chunk(place.organization, &chunks.id, number)? {
                    return Ok(Opened::Replaced);
                }
                let key = chunk_key(place.key, &chunks.id, number);
                let of_chunk = Place { table: &table, key: &key, ..*place };
                let piece = self.keys.read().open_record(&of_chunk, sealed, now_ms)?;
                whole.extend_from_slice(piece.expose());
                number += 1;
            }
            match entries.into_iter().next_back() {
                Some((last, _)) => after = Some(last),
                None => return Ok(Opened::Replaced),
            }
        }
        if whole.len() != length {
            return Err(rejected().into());
        }
        Ok(Opened::Value(Plaintext::new(std::mem::take(&mut *whole))))
    }

    /// Removes chunks that no record names any more, the note that leads to them last.
    pub(crate) async fn remove_chunks(&self, organization: &str, id: &ValueId) -> Result<(), Error> {
        self.remove_all(key::value(Space::Chunks, organization, id)?).await?;
        let delete = vec![key::value(Space::Values, organization, id)?];
        self.engine.commit(Batch { delete, ..Batch::default() }).await?;
        self.writing.finish(id);
        Ok(())
    }

    /// Removes the chunks that crashes have left. Answers of how many values.
    pub(crate) async fn sweep_values(&self) -> Result<u64, Error> {
        let (mut after, mut swept) = (None, 0);
        loop {
            let scan = Scan { prefix: vec![Space::Values as u8], after, limit: VALUES_A_PAGE };
            let entries = self.engine.scan(scan).await?;
            let Some((last, _)) = entries.last() else { return Ok(swept) };
            after = Some(last.clone());
            for (value_key, record) in &entries {
                let Some((organization, id)) = parse_value_key(value_key) else { continue };
                // In this order: a writer that has finished meanwhile has put its record before.
                if self.writing.ids().contains(&id) {
                    continue;
                }
                let stored = self.stored(record).await?;
                if stored.and_then(|stored| chunks_of(&stored)).is_none_or(|chunks| chunks.id != id) {
                    self.remove_chunks(organization, &id).await?;
                    swept += 1;
                }
            }
        }
    }
}

fn parse_value_key(key: &[u8]) -> Option<(&str, ValueId)> {
    Some((key::organization_of(key)?, *key.last_chunk()?))
}

/// Chunks are sealed for a table that no record has.
fn chunk_table(table: &str) -> String {
    format!("{table}\0chunk")
}

/// All parts but the first have a fixed length, so no two chunks have the same.
fn chunk_key(record: &[u8], id: &ValueId, number: u32) -> Vec<u8> {
    [record, id, &number.to_be_bytes()].concat()
}
