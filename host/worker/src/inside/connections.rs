//! The connections of this worker, and the readers, writers and transformers that are open in them.

use pipeline::connector::{Reader, Transformer, Writer};
use runtime::{Connection, Level, LogSink, Stopper};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::http::Requests;
use crate::frame;
use crate::message::ToParent;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

/// What is sent to the parent. It grows by what calls bring and requests are pulled for, so it is bounded by these.
#[derive(Clone)]
pub(super) struct Outbox(UnboundedSender<Vec<u8>>);

impl Outbox {
    pub(super) fn new(frames: UnboundedSender<Vec<u8>>) -> Self {
        Self(frames)
    }

    /// False: the message is longer than a frame may be.
    pub(super) fn send(&self, message: &ToParent) -> bool {
        match frame::encoded(message) {
            Ok(bytes) => {
                // Without a parent this process is about to end.
                let _ = self.0.send(bytes);
                true
            }
            Err(_) => false,
        }
    }
}

/// Hands lines of guests to the parent, which counts, blanks and keeps them.
pub(super) struct Lines {
    pub(super) connection: u32,
    pub(super) outbox: Outbox,
}

impl LogSink for Lines {
    fn line(&self, _connector: &str, level: Level, target: &str, text: &str) {
        let (target, text) = (target.to_owned(), text.to_owned());
        self.outbox.send(&ToParent::Log { connection: self.connection, level: level.into(), target, text });
    }
}

/// A connection that the parent bound.
#[derive(Clone)]
pub(super) struct Bound {
    pub(super) connection: Connection,
    pub(super) stopper: Stopper,
    pub(super) cutter: Stopper,
}

/// What the parent opened under a number of its own; taken out for as long as it is called.
pub(super) enum Open {
    Reader(Box<dyn Reader>),
    Writer(Box<dyn Writer>),
    Transformer(Box<dyn Transformer>),
}

/// All that outlives one call.
pub(super) struct Shared {
    pub(super) outbox: Outbox,
    pub(super) requests: Arc<Requests>,
    bound: Mutex<HashMap<u32, Bound>>,
    open: Mutex<HashMap<u64, Open>>,
}

impl Shared {
    pub(super) fn new(outbox: Outbox) -> Self {
        let requests = Arc::new(Requests::new(outbox.clone()));
        Self { outbox, requests, bound: Mutex::default(), open: Mutex::default() }
    }

    pub(super) fn bind(&self, number: u32, bound: Bound) {
        lock(&self.bound).insert(number, bound);
    }

    pub(super) fn bound(&self, number: u32) -> Option<Bound> {
        lock(&self.bound).get(&number).cloned()
    }

    pub(super) fn unbind(&self, number: u32) {
        lock(&self.bound).remove(&number);
    }

    pub(super) fn opened(&self, handle: u64, open: Open) {
        lock(&self.open).insert(handle, open);
    }

    pub(super) fn take(&self, handle: u64) -> Option<Open> {
        lock(&self.open).remove(&handle)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
