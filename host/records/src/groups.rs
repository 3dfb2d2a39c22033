//! Row errors that a commit has made true, as they follow each other in their run.

use crate::codec;
use crate::error::Error;
use crate::records::SealedRecords;
use crate::tables::{ERROR_COUNTS, ERROR_GROUPS, Key};
use crate::unit::StageRef;
use serde::{Deserialize, Serialize};
use storage::{Change, Life, Revision};

/// What ends within a day ends with a full hour.
const HOUR_MS: u64 = 60 * 60 * 1_000;

/// One stage that is true. Its row errors have the numbers from that of the group on, by their offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredGroup {
    pub(crate) run: u64,
    pub(crate) stage: u64,
    /// The number of its first row error, from 1.
    pub(crate) first: u64,
    pub(crate) rows: u32,
    pub(crate) expires_ms: u64,
}

/// How many row errors a run has. Units of a run commit apart, so each commit takes its numbers here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorCount {
    pub(crate) rows: u64,
}

impl SealedRecords {
    pub(crate) async fn read_count(
        &self,
        sync: &str,
        run: u64,
    ) -> Result<(ErrorCount, Option<Revision>), Error> {
        let found = self.read_json(ERROR_COUNTS, &Key::of(sync).number(run)).await?;
        Ok(found.map_or_else(Default::default, |(count, revision)| (count, Some(revision))))
    }

    /// Makes the stages true: they get their numbers. Those that have expired by now are forgotten.
    pub(crate) async fn put_groups(
        &self,
        mut change: Change,
        sync: &str,
        run: u64,
        stages: &[StageRef],
    ) -> Result<Change, Error> {
        if stages.is_empty() {
            return Ok(change);
        }
        let (mut count, read) = self.read_count(sync, run).await?;
        let now_ms = self.storage.now_ms();
        for stage in stages {
            let group = StoredGroup {
                run,
                stage: stage.stage,
                first: count.rows + 1,
                rows: stage.rows,
                expires_ms: stage.expires_ms,
            };
            count.rows += u64::from(stage.rows);
            // A key that has ended seals nothing more: nobody went on with the sync for 45 days.
            if stage.expires_ms / HOUR_MS * HOUR_MS > now_ms {
                let key = Key::of(sync).number(run).number(group.first);
                let value = codec::to_compact(ERROR_GROUPS, &group)?;
                change = change.put(ERROR_GROUPS, key, Life::Until(stage.expires_ms), value);
            }
        }
        let key = Key::of(sync).number(run);
        let value = codec::to_json(ERROR_COUNTS, &count)?;
        Ok(change.expect(ERROR_COUNTS, key.clone(), read.as_ref()).put(
            ERROR_COUNTS,
            key,
            Life::Standing,
            value,
        ))
    }
}
