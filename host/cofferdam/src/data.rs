//! A data directory: everything that a deployment keeps, sealed, and the way to its keys, which lie elsewhere.
//!
//! `keys.toml` says where the keys come from, `keyring` holds them sealed; the rest belongs to storage. Opening changes
//! nothing before everything fits together.

mod aside;
mod error;
mod files;
mod first;
mod holder;
mod keys;
mod passphrase;
mod seen;
mod settings;

use std::path::{Path, PathBuf};

use vault::{Keyring, Location, OsFiles};

pub(crate) use error::Error;
pub(crate) use files::replace as write_private;
pub(crate) use first::import;
pub(crate) use keys::Keys;
pub(crate) use passphrase::{Use, kek as passphrase_kek};
pub(crate) use seen::Seen;
pub(crate) use settings::{BackupNote, ExportNote, Provider, Settings};

use crate::arguments::KeyOptions;
use crate::output::Output;
use crate::problem::{Problem, Problems};

/// What storage writes first of all.
const STORAGE: &str = "format";

/// What a first use that was cut off may have left before `keys.toml` was whole.
const BEGUN: [&str; 3] = ["keys.toml.new", "keyring.lock", "keyring.new"];

/// A data directory that exists, and what opens its keyring.
pub(crate) struct Directory {
    pub(crate) path: PathBuf,
    pub(crate) settings: Settings,
    location: Location,
    /// The settings say something new, to be kept when it has proved right.
    is_news: bool,
}

impl Directory {
    /// A directory that is there already.
    pub(crate) fn existing(path: &Path, options: &KeyOptions) -> Result<Self, Problems> {
        match Self::found(path, options)? {
            Some(directory) => Ok(directory),
            None => Err(Error::Missing { path: path.to_owned() }.into()),
        }
    }

    /// The directory with its keyring, both made if this is their first use.
    pub(crate) fn made(
        path: &Path,
        options: &KeyOptions,
        output: &Output,
    ) -> Result<(Self, Keyring), Problems> {
        if let Some(mut directory) = Self::found(path, options)? {
            let keyring = directory.keyring()?;
            return Ok((directory, keyring));
        }
        first::create(path, options, output)
    }

    /// None: there is nothing yet, or what a first use has begun and not ended.
    pub(crate) fn found(path: &Path, options: &KeyOptions) -> Result<Option<Self>, Problems> {
        let known = Settings::read(path)?;
        let is_there = |name: &str| files::is_there(&path.join(name));
        let (has_keyring, has_storage) = (is_there(keys::KEYRING)?, is_there(STORAGE)?);
        if !has_keyring {
            return match (has_storage, &known) {
                (true, _) => Err(Error::KeyringLost { path: path.to_owned() }.into()),
                (false, Some(_)) => Ok(None),
                (false, None) => Ok(not_foreign(path).map(|()| None)?),
            };
        }
        let lost = || Error::SettingsLost { path: path.to_owned() };
        let keys = Keys::chosen(options, known.as_ref())?.ok_or_else(lost)?;
        if let Some(known) = &known {
            same_provider(path, &known.provider, &keys.provider)?;
        }
        let location = keys.location(path, Use::Known)?;
        let Keys { provider, shred_key } = keys;
        let settings = match &known {
            Some(known) => Settings { provider, shred_key, ..known.clone() },
            // The keyring will say it: nothing else is left that could.
            None => {
                let deployment = deployment_of(&location)?;
                Settings { deployment, provider, shred_key, export: None, backup: None }
            }
        };
        let is_news = known.as_ref() != Some(&settings);
        Ok(Some(Self { path: path.to_owned(), settings, location, is_news }))
    }

    /// The keyring, for this process alone.
    pub(crate) fn keyring(&mut self) -> Result<Keyring, Problems> {
        let keyring = Keyring::open(self.location.clone(), Some(&self.settings.deployment));
        let keyring = keyring.map_err(|error| self.explained(error))?;
        if self.is_news {
            self.settings.write(&self.path)?;
            self.is_news = false;
        }
        Ok(keyring)
    }

    /// The keyring for this process alone; none: another one has it.
    pub(crate) fn keyring_unless_held(&mut self) -> Result<Option<Keyring>, Problems> {
        if self.holder().is_some() { Ok(None) } else { self.keyring().map(Some) }
    }

    /// Moves what storage has there into a folder beside it. None: there was nothing.
    pub(crate) fn put_aside(&self) -> Result<Option<PathBuf>, Problems> {
        Ok(aside::put(&self.path)?)
    }

    /// The keyring beside whoever has it.
    pub(crate) fn keyring_beside(&self) -> Result<Keyring, Problems> {
        let keyring = Keyring::open_read_only(self.location.clone(), Some(&self.settings.deployment));
        Ok(keyring.map_err(|error| self.explained(error))?)
    }

    /// Keep that an export was made.
    pub(crate) fn note_export(&mut self, export: ExportNote) -> Result<(), Problems> {
        self.settings.export = Some(export);
        Ok(self.settings.write(&self.path)?)
    }

    /// Keep where the newest backup is.
    pub(crate) fn note_backup(&mut self, backup: BackupNote) -> Result<(), Problems> {
        self.settings.backup = Some(backup);
        Ok(self.settings.write(&self.path)?)
    }

    /// Keep that the KEK comes from elsewhere now.
    pub(crate) fn note_keys(&mut self, keys: Keys) -> Result<(), Problems> {
        let Keys { provider, shred_key } = keys;
        (self.settings.provider, self.settings.shred_key) = (provider, shred_key);
        Ok(self.settings.write(&self.path)?)
    }

    /// The keyring's place, and what opens it.
    pub(crate) fn location(&self) -> Location {
        self.location.clone()
    }

    /// Who has it; none: nobody.
    pub(crate) fn holder(&self) -> Option<String> {
        holder::living(&self.path)
    }

    fn explained(&self, error: vault::Error) -> Problem {
        match error {
            vault::Error::InUse { .. } => {
                Error::InUse { path: self.path.clone(), holder: holder::of(&self.path) }.into()
            }
            error => error.into(),
        }
    }
}

fn deployment_of(location: &Location) -> Result<vault::DeploymentId, Problems> {
    Ok(*Keyring::open_read_only(location.clone(), None)?.deployment())
}

/// Whoever names the wrong directory should be told so, and not find our files among his own.
fn not_foreign(path: &Path) -> Result<(), Error> {
    match files::something_in(path, &BEGUN)? {
        None => Ok(()),
        Some(found) => {
            let found = found.to_string_lossy().into_owned();
            Err(Error::Foreign { path: path.to_owned(), found })
        }
    }
}

/// A key file that was moved is still a key file; a passphrase is another thing.
fn same_provider(path: &Path, known: &Provider, named: &Provider) -> Result<(), Error> {
    if known.name() == named.name() {
        return Ok(());
    }
    Err(Error::OtherProvider { path: path.to_owned(), known: known.name(), named: named.name() })
}

/// The files of this machine.
fn os_files() -> std::sync::Arc<OsFiles> {
    std::sync::Arc::new(OsFiles)
}
