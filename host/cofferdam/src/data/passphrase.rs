//! The passphrase: read from a file, or typed where nobody sees it.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::time::Instant;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use vault::{Argon2Parameters, FileSystem, Guard, OsFiles, Passphrase, PassphraseKek};

use super::error::Error;
use crate::problem::Problems;

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

/// At the terminal of the process, wherever its standard streams go.
fn ask(words: &str) -> Result<String, Error> {
    let terminal =
        File::options().read(true).write(true).open("/dev/tty").map_err(|_| Error::NoPassphrase)?;
    let _hidden = Hidden::new(&terminal)?;
    let mut line = String::new();
    let shown = (&terminal).write_all(words.as_bytes());
    let read = shown.and_then(|()| BufReader::new(&terminal).read_line(&mut line));
    // The end of line that was typed was not shown.
    let _ = (&terminal).write_all(b"\n");
    match read {
        Ok(1..) => {
            line.truncate(line.trim_end_matches(['\r', '\n']).len());
            Ok(line)
        }
        _ => Err(Error::NoPassphrase),
    }
}

/// As long as it lives, the terminal does not show what is typed.
struct Hidden<'t> {
    terminal: &'t File,
    before: rustix::termios::Termios,
}

impl<'t> Hidden<'t> {
    fn new(terminal: &'t File) -> Result<Self, Error> {
        let before = tcgetattr(terminal).map_err(|_| Error::NoPassphrase)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &hidden).map_err(|_| Error::NoPassphrase)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // The terminal may have gone; nothing is shown there any more.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}
