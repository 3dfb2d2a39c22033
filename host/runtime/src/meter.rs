//! What a connector has used of its limits in one run, and which limit it hit.
//!
//! Shared by all its instances and by the host side of their imports; every counter only rises.

use crate::imports::replayed::Replayed;
use crate::limits::Limits;
use crate::peaks::Peaks;
use crate::tail::LogTail;
use crate::text::clean;
use pipeline::connector::Usage;
use scrub::{Place, Watch};
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Denials kept for the report of a failure.
const DENIALS_MAX: usize = 20;

/// A limit that was hit. Travels through the engine as an error and comes out as `Cause::Limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LimitHit {
    /// The limit's name, as in a manifest's `[limits]`.
    pub(crate) name: &'static str,
    /// How much is allowed, with its unit.
    pub(crate) allowed: String,
    /// What the connector tried.
    pub(crate) message: String,
}

impl fmt::Display for LimitHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit `{}` ({}) reached: {}", self.name, self.allowed, self.message)
    }
}

impl std::error::Error for LimitHit {}

/// Counters of one connector in one run.
#[derive(Debug)]
pub(crate) struct Counters {
    /// What it may use.
    pub(crate) limits: Limits,
    /// What must not stand in anything that is shown or kept of it.
    pub(crate) secrets: Watch,
    started: Instant,
    cpu_ns: AtomicU64,
    pub(crate) log_lines: AtomicU64,
    pub(crate) log_bytes: AtomicU64,
    pub(crate) peaks: Peaks,
    /// What it used in a replay.
    pub(crate) replayed: Replayed,
    tail: Mutex<LogTail>,
    denials: Mutex<Vec<String>>,
    /// Until when servers want to be left alone.
    left_alone_until: Mutex<Option<Instant>>,
}

impl Counters {
    /// Counters at zero; the wall clock of `run_ms` starts now.
    pub(crate) fn new(limits: Limits, secrets: Watch) -> Self {
        Self {
            limits,
            secrets,
            started: Instant::now(),
            cpu_ns: AtomicU64::new(0),
            log_lines: AtomicU64::new(0),
            log_bytes: AtomicU64::new(0),
            peaks: Peaks::default(),
            replayed: Replayed::default(),
            tail: Mutex::default(),
            denials: Mutex::default(),
            left_alone_until: Mutex::default(),
        }
    }

    /// So much more of the processor was had; how much it is by now.
    pub(crate) fn charge(&self, took: Duration) -> Duration {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.cpu_ns.fetch_add(took, Ordering::Relaxed).saturating_add(took))
    }

    /// A server wants to be left alone for so long.
    pub(crate) fn left_alone(&self, wait: Duration) {
        let mut until = self.left_alone_until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(Instant::now().checked_add(wait));
    }

    /// Milliseconds for which a server still wants to be left alone. What a connector waits for by itself is told here as
    /// well, and costs nothing: it is over by then.
    pub(crate) fn left_alone_ms(&self) -> Option<u64> {
        let until = *self.left_alone_until.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until?.checked_duration_since(Instant::now())?.as_millis();
        u64::try_from(left).ok().filter(|left| *left > 0)
    }

    /// The last log lines, oldest first.
    pub(crate) fn log_tail(&self) -> Vec<String> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).lines()
    }

    /// What the host refused so far.
    pub(crate) fn denials(&self) -> Vec<String> {
        self.denials.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Milliseconds since the run of this connector began.
    pub(crate) fn run_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A text of the guest that explains an error, made safe to show and no longer than is allowed.
    pub(crate) fn error_text(&self, text: &str) -> String {
        let allowed = self.limits.error_text_bytes;
        self.peaks.error_text_bytes.raise(allowed.min(text.len() as u64));
        self.told(text)
    }

    /// A text that may hold the guest's words, made safe to show and no longer than is allowed. Secrets are blanked before it
    /// is cut, which could leave a part of one.
    pub(crate) fn told(&self, text: &str) -> String {
        let allowed = usize::try_from(self.limits.error_text_bytes).unwrap_or(usize::MAX);
        clean(&self.secrets.text(Place::Message, text), allowed)
    }

    /// The budget report: of each limit what was used and what is allowed. Of those that count over the run, all of it; of
    /// the others the most at one time or in one thing.
    pub(crate) fn report(&self, http: egress::Usage) -> Vec<Usage> {
        let usage = |name: &str| Usage {
            limit: name.to_owned(),
            used: self.used(name, &http),
            allowed: self.limits.get(name).unwrap_or_default(),
        };
        manifest::Limits::KEYS.iter().map(|(name, _)| usage(name)).collect()
    }

    fn used(&self, name: &str, http: &egress::Usage) -> u64 {
        let total = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let peaks = &self.peaks;
        match name {
            "memory_bytes" => peaks.memory_bytes.get(),
            "table_elements" => peaks.table_elements.get(),
            "instances" => peaks.instances.get(),
            "cpu_ms" => total(&self.cpu_ns) / 1_000_000,
            "call_ms" => peaks.call_us.get().div_ceil(1000),
            "host_call_ms" => peaks.host_call_us.get().div_ceil(1000),
            "run_ms" => self.run_ms(),
            "requests" => http.requests,
            "requests_per_second" => http.requests_per_second,
            "concurrent_requests" => http.concurrent_requests,
            "request_ms" => http.request_ms,
            "request_bytes" => peaks.request_bytes.get(),
            "response_bytes" => peaks.response_bytes.get(),
            "bytes_out" => http.bytes_out,
            "bytes_in" => http.bytes_in,
            "log_lines" => total(&self.log_lines),
            "log_bytes" => total(&self.log_bytes),
            "page_rows" => peaks.page_rows.get(),
            "page_bytes" => peaks.page_bytes.get(),
            "checkpoint_bytes" => peaks.checkpoint_bytes.get(),
            "error_text_bytes" => peaks.error_text_bytes.get(),
            "handles" => peaks.handles.get(),
            _ => 0,
        }
    }
}

/// One instance's view of the counters, with what happened during its present call.
#[derive(Debug)]
pub(crate) struct Meter {
    counters: Arc<Counters>,
    call: Mutex<Call>,
}

/// What a call has met so far. A guest may have handled it, so that it explains no later call.
#[derive(Debug, Default)]
struct Call {
    hit: Option<LimitHit>,
    denied: bool,
}

impl Deref for Meter {
    type Target = Counters;

    fn deref(&self) -> &Counters {
        &self.counters
    }
}

impl Meter {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Self { counters, call: Mutex::default() }
    }

    fn call(&self) -> MutexGuard<'_, Call> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another call begins.
    pub(crate) fn begin_call(&self) {
        *self.call() = Call::default();
    }

    /// Note that a limit was hit. The first one of a call stays: later ones are its consequences.
    pub(crate) fn hit(&self, name: &'static str, allowed: String, message: String) -> LimitHit {
        self.call().hit.get_or_insert(LimitHit { name, allowed, message }).clone()
    }

    /// The limit that the present call hit first.
    pub(crate) fn first_hit(&self) -> Option<LimitHit> {
        self.call().hit.clone()
    }

    /// Whether the host refused something during the present call.
    pub(crate) fn was_denied(&self) -> bool {
        self.call().denied
    }

    /// Keep what the host refused, with the line that would allow it; each text once.
    pub(crate) fn denied(&self, text: String) {
        self.call().denied = true;
        let text = self.secrets.text(Place::Message, &text).into_owned();
        let mut denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        if denials.len() < DENIALS_MAX && !denials.contains(&text) {
            denials.push(text);
        }
    }

    /// Count one log line, keep it for the report, and say whether it still fits.
    pub(crate) fn log_line(&self, line: &str) -> Result<(), LimitHit> {
        let lines = self.log_lines.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.log_bytes.fetch_add(line.len() as u64, Ordering::Relaxed) + line.len() as u64;
        if lines > self.limits.log_lines {
            let allowed = format!("{} lines", self.limits.log_lines);
            return Err(self.hit("log_lines", allowed, "one log line more".into()));
        }
        if bytes > self.limits.log_bytes {
            let allowed = format!("{} bytes", self.limits.log_bytes);
            return Err(self.hit("log_bytes", allowed, format!("{bytes} bytes of log lines")));
        }
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        Ok(())
    }
}
