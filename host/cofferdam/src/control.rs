//! `control.sock`: whoever has a data directory answers there those who come beside it. What it can be asked for is a
//! backup, which is sealed, and how far sealing anew has come; whoever may open the socket may read the directory anyway.

mod ask;
mod place;
mod progress;

use std::path::Path;
use std::sync::Arc;

use storage::Storage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

pub(crate) use ask::{backup_of_holder, progress_of_holder};
pub(crate) use progress::Progress;

use crate::data::Error;
use crate::problem::Problems;
use place::Place;

/// What the other side says first: one of two wishes, of one length.
pub(crate) const BACKUP: &[u8; 9] = b"backup 1\n";
pub(crate) const PROGRESS: &[u8; 9] = b"reseal 1\n";
/// What follows is the backup, or the progress as JSON.
pub(crate) const GRANTED: &[u8; 3] = b"ok\n";

/// Answers until it is ended.
pub(crate) struct Control {
    task: JoinHandle<()>,
    place: Place,
}

impl Control {
    pub(crate) fn listen(directory: &Path, storage: Arc<Storage>) -> Result<Self, Problems> {
        let failed = |source| Error::File { action: "listen at", path: directory.join(place::NAME), source };
        let place = Place::of(directory).map_err(failed)?;
        // Left behind by a process that was killed: the directory is ours.
        place.remove();
        let listener = UnixListener::bind(place.path()).map_err(failed)?;
        place.restrict().map_err(failed)?;
        Ok(Self { task: tokio::spawn(answer_all(listener, storage)), place })
    }

    /// A backup that somebody waits for is cut off, and he is told by its end.
    pub(crate) async fn end(self) {
        self.task.abort();
        // It ends by being aborted.
        let _ = self.task.await;
        self.place.remove();
    }
}

async fn answer_all(listener: UnixListener, storage: Arc<Storage>) {
    let mut answers = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(answers.spawn(answer(stream, Arc::clone(&storage)))),
                // Too many open files: those that are open end, and then there is room.
                Err(_) => drop(answers.join_next().await),
            },
            Some(_) = answers.join_next() => {}
        }
    }
}

/// Whoever asks for something else, or goes away, gets no more.
async fn answer(mut stream: UnixStream, storage: Arc<Storage>) {
    let mut wish = [0; BACKUP.len()];
    if stream.read_exact(&mut wish).await.is_err() {
        return;
    }
    match &wish {
        BACKUP => give_backup(&mut stream, &storage).await,
        PROGRESS => give_progress(&mut stream, &storage).await,
        _ => {}
    }
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
