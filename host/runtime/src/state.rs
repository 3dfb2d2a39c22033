//! What one instance has on the host's side: one field for each ability, nothing that belongs to another instance.

use crate::imports::http::Hooks;
use crate::limiter::Limiter;
use crate::logs::Logs;
use crate::meter::Meter;
use crate::stop::Stop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// The data of a store.
pub(crate) struct State {
    pub(crate) table: ResourceTable,
    pub(crate) wasi: WasiCtx,
    pub(crate) http: WasiHttpCtx,
    pub(crate) hooks: Hooks,
    pub(crate) limiter: Limiter,
    pub(crate) meter: Arc<Meter>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) stop: Stop,
    pub(crate) clock: Arc<CallClock>,
}

/// Tells the watchdog whether the guest waits in the host, and the processor clock not to charge that.
pub(crate) struct CallClock {
    began: Instant,
    /// Microseconds after `began` at which the call into the host began, plus one; 0 while the guest itself runs.
    in_host_since: AtomicU64,
}

impl CallClock {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), in_host_since: AtomicU64::new(0) }
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub(crate) fn enter_host(&self) {
        self.in_host_since.store(self.now_us() + 1, Ordering::Relaxed);
    }

    /// Microseconds that the call took.
    pub(crate) fn leave_host(&self) -> u64 {
        let since = self.in_host_since.swap(0, Ordering::Relaxed);
        if since == 0 { 0 } else { (self.now_us() + 1).saturating_sub(since) }
    }

    /// Microseconds since the guest entered the host; 0 when it is not there.
    pub(crate) fn in_host_us(&self) -> u64 {
        let since = self.in_host_since.load(Ordering::Relaxed);
        if since == 0 { 0 } else { (self.now_us() + 1).saturating_sub(since) }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}
