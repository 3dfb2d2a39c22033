//! The contract's own imports: `logging` and `run`.

use super::bindings::{logging, run};
use crate::logs::Level;
use crate::state::State;
use crate::stop::Stop;
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

pub(super) fn add(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    logging::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    run::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

impl logging::Host for State {
    fn log(&mut self, level: logging::Level, target: String, message: String) -> wasmtime::Result<()> {
        let level = match level {
            logging::Level::Trace => Level::Trace,
            logging::Level::Debug => Level::Debug,
            logging::Level::Info => Level::Info,
            logging::Level::Warn => Level::Warn,
            logging::Level::Error => Level::Error,
        };
        self.logs.line(level, &target, &message).map_err(wasmtime::Error::new)
    }
}

impl run::Host for State {
    fn stop_requested(&mut self) -> wasmtime::Result<bool> {
        Ok(self.stop.is_requested())
    }

    fn subscribe_stop(&mut self) -> wasmtime::Result<Resource<DynPollable>> {
        let waiting = self.table.push(StopPollable(self.stop.clone()))?;
        subscribe(&mut self.table, waiting)
    }
}

struct StopPollable(Stop);

#[async_trait::async_trait]
impl Pollable for StopPollable {
    async fn ready(&mut self) {
        self.0.requested().await;
    }
}
