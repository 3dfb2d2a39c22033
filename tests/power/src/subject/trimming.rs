//! A journal of many short segments: each session is so long that the next one begins a segment, and now and then a backup
//! makes several of them superfluous at once. Marks as in `compaction`, without deletions.

use anyhow::{Result, ensure};
use storage::SledEngine;

use crate::compaction::fill;
use crate::engine;
use crate::home::Home;
use crate::items::Items;
use crate::marks::Marks;
use crate::sessions::block_on;

const BACKUPS: u32 = 3;
const SESSIONS: u32 = 4;
/// Two of almost 1 MiB: more than the 1 MiB after which a segment is not gone on with in the next session.
const ROUNDS: u32 = 2;

pub(crate) fn write(home: &Home<'_>) -> Result<()> {
    block_on(async {
        let marks = Marks::open()?;
        for backup in 0..BACKUPS {
            for session in 0..SESSIONS {
                let engine = engine::open(home)?;
                let first = 1 + (backup * SESSIONS + session) * ROUNDS;
                for round in first..first + ROUNDS {
                    fill(&engine, &marks, round).await?;
                }
                engine.close().await?;
            }
            let engine = engine::open(home)?;
            drop_segments(home, &engine, &marks).await?;
        }
        Ok(())
    })
}

/// Closing syncs the database, and what is superfluous goes then.
async fn drop_segments(home: &Home<'_>, engine: &SledEngine, marks: &Marks) -> Result<()> {
    ensure!(engine.status().journal_segments > 2, "{:?}", engine.status());
    Items::within(home.backups).back_up(engine).await?;
    marks.say("trimming")?;
    engine.close().await?;
    marks.say("trimmed")
}
