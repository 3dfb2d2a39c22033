//! From what the command line and `keys.toml` say to what opens a keyring.

use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use vault::{CredentialKek, DeploymentId, KekProvider, KeyFile, Location, OsFiles, ShredSlot};

use super::error::Error;
use super::passphrase::{self, Use};
use super::settings::{Provider, Settings};
use crate::arguments::KeyOptions;
use crate::places;
use crate::problem::Problems;

/// The keyring's name in its directory.
pub(super) const KEYRING: &str = "keyring";

/// Where keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) provider: Provider,
    pub(crate) shred_key: Option<PathBuf>,
}

impl Provider {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::KeyFile { .. } => "key file",
            Self::Passphrase { .. } => "passphrase",
            Self::Credential { .. } => "credential of the service manager",
        }
    }
}

impl Keys {
    /// What was said, or else what is known; none: neither.
    pub(super) fn chosen(options: &KeyOptions, known: Option<&Settings>) -> Result<Option<Self>, Error> {
        let provider = said(options, known)?.or_else(|| known.map(|known| known.provider.clone()));
        let said = options.shred_key.as_deref().map(whole).transpose()?;
        let shred_key = said.or_else(|| known.and_then(|known| known.shred_key.clone()));
        Ok(provider.map(|provider| Self { provider, shred_key }))
    }

    /// A key file of this deployment among those of the user.
    pub(super) fn by_default(options: &KeyOptions, deployment: &DeploymentId) -> Result<Self, Error> {
        let path = places::keys().ok_or(Error::NoConfig)?.join(format!("{deployment}.key"));
        let shred_key = options.shred_key.as_deref().map(whole).transpose()?;
        Ok(Self { provider: Provider::KeyFile { path }, shred_key })
    }

    /// A passphrase in this file.
    pub(crate) fn passphrase(file: &Path, shred_key: Option<PathBuf>) -> Result<Self, Error> {
        let path = (file != Path::new("-")).then(|| whole(file)).transpose()?;
        Ok(Self { provider: Provider::Passphrase { path }, shred_key })
    }

    /// The keyring of a directory with what opens it. A passphrase is asked for here.
    pub(super) fn location(&self, directory: &Path, passphrase: Use) -> Result<Location, Problems> {
        let files = Arc::new(OsFiles);
        let mut slot = None;
        let kek: Arc<dyn KekProvider> = match &self.provider {
            Provider::KeyFile { path } => {
                let file = KeyFile::new(files.clone(), path.clone());
                slot = Some(file.shred_slot());
                Arc::new(file)
            }
            Provider::Passphrase { path } => {
                let what = format!("passphrase of `{}`", directory.display());
                Arc::new(passphrase::kek(path.as_deref(), &what, passphrase)?)
            }
            Provider::Credential { name } => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
                let folder = folder.ok_or_else(|| Error::NoCredentials { name: name.clone() })?;
                Arc::new(CredentialKek::new(files.clone(), Path::new(&folder), name))
            }
        };
        if let Some(path) = &self.shred_key {
            slot = Some(ShredSlot::file(files.clone(), path.clone()));
        }
        Ok(Location { files, path: directory.join(KEYRING), kek, slot })
    }

    /// The files that hold keys, each of which must be outside of the data directory.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        let key_file = match &self.provider {
            Provider::KeyFile { path } => Some(path.as_path()),
            _ => None,
        };
        key_file.into_iter().chain(self.shred_key.as_deref())
    }
}

fn said(options: &KeyOptions, known: Option<&Settings>) -> Result<Option<Provider>, Error> {
    if let Some(path) = &options.key_file {
        return Ok(Some(Provider::KeyFile { path: whole(path)? }));
    }
    if let Some(name) = &options.credential {
        return Ok(Some(Provider::Credential { name: name.clone() }));
    }
    let by_environment = std::env::var_os("COFFERDAM_PASSPHRASE_FILE").map(PathBuf::from);
    // The environment says where a passphrase is, and not that a directory with other keys should have one.
    let is_other = known.is_some_and(|known| !matches!(known.provider, Provider::Passphrase { .. }));
    let Some(path) = options.passphrase_file.clone().or(by_environment.filter(|_| !is_other)) else {
        return Ok(None);
    };
    let path = (path != Path::new("-")).then(|| whole(&path)).transpose()?;
    Ok(Some(Provider::Passphrase { path }))
}

/// A path that holds from everywhere.
fn whole(path: &Path) -> Result<PathBuf, Error> {
    absolute(path).map_err(|source| Error::File { action: "find", path: path.to_owned(), source })
}
