//! `keys.toml` in the data directory: where its keys come from. Nothing in it is secret, and nothing in it opens anything.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vault::DeploymentId;

use super::error::Error;
use super::files;

/// The file's name.
const NAME: &str = "keys.toml";
/// The form of the file; a newer one is not guessed at.
const FORMAT: u32 = 1;
const WORDS: &str = "\
# Where the keys of this data directory come from. Nothing here is secret. Written by cofferdam; to change the place of
# a key file, move it and name it once with `--key-file PATH`.
";

/// Where the KEK comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "provider")]
pub(crate) enum Provider {
    /// A key file, which holds the shred key too.
    KeyFile { path: PathBuf },
    /// A passphrase, from a file or typed.
    Passphrase {
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<PathBuf>,
    },
    /// A credential of the service manager.
    Credential { name: String },
}

/// The newest export of the keyring that was made here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExportNote {
    pub(crate) path: PathBuf,
    /// How often keys had been destroyed by then.
    pub(crate) shreds: u64,
    pub(crate) made_ms: u64,
}

/// The newest backup that was made: from it a broken database is built anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BackupNote {
    pub(crate) path: PathBuf,
    pub(crate) made_ms: u64,
}

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) deployment: DeploymentId,
    pub(crate) provider: Provider,
    /// A shred file beside the provider.
    pub(crate) shred_key: Option<PathBuf>,
    pub(crate) export: Option<ExportNote>,
    pub(crate) backup: Option<BackupNote>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    keys: u32,
    deployment: String,
    #[serde(flatten)]
    provider: Provider,
    #[serde(skip_serializing_if = "Option::is_none")]
    shred_key: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    export: Option<ExportNote>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<BackupNote>,
}

/// Read before anything else, so that a newer form is told as such.
#[derive(Deserialize)]
struct Form {
    keys: u32,
}

impl Settings {
    /// None where there is no such file.
    pub(crate) fn read(directory: &Path) -> Result<Option<Self>, Error> {
        let path = directory.join(NAME);
        let Some(text) = files::read(&path)? else { return Ok(None) };
        Self::parse(&text).map(Some).map_err(|wrong| match wrong {
            Wrong::Newer(found) => Error::Newer { path, found, known: FORMAT },
            Wrong::Text(reason) => Error::Settings { path, reason },
        })
    }

    /// The files that hold keys.
    pub(crate) fn key_files(&self) -> impl Iterator<Item = &Path> {
        let provided = match &self.provider {
            Provider::KeyFile { path } => Some(path.as_path()),
            Provider::Passphrase { path } => path.as_deref(),
            Provider::Credential { .. } => None,
        };
        provided.into_iter().chain(self.shred_key.as_deref())
    }

    /// Whole, in the place of what was there.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), Error> {
        files::replace(&directory.join(NAME), self.text().as_bytes())
    }

    /// Takes the file away again.
    pub(crate) fn remove(directory: &Path) {
        // It names a key that nothing was sealed under; the next first use writes it anew.
        let _ = std::fs::remove_file(directory.join(NAME));
    }

    /// Where the keys come from, in words.
    pub(crate) fn words(&self) -> String {
        let mut words = match &self.provider {
            Provider::KeyFile { path } => format!("sealed under the key file `{}`", path.display()),
            Provider::Passphrase { path: None } => "sealed under a passphrase".to_owned(),
            Provider::Passphrase { path: Some(path) } => {
                format!("sealed under the passphrase in `{}`", path.display())
            }
            Provider::Credential { name } => format!("sealed under the credential `{name}`"),
        };
        if let Some(path) = &self.shred_key {
            words.push_str(&format!(", with the shred key in `{}`", path.display()));
        }
        words
    }

    fn parse(text: &str) -> Result<Self, Wrong> {
        let reason = |error: toml::de::Error| Wrong::Text(error.message().to_owned());
        let form: Form = toml::from_str(text).map_err(reason)?;
        if form.keys != FORMAT {
            return Err(Wrong::Newer(form.keys));
        }
        let written: Written = toml::from_str(text).map_err(reason)?;
        let deployment = DeploymentId::parse(&written.deployment)
            .ok_or_else(|| Wrong::Text("`deployment` is not 32 hex digits".into()))?;
        let Written { provider, shred_key, export, backup, .. } = written;
        Ok(Self { deployment, provider, shred_key, export, backup })
    }

    fn text(&self) -> String {
        let written = Written {
            keys: FORMAT,
            deployment: self.deployment.to_string(),
            provider: self.provider.clone(),
            shred_key: self.shred_key.clone(),
            export: self.export.clone(),
            backup: self.backup.clone(),
        };
        // Texts, numbers and tables at the end: there is nothing that TOML could not say.
        format!("{WORDS}{}", toml::to_string(&written).unwrap_or_default())
    }
}

enum Wrong {
    Newer(u32),
    Text(String),
}

#[cfg(test)]
mod tests {
    use vault::DeploymentId;

    use super::{BackupNote, ExportNote, Provider, Settings, Wrong};

    #[test]
    fn settings_are_read_as_they_are_written() {
        let providers = [
            Provider::KeyFile { path: "/keys/a \"b\".key".into() },
            Provider::Passphrase { path: None },
            Provider::Passphrase { path: Some("/run/phrase".into()) },
            Provider::Credential { name: "cofferdam".into() },
        ];
        for provider in providers {
            for shred_key in [None, Some("/elsewhere/shred.key".into())] {
                let export = Some(ExportNote { path: "/safe/export".into(), shreds: 3, made_ms: 1_000 });
                let deployment = DeploymentId::from_bytes([7; 16]);
                let backup = Some(BackupNote { path: "/safe/backup".into(), made_ms: 2_000 });
                let settings = Settings { deployment, provider: provider.clone(), shred_key, export, backup };
                let read = Settings::parse(&settings.text()).ok();
                assert_eq!(read, Some(settings));
            }
        }
    }

    #[test]
    fn a_newer_form_is_told_before_its_words_are_judged() {
        assert!(matches!(Settings::parse("keys = 2\nsomething = \"else\""), Err(Wrong::Newer(2))));
        assert!(matches!(Settings::parse("provider = \"key-file\""), Err(Wrong::Text(_))));
        let short = "keys = 1\ndeployment = \"07\"\nprovider = \"passphrase\"";
        assert!(matches!(Settings::parse(short), Err(Wrong::Text(_))));
    }
}
