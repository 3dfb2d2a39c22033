//! Syncs the database behind the journal: a second after something changed, or when it is asked to.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::engine::EngineError;

/// So long the journal may be ahead of the database: what is replayed after a crash is what was committed in it.
const DELAY: Duration = Duration::from_secs(1);

enum Message {
    Changed,
    Now(Option<SyncSender<Result<(), EngineError>>>),
}

/// The handle to the thread. Dropping it ends the thread.
pub(super) struct Syncer {
    sender: Option<Sender<Message>>,
    thread: Option<JoinHandle<()>>,
    is_changed: bool,
}

impl Syncer {
    pub(super) fn start(shared: Arc<Shared>) -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        let name = "storage-sync".to_owned();
        let thread = thread::Builder::new().name(name).spawn(move || run(&shared, &receiver))?;
        Ok(Self { sender: Some(sender), thread: Some(thread), is_changed: false })
    }

    /// Something was applied: sync within a second. The thread is woken once until it was told otherwise.
    pub(super) fn changed(&mut self) {
        self.send(Message::Changed);
    }

    /// Sync soon.
    pub(super) fn hurry(&mut self) {
        self.send(Message::Now(None));
    }

    /// Sync and wait for it.
    pub(super) fn sync(&mut self) -> Result<(), EngineError> {
        let (answer, answered) = sync_channel(1);
        self.send(Message::Now(Some(answer)));
        let ended = || EngineError::Stopped { reason: "the thread that syncs has ended".to_owned() };
        answered.recv().unwrap_or_else(|_| Err(ended()))
    }

    fn send(&mut self, message: Message) {
        self.is_changed = true;
        if let Some(sender) = &self.sender {
            // It ends only when we drop the sender, or by a panic: then the next wait notices.
            let _ = sender.send(message);
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, receiver: &Receiver<Message>) {
    let mut due: Option<Instant> = None;
    loop {
        let message = match due {
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => receiver.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match message {
            Ok(Message::Changed) => {
                due.get_or_insert_with(|| Instant::now() + DELAY);
                continue;
            }
            Ok(Message::Now(answer)) => {
                let result = shared.sync();
                if let Some(answer) = answer {
                    // Who has asked may have gone.
                    let _ = answer.send(result);
                }
            }
            // A failure has stopped the engine, and everyone is told by it.
            Err(RecvTimeoutError::Timeout) => drop(shared.sync()),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        due = None;
    }
}
