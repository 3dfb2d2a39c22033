//! The records are lost and come back from a backup; the keyring was kept.
//!
//! Marks: `lost`, from when on nothing of the former engine is there to rely on; `restored`.

use std::fs;

use anyhow::{Context, Result, ensure};
use storage::{SledEngine, restore_backup};
use vault::Keyring;

use super::Host;
use crate::engine;
use crate::home::Home;
use crate::marks::Marks;

const STEPS: u32 = 12;
const BACKUP: &str = "backup";
const LOST: &str = "lost";
const RESTORED: &str = "restored";

pub(super) async fn write(host: Host, home: &Home<'_>) -> Result<()> {
    host.create_organizations().await?;
    host.steps(0..STEPS).await?;
    host.back_up(home, BACKUP, STEPS).await?;
    let Host { storage, engine, marks, .. } = host;
    drop(storage);
    engine.close().await?;
    drop(engine);
    marks.say(LOST)?;
    fs::remove_dir_all(engine::directory(home.data))?;
    let keyring = Keyring::open(home.location(), None)?;
    let engine = restore(home, &keyring).await?;
    marks.say(RESTORED)?;
    after(engine, &marks).await
}

/// Something happens after the restore, so that cuts fall there too.
async fn after(engine: SledEngine, marks: &Marks) -> Result<()> {
    engine.close().await?;
    marks.say("closed")
}

async fn restore(home: &Home<'_>, keyring: &Keyring) -> Result<SledEngine> {
    let engine = engine::open(home)?;
    let file = tokio::fs::File::open(home.backups.join(BACKUP)).await?;
    let restored = restore_backup(file, &engine, keyring).await.context("the restore fails")?;
    ensure!(restored.damaged == 0 && restored.erased == 0, "{restored:?}");
    Ok(engine)
}

/// A restore that was not acknowledged is begun anew, in a directory that is empty.
pub(super) async fn finish(home: &Home<'_>, keyring: &Keyring, marks: &[String]) -> Result<()> {
    let is_said = |what: &str| marks.iter().any(|mark| mark == what);
    if !is_said(LOST) || is_said(RESTORED) {
        return Ok(());
    }
    let directory = engine::directory(home.data);
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    restore(home, keyring).await?.close().await.context("what was restored does not close")
}
