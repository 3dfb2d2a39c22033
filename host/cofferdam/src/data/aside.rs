//! Before a restore: what storage has in a data directory is moved into a folder in it. Nothing is deleted.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::files;
use super::keys::KEYRING;

/// What belongs to the keys, and stays.
const STAYS: [&str; 3] = [KEYRING, "keyring.lock", "keys.toml"];
const FOLDER: &str = "aside-";

/// None: there was nothing.
pub(super) fn put(directory: &Path) -> Result<Option<PathBuf>, Error> {
    let failed = |action, path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { action, path, source }
    };
    let mut moving = Vec::new();
    let mut number = 1;
    for entry in fs::read_dir(directory).map_err(failed("list", directory))? {
        let name = entry.map_err(failed("list", directory))?.file_name();
        match name.to_str() {
            Some(name) if STAYS.contains(&name) => {}
            Some(name) if name.starts_with(FOLDER) => number += 1,
            _ => moving.push(name),
        }
    }
    if moving.is_empty() {
        return Ok(None);
    }
    let aside = directory.join(format!("{FOLDER}{number}"));
    files::make_directory(&aside)?;
    for name in moving {
        let from = directory.join(&name);
        fs::rename(&from, aside.join(&name)).map_err(failed("move", &from))?;
    }
    Ok(Some(aside))
}
