//! A journal of several segments that a backup makes superfluous, and a database that wastes so much space that it is
//! copied; all in one session, so that nothing but the engine's own syncs makes the database durable.
//!
//! Marks: `fill ROUND` before several values are written in one batch, `filled ROUND` after it; `empty ROUND` and
//! `emptied ROUND` where they are deleted; `trimming`, `copying`.

use std::io::Write;

use anyhow::{Context, Result, bail, ensure};
use storage::{Batch, Engine, Scan, SledEngine};

use crate::engine;
use crate::home::Home;
use crate::items::Items;
use crate::marks::Marks;
use crate::sessions::block_on;

/// Almost 1 MiB each: the journal has three segments then, of 16 MiB, and the database more than the 32 MiB from which on
/// copying is worth it.
const ROUNDS: u32 = 38;
/// The journal is trimmed when the database is next synced, after some MiB.
const ROUNDS_TO_TRIM: u32 = 30;
/// So many rounds stay.
const ROUNDS_KEPT: u32 = 4;
const VALUES: usize = 16;
const VALUE_BYTES: usize = 60_000;

pub(crate) fn write(home: &Home<'_>) -> Result<()> {
    block_on(async {
        let marks = Marks::open()?;
        let engine = engine::open(home)?;
        for round in 1..=ROUNDS {
            fill(&engine, &marks, round).await?;
        }
        let next = trim(home, &engine, &marks).await?;
        for round in 1..next - ROUNDS_KEPT {
            empty(&engine, &marks, round).await?;
        }
        marks.say("copying")?;
        ensure!(engine.compact_if_needed().await?, "nothing was copied: {:?}", engine.status());
        marks.say("copied")?;
        fill(&engine, &marks, next).await?;
        fill(&engine, &marks, next + 1).await?;
        engine.close().await?;
        Ok(())
    })
}

/// Answers with the next round.
async fn trim(home: &Home<'_>, engine: &SledEngine, marks: &Marks) -> Result<u32> {
    ensure!(engine.status().journal_segments > 2, "{:?}", engine.status());
    marks.say("trimming")?;
    Items::within(home.backups).back_up(engine).await?;
    for round in ROUNDS + 1..ROUNDS + ROUNDS_TO_TRIM {
        fill(engine, marks, round).await?;
        if engine.status().journal_segments < 3 {
            return Ok(round + 1);
        }
    }
    bail!("nothing was trimmed: {:?}", engine.status())
}

/// Writes a round.
pub(crate) async fn fill(engine: &SledEngine, marks: &Marks, round: u32) -> Result<()> {
    let put = keys(round).map(|key| (key, value(round))).collect();
    marks.say(&format!("fill {round}"))?;
    engine.commit(Batch { put, ..Batch::default() }).await?;
    marks.say(&format!("filled {round}"))
}

async fn empty(engine: &SledEngine, marks: &Marks, round: u32) -> Result<()> {
    marks.say(&format!("empty {round}"))?;
    engine.commit(Batch { delete: keys(round).collect(), ..Batch::default() }).await?;
    marks.say(&format!("emptied {round}"))
}

/// Prints the round of each value.
pub(crate) fn read(home: &Home<'_>) -> Result<()> {
    block_on(async {
        let engine = engine::open(home)?;
        let mut output = std::io::stdout().lock();
        let mut after = None;
        loop {
            let entries = engine.scan(Scan { prefix: Vec::new(), after: after.take(), limit: 10 }).await?;
            let Some((last, _)) = entries.last() else { return Ok(()) };
            after = Some(last.clone());
            for (key, found) in entries {
                let round = key.first_chunk().map(|round| u32::from_be_bytes(*round)).context("a round")?;
                ensure!(found == value(round), "a value of round {round} is another one");
                writeln!(output, "round {round}")?;
            }
        }
    })
}

fn keys(round: u32) -> impl Iterator<Item = Vec<u8>> {
    (0..VALUES).map(move |number| [&round.to_be_bytes()[..], number.to_string().as_bytes()].concat())
}

fn value(round: u32) -> Vec<u8> {
    let mut value = vec![0; VALUE_BYTES];
    fastrand::Rng::with_seed(round.into()).fill(&mut value);
    value
}
