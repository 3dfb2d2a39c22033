//! The passphrase: read from a file, or typed where nobody sees it.

use std::path::Path;
use std::time::Instant;

use vault::{Argon2Parameters, FileSystem, Guard, OsFiles, Passphrase, PassphraseKek};

use super::error::Error;
use crate::problem::Problems;
use crate::prompt::{self, Echo};

/// A guess should cost an attacker this long on a machine like ours, and its owner no more.
const UNLOCK_MS: u64 = 500;
/// Below this the parameters of new keys are never; what exists brings its own.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;

/// Whether the passphrase opens something or will be needed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// It was chosen before.
    Known,
    /// It is chosen now: typed twice, and made as dear to guess as this machine bears.
    New,
}

/// What is asked for, in the words of the prompt.
pub(crate) fn kek(file: Option<&Path>, what: &str, passphrase: Use) -> Result<PassphraseKek, Problems> {
    let text = match file {
        Some(file) => from_file(file)?,
        None => typed(what, passphrase)?,
    };
    let parameters = match passphrase {
        Use::Known => Argon2Parameters::new(MEMORY_KIB, PASSES)?,
        Use::New => {
            let start = Instant::now();
            let clock_ms = || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            Argon2Parameters::calibrate(UNLOCK_MS, &clock_ms)?
        }
    };
    Ok(PassphraseKek::new(Passphrase::new(text), parameters))
}

/// Without the end of the line that editors put there.
fn from_file(path: &Path) -> Result<String, Problems> {
    let missing = || vault::Error::Missing { what: "passphrase file", path: path.to_owned() };
    let bytes = OsFiles.read(path, Guard::Credential)?.ok_or_else(missing)?;
    let mut text = String::from_utf8(bytes).map_err(|_| Error::Settings {
        path: path.to_owned(),
        reason: "a passphrase is UTF-8 text".into(),
    })?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}

fn typed(what: &str, passphrase: Use) -> Result<String, Error> {
    let first = ask(&format!("{what}: "))?;
    if passphrase == Use::New && ask(&format!("{what}, once more: "))? != first {
        return Err(Error::PassphrasesDiffer);
    }
    Ok(first)
}

/// Where nobody sees it.
fn ask(words: &str) -> Result<String, Error> {
    let line = prompt::line(words, Echo::Hidden).ok_or(Error::NoPassphrase)?;
    String::from_utf8(line.expose().to_vec()).map_err(|_| Error::NoPassphrase)
}
