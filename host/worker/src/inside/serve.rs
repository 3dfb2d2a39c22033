//! Answers the parent until its end of the socket is closed.

use pipeline::failure::{Cause, Failure};
use runtime::{Connection, Directory, Grants, Limits, Runtime, Settings, Stopper};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::AbortHandle;

use super::calls::{failure, gone, made, not_loaded};
use super::components::Components;
use super::connections::{Bound, Lines, Outbox, Shared, lock};
use super::http::OverSocket;
use crate::frame::{self, Broken, FRAME_BYTES_MAX};
use crate::message::{Brought, Call, Setup, ToParent, ToWorker, VERSION};
use crate::walls::Walls;

/// Nothing is compiled here.
const COMPILE_TIMEOUT: Duration = Duration::ZERO;

/// Calls under way, by the parent's numbers.
type UnderWay = Arc<Mutex<HashMap<u64, AbortHandle>>>;

struct Worker {
    shared: Arc<Shared>,
    components: Components,
    under_way: UnderWay,
}

/// Returns when the parent is gone, or says what none says.
pub(crate) async fn serve(socket: UnixStream, setup: Setup, walls: Walls) -> Result<(), Broken> {
    let code_key = setup.code_key;
    let runtime = Runtime::new(settings(setup)).map_err(|error| Broken::Protocol(error.to_string()))?;
    let (mut from, into) = socket.into_split();
    let (frames, queue) = unbounded_channel();
    tokio::spawn(write(into, queue));
    let shared = Arc::new(Shared::new(Outbox::new(frames)));
    shared.outbox.send(&ToParent::Ready { version: VERSION, walls });
    let components = Components::new(runtime, code_key);
    let mut worker = Worker { shared, components, under_way: UnderWay::default() };
    loop {
        let bytes = match frame::read(&mut from).await {
            Ok(bytes) => bytes,
            Err(Broken::Closed) => return Ok(()),
            Err(error) => return Err(error),
        };
        worker.obey(frame::decoded(&bytes)?);
    }
}

async fn write(mut into: OwnedWriteHalf, mut frames: UnboundedReceiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        if into.write_all(&frame).await.is_err() {
            break;
        }
    }
}

fn settings(setup: Setup) -> Settings {
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Settings {
        cache_directory: None,
        pooled: setup.pooled,
        live_instances: count(setup.live_instances),
        guest_threads: count(setup.guest_threads),
        compile_timeout: COMPILE_TIMEOUT,
        ceilings: setup.ceilings,
    }
}

impl Worker {
    fn obey(&mut self, message: ToWorker<'_, 'static>) {
        match message {
            ToWorker::Part { component, of, bytes } => self.components.part(component, of, bytes),
            ToWorker::Call { call, connection, what } => self.call(call, connection, what),
            ToWorker::Abandon { call } => {
                // Each call is answered once, so that the parent can forget it.
                if let Some(task) = lock(&self.under_way).remove(&call) {
                    task.abort();
                    self.reply(call, Ok(Brought::Nothing));
                }
            }
            ToWorker::Close { handle } => drop(self.shared.take(handle)),
            ToWorker::Stop { connection } => {
                if let Some(bound) = self.shared.bound(connection) {
                    bound.stopper.stop();
                }
            }
            ToWorker::CutOff { connection } => {
                if let Some(bound) = self.shared.bound(connection) {
                    bound.cutter.stop();
                }
            }
            ToWorker::Unbind { connection } => self.shared.unbind(connection),
            ToWorker::Pull { request } => self.shared.requests.pull(request),
            ToWorker::Dropped { request } => self.shared.requests.dropped(request),
            ToWorker::Answered { request, answer } => self.shared.requests.answered(request, answer),
            ToWorker::Piece { request, piece } => self.shared.requests.piece(request, piece),
        }
    }

    fn call(&mut self, call: u64, connection: u32, what: Call<'static>) {
        let what = match what {
            Call::Load { component } => {
                let loaded = self.components.load(component).map_err(|error| not_loaded(&error));
                return self.reply(call, loaded.map(|()| Brought::Nothing).map_err(failure));
            }
            Call::Bind { component, config, limits, directories } => {
                let bound = self.bind(connection, component, &config, *limits, directories);
                return self.reply(call, bound.map_err(failure));
            }
            what => what,
        };
        let Some(bound) = self.shared.bound(connection) else {
            return self.reply(call, Err(failure(gone())));
        };
        let (shared, under_way) = (Arc::clone(&self.shared), Arc::clone(&self.under_way));
        let opens = what.opens();
        // Held until the task stands in the map: it may end before.
        let mut tasks = lock(&self.under_way);
        let task = tokio::spawn(async move {
            let outcome = made(&shared, &bound, what).await;
            let used = bound.connection.budget().into_iter().map(|usage| usage.used).collect();
            let is_waited_for = lock(&under_way).remove(&call).is_some();
            if is_waited_for {
                send_reply(&shared.outbox, call, outcome, used);
            } else if let Some(handle) = opens {
                // It was abandoned and closed while it opened this.
                drop(shared.take(handle));
            }
        });
        tasks.insert(call, task.abort_handle());
    }

    fn bind(
        &self,
        number: u32,
        component: u32,
        config: &str,
        limits: Limits,
        directories: Vec<Directory>,
    ) -> Result<Brought, Cause> {
        let Some(component) = self.components.get(component) else { return Err(gone()) };
        let Ok(config) = serde_json::from_str(config) else { return Err(gone()) };
        let (stopper, stop) = Stopper::new();
        let (cutter, cut_off) = Stopper::new();
        let outbox = self.shared.outbox.clone();
        let grants = Grants {
            directories,
            http: Arc::new(OverSocket { connection: number, requests: Arc::clone(&self.shared.requests) }),
            limits,
            logs: Arc::new(Lines { connection: number, outbox }),
            stop,
            cut_off,
            reel: None,
        };
        let connection = Connection::new(component, &config, grants).map_err(|error| not_loaded(&error))?;
        self.shared.bind(number, Bound { connection, stopper, cutter });
        Ok(Brought::Nothing)
    }

    fn reply(&self, call: u64, outcome: Result<Brought, Failure>) {
        send_reply(&self.shared.outbox, call, outcome, Vec::new());
    }
}

fn send_reply(outbox: &Outbox, call: u64, outcome: Result<Brought, Failure>, used: Vec<u64>) {
    let reply = ToParent::Reply { call, outcome: Box::new(outcome), used };
    if outbox.send(&reply) {
        return;
    }
    // The engine lifts no more than 32 MiB out of a guest, so this is for us to explain.
    let cause = Cause::Host(format!("an answer is longer than {FRAME_BYTES_MAX} bytes"));
    let used = Vec::new();
    outbox.send(&ToParent::Reply { call, outcome: Box::new(Err(failure(cause))), used });
}
