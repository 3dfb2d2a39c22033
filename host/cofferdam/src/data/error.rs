//! What goes wrong with a data directory as a whole. What keys, engine and storage say against it, they say themselves.

use std::io;
use std::path::PathBuf;

use crate::problem::Problem;

/// Why a data directory cannot be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The system refused.
    #[error("failed to {action} `{}`", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// There is none.
    #[error("there is no data directory `{}`", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// A directory with something else in it.
    #[error("`{}` is not a data directory: it holds `{found}`", path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
        /// What is in it.
        found: String,
    },
    /// Records without their keyring.
    #[error("the data directory `{}` has lost its keyring", path.display())]
    KeyringLost {
        /// Which.
        path: PathBuf,
    },
    /// A keyring of which nobody says what opens it.
    #[error("`{}` does not say where its keys come from", path.display())]
    SettingsLost {
        /// Which.
        path: PathBuf,
    },
    /// The settings cannot be read.
    #[error("`{}` cannot be read: {reason}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A newer cofferdam wrote them.
    #[error("`{}` has format {found}, this version knows {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Of the file.
        found: u32,
        /// Of this program.
        known: u32,
    },
    /// Nobody says where files of the user are kept.
    #[error("neither `XDG_CONFIG_HOME` nor `HOME` is set, so there is no place for the key file")]
    NoConfig,
    /// There is no passphrase, and nobody to ask for it.
    #[error("a passphrase is needed, and there is no terminal to type it at")]
    NoPassphrase,
    /// The two that were typed differ.
    #[error("the two passphrases that were typed differ")]
    PassphrasesDiffer,
    /// The service manager did not say where its credentials are.
    #[error("`CREDENTIALS_DIRECTORY` is not set, so there is no credential `{name}`")]
    NoCredentials {
        /// Which credential.
        name: String,
    },
    /// Another provider than the one that wraps the keyring.
    #[error("the keys of `{}` come from a {known}, not from a {named}", path.display())]
    OtherProvider {
        /// The data directory.
        path: PathBuf,
        /// What it says.
        known: &'static str,
        /// What the command line says.
        named: &'static str,
    },
    /// Another process has it.
    #[error("the data directory `{}` is in use by {holder}", path.display())]
    InUse {
        /// Which.
        path: PathBuf,
        /// Process and command, where it says so.
        holder: String,
    },
}

impl Error {
    fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "CD0820",
            Self::Missing { .. } => "CD0821",
            Self::Foreign { .. } => "CD0822",
            Self::KeyringLost { .. } => "CD0823",
            Self::SettingsLost { .. } | Self::Settings { .. } => "CD0824",
            Self::Newer { .. } => "CD0825",
            Self::NoConfig => "CD0826",
            Self::NoPassphrase | Self::PassphrasesDiffer => "CD0827",
            Self::NoCredentials { .. } => "CD0828",
            Self::OtherProvider { .. } => "CD0829",
            Self::InUse { .. } => "CD0830",
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::File { .. } => return None,
            Self::Missing { .. } => "the first `cofferdam run` or `cofferdam connect` makes it, or `cofferdam keys import` out of an export; name another one with `--data DIR`".into(),
            Self::Foreign { .. } => "name an empty directory, or one that is not there yet, with `--data DIR`".into(),
            Self::KeyringLost { .. } => {
                "put its `keyring` back, or make it out of the newest export: `cofferdam keys import FILE`".into()
            }
            Self::SettingsLost { .. } | Self::Settings { .. } => {
                "name them once, with `--key-file PATH`, `--passphrase-file PATH` or `--credential NAME`".into()
            }
            Self::Newer { .. } => "use the newer cofferdam that wrote it".into(),
            Self::NoConfig => "say where with `--key-file PATH`, on a disk that outlives the data directory".into(),
            Self::NoPassphrase => "name a file that holds it with `--passphrase-file PATH`".into(),
            Self::PassphrasesDiffer => "try again".into(),
            Self::NoCredentials { .. } => "start cofferdam by its unit: the service manager sets it".into(),
            Self::OtherProvider { .. } => "leave the option away: `keys.toml` in the data directory says it".into(),
            Self::InUse { .. } => {
                "wait until it has ended, or name another data directory with `--data DIR`; `cofferdam keys status`, \
                 `cofferdam backup` and `cofferdam credentials` work beside it"
                    .into()
            }
        })
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let mut problem = Self::new(error.code(), error.to_string());
        if let Error::File { source, .. } = &error {
            problem.causes.push(source.to_string());
        }
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}
