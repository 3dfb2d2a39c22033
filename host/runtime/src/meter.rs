//! What a connector has used of its limits in one run, and which limit it hit.
//!
//! Shared by all its instances and by the host side of their imports; every counter only rises.

use crate::limits::Limits;
use pipeline::connector::Usage;
use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Log lines kept for the report of a failure.
const LOG_TAIL_LINES: usize = 20;
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
    started: Instant,
    pub(crate) cpu_us: AtomicU64,
    pub(crate) memory_peak: AtomicU64,
    pub(crate) table_peak: AtomicU64,
    pub(crate) log_lines: AtomicU64,
    pub(crate) log_bytes: AtomicU64,
    tail: Mutex<VecDeque<String>>,
    denials: Mutex<Vec<String>>,
}

impl Counters {
    /// Counters at zero; the wall clock of `run_ms` starts now.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            started: Instant::now(),
            cpu_us: AtomicU64::new(0),
            memory_peak: AtomicU64::new(0),
            table_peak: AtomicU64::new(0),
            log_lines: AtomicU64::new(0),
            log_bytes: AtomicU64::new(0),
            tail: Mutex::default(),
            denials: Mutex::default(),
        }
    }

    fn keep(&self, line: String) {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.len() == LOG_TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(line);
    }

    /// The last log lines, oldest first.
    pub(crate) fn log_tail(&self) -> Vec<String> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// What the host refused so far.
    pub(crate) fn denials(&self) -> Vec<String> {
        self.denials.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Milliseconds since the run of this connector began.
    pub(crate) fn run_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The budget report: used and allowed for each limit that counts over the run.
    pub(crate) fn report(&self, http: egress::Usage) -> Vec<Usage> {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("memory_bytes", load(&self.memory_peak), self.limits.memory_bytes),
            ("table_elements", load(&self.table_peak), self.limits.table_elements),
            ("cpu_ms", load(&self.cpu_us) / 1000, self.limits.cpu_ms),
            ("run_ms", self.run_ms(), self.limits.run_ms),
            ("requests", http.requests, self.limits.requests),
            ("bytes_out", http.bytes_out, self.limits.bytes_out),
            ("bytes_in", http.bytes_in, self.limits.bytes_in),
            ("log_lines", load(&self.log_lines), self.limits.log_lines),
            ("log_bytes", load(&self.log_bytes), self.limits.log_bytes),
        ]
        .into_iter()
        .map(|(limit, used, allowed)| Usage { limit: limit.to_owned(), used, allowed })
        .collect()
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
        self.keep(line.to_owned());
        Ok(())
    }
}
