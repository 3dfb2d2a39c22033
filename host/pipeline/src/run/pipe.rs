//! What is between two stages of a run: a queue that is bounded by the bytes of what waits in it.

use super::Trouble;
use super::track::Parcel;
use crate::model::StreamSchema;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A row that the source itself rejected before it became one.
#[derive(Debug)]
pub(super) struct RawReject {
    pub(super) schema: Arc<StreamSchema>,
    pub(super) bytes: Vec<u8>,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) retryable: bool,
}

/// Rows that the reader counted in one page, apart from the batches in which they go on: held against what arrives.
pub(super) type RowsRead = Vec<(String, u64)>;

/// What goes from stage to stage, in the order in which the source gave it.
#[derive(Debug)]
pub(super) enum Item {
    /// One batch.
    Parcel(Box<Parcel>),
    /// A page is complete.
    PageEnd(PageEnd),
    /// These are the streams from here on.
    Streams(Vec<Arc<StreamSchema>>),
    /// All has been read.
    End,
    /// The reader was asked to stop, and did.
    Stopped,
    /// The stage before failed; what came before this is good.
    Failed(Trouble),
}

/// What stands at the end of a page.
#[derive(Debug, Default)]
pub(super) struct PageEnd {
    pub(super) raw: Vec<RawReject>,
    pub(super) read: RowsRead,
    pub(super) checkpoint: Option<String>,
    pub(super) transaction_end: bool,
}

/// The end into which a stage puts.
#[derive(Debug)]
pub(super) struct PipeSender {
    items: mpsc::Sender<(Item, Option<OwnedSemaphorePermit>)>,
    bytes: Arc<Semaphore>,
    bytes_max: u32,
}

/// The end from which a stage takes.
#[derive(Debug)]
pub(super) struct PipeReceiver {
    items: mpsc::Receiver<(Item, Option<OwnedSemaphorePermit>)>,
}

/// Items without rows are small; so many of them may wait besides the bytes.
const ITEMS_MAX: usize = 1_024;

/// A queue that holds items of so many bytes, or one larger item.
pub(super) fn pipe(bytes_max: u32) -> (PipeSender, PipeReceiver) {
    let (sender, receiver) = mpsc::channel(ITEMS_MAX);
    let bytes_max = bytes_max.max(1);
    let bytes = Arc::new(Semaphore::new(bytes_max as usize));
    (PipeSender { items: sender, bytes, bytes_max }, PipeReceiver { items: receiver })
}

impl PipeSender {
    /// Waits for room and puts the item in; false once nobody takes any more.
    pub(super) async fn send(&self, item: Item) -> bool {
        let bytes = match &item {
            Item::Parcel(parcel) => parcel.byte_count(),
            Item::PageEnd(end) => end.raw.iter().map(|raw| raw.bytes.len()).sum(),
            _ => 0,
        };
        let wanted = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.bytes_max);
        let permit = tokio::select! {
            permit = Arc::clone(&self.bytes).acquire_many_owned(wanted) => permit.ok(),
            () = self.items.closed() => return false,
        };
        self.items.send((item, permit)).await.is_ok()
    }
}

impl PipeReceiver {
    /// The next item; none once the stage before is gone. Its room is free as soon as it was taken out: the taker has it.
    pub(super) async fn recv(&mut self) -> Option<Item> {
        self.items.recv().await.map(|(item, _permit)| item)
    }
}
