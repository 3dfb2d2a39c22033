//! One worker as the parent holds it: what was asked of it and is not answered yet, and what it may name.
//!
//! The other side is not trusted. It names what the parent gave it a number for, answers what it was asked, once, and pulls one
//! piece at a time; whatever else it does ends it, and with it what runs in it, and nothing more.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex as AsyncMutex, Notify, oneshot, watch};
use tokio::task::JoinHandle;

use super::listen::listen;
use super::losses::Losses;
use super::process::{Ended, Process};
use super::requests::Open;
use super::served::Served;
use super::sight::View;
use crate::error::Error;
use crate::frame::{self, Broken, PART_BYTES};
use crate::message::{Beginning, Brought, Call, PartOf, Setup, ToParent, ToWorker, VERSION};
use crate::walls::Walls;
use runtime::text::clean_line;

/// A process of ours reads one frame, puts up its walls and makes an engine: less than a tenth of a second.
const READY_WAIT: Duration = Duration::from_secs(20);

/// Of how a worker ended.
const HOW_BYTES_MAX: usize = 300;

/// What a call brought, or why it did not.
pub(super) type Outcome = Result<Brought, pipeline::failure::Failure>;

/// A worker that is there, or was. Ends it when it is dropped.
pub(super) struct Link {
    pub(super) shared: Arc<Shared>,
    pub(super) walls: Walls,
    /// What its walls leave open.
    pub(super) views: Vec<View>,
    /// Components that it has, by their digest; whoever sends one holds this, so that it is sent once.
    pub(super) components: AsyncMutex<HashMap<String, u32>>,
    listening: JoinHandle<()>,
}

pub(super) struct Shared {
    out: UnboundedSender<Vec<u8>>,
    /// How much later than a call's own limits an answer may come.
    grace: Duration,
    state: Mutex<State>,
    /// Why it is no more.
    lost: OnceLock<String>,
    /// What it did that it must end for.
    pub(super) condemned: OnceLock<String>,
    pub(super) condemn: Notify,
    gone: watch::Sender<bool>,
}

/// All numbers that were given, and what they stand for.
#[derive(Default)]
pub(super) struct State {
    next: u64,
    pending: HashMap<u64, Pending>,
    /// Calls that nobody waits for any more, and of which an answer may still be on its way.
    pub(super) abandoned: HashSet<u64>,
    pub(super) connections: HashMap<u32, Arc<Served>>,
    pub(super) requests: HashMap<u64, Open>,
    pub(super) last_request: u64,
    /// Whose answers it is to end for.
    blamed: HashSet<u32>,
}

pub(super) struct Pending {
    pub(super) connection: u32,
    pub(super) reply: oneshot::Sender<Outcome>,
}

impl Link {
    /// Speaks to a worker over this socket, once it has said that it is ready.
    pub(super) async fn new(
        socket: UnixStream,
        process: Option<Process>,
        (setup, grace): (Setup, Duration),
        losses: Arc<dyn Losses>,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Start { action: "speak to a worker", source };
        socket.set_nonblocking(true).map_err(failed)?;
        let (mut from, into) = tokio::net::UnixStream::from_std(socket).map_err(failed)?.into_split();
        let (out, frames) = unbounded_channel();
        let first = frame::encoded(&Beginning::Connectors(Box::new(setup)))
            .map_err(|error| Error::NotReady { said: error.to_string() })?;
        // Whoever reads the queue does not begin before this.
        let _ = out.send(first);
        let writing = tokio::spawn(write(into, frames));
        let ready = tokio::time::timeout(READY_WAIT, frame::read(&mut from)).await;
        let ready =
            ready.unwrap_or_else(|_| Err(Broken::Protocol(format!("it said nothing within {READY_WAIT:?}"))));
        let ready = ready.and_then(|bytes| frame::decoded(&bytes));
        let walls = match ready {
            Ok(ToParent::Ready { version: VERSION, walls }) => walls,
            other => return Err(not_ready(other, process).await),
        };
        let shared = Arc::new(Shared {
            out,
            grace,
            state: Mutex::default(),
            lost: OnceLock::new(),
            condemned: OnceLock::new(),
            condemn: Notify::new(),
            gone: watch::Sender::new(false),
        });
        let listening = tokio::spawn(listen(from, writing, process, Arc::clone(&shared), losses));
        let components = AsyncMutex::default();
        Ok(Self { shared, walls, views: Vec::new(), components, listening })
    }

    /// Whether its walls leave these open.
    pub(super) fn sees(&self, views: &[View]) -> bool {
        views.iter().all(|view| self.views.contains(view))
    }

    /// Whether they leave something else open too.
    pub(super) fn sees_beside(&self, views: &[View]) -> bool {
        self.views.iter().any(|view| !views.contains(view))
    }

    /// Whether it has this component: one that it has it keeps.
    pub(super) async fn knows(&self, digest: &str) -> bool {
        self.components.lock().await.contains_key(digest)
    }

    /// Sends a component and its code, if this worker does not have it. The number by which it has it.
    pub(super) async fn component(
        &self,
        connection: u32,
        served: &Served,
        (bytes, code): (&[u8], &[u8]),
    ) -> Result<u32, pipeline::failure::Failure> {
        let mut components = self.components.lock().await;
        if let Some(number) = components.get(&served.digest) {
            return Ok(*number);
        }
        let number = u32::try_from(components.len()).unwrap_or(u32::MAX);
        for (of, bytes) in [(PartOf::Component, bytes), (PartOf::Code, code)] {
            for part in bytes.chunks(PART_BYTES) {
                self.shared.send(&ToWorker::Part {
                    component: number,
                    of,
                    bytes: serde_bytes::Bytes::new(part),
                });
            }
        }
        self.shared.call(connection, served, Call::Load { component: number }).await?;
        components.insert(served.digest.clone(), number);
        Ok(number)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn not_ready(said: Result<ToParent, Broken>, process: Option<Process>) -> Error {
    let said = match said {
        Ok(ToParent::Ready { version, .. }) => {
            format!("it is of version {version}, and this program of {VERSION}")
        }
        Ok(_) => "it did not say first that it is ready".to_owned(),
        Err(broken) => broken.to_string(),
    };
    match process {
        Some(process) => {
            let Ended { how, words } = process.ended().await;
            Error::NotReady { said: format!("{said}; {how}{words}") }
        }
        None => Error::NotReady { said },
    }
}

async fn write(mut into: OwnedWriteHalf, mut frames: UnboundedReceiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        if into.write_all(&frame).await.is_err() {
            // The side that reads sees it too, and says so.
            break;
        }
    }
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.get().is_some()
    }

    /// What a worker does not read piles up here: one message a call, one piece a request, and the component that it gets.
    pub(super) fn send(&self, message: &ToWorker<'_, '_>) {
        if let Ok(frame) = frame::encoded(message) {
            // To a worker that is lost nothing needs to be said.
            let _ = self.out.send(frame);
        }
    }

    /// A number for a connection, handle or call.
    pub(super) fn number(&self) -> u64 {
        let mut state = self.state();
        state.next += 1;
        state.next
    }

    /// It is to end, for what it did in a call of this connection.
    pub(super) fn condemn(&self, connection: u32, what: String) {
        self.state().blamed.insert(connection);
        // The first reason is the one.
        let _ = self.condemned.set(what);
        self.condemn.notify_one();
    }

    /// Makes a call and waits for what it brings. Dropping the future abandons the call.
    pub(super) async fn call(self: &Arc<Self>, connection: u32, served: &Served, what: Call<'_>) -> Outcome {
        let name = what.name();
        let (call, replied) = self.pending(connection);
        let abandons = Abandons { call, shared: Arc::clone(self) };
        let frame = frame::encoded(&ToWorker::Call { call, connection, what });
        match frame {
            Ok(frame) => drop(self.out.send(frame)),
            Err(error) => {
                // Batches are judged where they come from, and none of them is as long.
                let cause = pipeline::failure::Cause::Host(format!("what `{name}` is given: {error}"));
                return Err(served.failure(name, cause));
            }
        }
        let outcome = tokio::select! {
            outcome = replied => outcome.map_err(|_| self.lost_in(served, name)),
            late = served.late(self.grace) => {
                self.condemn(connection, format!("it did not answer `{name}` {late}"));
                // How it ended is told too.
                self.gone().await;
                Err(self.lost_in(served, name))
            }
        };
        drop(abandons);
        match outcome? {
            Ok(brought) => Ok(brought),
            Err(failure) => Err(self.failed(connection, served, name, failure).await),
        }
    }

    async fn failed(
        &self,
        connection: u32,
        served: &Served,
        name: &str,
        failure: pipeline::failure::Failure,
    ) -> pipeline::failure::Failure {
        match served.cause(failure.cause) {
            Some(cause) => served.failure(name, cause),
            None => {
                self.condemn(connection, "it told a failure that no worker has to tell".into());
                self.gone().await;
                self.lost_in(served, name)
            }
        }
    }

    fn pending(&self, connection: u32) -> (u64, oneshot::Receiver<Outcome>) {
        let (reply, replied) = oneshot::channel();
        let mut state = self.state();
        state.next += 1;
        let call = state.next;
        // After the loss nobody would answer; dropping the sender says so at once.
        if !self.is_lost() {
            state.pending.insert(call, Pending { connection, reply });
        }
        (call, replied)
    }

    pub(super) fn take_pending(state: &mut State, call: u64) -> Option<Pending> {
        state.pending.remove(&call)
    }

    /// The worker is no more, for this reason. Who was being called is told before anybody can ask for another worker.
    pub(super) async fn end(&self, (how, words): (String, String), losses: &dyn Losses) {
        let shown = clean_line(&how, HOW_BYTES_MAX);
        for digest in self.suspects() {
            losses.note(&digest, &shown).await;
        }
        let mut state = self.state();
        let _ = self.lost.set(format!("{how}{words}"));
        state.abandoned.clear();
        state.connections.clear();
        // Whoever waits sees that nobody will answer, and tasks of requests end with them.
        let gone = (std::mem::take(&mut state.pending), std::mem::take(&mut state.requests));
        drop(state);
        drop(gone);
        self.gone.send_replace(true);
    }

    /// The components that are being called.
    fn suspects(&self) -> BTreeSet<String> {
        let state = self.state();
        let called = state.pending.values().map(|pending| pending.connection);
        let called: HashSet<u32> = called.chain(state.blamed.iter().copied()).collect();
        let suspects = state.connections.iter().filter(|(number, _)| called.contains(number));
        suspects.map(|(_, served)| served.digest.clone()).collect()
    }

    async fn gone(&self) {
        let mut gone = self.gone.subscribe();
        // Whoever listens ends by saying so.
        let _ = gone.wait_for(|gone| *gone).await;
    }

    /// As the failure of a call that ended with the worker.
    pub(super) fn lost_in(&self, served: &Served, call: &str) -> pipeline::failure::Failure {
        let why = self.lost.get().or_else(|| self.condemned.get()).cloned();
        let why = why.unwrap_or_else(|| "it ended".into());
        served.failure(call, pipeline::failure::Cause::WorkerLost(served.text(&why)))
    }
}

/// Tells the worker that nobody waits for a call any more.
struct Abandons {
    call: u64,
    shared: Arc<Shared>,
}

impl Drop for Abandons {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if state.pending.remove(&self.call).is_some() {
            state.abandoned.insert(self.call);
            drop(state);
            self.shared.send(&ToWorker::Abandon { call: self.call });
        }
    }
}
