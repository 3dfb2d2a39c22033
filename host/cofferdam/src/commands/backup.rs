//! `cofferdam backup`: everything that is kept, in one file. Beside a running process, that process writes it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::json;
use storage::{BackupSummary, verify_backup};
use tokio::io::BufReader;
use vault::Keyring;

use crate::arguments::Backup;
use crate::blocking::Blocking;
use crate::control::backup_of_holder;
use crate::data::{BackupNote, Directory, Error};
use crate::deployment::Deployment;
use crate::output::Output;
use crate::problem::{Own, Problem, Problems};
use crate::{places, units};

/// Frames have at most a few megabytes, and mostly far less.
const READ_BYTES: usize = 256 << 10;

pub(super) async fn run(command: &Backup, output: &Output) -> Result<(), Problems> {
    let path = places::data_here(command.data.data.as_deref());
    let mut directory = Directory::existing(&path, &command.data.keys)?;
    let beside = beside(&command.file);
    let file = created(&beside)?;
    let written = match directory.keyring_unless_held()? {
        Some(keyring) => of_ours(directory, keyring, file).await,
        None => of_holder(&mut directory, file).await.map(|()| directory),
    };
    let finished = match written {
        Ok(directory) => finish(directory, &beside, &command.file).await,
        Err(problems) => Err(problems),
    };
    if finished.is_err() {
        // A part of a backup is none.
        let _ = fs::remove_file(&beside);
    }
    show(&finished?, &command.file, output)
}

/// Ours alone: opened, written, closed.
async fn of_ours(directory: Directory, keyring: Keyring, mut file: Blocking) -> Result<Directory, Problems> {
    let deployment = Deployment::open(directory, keyring).await?;
    let written = deployment.storage.backup(&mut file).await;
    let directory = deployment.close_keeping().await?;
    written?;
    Ok(directory)
}

async fn of_holder(directory: &mut Directory, mut file: Blocking) -> Result<(), Problems> {
    backup_of_holder(&directory.path, &mut file).await.map_err(|error| {
        let holder = directory.holder().unwrap_or_else(|| "a process that has just ended".to_owned());
        let problem = Problem::from(Error::InUse { path: directory.path.clone(), holder });
        Problems::from(problem.caused_by(format!("it was asked for a backup, and gives none: {error}")))
    })
}

/// A file that only its owner reads, beside its place.
fn created(path: &Path) -> Result<Blocking, Problems> {
    let failed = |source| Own::Write { what: "the backup", path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path).map_err(failed)?;
    // What an earlier attempt has left may have another mode.
    file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(Blocking(file))
}

/// What was written is read to its end before it takes the place of an earlier one.
async fn finish(mut directory: Directory, from: &Path, to: &Path) -> Result<BackupSummary, Problems> {
    let failed = |source| Own::Write { what: "the backup", path: to.to_owned(), source };
    let file = File::open(from).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let file = BufReader::with_capacity(READ_BYTES, Blocking(file));
    let summary = verify_backup(file, &directory.keyring_beside()?).await?;
    fs::rename(from, to).map_err(failed)?;
    let whole = std::path::absolute(to).map_err(failed)?;
    if let Some(folder) = whole.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    directory.note_backup(BackupNote { path: whole, made_ms: summary.created_ms })?;
    Ok(summary)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    name.into()
}

fn show(summary: &BackupSummary, file: &Path, output: &Output) -> Result<(), Problems> {
    let BackupSummary { created_ms, sequence, items, bytes, .. } = *summary;
    if output.json {
        let deployment = summary.deployment.to_string();
        return output.document(&json!({
            "backup": file, "deployment": deployment, "created_ms": created_ms,
            "sequence": sequence, "items": items, "bytes": bytes,
        }));
    }
    let (items, bytes) = (units::counted(items, "entry", "entries"), units::bytes(bytes));
    output.text(&format!("`{}`: {items}, {bytes}, read again and found whole\n", file.display()))
}
