//! One live instance: made fresh, called under watch, dropped at the first failure.

use crate::component::Component;
use crate::connection::{Connection, Inner};
use crate::executor::Task;
use crate::explain::{Instantiating, explain, explain_returned, limit};
use crate::habits::Whose;
use crate::imports::chance;
use crate::imports::http::{Hooks, NoHttp};
use crate::imports::wasi::{World, context};
use crate::limiter::Limiter;
use crate::logs::Logs;
use crate::long;
use crate::meter::Meter;
use crate::state::{CallClock, State};
use crate::stop::Stop;
use cassette::Tape;
use futures::future::BoxFuture;
use pipeline::failure::{Cause, Failure, GuestError};
use pipeline::validate::Violation;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::ResourceTable;
use wasmtime::{CallHook, Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi_http::WasiHttpCtx;

/// What one call of a guest into the host may make the host allocate.
const HOSTCALL_BYTES_MAX: usize = 32 << 20;
/// After a wish to stop, a call may go on for so long.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// How often the watchdog looks.
const WATCH_EVERY: Duration = Duration::from_millis(20);

/// Whoever drops an instance with more memory does not wait until it is given back, which takes the longer the more there is of it:
/// that would be one of the host's threads.
const GIVEN_BACK_AT_ONCE_BYTES: u64 = 4 << 20;

const GONE: &str = "the instance is gone after an earlier failure";
const CUT_OFF: &str = "what it was granted was taken back";

/// A store with whatever a role keeps beside it.
pub(crate) struct Live<R> {
    pub(crate) store: Store<State>,
    pub(crate) role: R,
}

/// An instance as its owner holds it: there, or gone after a failure.
pub(crate) struct Instance<R: Send + 'static> {
    connection: Connection,
    live: Option<Live<R>>,
    watch: Watch,
    /// Its place among the live instances, until its memory was given back.
    permit: Option<OwnedSemaphorePermit>,
}

impl<R: Send + 'static> Drop for Instance<R> {
    fn drop(&mut self) {
        let Some(live) = self.live.take() else { return };
        if live.store.data().limiter.memory_bytes() > GIVEN_BACK_AT_ONCE_BYTES {
            let held = (live, self.permit.take());
            self.connection.inner.component.runtime().inner.executor.drop_long(held);
        }
    }
}

/// What the watchdog looks at while a call runs.
#[derive(Clone)]
struct Watch {
    meter: Arc<Meter>,
    clock: Arc<CallClock>,
    logs: Arc<Logs>,
    stop: Stop,
    cut_off: Stop,
    tape: Option<Tape>,
}

/// A call, of whose length its component's habits learn however it ends.
struct Habit {
    component: Component,
    whose: Whose,
    call: &'static str,
    clock: Arc<CallClock>,
}

impl Drop for Habit {
    fn drop(&mut self) {
        self.component.habits().learn(self.whose, self.call, self.clock.busy());
    }
}

/// For what an instance is made.
pub(crate) struct Opening {
    /// The call of the contract.
    pub(crate) call: &'static str,
    /// A read group, a commit unit, streams: what tells it from others that are made for the same call.
    pub(crate) about: String,
    pub(crate) world: World,
}

/// A call's outcome, with what the engine says apart from the guest's own error and from what its result breaks. Results are judged
/// within the call, on a guest thread: nothing that takes longer for a larger one is done on the host's.
pub(crate) type Called<T> = wasmtime::Result<Result<T, Refused>>;

/// Why a call that came to its end has no result.
pub(crate) enum Refused {
    /// The guest returned this error.
    Returned(GuestError),
    /// What it returned was held against contract and limits.
    Broken(Cause),
}

impl From<GuestError> for Refused {
    fn from(error: GuestError) -> Self {
        Self::Returned(error)
    }
}

impl From<Violation> for Refused {
    fn from(violation: Violation) -> Self {
        Self::Broken(violation.into_cause())
    }
}

impl Connection {
    /// The contract was broken by what a call returned, as the types alone tell.
    pub(crate) fn broken(&self, what: &str) -> Refused {
        Refused::Broken(Cause::Contract(self.inner.meter.told(what)))
    }
}

impl<R: Send + 'static> Instance<R> {
    /// Make a fresh store and let `instantiate` fill it.
    pub(crate) async fn new<F>(
        connection: &Connection,
        opening: Opening,
        instantiate: F,
    ) -> Result<Self, Failure>
    where
        F: for<'a> FnOnce(&'a mut Store<State>) -> BoxFuture<'a, Called<R>> + Send + 'static,
    {
        let inner = &connection.inner;
        let Opening { call, about, world } = opening;
        let live = inner.component.runtime().inner.live.clone();
        let Ok(permit) = live.try_acquire_owned() else {
            let count = inner.component.runtime().live_instances();
            let message = format!("{count} instances are alive, which is all that this host can hold");
            return Err(failure(connection, call, Cause::NoRoom(message)));
        };
        let meter = Arc::new(Meter::new(inner.meter.clone()));
        let logs =
            Arc::new(Logs::new(connection.name().to_owned(), inner.grants.logs.clone(), meter.clone()));
        let clock = Arc::new(CallClock::new());
        let tape = tape(inner, call, &about, world).map_err(|cause| failure(connection, call, cause))?;
        let (stop, cut_off) = (inner.grants.stop.clone(), inner.grants.cut_off.clone());
        let watch = Watch { meter, clock, logs, stop, cut_off, tape };
        let store = store(inner, &watch, world)
            .map_err(|error| failure(connection, call, Cause::Host(format!("no instance: {error:#}"))))?;
        let live = Some(Live { store, role: () });
        let empty = Instance { connection: connection.clone(), live, watch, permit: Some(permit) };
        let made = empty.become_role(call, move |(), store| {
            let making = instantiate(store);
            Box::pin(async move { making.await.map_err(|error| error.context(Instantiating)) })
        });
        let made = made.await?;
        inner.meter.peaks.instances.raise(inner.component.inspection().core_instances);
        Ok(made)
    }

    /// Turn what the instance holds into something else by a call, such as an opened reader.
    pub(crate) async fn become_role<T, F>(
        mut self,
        call: &'static str,
        body: F,
    ) -> Result<Instance<T>, Failure>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(R, &'a mut Store<State>) -> BoxFuture<'a, Called<T>> + Send + 'static,
    {
        let Some(Live { store, role }) = self.live.take() else {
            return Err(failure(&self.connection, call, Cause::Host(GONE.into())));
        };
        let live = Some(Live { store, role: Some(role) });
        let mut between = self.with(live);
        let role = between
            .call(call, move |live: &mut Live<Option<R>>| match live.role.take() {
                Some(role) => body(role, &mut live.store),
                None => Box::pin(async { Err(wasmtime::format_err!("{GONE}")) }),
            })
            .await?;
        let live = between.live.take().map(|live| Live { store: live.store, role });
        Ok(between.with(live))
    }

    /// The same instance with something else in it, in the place of this.
    fn with<T: Send + 'static>(mut self, live: Option<Live<T>>) -> Instance<T> {
        let (connection, watch) = (self.connection.clone(), self.watch.clone());
        Instance { connection, live, watch, permit: self.permit.take() }
    }

    /// Call into the guest on a guest thread, under all its limits. After a failure the instance is gone.
    pub(crate) async fn call<T, F>(&mut self, call: &'static str, body: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Live<R>) -> BoxFuture<'a, Called<T>> + Send + 'static,
    {
        let Some(mut live) = self.live.take() else {
            return Err(failure(&self.connection, call, Cause::Host(GONE.into())));
        };
        let watch = self.watch.clone();
        watch.meter.begin_call();
        watch.clock.begin_call();
        let clock = watch.clock.clone();
        if let Some(tape) = &watch.tape {
            tape.begin_call(call);
        }
        let Inner { component, whose, .. } = &*self.connection.inner;
        let habit = Habit { component: component.clone(), whose: *whose, call, clock: clock.clone() };
        let task = component.runtime().inner.executor.spawn_call(
            async move {
                let _habit = habit;
                let began = Instant::now();
                let called = {
                    let mut running = body(&mut live);
                    let (clock, meter) = (watch.clock.clone(), watch.meter.clone());
                    let running = std::future::poll_fn(move |context| {
                        clock.polled(&meter, || running.as_mut().poll(context))
                    });
                    tokio::select! {
                        biased;
                        called = running => Ok(called),
                        cause = watchdog(&watch) => Err(cause),
                    }
                };
                watch.meter.peaks.call_us.raise(micros(began.elapsed()));
                watch.meter.peaks.handles.raise(live.store.data_mut().table.iter_mut().count() as u64);
                (live, called.and_then(|called| watch.told(called)))
            },
            component.habits().are_long(*whose, call),
            move || clock.is_long(),
        );
        let Some((live, called)) = task.join().await.flatten() else {
            return Err(failure(
                &self.connection,
                call,
                Cause::Host("a fault of the host ended the call".into()),
            ));
        };
        let cause = match called {
            // Whatever a connector makes of it.
            _ if self.watch.fault().is_some() => self.watch.fault().unwrap_or(Cause::Stopped),
            Ok(value) => {
                self.live = Some(live);
                return Ok(value);
            }
            _ if self.watch.cut_off.is_requested() => Cause::Stopped,
            Err(cause) => cause,
        };
        // Whoever is told of the failure finds its place free. A drop gives nothing back.
        let _ = self.discard(live).join().await;
        Err(failure(&self.connection, call, cause))
    }

    /// Drop a store where it delays nobody: giving back memory that a guest touched takes a while.
    fn discard(&self, live: Live<R>) -> Task<()> {
        let executor = &self.connection.inner.component.runtime().inner.executor;
        executor.spawn_long(async move { drop(live) })
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What is kept beside the store; none after a failure.
    pub(crate) fn role(&self) -> Option<&R> {
        self.live.as_ref().map(|live| &live.role)
    }
}

/// Tell a failure with all that is known of the connector.
pub(crate) fn failure(connection: &Connection, call: &str, cause: Cause) -> Failure {
    Failure {
        cause,
        connector: connection.name().to_owned(),
        call: call.to_owned(),
        log_tail: connection.inner.meter.log_tail(),
        denials: connection.denials(),
    }
}

impl Watch {
    /// What became of a call, in the user's words.
    fn told<T>(&self, called: Called<T>) -> Result<T, Cause> {
        match called {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Refused::Returned(error))) => Err(explain_returned(error, &self.meter)),
            Ok(Err(Refused::Broken(cause))) => Err(cause),
            Err(error) => Err(explain(&error, &self.meter, &self.logs)),
        }
    }

    /// The run is recorded or replayed, and that cannot go on.
    fn fault(&self) -> Option<Cause> {
        self.tape.as_ref().and_then(Tape::fault).as_ref().map(cassette_cause)
    }
}

fn cassette_cause(error: &cassette::Error) -> Cause {
    let source = std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"));
    Cause::Cassette { code: error.code().to_owned(), message: format!("{error}{source}") }
}

/// None where nothing is recorded or replayed, and where the world stands still anyway.
fn tape(inner: &Inner, call: &str, about: &str, world: World) -> Result<Option<Tape>, Cause> {
    let Some(reel) = inner.grants.reel.as_ref().filter(|_| world == World::Real) else { return Ok(None) };
    let seed = chance::seed().map_err(|error| Cause::Host(format!("no randomness: {error}")))?;
    reel.tape(call, about, seed).map(Some).map_err(|error| cassette_cause(&error))
}

fn store(inner: &Inner, watch: &Watch, world: World) -> wasmtime::Result<Store<State>> {
    let meter = &watch.meter;
    let mut table = ResourceTable::new();
    table.set_max_capacity(usize::try_from(meter.limits.handles).unwrap_or(usize::MAX));
    let (http, directories) = match world {
        World::Real => (inner.grants.http.clone(), inner.grants.directories.as_slice()),
        World::Still => (Arc::new(NoHttp) as _, [].as_slice()),
    };
    let state = State {
        table,
        wasi: context(directories, &watch.logs, world, watch.tape.as_ref())?,
        http: WasiHttpCtx::new(),
        hooks: Hooks::new(http, watch.tape.clone(), meter.clone(), inner.io.clone()),
        limiter: Limiter::new(meter.clone()),
        meter: meter.clone(),
        logs: watch.logs.clone(),
        stop: watch.stop.clone(),
        cut_off: (!directories.is_empty()).then(|| watch.cut_off.clone()),
        clock: watch.clock.clone(),
        tape: watch.tape.clone(),
    };
    let mut store = Store::new(&inner.component.runtime().inner.engine, state);
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(HOSTCALL_BYTES_MAX);
    store.set_max_component_handles(usize::try_from(meter.limits.handles).unwrap_or(usize::MAX));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(charge_tick);
    store.call_hook(account_host_call);
    Ok(store)
}

/// A tick ended while the guest was running: see whether it may have more of the processor, let others run, and go on.
fn charge_tick(store: StoreContextMut<'_, State>) -> wasmtime::Result<UpdateDeadline> {
    let State { clock, meter, .. } = store.data();
    let (used, allowed) = (clock.charge(meter).as_millis(), meter.limits.cpu_ms);
    if used > u128::from(allowed) {
        let message = format!("{used} ms of processor time");
        return Err(wasmtime::Error::new(meter.hit("cpu_ms", format!("{allowed} ms"), message)));
    }
    long::yield_where_long();
    Ok(UpdateDeadline::Yield(1))
}

/// Nothing is begun for an instance that was cut off. Where a tick ended while the guest did not run, it is not told of it: before the
/// call, or while it waited in the host. Of one that ended while the host worked for it, it is.
fn account_host_call(mut store: StoreContextMut<'_, State>, hook: CallHook) -> wasmtime::Result<()> {
    match hook {
        CallHook::CallingHost => {
            if store.data().cut_off.as_ref().is_some_and(Stop::is_requested) {
                return Err(wasmtime::format_err!("{CUT_OFF}"));
            }
            store.data().clock.enter_host();
        }
        CallHook::ReturningFromHost => {
            let call = store.data().clock.leave_host();
            store.data().meter.peaks.host_call_us.raise(call.took_us);
            if call.waited {
                store.set_epoch_deadline(1);
            }
        }
        CallHook::CallingWasm if store.data().clock.enters_first() => store.set_epoch_deadline(1),
        CallHook::CallingWasm | CallHook::ReturningFromWasm => {}
    }
    Ok(())
}

/// Returns when the call must end.
async fn watchdog(watch: &Watch) -> Cause {
    let began = Instant::now();
    let limits = &watch.meter.limits;
    let mut stop_seen: Option<Instant> = None;
    let mut every = tokio::time::interval(WATCH_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let call_ms = millis(began.elapsed());
        let host_ms = watch.clock.in_host_us() / 1000;
        let run_ms = watch.meter.run_ms();
        let over = [
            ("host_call_ms", host_ms, limits.host_call_ms, "waiting in one call into the host"),
            ("call_ms", call_ms, limits.call_ms, "one call of the connector"),
            ("run_ms", run_ms, limits.run_ms, "the connector's part of the run"),
        ];
        if let Some((name, used, allowed, what)) =
            over.into_iter().find(|(_, used, allowed, _)| used > allowed)
        {
            let hit = watch.meter.hit(name, format!("{allowed} ms"), format!("{what} took {used} ms"));
            return limit(hit);
        }
        if let Some(cause) = watch.fault() {
            return cause;
        }
        if watch.cut_off.is_requested() {
            return Cause::Stopped;
        }
        if watch.stop.is_requested() && stop_seen.get_or_insert_with(Instant::now).elapsed() > STOP_GRACE {
            return Cause::Stopped;
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
