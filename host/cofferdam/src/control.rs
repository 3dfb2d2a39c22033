//! `control.sock`: whoever has a data directory answers there those who come beside it: with a backup, which is sealed; with
//! how far sealing anew has come; and by changing and taking back what a run uses. Whoever may open the socket, which is its
//! owner alone, may read the directory anyway. Secrets go one way only, to whoever keeps them, and over nothing but memory of
//! this machine's kernel, which nobody wipes.

mod ask;
mod change;
mod message;
mod place;
mod progress;

use std::path::Path;
use std::sync::Arc;

use records::SealedRecords;
use storage::Storage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

pub(crate) use ask::{Holder, backup_of_holder, progress_of_holder};
pub(crate) use message::Rotation;
pub(crate) use progress::Progress;

use crate::data::Error;
use crate::live::Live;
use crate::problem::Problems;
use place::Place;

/// What the other side says first: one of some wishes, of one length.
pub(crate) const BACKUP: &[u8; 9] = b"backup 1\n";
pub(crate) const PROGRESS: &[u8; 9] = b"reseal 1\n";
pub(crate) const CREDENTIALS: &[u8; 9] = b"listed 1\n";
pub(crate) const ROTATE: &[u8; 9] = b"rotate 1\n";
pub(crate) const REVOKE: &[u8; 9] = b"revoke 2\n";
pub(crate) const RELOAD: &[u8; 9] = b"reload 2\n";
/// What follows is the backup, or the answer as JSON.
pub(crate) const GRANTED: &[u8; 3] = b"ok\n";

/// Answers until it is ended.
pub(crate) struct Control {
    task: JoinHandle<()>,
    ending: CancellationToken,
    place: Place,
}

/// What this process has open.
pub(crate) struct Held {
    pub(crate) storage: Arc<Storage>,
    pub(crate) records: Arc<SealedRecords>,
    /// The run that goes on, where one does.
    pub(crate) live: Option<Live>,
}

impl Control {
    pub(crate) fn listen(directory: &Path, held: Held) -> Result<Self, Problems> {
        let failed = |source| Error::File { action: "listen at", path: directory.join(place::NAME), source };
        let place = Place::of(directory).map_err(failed)?;
        // Left behind by a process that was killed: the directory is ours.
        place.remove();
        let listener = UnixListener::bind(place.path()).map_err(failed)?;
        place.restrict().map_err(failed)?;
        let ending = CancellationToken::new();
        let task = tokio::spawn(answer_all(listener, Arc::new(held), ending.clone()));
        Ok(Self { task, ending, place })
    }

    /// A backup that somebody waits for is cut off, and he is told by its end. A change that has begun is finished: often
    /// enough it is why the run ends.
    pub(crate) async fn end(self) {
        self.ending.cancel();
        // It does not panic, and nobody else ends it.
        let _ = self.task.await;
        self.place.remove();
    }
}

async fn answer_all(listener: UnixListener, held: Arc<Held>, ending: CancellationToken) {
    let mut answers = JoinSet::new();
    loop {
        tokio::select! {
            () = ending.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if place::is_ours(&stream) => {
                    drop(answers.spawn(answer(stream, Arc::clone(&held), ending.clone())));
                }
                Ok(_) => {}
                // Too many open files: those that are open end, and then there is room.
                Err(_) => drop(answers.join_next().await),
            },
            Some(_) = answers.join_next() => {}
        }
    }
    while answers.join_next().await.is_some() {}
}

/// Whoever asks for something else, or goes away, gets no more.
async fn answer(mut stream: UnixStream, held: Arc<Held>, ending: CancellationToken) {
    let reading = ending.run_until_cancelled(asked(&mut stream, &held)).await;
    if let Some(Some(change)) = reading {
        change.make(&mut stream, &held).await;
    }
}

/// Answers what changes nothing, and gives back what would.
async fn asked(stream: &mut UnixStream, held: &Held) -> Option<change::Change> {
    let mut wish = [0; BACKUP.len()];
    stream.read_exact(&mut wish).await.ok()?;
    match &wish {
        BACKUP => give_backup(stream, &held.storage).await,
        PROGRESS => give_progress(stream, &held.storage).await,
        CREDENTIALS => change::list(stream, &held.records).await,
        wish => return change::Change::read(wish, stream).await.ok()?,
    }
    None
}

async fn give_backup(stream: &mut UnixStream, storage: &Storage) {
    if stream.write_all(GRANTED).await.is_ok()
        && let Err(error) = storage.backup(stream).await
    {
        tracing::warn!(code = error.code(), "a backup that was asked for was not made");
    }
}

async fn give_progress(stream: &mut UnixStream, storage: &Storage) {
    let told = match progress::of(storage).await {
        Ok(progress) => serde_json::to_vec(&progress),
        Err(error) => {
            tracing::warn!(code = error.code(), "how far sealing anew has come cannot be read");
            return;
        }
    };
    if let Ok(told) = told
        && stream.write_all(GRANTED).await.is_ok()
    {
        // Whoever asked may have gone away.
        let _ = stream.write_all(&told).await;
    }
}
