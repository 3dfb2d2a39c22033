//! `cofferdam restore`: a backup into a data directory that has its keyring and nothing else.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::json;
use storage::{BackupSummary, Restored, restore_backup, verify_backup};
use tokio::io::BufReader;

use crate::arguments::Restore;
use crate::blocking::Blocking;
use crate::data::Directory;
use crate::deployment::engine;
use crate::output::Output;
use crate::places;
use crate::problem::{Own, Problems};
use crate::units::{self, counted, moment};

/// Frames have at most a few megabytes, and mostly far less.
const READ_BYTES: usize = 256 << 10;

pub(super) async fn run(command: &Restore, output: &Output) -> Result<(), Problems> {
    let path = places::data_here(command.data.data.as_deref());
    let mut directory = Directory::existing(&path, &command.data.keys)?;
    let summary = verify_backup(opened(&command.file)?, &directory.keyring_beside()?).await?;
    if command.verify {
        return show_verified(&summary, &command.file, output);
    }
    let keyring = directory.keyring()?;
    let aside = if command.replace { directory.put_aside()? } else { None };
    let engine = engine(&directory, &keyring).await?;
    let restored = restore_backup(opened(&command.file)?, &*engine, &keyring).await;
    let closed = engine.close().await.map_err(storage::Error::from);
    let restored = restored?;
    closed?;
    show(&restored, &path, aside.as_ref(), output)
}

fn opened(path: &Path) -> Result<BufReader<Blocking>, Problems> {
    let failed = |source| Own::Read { what: "the backup", path: path.to_owned(), source };
    Ok(BufReader::with_capacity(READ_BYTES, Blocking(File::open(path).map_err(failed)?)))
}

fn show_verified(summary: &BackupSummary, file: &Path, output: &Output) -> Result<(), Problems> {
    let BackupSummary { created_ms, items, bytes, .. } = *summary;
    if output.json {
        return output.document(&json!({ "created_ms": created_ms, "items": items, "bytes": bytes }));
    }
    let (items, bytes) = (counted(items, "entry", "entries"), units::bytes(bytes));
    output.text(&format!("`{}` is whole: {items}, {bytes}, made {}\n", file.display(), moment(created_ms)))
}

fn show(restored: &Restored, path: &Path, aside: Option<&PathBuf>, output: &Output) -> Result<(), Problems> {
    let Restored { records, erased, damaged, backup } = *restored;
    if output.json {
        return output.document(&json!({
            "data": path, "created_ms": backup.created_ms,
            "records": records, "erased": erased, "damaged": damaged, "aside": aside,
        }));
    }
    let mut text = format!(
        "`{}` has {} of {}\n",
        path.display(),
        counted(records, "record", "records"),
        moment(backup.created_ms)
    );
    if erased > 0 {
        text.push_str(&format!(
            "{} since: their keys are destroyed\n",
            counted(erased, "was erased", "were erased")
        ));
    }
    if damaged > 0 {
        text.push_str(&format!(
            "{} open: they were damaged when the backup was made\n",
            counted(damaged, "does not", "do not")
        ));
    }
    if let Some(aside) = aside {
        text.push_str(&format!("what was there before is in `{}`\n", aside.display()));
    }
    output.text(&text)
}
