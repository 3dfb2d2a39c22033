//! A journal of several segments that a backup makes superfluous, and a database that wastes so much space that it is
//! copied.
//!
//! Marks: `fill ROUND` before every value of a few is written anew in one batch, `filled ROUND` after it; `trimming`, `copying`.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use power::script;
use storage::{Batch, Engine, Scan, SledEngine};

use crate::engine;
use crate::marks::Marks;
use crate::sessions::block_on;

/// Almost 1 MiB each: the journal has three segments then, of 16 MiB, and the database more than the 32 MiB from which on
/// copying is worth it.
const ROUNDS: u32 = 52;
/// The journal is trimmed when the database is next synced, after some MiB.
const ROUNDS_TO_TRIM: u32 = 30;
const VALUES: usize = 16;
const VALUE_BYTES: usize = 60_000;
const STEPS: u32 = 10;

pub(crate) fn write(data: &Path) -> Result<()> {
    block_on(async {
        let marks = Marks::open()?;
        let engine = engine::open(data)?;
        for round in 1..=ROUNDS {
            fill(&engine, &marks, round).await?;
        }
        steps(&engine, &marks, 0..STEPS).await?;
        let next = trim(&engine, &marks).await?;
        marks.say("copying")?;
        ensure!(engine.compact_if_needed().await?, "nothing was copied: {:?}", engine.status());
        marks.say("copied")?;
        fill(&engine, &marks, next).await?;
        steps(&engine, &marks, STEPS..2 * STEPS).await?;
        engine.close().await?;
        Ok(())
    })
}

/// Answers with the next round.
async fn trim(engine: &SledEngine, marks: &Marks) -> Result<u32> {
    ensure!(engine.status().journal_segments > 2, "{:?}", engine.status());
    marks.say("trimming")?;
    engine.backed_up(engine.status().sequence);
    for round in ROUNDS + 1..ROUNDS + ROUNDS_TO_TRIM {
        fill(engine, marks, round).await?;
        if engine.status().journal_segments < 3 {
            return Ok(round + 1);
        }
    }
    bail!("nothing was trimmed: {:?}", engine.status())
}

async fn fill(engine: &SledEngine, marks: &Marks, round: u32) -> Result<()> {
    let value = value(round);
    let put = (0..VALUES).map(|key| (format!("fill {key}").into_bytes(), value.clone())).collect();
    marks.say(&format!("fill {round}"))?;
    engine.commit(Batch { put, ..Batch::default() }).await?;
    marks.say(&format!("filled {round}"))
}

async fn steps(engine: &SledEngine, marks: &Marks, numbers: std::ops::Range<u32>) -> Result<()> {
    for number in numbers {
        let mut batch = Batch::default();
        for (key, value) in script::step(0, number) {
            match value {
                Some(value) => batch.put.push((key.into_bytes(), value)),
                None => batch.delete.push(key.into_bytes()),
            }
        }
        marks.say(&format!("begin 0 {number}"))?;
        engine.commit(batch).await?;
        marks.say(&format!("acknowledged 0 {number}"))?;
    }
    Ok(())
}

pub(crate) fn read(data: &Path) -> Result<()> {
    block_on(async {
        let engine = engine::open(data)?;
        let mut output = std::io::stdout().lock();
        let mut after = None;
        loop {
            let entries = engine.scan(Scan { prefix: Vec::new(), after: after.take(), limit: 10 }).await?;
            let Some((last, _)) = entries.last() else { return Ok(()) };
            after = Some(last.clone());
            for (key, found) in entries {
                let key = String::from_utf8(key)?;
                if key.starts_with("fill ") {
                    let round =
                        found.first_chunk().map(|round| u32::from_be_bytes(*round)).context("a round")?;
                    ensure!(found == value(round), "`{key}` is of no round");
                    writeln!(output, "round {round}")?;
                } else {
                    writeln!(output, "{}", script::fact(&key, &found))?;
                }
            }
        }
    })
}

fn value(round: u32) -> Vec<u8> {
    let mut value = vec![0; VALUE_BYTES];
    fastrand::Rng::with_seed(round.into()).fill(&mut value);
    value.splice(..4, round.to_be_bytes());
    value
}
