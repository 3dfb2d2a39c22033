//! `cofferdam keys recovery-key`, and reading what it wrote.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::json;
use vault::KekProvider;

use crate::arguments;
use crate::data::{Use, passphrase_kek};
use crate::document::text_of;
use crate::output::Output;
use crate::problem::{Own, Problems};

const WHAT: &str = "the recovery key";

/// To standard output it never goes: that is logged and scrolled back to.
pub(super) fn run(command: &arguments::RecoveryKey, output: &Output) -> Result<(), Problems> {
    let path = &command.file;
    let key = vault::RecoveryKey::random()?;
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(key.to_text().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    });
    written.map_err(|source| Own::Write { what: WHAT, path: path.clone(), source })?;
    if output.json {
        return output.document(&json!({ "recovery_key": path }));
    }
    output.text(&format!(
        "the recovery key is in `{}`: print it or move it to a safe place, away from exports and backups\n",
        path.display()
    ))
}

/// What seals and opens exports. A passphrase that is chosen now is typed twice.
pub(super) fn provider(
    recovery: &arguments::Recovery,
    passphrase: Use,
) -> Result<Box<dyn KekProvider>, Problems> {
    if let Some(path) = &recovery.recovery_key {
        let text = text_of(WHAT, path)?;
        return Ok(Box::new(vault::RecoveryKey::parse(text.trim())?));
    }
    let path = recovery.recovery_passphrase_file.as_deref().filter(|path| *path != Path::new("-"));
    Ok(Box::new(passphrase_kek(path, "recovery passphrase", passphrase)?))
}
