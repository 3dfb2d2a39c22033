//! The least that a group commit can be: writers hand their bytes to one thread, which writes and syncs those of all of them at
//! once and answers each. Nothing is sealed, judged, indexed or shown. What our storage takes beyond that is its own; what this
//! cannot reach on a disk, no storage can whose writers are tasks that wait for an answer.

use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::{Context as _, Result, anyhow};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::clock::{Took, Watch};
use crate::commits::Bare;

/// What one writer hands over.
struct Commit {
    bytes: Vec<u8>,
    answer: oneshot::Sender<()>,
}

/// Each writer commits so many times, one after the other.
pub(crate) fn round(
    tokio: &Runtime,
    bare: &mut Bare,
    writers: usize,
    changes: usize,
    bytes: &[u8],
) -> Result<Took> {
    let (sender, receiver) = channel();
    let watch = Watch::start()?;
    std::thread::scope(|scope| {
        let committer = scope.spawn(move || commit_all(bare, &receiver));
        tokio.block_on(write(sender, writers, changes, bytes))?;
        committer.join().map_err(|_| anyhow!("the committer panicked"))?
    })?;
    watch.stop()
}

/// Takes whatever waits as one group, until nobody can come any more. While it syncs the next group gathers by itself.
fn commit_all(bare: &mut Bare, receiver: &Receiver<Commit>) -> Result<()> {
    let (mut together, mut answers) = (Vec::new(), Vec::new());
    while let Ok(first) = receiver.recv() {
        together.clear();
        for Commit { bytes, answer } in std::iter::once(first).chain(receiver.try_iter()) {
            together.extend_from_slice(&bytes);
            answers.push(answer);
        }
        bare.append(&together)?;
        for answer in answers.drain(..) {
            answer.send(()).map_err(|()| anyhow!("a writer has not waited"))?;
        }
    }
    Ok(())
}

async fn write(sender: Sender<Commit>, writers: usize, changes: usize, bytes: &[u8]) -> Result<()> {
    let mut tasks = JoinSet::new();
    for _ in 0..writers {
        let (sender, bytes) = (sender.clone(), bytes.to_owned());
        tasks.spawn(async move {
            for _ in 0..changes {
                let (answer, answered) = oneshot::channel();
                sender.send(Commit { bytes: bytes.clone(), answer }).ok().context("nobody commits")?;
                answered.await?;
            }
            anyhow::Ok(())
        });
    }
    drop(sender);
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}
