//! Keys: where they come from, whether only their owner reads them, and whether they would outlive this machine. Opens none.

mod file;
mod kept;

use std::env;
use std::error::Error as _;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::finding::{Finding, Topic::Keys};
use crate::data::{Error, Provider, Seen, Settings};
use crate::places;
use file::{File, Guard};
use kept::Kept;

/// What there is of a data directory.
struct Reading {
    path: PathBuf,
    seen: Seen,
    /// All that hold keys, by what they are.
    files: Vec<File>,
    kept: Kept,
    user: u32,
    /// Whether there is a place for the key file of a first use.
    has_place: bool,
}

pub(super) fn findings(path: &Path, seen: Seen, now_ms: u64) -> Vec<Finding> {
    let settings = seen.settings.as_ref().ok().and_then(Option::as_ref);
    let files = settings.map(|settings| files(path, settings)).unwrap_or_default();
    let kept = Kept::of(settings, now_ms);
    let has_place = places::keys().is_some();
    judge(&Reading { path: path.to_owned(), seen, files, kept, user: geteuid().as_raw(), has_place })
}

fn files(directory: &Path, settings: &Settings) -> Vec<File> {
    let provider = match &settings.provider {
        Provider::KeyFile { path } => Some(File::of("key file", path, directory, Guard::Owner)),
        Provider::Passphrase { path } => {
            path.as_ref().map(|path| File::of("passphrase file", path, directory, Guard::OwnerAndGroup))
        }
        Provider::Credential { name } => env::var_os("CREDENTIALS_DIRECTORY").map(|folder| {
            File::of("credential", &PathBuf::from(folder).join(name), directory, Guard::OwnerAndGroup)
        }),
    };
    let shred_key = settings.shred_key.as_ref();
    let shred_key = shred_key.map(|path| File::of("shred key", path, directory, Guard::Owner));
    provider.into_iter().chain(shred_key).chain([File::directory(directory)]).collect()
}

fn judge(reading: &Reading) -> Vec<Finding> {
    let place = reading.path.display();
    let settings = match &reading.seen.settings {
        Ok(Some(settings)) => settings,
        Ok(None) if !reading.seen.has_keyring && !reading.seen.has_storage => {
            return vec![first_use(reading)];
        }
        Ok(None) => return vec![unread(&Error::SettingsLost { path: reading.path.clone() })],
        Err(error) => return vec![unread(error)],
    };
    if !reading.seen.has_keyring && reading.seen.has_storage {
        return vec![Finding::fault(
            Keys,
            format!("`{place}` has lost its keyring"),
            "without it nothing that is kept there can be opened",
            "put `keyring` back, or make it out of the newest export: `cofferdam keys import FILE`",
        )];
    }
    let mut findings = vec![Finding::ok(Keys, format!("`{place}` is {}", settings.words()))];
    findings.extend(handed_over(settings, reading));
    findings.extend(reading.files.iter().filter_map(|file| file.judge(reading.user)));
    findings.extend(slot(settings));
    findings.extend(reading.kept.judge());
    findings
}

fn first_use(reading: &Reading) -> Finding {
    let place = reading.path.display();
    if reading.has_place {
        return Finding::ok(
            Keys,
            format!("there is no data directory `{place}` yet; its first use makes it and its key"),
        );
    }
    Finding::warning(
        Keys,
        format!(
            "there is no data directory `{place}` yet, and no place for its key: neither `XDG_CONFIG_HOME` nor `HOME` is set"
        ),
        "the first use that is not told otherwise is refused",
        "say where its key is with `--key-file PATH`, `--passphrase-file PATH` or `--credential NAME`",
    )
}

fn unread(error: &Error) -> Finding {
    let why = "without them nothing that is kept there can be opened";
    let seen = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    let fix =
        error.hint().unwrap_or_else(|| "start the doctor as the user who owns the data directory".to_owned());
    Finding::fault(Keys, seen, why, fix)
}

/// A credential is there for the unit alone.
fn handed_over(settings: &Settings, reading: &Reading) -> Option<Finding> {
    let Provider::Credential { name } = &settings.provider else { return None };
    let is_there = reading.files.iter().any(File::is_credential);
    (!is_there).then(|| {
        Finding::warning(
            Keys,
            format!("the credential `{name}` is not handed to this process"),
            "whether it is there and well kept can be seen in the unit only",
            "`ExecStartPre=cofferdam doctor --data DIR` in the unit looks at it there",
        )
    })
}

fn slot(settings: &Settings) -> Option<Finding> {
    let provider = match &settings.provider {
        Provider::KeyFile { .. } => return None,
        Provider::Passphrase { path } => {
            let path = path.as_deref().unwrap_or(Path::new("-"));
            format!("--passphrase-file {}", path.display())
        }
        Provider::Credential { name } => format!("--credential {name}"),
    };
    settings.shred_key.is_none().then(|| {
        let fix = format!(
            "it is chosen when a keyring is made: `cofferdam keys export`, put `keyring` aside, then `cofferdam keys import \
             FILE {provider} --shred-key PATH`, with a path outside of the data directory and its backups"
        );
        let why = "earlier copies of the keyring still open what was deleted";
        Finding::warning(Keys, "there is no slot whose key could be erased", why, fix)
    })
}

#[cfg(test)]
mod tests;
