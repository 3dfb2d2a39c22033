//! The other end of a socket.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::failure::Failure;
use pipeline::model::{Batch, JsonLines, Operation, RowOperations, Rows};
use runtime::{CODE_KEY_BYTES, Grants, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::JoinHandle;

use super::super::link::Link;
use super::super::losses::Losses;
use super::super::served::Served;
use crate::error::Error;
use crate::frame::{decoded, encoded, read};
use crate::message::{Brought, Call, Setup, ToParent, ToWorker, VERSION};
use crate::walls::{Wall, Walls};
use std::borrow::Cow;

/// After which an answer is late.
pub(super) const LATE: Duration = Duration::from_millis(400);
/// Of the only component.
pub(super) const DIGEST: &str = "digest";
/// The number of the only connection.
pub(super) const CONNECTION: u32 = 7;

pub(super) fn walls() -> Walls {
    Walls { resources: Wall::Holds, files: Wall::Holds, calls: Wall::Holds }
}

fn setup() -> Setup {
    Setup {
        version: VERSION,
        directories: Vec::new(),
        memory_bytes: 1 << 30,
        pooled: false,
        live_instances: 1,
        guest_threads: 1,
        ceilings: Limits::ceilings(),
        code_key: [0; CODE_KEY_BYTES],
    }
}

/// The components of whom it is told that they took a worker with them.
#[derive(Default)]
struct Suspects(Mutex<Vec<String>>);

#[async_trait::async_trait]
impl Losses for Suspects {
    async fn count(&self, _: &str) -> u32 {
        0
    }

    async fn note(&self, digest: &str, _: &str) {
        self.0.lock().unwrap().push(digest.to_owned());
    }
}

/// A parent, and a worker of which a test says everything.
pub(super) struct Fake {
    link: Arc<Link>,
    served: Arc<Served>,
    suspects: Arc<Suspects>,
    from: AsyncMutex<OwnedReadHalf>,
    into: AsyncMutex<OwnedWriteHalf>,
}

impl Fake {
    pub(super) async fn new() -> Self {
        let ready = encoded(&ToParent::Ready { version: VERSION, walls: walls() }).unwrap();
        Self::beginning(&ready).await.unwrap()
    }

    /// One whose first bytes are these.
    pub(super) async fn beginning(first: &[u8]) -> Result<Self, Error> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let (from, mut into) = tokio::net::UnixStream::from_std(theirs).unwrap().into_split();
        into.write_all(first).await.unwrap();
        into = match first {
            // Without a first frame there is an end at once.
            [] => {
                into.shutdown().await.unwrap();
                into
            }
            _ => into,
        };
        let suspects = Arc::new(Suspects::default());
        let link = Link::new(ours, None, (setup(), LATE), Arc::clone(&suspects) as _).await?;
        let limits = Limits { call_ms: 1, log_lines: 10, ..Limits::defaults() };
        let grants = Grants { limits, ..Grants::none() };
        let identity = ("guest".into(), "1.0.0".into(), DIGEST.into());
        let served = Arc::new(Served::new(identity, grants));
        link.shared.state().connections.insert(CONNECTION, Arc::clone(&served));
        let link = Arc::new(link);
        Ok(Self { link, served, suspects, from: AsyncMutex::new(from), into: AsyncMutex::new(into) })
    }

    fn asks(&self, what: Call<'static>) -> JoinHandle<Result<Brought, Failure>> {
        let (link, served) = (Arc::clone(&self.link), Arc::clone(&self.served));
        tokio::spawn(async move { link.shared.call(CONNECTION, &served, what).await })
    }

    /// A call of the parent.
    pub(super) fn check(&self) -> JoinHandle<Result<Brought, Failure>> {
        self.asks(Call::SourceCheck)
    }

    /// A call with so many bytes.
    pub(super) fn gives(&self, data: Vec<u8>) -> JoinHandle<Result<Brought, Failure>> {
        let rows = Rows::JsonLines(JsonLines { row_count: 1, data });
        let operations = RowOperations::All(Operation::Insert);
        let batch = Batch { stream: "s".into(), schema_version: 1, operations, rows };
        self.asks(Call::Write { handle: 1, number: 0, batch: Cow::Owned(batch) })
    }

    /// The number of the next call that the parent makes.
    pub(super) async fn hears_call(&self) -> u64 {
        loop {
            let frame = read(&mut *self.from.lock().await).await.unwrap();
            if let Ok(ToWorker::Call { call, .. }) = decoded(&frame) {
                return call;
            }
        }
    }

    pub(super) async fn hears_abandoned(&self, expected: u64) {
        let frame = read(&mut *self.from.lock().await).await.unwrap();
        assert!(matches!(decoded(&frame).unwrap(), ToWorker::Abandon { call } if call == expected));
    }

    pub(super) async fn says(&self, message: &ToParent) {
        self.sends(&encoded(message).unwrap()).await;
    }

    pub(super) async fn sends(&self, bytes: &[u8]) {
        // The parent may have closed after an earlier frame.
        let _ = self.tries(bytes).await;
    }

    pub(super) async fn tries(&self, bytes: &[u8]) -> std::io::Result<()> {
        self.into.lock().await.write_all(bytes).await
    }

    /// Says nothing more and still reads.
    pub(super) async fn closes_half(&self) {
        // As above.
        let _ = self.into.lock().await.shutdown().await;
        let mut rest = Vec::new();
        let _ = self.from.lock().await.read_to_end(&mut rest).await;
    }

    pub(super) fn is_lost(&self) -> bool {
        self.link.shared.is_lost()
    }

    /// Who was being called when it was lost.
    pub(super) fn suspects(&self) -> Vec<String> {
        self.suspects.0.lock().unwrap().clone()
    }
}
