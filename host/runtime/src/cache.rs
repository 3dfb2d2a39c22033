//! Compiled components on disk: found by everything that shaped them, authenticated before they are loaded.
//!
//! The file is `compiled code | tag`, the tag a keyed BLAKE3 under 32 random bytes that only this user can read: half of
//! what a short run took was HMAC-SHA-256, where the processor has no instructions for it.
//! The bytes that were verified are the bytes that are loaded; nobody else's compiled code is ever accepted.

use crate::error::Error;
use sha2::{Digest, Sha256};
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 32;

pub(crate) struct Cache {
    directory: PathBuf,
    key: [u8; KEY_BYTES],
    /// Engine version, target and configuration in one text.
    engine: String,
}

impl Cache {
    /// Open the cache, making directory and key where there are none.
    pub(crate) fn open(directory: &Path, engine: &wasmtime::Engine) -> Result<Self, Error> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|source| Error::File { action: "make the directory", path: directory.into(), source })?;
        let key = key(&directory.join("key"))?;
        let mut fingerprint = Fingerprint(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut fingerprint);
        let engine = format!("{:x}", fingerprint.0.finalize());
        Ok(Self { directory: directory.to_owned(), key, engine })
    }

    /// The compiled code of this component by this engine; none when there is none, or when it was touched by others.
    pub(crate) fn load(&self, digest: &str) -> Option<Vec<u8>> {
        let path = self.path(digest);
        let mut file = fs::read(&path).ok()?;
        let (code, tag) = file.split_last_chunk::<TAG_BYTES>()?;
        // Two of these hashes are compared in constant time.
        if self.tag(digest, code) != blake3::Hash::from_bytes(*tag) {
            tracing::warn!(path = %path.display(), "a file of compiled code was changed by others; compiling anew");
            return None;
        }
        file.truncate(code.len());
        Some(file)
    }

    /// Keep compiled code. Written beside and renamed: a reader sees all of it or nothing, also with two writers.
    pub(crate) fn store(&self, digest: &str, code: &[u8]) -> Result<(), Error> {
        let path = self.path(digest);
        let failed = |source| Error::File { action: "write", path: path.clone(), source };
        let mut file = tempfile::NamedTempFile::new_in(&self.directory).map_err(failed)?;
        file.write_all(code).map_err(failed)?;
        file.write_all(self.tag(digest, code).as_bytes()).map_err(failed)?;
        file.as_file().sync_data().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    fn path(&self, digest: &str) -> PathBuf {
        let mut name = Sha256::new();
        name.update(digest);
        name.update([0]);
        name.update(&self.engine);
        self.directory.join(format!("{:x}.compiled", name.finalize()))
    }

    /// The digest is under the tag too: a file renamed to another component's name does not verify.
    fn tag(&self, digest: &str, code: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in [digest.as_bytes(), &[0], self.engine.as_bytes(), &[0], code] {
            hasher.update(part);
        }
        hasher.finalize()
    }
}

/// The key, made by the first process that needs one. A second process at the same moment reads what the first one linked.
fn key(path: &Path) -> Result<[u8; KEY_BYTES], Error> {
    let failed = |action, source| Error::File { action, path: path.into(), source };
    match fs::read(path) {
        Ok(bytes) => {
            return <[u8; KEY_BYTES]>::try_from(bytes).map_err(|bytes| {
                let message =
                    format!("{} bytes instead of {KEY_BYTES}; delete it to start anew", bytes.len());
                failed("use the key", std::io::Error::new(ErrorKind::InvalidData, message))
            });
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed("read the key", error)),
    }
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| failed("make the key", std::io::Error::other(error.to_string())))?;
    // A temporary file is its user's alone from the start, and is linked whole or not at all.
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file =
        tempfile::NamedTempFile::new_in(directory).map_err(|source| failed("write the key", source))?;
    let written = file.write_all(&bytes).and_then(|()| file.as_file().sync_all());
    written.map_err(|source| failed("write the key", source))?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(bytes),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => key(path),
        Err(error) => Err(failed("write the key", error.error)),
    }
}

/// Feeds what the engine hashes to SHA-256, whose result is the same in each process.
struct Fingerprint(Sha256);

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests;
