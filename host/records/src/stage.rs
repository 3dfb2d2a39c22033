//! Row errors of a commit are stored before the commit names them: in batches, as many as it takes, read by nobody.
//!
//! The first batch notes the stage in its unit's list, so that whatever a crash leaves of it is found and removed when the
//! next run begins.

use crate::chunk::{self, Encoded, EncodedChunk, Encoding};
use crate::codec;
use crate::error::Error;
use crate::records::{Attempts, SealedRecords};
use crate::seat::Seat;
use crate::superseded::{ErrorRef, KeyPrefix, short_hash};
use crate::tables::{ERROR_CHUNKS, ERROR_INDEX, ERROR_KEYS, ERROR_SCHEMAS, Key, STAGES};
use crate::unit::{StageRef, put_stages};
use pipeline::records::RowErrorChunk;
use storage::{CHANGE_BYTES_MAX, CHANGE_STEPS_MAX, Change, Life};

/// Puts of one batch. The change that names the stage goes with the last one and has up to eight of its own.
const BATCH_PUTS_MAX: usize = CHANGE_STEPS_MAX - 8;
/// Bytes of one batch; the rest is for that change and what it expects.
const BATCH_BYTES_MAX: usize = CHANGE_BYTES_MAX - (256 << 10);
/// From so many row errors on they are packed on a thread of their own.
const PACKED_APART_FROM: usize = 256;

/// What was stored of a stage, and what is left to be stored together with the change that names it.
pub(crate) struct Stage {
    pub(crate) reference: StageRef,
    pub(crate) last: Change,
    /// Whether the unit's list of stages has it.
    pub(crate) is_listed: bool,
}

impl SealedRecords {
    pub(crate) async fn encode(&self, given: Vec<RowErrorChunk>) -> Result<Encoded, Error> {
        let encoding = Encoding { row_bytes_max: self.settings.row_bytes_max, now_ms: self.storage.now_ms() };
        let rows: usize = given.iter().map(|chunk| chunk.errors.len()).sum();
        if rows < PACKED_APART_FROM {
            return chunk::encode(given, encoding);
        }
        let packed = tokio::task::spawn_blocking(move || chunk::encode(given, encoding)).await;
        packed.map_err(|error| codec::unreadable(ERROR_CHUNKS, &error))?
    }

    /// Stores all of it but the last batch; none where there is nothing to store.
    pub(crate) async fn stage(
        &self,
        seat: &Seat,
        unit: &str,
        run: u64,
        encoded: Encoded,
    ) -> Result<Option<Stage>, Error> {
        if encoded.rows == 0 {
            return Ok(None);
        }
        let expires_ms = self.storage.now_ms().saturating_add(seat.retention().row_errors_ms);
        let reference = StageRef { run, stage: fastrand::u64(..), rows: encoded.rows, expires_ms };
        let mut batches = self.batches(&seat.sync, reference, encoded).await?;
        let last = batches.pop().unwrap_or_else(|| self.change());
        let is_listed = !batches.is_empty();
        if is_listed {
            self.list_stage(seat, unit, reference).await?;
        }
        for batch in batches {
            self.commit_fenced(seat, batch).await?;
        }
        Ok(Some(Stage { reference, last, is_listed }))
    }

    /// Stores all of it.
    pub(crate) async fn stage_whole(
        &self,
        seat: &Seat,
        unit: &str,
        run: u64,
        encoded: Encoded,
    ) -> Result<Option<Stage>, Error> {
        let Some(stage) = self.stage(seat, unit, run, encoded).await? else { return Ok(None) };
        if !stage.is_listed {
            self.list_stage(seat, unit, stage.reference).await?;
        }
        self.commit_fenced(seat, stage.last).await?;
        Ok(Some(Stage { reference: stage.reference, last: self.change(), is_listed: true }))
    }

    /// Notes the stage in the unit's list, with a change of its own.
    async fn list_stage(&self, seat: &Seat, unit: &str, reference: StageRef) -> Result<(), Error> {
        let mut attempts = Attempts::at(STAGES);
        loop {
            let (mut stages, read) = self.read_stages(&seat.sync, unit).await?;
            stages.open.push((reference.run, reference.stage));
            let change = self.fenced(seat, self.change()).await?;
            if self.try_commit(put_stages(change, &seat.sync, &stages, read.as_ref())?).await? {
                return Ok(());
            }
            attempts.again()?;
        }
    }

    /// Changes of a size that storage takes. What belongs to one chunk is in one of them.
    async fn batches(&self, sync: &str, stage: StageRef, encoded: Encoded) -> Result<Vec<Change>, Error> {
        let life = Life::Until(stage.expires_ms);
        let hasher = self.key_hasher().await?;
        let mut batches = Batches { full: Vec::new(), open: self.change(), puts: 0, bytes: 0 };
        for (fingerprint, schema) in &encoded.schemas {
            let value = codec::to_json(ERROR_SCHEMAS, schema.as_ref())?;
            batches.make_room(self, value.len());
            let key = Key::of(sync).number(stage.run).number(*fingerprint);
            batches.put(value.len(), |change| change.put(ERROR_SCHEMAS, key, life, value));
        }
        for (number, chunk) in (0..).zip(encoded.chunks) {
            let EncodedChunk { index, packed, keys } = chunk;
            let hashed: Vec<(u32, KeyPrefix)> =
                keys.iter().map(|(offset, key)| (*offset, short_hash(&hasher.hash(key)))).collect();
            let at = ErrorRef { run: stage.run, stage: stage.stage, chunk: number, offset: 0 };
            let summary = codec::to_compact(ERROR_INDEX, &index)?;
            let hashes = codec::to_compact(ERROR_KEYS, &hashed)?;
            batches.make_room(self, packed.len() + summary.len() + hashes.len());
            let chunk_key = chunk_key(sync, at, index.revision);
            batches.put(packed.len(), |change| change.put(ERROR_CHUNKS, chunk_key, life, packed));
            batches.put(summary.len(), |change| change.put(ERROR_INDEX, index_key(sync, at), life, summary));
            if !hashed.is_empty() {
                let key = keys_key(sync, &index.stream, at);
                batches.put(hashes.len(), |change| change.put(ERROR_KEYS, key, life, hashes));
            }
        }
        Ok(batches.finish())
    }
}

struct Batches {
    full: Vec<Change>,
    open: Change,
    puts: usize,
    bytes: usize,
}

impl Batches {
    /// Begins another batch where up to three puts of so many bytes find no room.
    fn make_room(&mut self, records: &SealedRecords, bytes: usize) {
        if self.puts > 0 && (self.puts + 3 > BATCH_PUTS_MAX || self.bytes + bytes > BATCH_BYTES_MAX) {
            self.full.push(std::mem::replace(&mut self.open, records.change()));
            (self.puts, self.bytes) = (0, 0);
        }
    }

    fn put(&mut self, bytes: usize, put: impl FnOnce(Change) -> Change) {
        let change = std::mem::replace(&mut self.open, Change::new(""));
        self.open = put(change);
        self.puts += 1;
        self.bytes += bytes;
    }

    fn finish(mut self) -> Vec<Change> {
        if self.puts > 0 {
            self.full.push(self.open);
        }
        self.full
    }
}

/// What the keys of a stage's index records begin with.
pub(crate) fn stage_prefix(sync: &str, run: u64, stage: u64) -> Key {
    Key::of(sync).number(run).number(stage)
}

pub(crate) fn index_key(sync: &str, at: ErrorRef) -> Key {
    stage_prefix(sync, at.run, at.stage).short(at.chunk)
}

pub(crate) fn chunk_key(sync: &str, at: ErrorRef, revision: u32) -> Key {
    index_key(sync, at).short(revision)
}

pub(crate) fn keys_key(sync: &str, stream: &str, at: ErrorRef) -> Key {
    Key::of(sync).name(stream).number(at.run).number(at.stage).short(at.chunk)
}
