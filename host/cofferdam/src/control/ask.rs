//! Asks the process that has a data directory.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use records::KeptCredential;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use vault::Plaintext;

use super::message::{Answer, Order, Rotation, write_head, write_secrets};
use super::place::{Place, is_ours};
use super::{BACKUP, CREDENTIALS, GRANTED, PROGRESS, Progress, RELOAD, REVOKE, ROTATE};
use crate::connect::revoke::Revoked;
use crate::data::{Directory, Error};
use crate::hold::Effect;
use crate::problem::{Problem, Problems};

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

/// Whoever has a data directory, to be asked for what only he can do now.
pub(crate) struct Holder<'d> {
    directory: &'d Directory,
}

impl<'d> Holder<'d> {
    pub(crate) fn of(directory: &'d Directory) -> Self {
        Self { directory }
    }

    /// All credentials that are kept, without a secret.
    pub(crate) async fn credentials(&self) -> Result<Vec<KeptCredential>, Problems> {
        self.answer(granted(&self.directory.path, CREDENTIALS).await).await
    }

    /// The one of this name.
    pub(crate) async fn credential(&self, name: &str) -> Result<KeptCredential, Problems> {
        let mut all = self.credentials().await?;
        if let Some(at) = all.iter().position(|kept| kept.name == name) {
            return Ok(all.swap_remove(at));
        }
        let known = all.into_iter().map(|kept| kept.name).collect();
        Err(records::Error::UnknownCredential { name: name.to_owned(), known }.into())
    }

    pub(crate) async fn rotate(
        &self,
        rotation: &Rotation,
        secret: &BTreeMap<String, Plaintext>,
    ) -> Result<KeptCredential, Problems> {
        let asked = async {
            let mut stream = asked(&self.directory.path, ROTATE).await?;
            write_head(&mut stream, rotation).await?;
            write_secrets(&mut stream, secret).await?;
            taken_up(stream).await
        };
        self.answer(asked.await).await
    }

    pub(crate) async fn revoke(&self, name: &str) -> Result<Revoked, Problems> {
        self.answer(asked_with(&self.directory.path, REVOKE, &Order::of(name)).await).await
    }

    pub(crate) async fn reload(&self, document: &Path) -> Result<Vec<Effect>, Problems> {
        self.answer(asked_with(&self.directory.path, RELOAD, &Order::of(document)).await).await
    }

    async fn answer<T: DeserializeOwned>(&self, asked: io::Result<UnixStream>) -> Result<T, Problems> {
        let read = async {
            let mut told = Vec::new();
            asked?.take(PROGRESS_BYTES_MAX).read_to_end(&mut told).await?;
            Ok::<Answer<T>, io::Error>(serde_json::from_slice(&told)?)
        };
        match read.await {
            Ok(Answer::Done(done)) => Ok(done),
            Ok(Answer::Problems(problems)) => {
                Err(Problems::of(problems).err().unwrap_or_else(|| Problem::bug("it says nothing").into()))
            }
            Err(error) => {
                let path = self.directory.path.clone();
                let holder = self.directory.holder();
                let holder = holder.unwrap_or_else(|| "a process that has just ended".to_owned());
                let problem = Problem::from(Error::InUse { path, holder });
                Err(problem.caused_by(format!("it was asked, and does not answer: {error}")).into())
            }
        }
    }
}

/// The answer to a wish, behind the word that grants it.
async fn granted(directory: &Path, wish: &[u8]) -> io::Result<UnixStream> {
    taken_up(asked(directory, wish).await?).await
}

async fn asked_with(directory: &Path, wish: &[u8], head: &impl Serialize) -> io::Result<UnixStream> {
    let mut stream = asked(directory, wish).await?;
    write_head(&mut stream, head).await?;
    taken_up(stream).await
}

async fn asked(directory: &Path, wish: &[u8]) -> io::Result<UnixStream> {
    let place = Place::of(directory)?;
    let mut stream = UnixStream::connect(place.path()).await?;
    if !is_ours(&stream) {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    stream.write_all(wish).await?;
    Ok(stream)
}

async fn taken_up(mut stream: UnixStream) -> io::Result<UnixStream> {
    let mut granted = [0; GRANTED.len()];
    stream.read_exact(&mut granted).await?;
    if granted != *GRANTED {
        return Err(io::Error::other("it answers something else than what it was asked for"));
    }
    Ok(stream)
}
