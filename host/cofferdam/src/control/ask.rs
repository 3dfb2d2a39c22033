//! Asks the process that has a data directory.

use std::io;
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;

use super::place::Place;
use super::{BACKUP, GRANTED};

/// Writes the backup that the holder makes. Whether it is whole is for its reader to say.
pub(crate) async fn backup_of_holder(directory: &Path, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let place = Place::of(directory)?;
    let mut stream = UnixStream::connect(place.path()).await?;
    stream.write_all(BACKUP).await?;
    let mut granted = [0; GRANTED.len()];
    stream.read_exact(&mut granted).await?;
    if granted != *GRANTED {
        return Err(io::Error::other("it answers something else than a backup"));
    }
    tokio::io::copy(&mut stream, to).await?;
    to.flush().await
}
