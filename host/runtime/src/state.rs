//! What one instance has on the host's side: one field for each ability, nothing that belongs to another instance.

use crate::habits::LONG;
use crate::imports::http::Hooks;
use crate::limiter::Limiter;
use crate::logs::Logs;
use crate::meter::{Counters, Meter};
use crate::stop::Stop;
use cassette::Tape;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
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
    /// Where it has directories, which may be taken back.
    pub(crate) cut_off: Option<Stop>,
    pub(crate) clock: Arc<CallClock>,
    /// Where the run is recorded or replayed.
    pub(crate) tape: Option<Tape>,
}

/// Tells the watchdog whether the guest waits in the host, and the processor clock whether that time was work or waiting.
pub(crate) struct CallClock {
    began: Instant,
    /// How often the call was polled: a call into the host that sees this change has waited.
    polls: AtomicU64,
    /// `polls` when the guest entered the host.
    polls_at_entry: AtomicU64,
    /// Microseconds after `began` at which the call into the host began, plus one; 0 while the guest itself runs.
    in_host_since: AtomicU64,
    /// Nanoseconds that the thread of the present poll had had of the processor when some of it was charged last.
    charged_until_ns: AtomicU64,
    /// Microseconds of the processor's time that the present call has taken, in the guest and in the host, where a poll took long.
    busy_us: AtomicU64,
    /// Nothing of the guest has run in the present call.
    is_fresh: AtomicBool,
}

/// Polls that were over sooner make no call a long one.
const POLL_COUNTED: Duration = Duration::from_micros(100);

/// A call into the host that has ended.
pub(crate) struct HostCall {
    pub(crate) took_us: u64,
    /// Whether it waited, so that its time was not the processor's.
    pub(crate) waited: bool,
}

impl CallClock {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            polls: AtomicU64::new(0),
            polls_at_entry: AtomicU64::new(0),
            in_host_since: AtomicU64::new(0),
            charged_until_ns: AtomicU64::new(0),
            busy_us: AtomicU64::new(0),
            is_fresh: AtomicBool::new(true),
        }
    }

    /// Another call into the guest begins.
    pub(crate) fn begin_call(&self) {
        self.busy_us.store(0, Ordering::Relaxed);
        self.is_fresh.store(true, Ordering::Relaxed);
    }

    /// Whether the guest is entered for the first time in this call. The host enters it again within its own calls, to have room for
    /// what they return.
    pub(crate) fn enters_first(&self) -> bool {
        self.is_fresh.swap(false, Ordering::Relaxed)
    }

    /// Whether the present call keeps the processor for longer than most. That a tick ended meanwhile says nothing: one call in some is
    /// just there when the clock of all calls strikes, and among the long ones it would wait for them.
    pub(crate) fn is_long(&self) -> bool {
        self.busy() >= LONG
    }

    /// The processor's time that the present call has taken in polls that took long.
    pub(crate) fn busy(&self) -> Duration {
        Duration::from_micros(self.busy_us.load(Ordering::Relaxed))
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The executor polls the call; what that takes of the processor is charged.
    pub(crate) fn polled<T>(&self, counters: &Counters, poll: impl FnOnce() -> T) -> T {
        self.polls.fetch_add(1, Ordering::Relaxed);
        self.charged_until_ns.store(processor_ns(), Ordering::Relaxed);
        let polled = poll();
        self.charge(counters);
        polled
    }

    /// Charge what the poll has had of the processor and was not charged yet. How much the connector has had by now.
    pub(crate) fn charge(&self, counters: &Counters) -> Duration {
        let now = processor_ns();
        let took =
            Duration::from_nanos(now.saturating_sub(self.charged_until_ns.swap(now, Ordering::Relaxed)));
        if took >= POLL_COUNTED {
            self.busy_us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
        counters.charge(took)
    }

    pub(crate) fn enter_host(&self) {
        self.polls_at_entry.store(self.polls.load(Ordering::Relaxed), Ordering::Relaxed);
        self.in_host_since.store(self.now_us() + 1, Ordering::Relaxed);
    }

    pub(crate) fn leave_host(&self) -> HostCall {
        let took_us = self.in_host_us();
        self.in_host_since.store(0, Ordering::Relaxed);
        let waited = self.polls.load(Ordering::Relaxed) != self.polls_at_entry.load(Ordering::Relaxed);
        HostCall { took_us, waited }
    }

    /// Microseconds since the guest entered the host; 0 when it is not there.
    pub(crate) fn in_host_us(&self) -> u64 {
        let since = self.in_host_since.load(Ordering::Relaxed);
        if since == 0 { 0 } else { (self.now_us() + 1).saturating_sub(since) }
    }
}

/// What this thread has had of the processors, in nanoseconds: not what others had while it waited for one.
fn processor_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
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

#[cfg(test)]
mod tests {
    use super::{CallClock, LONG, processor_ns};
    use crate::limits::Limits;
    use crate::meter::Counters;
    use scrub::Watch;
    use std::thread;
    use std::time::Duration;

    fn computes(time: Duration) {
        let until = Duration::from_nanos(processor_ns()) + time;
        while Duration::from_nanos(processor_ns()) < until {}
    }

    #[test]
    fn a_call_is_long_by_what_it_had_of_the_processor_and_not_by_how_long_it_took() {
        let (clock, counters) = (CallClock::new(), Counters::new(Limits::defaults(), Watch::new()));
        clock.polled(&counters, || thread::sleep(LONG * 3));
        assert!(!clock.is_long(), "it waited: {:?}", clock.busy());
        clock.polled(&counters, || computes(LONG));
        assert!(clock.is_long(), "{:?}", clock.busy());
        clock.begin_call();
        assert!(!clock.is_long(), "another call");
    }

    #[test]
    fn processor_time_is_charged_once_however_short_the_polls_are() {
        let (clock, counters) = (CallClock::new(), Counters::new(Limits::defaults(), Watch::new()));
        let piece = Duration::from_micros(20);
        for _ in 0..100 {
            clock.polled(&counters, || computes(piece));
        }
        assert!(counters.charge(Duration::ZERO) >= piece * 100);
        assert!(!clock.is_long(), "{:?} in long ones", clock.busy());
        let (before, began) = (counters.charge(Duration::ZERO), processor_ns());
        clock.polled(&counters, || {
            computes(LONG);
            assert!(clock.charge(&counters) >= before + LONG, "at a tick");
        });
        let had = Duration::from_nanos(processor_ns() - began);
        assert!(counters.charge(Duration::ZERO) <= before + had, "and not again");
    }
}
