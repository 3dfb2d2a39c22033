//! Asks the process that has a data directory.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;

use super::place::Place;
use super::{BACKUP, GRANTED, PROGRESS, Progress};

/// Of a million organizations, all of which are being sealed anew.
const PROGRESS_BYTES_MAX: u64 = 256 << 20;

/// Writes the backup that the holder makes. Whether it is whole is for its reader to say.
pub(crate) async fn backup_of_holder(directory: &Path, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut stream = granted(directory, BACKUP).await?;
    tokio::io::copy(&mut stream, to).await?;
    to.flush().await
}

/// How far sealing anew has come, by organization.
pub(crate) async fn progress_of_holder(directory: &Path) -> io::Result<BTreeMap<String, Progress>> {
    let stream = granted(directory, PROGRESS).await?;
    let mut told = Vec::new();
    stream.take(PROGRESS_BYTES_MAX).read_to_end(&mut told).await?;
    Ok(serde_json::from_slice(&told)?)
}

/// The answer to a wish, behind the word that grants it.
async fn granted(directory: &Path, wish: &[u8]) -> io::Result<UnixStream> {
    let place = Place::of(directory)?;
    let mut stream = UnixStream::connect(place.path()).await?;
    stream.write_all(wish).await?;
    let mut granted = [0; GRANTED.len()];
    stream.read_exact(&mut granted).await?;
    if granted != *GRANTED {
        return Err(io::Error::other("it answers something else than what it was asked for"));
    }
    Ok(stream)
}
