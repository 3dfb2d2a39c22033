//! The durable engine by itself, with writers that write beside each other.
//!
//! Marks: `begin WRITER NUMBER` before a step of `power::script`, `acknowledged WRITER NUMBER` after it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use power::script::{self, State};
use storage::sled::{Options, Probe, SledEngine};
use storage::{Batch, Engine, EngineError, Expect, Scan};

use crate::home::{DEPLOYMENT, Home};
use crate::items::Items;
use crate::marks::Marks;
use crate::sessions;

const WRITERS: u32 = 4;
const STEPS: u32 = 50;
/// So little that commits of all scenarios are applied, a few at a time, while others are acknowledged.
const WAITING_BYTES: usize = 16 << 10;
const PLENTY_BYTES: usize = 4 << 20;
/// A journal that anybody could write would be no proof of this.
const JOURNAL_KEY: [u8; 32] = [3; 32];

pub(crate) fn write(home: &Home<'_>) -> Result<()> {
    let marks = Arc::new(Marks::open()?);
    sessions::block_on(async {
        // Twice, so that opening what was closed is cut too; once with commits that are applied while others come, once with
        // commits that wait, acknowledged, until a second has passed.
        for session in 0..2 {
            let options = options(home);
            let options = if session == 0 { options } else { options.waiting_bytes(PLENTY_BYTES) };
            let engine = Arc::new(open_with(&options)?);
            let writers = (0..WRITERS).map(|writer| {
                let numbers = session * STEPS..(session + 1) * STEPS;
                tokio::spawn(write_steps(Arc::clone(&engine), Arc::clone(&marks), writer, numbers))
            });
            for writer in writers.collect::<Vec<_>>() {
                writer.await??;
            }
            engine.close().await?;
        }
        Ok(())
    })
}

async fn write_steps(
    engine: Arc<SledEngine>,
    marks: Arc<Marks>,
    writer: u32,
    numbers: std::ops::Range<u32>,
) -> Result<()> {
    let mut state = script::state_after(writer, numbers.start);
    for number in numbers {
        let step = script::step(writer, number);
        let batch = batch(&step, &state);
        marks.say(&format!("begin {writer} {number}"))?;
        engine.commit(batch).await?;
        marks.say(&format!("acknowledged {writer} {number}"))?;
        script::apply(&mut state, step);
    }
    Ok(())
}

/// Each change expects what the steps before it have left: a state that was lost in between does not go unnoticed.
fn batch(step: &script::Step, state: &State) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in step {
        let key = key.clone().into_bytes();
        let before = std::str::from_utf8(&key).ok().and_then(|key| state.get(key)).cloned();
        batch.expect.push(Expect { key: key.clone(), value: before });
        match value {
            Some(value) => batch.put.push((key, value.clone())),
            None => batch.delete.push(key),
        }
    }
    batch
}

/// Prints the facts of everything that is there, and writes a little more: what opens must also take commits.
pub(crate) fn read(home: &Home<'_>) -> Result<()> {
    sessions::block_on(async {
        let engine = open(home)?;
        let mut output = std::io::stdout().lock();
        let mut after = None;
        loop {
            let entries = engine.scan(Scan { prefix: Vec::new(), after: after.take(), limit: 100 }).await?;
            let Some((last, _)) = entries.last() else { break };
            after = Some(last.clone());
            for (key, value) in entries {
                // What an interrupted reader has written.
                if !key.starts_with(b"reader") {
                    writeln!(output, "{}", script::fact(&String::from_utf8(key)?, &value))?;
                }
            }
        }
        let put = vec![(b"reader".to_vec(), b"was here".to_vec())];
        engine.commit(Batch { put, ..Batch::default() }).await?;
        let wrong = vec![Expect { key: b"reader".to_vec(), value: None }];
        match engine.commit(Batch { expect: wrong, ..Batch::default() }).await {
            Err(EngineError::Conflict { .. }) => Ok(()),
            other => bail!("what was not expected: {other:?}"),
        }
    })
}

/// Where the engine is in the data directory.
pub(crate) fn directory(data: &Path) -> PathBuf {
    data.join("engine")
}

/// The engine as the host opens it.
pub(crate) fn open(home: &Home<'_>) -> Result<SledEngine> {
    open_with(&options(home))
}

fn open_with(options: &Options) -> Result<SledEngine> {
    SledEngine::open(options).context("the engine does not open")
}

fn options(home: &Home<'_>) -> Options {
    let options = Options::new(directory(home.data), *DEPLOYMENT.as_bytes(), JOURNAL_KEY);
    let options = options.holder("subject").probe(Arc::new(ThisProgram)).cache_bytes(16 << 20);
    options.waiting_bytes(WAITING_BYTES).newest_backup(Arc::new(Items::within(home.backups)))
}

/// A database that nobody has closed is tried in another process of this program first.
struct ThisProgram;

impl Probe for ThisProgram {
    fn command(&self, database: &Path) -> Command {
        let this = std::env::current_exe().unwrap_or_else(|_| "subject".into());
        let mut command = Command::new(this);
        command.args(["engine", "probe"]).arg(database);
        command
    }
}
