//! Removes what no commit will make true any more: stages that were discarded, and what a crash has left of others.

use crate::chunk::ChunkIndex;
use crate::codec;
use crate::error::Error;
use crate::records::{Attempts, SealedRecords};
use crate::seat::Seat;
use crate::stage::{chunk_key, index_key, keys_key, stage_prefix};
use crate::superseded::ErrorRef;
use crate::tables::{ERROR_CHUNKS, ERROR_INDEX, ERROR_KEYS, Key, STAGES};
use crate::unit::{StageList, put_stages};
use storage::{CHANGE_STEPS_MAX, Change};

/// Chunks that are removed with one change: three deletions each.
const CHUNKS_AT_ONCE: usize = CHANGE_STEPS_MAX / 3;

impl SealedRecords {
    /// Removes the remains of every unit of the sync. Only by a run that has begun: what earlier ones still have under way
    /// is refused by then.
    pub(crate) async fn sweep(&self, seat: &Seat) -> Result<(), Error> {
        for (_, found) in self.scan_all(STAGES, &Key::of(&seat.sync)).await? {
            let stages: StageList = codec::from_json(STAGES, found.value.expose())?;
            self.sweep_unit(seat, &stages.unit).await?;
        }
        Ok(())
    }

    /// Removes every stage of the unit but that of its prepared record.
    pub(crate) async fn sweep_unit(&self, seat: &Seat, unit: &str) -> Result<(), Error> {
        let (stored, _) = self.read_unit(&seat.sync, unit).await?;
        let named = stored.staged.map(|staged| (staged.run, staged.stage));
        let (stages, _) = self.read_stages(&seat.sync, unit).await?;
        for (run, stage) in stages.open {
            if named != Some((run, stage)) {
                self.remove_stage(seat, run, stage).await?;
                self.unlist_stage(seat, unit, stage).await?;
            }
        }
        Ok(())
    }

    async fn remove_stage(&self, seat: &Seat, run: u64, stage: u64) -> Result<(), Error> {
        let sync = &seat.sync;
        let mut chunks = Vec::new();
        for (key, found) in self.scan_all(ERROR_INDEX, &stage_prefix(sync, run, stage)).await? {
            let index: ChunkIndex = codec::from_compact(ERROR_INDEX, found.value.expose())?;
            let number = key.last_chunk().copied().map_or(0, u32::from_be_bytes);
            chunks.push((ErrorRef { run, stage, chunk: number, offset: 0 }, index));
        }
        for some in chunks.chunks(CHUNKS_AT_ONCE) {
            let discard =
                |change, (at, index): &(ErrorRef, ChunkIndex)| discard_chunk(change, sync, *at, index);
            self.commit_fenced(seat, some.iter().fold(self.change(), discard)).await?;
        }
        Ok(())
    }

    async fn unlist_stage(&self, seat: &Seat, unit: &str, stage: u64) -> Result<(), Error> {
        let mut attempts = Attempts::at(STAGES);
        loop {
            let (mut stages, read) = self.read_stages(&seat.sync, unit).await?;
            stages.open.retain(|(_, open)| *open != stage);
            let change = self.fenced(seat, self.change()).await?;
            if self.try_commit(put_stages(change, &seat.sync, &stages, read.as_ref())?).await? {
                return Ok(());
            }
            attempts.again()?;
        }
    }
}

/// Everything that is stored of a chunk.
fn discard_chunk(change: Change, sync: &str, at: ErrorRef, index: &ChunkIndex) -> Change {
    change
        .discard(ERROR_CHUNKS, chunk_key(sync, at, index.revision))
        .discard(ERROR_INDEX, index_key(sync, at))
        .discard(ERROR_KEYS, keys_key(sync, &index.stream, at))
}
