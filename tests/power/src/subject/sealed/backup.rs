//! Backups to a file, while rows are written.
//!
//! Marks: `backup NAME STEPS` a backup that is there, and how many steps of each writer it holds.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use storage::{MemoryEngine, Storage, restore_backup, verify_backup};

use super::Host;
use super::clock::SetClock;
use super::rows;
use crate::facts;
use crate::home::Home;

const ROUNDS: u32 = 3;
const STEPS: u32 = 8;

pub(super) async fn write(host: &Host, home: &Home<'_>) -> Result<()> {
    host.create_organizations().await?;
    for round in 0..ROUNDS {
        host.steps(round * STEPS..(round + 1) * STEPS).await?;
        host.back_up(home, &format!("backup-{round}"), (round + 1) * STEPS).await?;
    }
    host.steps(ROUNDS * STEPS..(ROUNDS + 1) * STEPS).await
}

impl Host {
    /// A file has its name when it is whole and durable, and not before.
    pub(super) async fn back_up(&self, home: &Home<'_>, name: &str, steps: u32) -> Result<()> {
        let (path, temporary) = (home.backups.join(name), home.backups.join(format!("{name}.new")));
        let mut file = tokio::fs::File::create(&temporary).await?;
        self.storage.backup(&mut file).await?;
        file.sync_all().await?;
        fs::rename(&temporary, &path)?;
        File::open(home.backups)?.sync_all()?;
        self.marks.say(&format!("backup {name} {steps}"))
    }
}

/// Prints which backups are whole, and what is in the newest of those that were said.
pub(super) async fn read(home: &Home<'_>, marks: &[String]) -> Result<()> {
    let mut output = std::io::stdout().lock();
    let keyring = home.open(marks)?;
    for path in files(home)? {
        let file = tokio::fs::File::open(&path).await?;
        verify_backup(file, &keyring).await.with_context(|| format!("`{}`", path.display()))?;
        writeln!(output, "whole {}", path.file_name().context("a name")?.to_string_lossy())?;
    }
    let newest = facts::all(marks, "backup").pop();
    let Some((name, _)) = newest.as_deref().and_then(|newest| newest.split_once(' ')) else { return Ok(()) };
    let engine = Arc::new(MemoryEngine::new());
    let file = tokio::fs::File::open(home.backups.join(name)).await?;
    let restored = restore_backup(file, engine.as_ref(), &keyring).await?;
    ensure!(restored.damaged == 0, "{restored:?}");
    let storage = Storage::open(engine, keyring, SetClock::as_said(marks)?).await?;
    for fact in rows::facts(&storage).await? {
        writeln!(output, "backed up {fact}")?;
    }
    Ok(())
}

/// Those that have their name.
fn files(home: &Home<'_>) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(home.backups)? {
        let path = entry?.path();
        if path.extension().is_none() {
            files.push(path);
        }
    }
    Ok(files)
}
