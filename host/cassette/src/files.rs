//! The files of a cassette: for their owner's eyes alone, since they hold what systems answered.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::error::Error;

pub(crate) const HEAD: &str = "cassette.json";
pub(crate) const TAPE: &str = "tape.jsonl";
/// A longer name is no name that a person gave.
const NAME_BYTES_MAX: usize = 80;
/// A document of a cassette has a body of 64 KiB at most in it, six bytes for each of its bytes.
const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// An exchange's document.
pub(crate) fn exchange(number: u32) -> String {
    format!("{number:04}.json")
}

/// Makes a folder that is not there yet; those above it as well.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| Error::write(path, source))
}

pub(crate) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

pub(crate) fn write_document(path: &Path, document: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_vec_pretty(document).map_err(|error| Error::write(path, error.into()))?;
    text.push(b'\n');
    let written = create(path).and_then(|mut file| io::Write::write_all(&mut file, &text));
    written.map_err(|source| Error::write(path, source))
}

pub(crate) fn read_document<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(DOCUMENT_BYTES_MAX).read_to_end(&mut text));
    read.map_err(|source| Error::read(path, source))?;
    serde_json::from_slice(&text).map_err(|error| Error::corrupt(path, error.to_string()))
}

/// The folder of one instance below the cassette's: connection, call, what it is about, and which of them it is.
pub(crate) fn instance(connection: &str, call: &str, about: &str, ordinal: u32) -> String {
    let about = if about.is_empty() { String::new() } else { format!(".{}", safe(about)) };
    format!("{}/{}{about}.{ordinal}", safe(connection), safe(call))
}

/// A name as a file can have it; two names never become the same one.
fn safe(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => safe.push(char::from(byte)),
            b'.' if !safe.is_empty() => safe.push('.'),
            other => safe.push_str(&format!("%{other:02x}")),
        }
    }
    if safe.len() <= NAME_BYTES_MAX {
        return safe;
    }
    let digest = hex(&Sha256::digest(name.as_bytes()));
    safe.truncate(NAME_BYTES_MAX);
    format!("{safe}%{}", digest.get(..16).unwrap_or_default())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file beside a document that its body names: a name, and nothing that leads elsewhere.
pub(crate) fn beside(document: &Path, name: &str) -> Result<PathBuf, Error> {
    let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    if !is_plain {
        return Err(Error::corrupt(
            document,
            format!("`{}` is no name of a file beside it", name.escape_debug()),
        ));
    }
    Ok(document.with_file_name(name))
}
