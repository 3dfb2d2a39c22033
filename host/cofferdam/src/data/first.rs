//! The first use of a data directory: its key is drawn and put where it belongs, then its keyring is made. What fails
//! takes away what it has made; what a crash leaves is begun anew.

use std::fs;
use std::path::{Path, PathBuf, absolute};

use vault::{DeploymentId, ExportSummary, KeyFile, Keyring, Location, ShredSlot};

use super::error::Error;
use super::keys::{KEYRING, Keys};
use super::settings::{Provider, Settings};
use super::{Directory, Use, files, os_files};
use crate::arguments::KeyOptions;
use crate::output::Output;
use crate::problem::Problems;

/// What this first use has made so far.
#[derive(Default)]
struct Made {
    directory: Option<PathBuf>,
    settings: Option<PathBuf>,
    keys: Vec<PathBuf>,
}

impl Made {
    /// Nothing was sealed under these keys yet.
    fn take_back(self) {
        // What cannot be taken away is an empty directory or a key of nothing; the failure before says what matters.
        self.keys.iter().for_each(|path| drop(fs::remove_file(path)));
        if let Some(directory) = &self.settings {
            Settings::remove(directory);
            drop(fs::remove_file(directory.join("keyring.lock")));
        }
        if let Some(directory) = &self.directory {
            drop(fs::remove_dir(directory));
        }
    }
}

pub(super) fn create(
    path: &Path,
    options: &KeyOptions,
    output: &Output,
) -> Result<(Directory, Keyring), Problems> {
    let chosen = Keys::chosen(options, None)?;
    // A key file that exists already, of a directory that was never finished or was set up by hand.
    let known = chosen.as_ref().map(deployment_of).transpose()?.flatten();
    let deployment = match known {
        Some(deployment) => deployment,
        None => DeploymentId::random().map_err(vault::Error::from)?,
    };
    let keys = chosen.map_or_else(|| Keys::by_default(options, &deployment), Ok)?;
    let created = attempt(path, keys, deployment, |location| Keyring::create(location, deployment))?;
    output.aside(&told(path, &created.0.settings));
    Ok(created)
}

/// A data directory whose keyring comes out of an export. It may hold records already, and has no keyring.
pub(crate) fn import(
    path: &Path,
    options: &KeyOptions,
    export: &ExportSummary,
    keyring: impl FnOnce(Location) -> Result<Keyring, vault::Error>,
) -> Result<Directory, Problems> {
    let keyring_path = path.join(KEYRING);
    if files::is_there(&keyring_path)? {
        return Err(vault::Error::Exists { what: "keyring", path: keyring_path }.into());
    }
    let keys = match Keys::chosen(options, None)? {
        Some(keys) => keys,
        None => unused(Keys::by_default(options, &export.deployment)?)?,
    };
    let create = |location: Location| keyring(location).map(drop);
    Ok(attempt(path, keys, export.deployment, create)?.0)
}

/// The key file of the keyring that was lost may still be there, and holds its shred key.
fn unused(mut keys: Keys) -> Result<Keys, Error> {
    let Provider::KeyFile { path } = &mut keys.provider else { return Ok(keys) };
    let first = path.clone();
    let mut number = 1;
    while files::is_there(path)? {
        number += 1;
        *path = first.with_extension(format!("{number}.key"));
    }
    Ok(keys)
}

/// All of it or nothing.
fn attempt<T>(
    path: &Path,
    keys: Keys,
    deployment: DeploymentId,
    keyring: impl FnOnce(Location) -> Result<T, vault::Error>,
) -> Result<(Directory, T), Problems> {
    let mut made = Made::default();
    let attempted = prepared(path, keys, deployment, &mut made).and_then(|directory| {
        let keyring = keyring(directory.location.clone())?;
        Ok((directory, keyring))
    });
    if attempted.is_err() {
        made.take_back();
    }
    attempted
}

/// The directory, its key files and `keys.toml`: everything but the keyring.
fn prepared(
    path: &Path,
    keys: Keys,
    deployment: DeploymentId,
    made: &mut Made,
) -> Result<Directory, Problems> {
    outside(path, &keys)?;
    if files::make_directory(path)? {
        made.directory = Some(path.to_owned());
    }
    if let Provider::KeyFile { path } = &keys.provider
        && !files::is_there(path)?
    {
        path.parent().map(files::make_directory).transpose()?;
        made.keys.push(path.clone());
        KeyFile::create(os_files(), path.clone(), &deployment)?;
    }
    if let Some(path) = &keys.shred_key
        && !files::is_there(path)?
    {
        made.keys.push(path.clone());
        ShredSlot::create_file(os_files(), path.clone(), &deployment)?;
    }
    let location = keys.location(path, Use::New)?;
    let Keys { provider, shred_key } = keys;
    let settings = Settings { deployment, provider, shred_key, export: None, backup: None };
    made.settings = Some(path.to_owned());
    settings.write(path)?;
    Ok(Directory { path: path.to_owned(), settings, location, is_news: false })
}

/// Before anything is made: a backup of the directory would take the key along.
fn outside(directory: &Path, keys: &Keys) -> Result<(), Problems> {
    let failed = |source| Error::File { action: "find", path: directory.to_owned(), source };
    let whole = absolute(directory).map_err(failed)?;
    match keys.files().find(|file| file.starts_with(&whole)) {
        Some(slot) => {
            Err(vault::Error::SlotInside { path: slot.to_owned(), directory: directory.to_owned() }.into())
        }
        None => Ok(()),
    }
}

fn deployment_of(keys: &Keys) -> Result<Option<DeploymentId>, Problems> {
    match &keys.provider {
        Provider::KeyFile { path } if files::is_there(path)? => {
            Ok(Some(KeyFile::new(os_files(), path.clone()).deployment()?))
        }
        _ => Ok(None),
    }
}

/// One line, for whoever will look for it.
fn told(path: &Path, settings: &Settings) -> String {
    let keep = match settings.provider {
        Provider::KeyFile { .. } => ": keep that file, and not in the same backup",
        _ => "",
    };
    format!("made `{}`, {}{keep}\n", path.display(), settings.words())
}
