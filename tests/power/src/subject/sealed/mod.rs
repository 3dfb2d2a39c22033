//! Sealed storage over the durable engine, with its keyring and key file: the whole as the host has it.

mod backup;
mod canary;
mod clock;
mod fresh;
mod keys;
mod load;
mod purge;
mod read;
mod restore;
mod rows;
mod shred;

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use storage::{SledEngine, Storage};

use self::clock::SetClock;
use crate::engine;
use crate::home::{CREATED, Home};
use crate::marks::Marks;
use crate::sessions::block_on;

/// Storage that is open, and what is said about it.
struct Host {
    storage: Arc<Storage>,
    /// Below it.
    engine: Arc<SledEngine>,
    clock: Arc<SetClock>,
    marks: Marks,
}

/// Writes what the scenario is about.
pub(crate) fn write(scenario: &str, home: &Home<'_>) -> Result<()> {
    block_on(async {
        let marks = Marks::open()?;
        let keyring = home.create()?;
        marks.say(CREATED)?;
        let clock = SetClock::at_start();
        let engine = Arc::new(engine::open(home)?);
        let storage = Storage::open(Arc::clone(&engine) as _, keyring, Arc::clone(&clock) as _).await?;
        let host = Host { storage: Arc::new(storage), engine, clock, marks };
        match scenario {
            "backup" => backup::write(&host, home).await,
            "restore" => restore::write(host, home).await,
            "fresh" => fresh::write(&host).await,
            "load" => load::write(&host).await,
            "purge" => purge::write(&host).await,
            "keys" => keys::write(&host, home).await,
            "shred" => shred::write(&host).await,
            _ => bail!("no scenario `{scenario}`"),
        }
    })
}

/// Prints what is there, at the time that was said last.
pub(crate) fn read(home: &Home<'_>) -> Result<()> {
    let marks = crate::facts::read()?;
    block_on(async {
        let keyring = home.open(&marks)?;
        restore::finish(home, &keyring, &marks).await?;
        let clock = SetClock::as_said(&marks)?;
        let engine = Arc::new(engine::open(home)?);
        let storage = Storage::open(engine, keyring, clock).await.context("storage does not open")?;
        read::read(&storage, &marks).await?;
        drop(storage);
        backup::read(home, &marks).await
    })
}
