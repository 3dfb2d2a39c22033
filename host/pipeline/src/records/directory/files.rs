//! Files that are whole or absent: written beside their place, synced, renamed, and the folder synced.

use super::Error;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The form of these files; another one is not guessed at.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    format: u32,
    #[serde(flatten)]
    content: T,
}

/// A file name for a name that others chose: lower-case letters, digits, `-` and `_` stay, all else is escaped, so that two
/// names never meet, also where a file system ignores case. A long name is cut and told apart by its digest.
pub(super) fn file_name(name: &str) -> String {
    const LENGTH_MAX: usize = 150;
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02x}")),
        }
    }
    if escaped.len() <= LENGTH_MAX {
        return escaped;
    }
    escaped.truncate(64);
    let digest: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{escaped}~{digest}")
}

/// The lock, or none while another open file has it. The file stays: removing it would let two hold "the" lock.
pub(super) fn lock(path: &Path) -> Result<Option<File>, Error> {
    make_folder_of(path)?;
    let file =
        options().read(true).write(true).create(true).truncate(false).open(path).map_err(at("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(at("lock", path)(error)),
    }
}

/// The record in a file; none where there is no file.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at("read", path)(error)),
    };
    let corrupt = |message: String| Error::Corrupt { place: path.display().to_string(), message };
    let format: Versioned<serde::de::IgnoredAny> =
        serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
    if format.format != FORMAT {
        return Err(corrupt(format!("it has format {}, this host knows {FORMAT}", format.format)));
    }
    let record: Versioned<T> = serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
    Ok(Some(record.content))
}

/// Puts a record into a file: after a crash the file holds the old record or the new one.
pub(super) fn write_json<T: Serialize>(path: &Path, content: &T) -> Result<(), Error> {
    replace(path, |out| Ok(serde_json::to_writer(out, &Versioned { format: FORMAT, content })?))
}

/// Puts records into a file, one a line.
pub(super) fn write_json_lines<T: Serialize>(path: &Path, lines: &[T]) -> Result<(), Error> {
    replace(path, |out| {
        for line in lines {
            serde_json::to_writer(&mut *out, line)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// Reads lines until `chunks` has `limit` of them, after leaving out as many as are still to skip.
pub(super) fn read_json_lines<T: DeserializeOwned>(
    path: &Path,
    to_skip: &mut usize,
    limit: usize,
    chunks: &mut Vec<T>,
) -> Result<(), Error> {
    let file = File::open(path).map_err(at("open", path))?;
    for line in BufReader::new(file).lines() {
        let line = line.map_err(at("read", path))?;
        if *to_skip > 0 {
            *to_skip -= 1;
            continue;
        }
        if chunks.len() >= limit {
            break;
        }
        let chunk = serde_json::from_str(&line).map_err(|error| Error::Corrupt {
            place: path.display().to_string(),
            message: error.to_string(),
        })?;
        chunks.push(chunk);
    }
    Ok(())
}

/// The files of a folder with this ending, sorted by name; none where there is no folder.
pub(super) fn list(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at("list", folder)(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(at("list", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(ending) && !name.starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), Error> {
    make_folder_of(path)?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.new"));
    let file =
        options().write(true).create(true).truncate(true).open(&beside).map_err(at("create", &beside))?;
    let mut out = BufWriter::new(file);
    write(&mut out).and_then(|()| out.flush()).map_err(at("write", &beside))?;
    out.get_ref().sync_all().map_err(at("sync", &beside))?;
    fs::rename(&beside, path).map_err(at("rename", path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes the folder, and makes its name durable in each folder above that was made for it.
fn make_folder_of(path: &Path) -> Result<(), Error> {
    let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) else { return Ok(()) };
    let above = folder.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_path_buf);
    builder().create(folder).map_err(at("create", folder))?;
    for made in folder.ancestors() {
        sync_folder(made)?;
        if above.as_deref() == Some(made) {
            break;
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    File::open(folder).and_then(|opened| opened.sync_all()).map_err(at("sync", folder))
}

fn at<'a>(operation: &'a str, path: &'a Path) -> impl Fn(io::Error) -> Error + 'a {
    move |error| Error::Unavailable {
        operation: operation.into(),
        place: path.display().to_string(),
        message: error.to_string(),
    }
}

/// Only the owner reads rows.
#[cfg(unix)]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn options() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(unix)]
fn builder() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
}

#[cfg(not(unix))]
fn builder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    builder
}
