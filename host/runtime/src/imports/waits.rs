//! `wasi:io/poll` and the timers, for instances that are recorded or replayed: which of the things that a guest waits for is there
//! first depends on a network and on a machine, so it is recorded; and nobody wants to wait in a replay.

use crate::state::State;
use cassette::{Played, Ready, Tape};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::clocks::WasiClocksView as _;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::bindings::io::poll;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

/// A replayed sleep. Not nothing, so that a recorded answer, which is there at once, is there before a timer of which the
/// recording knows nothing.
const SLEEP: Duration = Duration::from_millis(2);
const NANOS_OF_MS: u64 = 1_000_000;

pub(crate) fn taped(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut waits = linker.instance("wasi:io/poll@0.2.12")?;
    waits.func_wrap_async("poll", |mut store, (pollables,): (Vec<Resource<DynPollable>>,)| {
        Box::new(async move { Ok((wait(store.data_mut(), pollables).await?,)) })
    })?;
    waits.func_wrap_async("[method]pollable.ready", |mut store, (pollable,): (Resource<DynPollable>,)| {
        Box::new(async move { Ok((is_ready(store.data_mut(), pollable).await?,)) })
    })?;
    let mut clock = linker.instance("wasi:clocks/monotonic-clock@0.2.12")?;
    clock.func_wrap("subscribe-instant", |mut store, (when,): (u64,)| {
        let now = monotonic_clock::Host::now(&mut store.data_mut().clocks())?;
        Ok((timer(store.data_mut(), when.saturating_sub(now))?,))
    })?;
    clock
        .func_wrap("subscribe-duration", |mut store, (nanos,): (u64,)| Ok((timer(store.data_mut(), nanos)?,)))
}

/// What the recording says was there first is waited for, all of it and nothing else.
async fn wait(state: &mut State, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Ready> {
    let is_of = |ready: &Ready| {
        !ready.is_empty() && ready.iter().all(|index| pollables.get(*index as usize).is_some())
    };
    if let Some(ready) = recorded(state).filter(is_of) {
        for pollable in ready.iter().filter_map(|index| pollables.get(*index as usize)) {
            block(state, pollable).await?;
        }
        return Ok(ready);
    }
    let ready = poll::Host::poll(&mut state.table, pollables).await?;
    if let Some(Tape::Record(tape)) = &state.tape {
        tape.ready(ready.clone());
    }
    Ok(ready)
}

async fn is_ready(state: &mut State, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
    if let Some(ready) = recorded(state) {
        if !ready.is_empty() {
            block(state, &pollable).await?;
        }
        return Ok(!ready.is_empty());
    }
    let is_ready = poll::HostPollable::ready(&mut state.table, pollable).await?;
    if let Some(Tape::Record(tape)) = &state.tape {
        tape.ready(if is_ready { vec![0] } else { Vec::new() });
    }
    Ok(is_ready)
}

fn recorded(state: &State) -> Option<Ready> {
    match &state.tape {
        Some(Tape::Replay(tape)) => tape.ready(),
        _ => None,
    }
}

async fn block(state: &mut State, pollable: &Resource<DynPollable>) -> wasmtime::Result<()> {
    poll::HostPollable::block(&mut state.table, Resource::new_borrow(pollable.rep())).await
}

fn timer(state: &mut State, nanos: u64) -> wasmtime::Result<Resource<DynPollable>> {
    let Some(Tape::Replay(tape)) = &state.tape else {
        return monotonic_clock::Host::subscribe_duration(&mut state.clocks(), nanos);
    };
    let timer = ReplayedTimer { tape: tape.clone(), ms: nanos / NANOS_OF_MS, is_over: false };
    let timer = state.table.push(timer)?;
    subscribe(&mut state.table, timer)
}

/// Over at once, and the replayed clocks know of it.
struct ReplayedTimer {
    tape: Arc<Played>,
    ms: u64,
    is_over: bool,
}

#[async_trait::async_trait]
impl Pollable for ReplayedTimer {
    async fn ready(&mut self) {
        if !self.is_over {
            tokio::time::sleep(if self.ms == 0 { Duration::ZERO } else { SLEEP }).await;
            self.tape.slept(self.ms);
            self.is_over = true;
        }
    }
}
