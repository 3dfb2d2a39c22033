//! Counts what all requests of one client use together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

use crate::{Caps, Error, Limit, Result};

/// What one client has used so far, for the budget report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Requests, denied ones included.
    pub requests: u64,
    /// The most requests that were under way at one time.
    pub concurrent_requests: u64,
    /// The most requests that began in one second.
    pub requests_per_second: u64,
    /// Milliseconds of the request that took longest.
    pub request_ms: u64,
    /// Body bytes sent.
    pub bytes_out: u64,
    /// Body bytes received as servers sent them.
    pub bytes_in_wire: u64,
    /// Body bytes received after decoding.
    pub bytes_in: u64,
}

/// The counters behind [`Usage`]. They order nothing, so relaxed access is enough.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    requests: AtomicU64,
    under_way: AtomicU64,
    under_way_peak: AtomicU64,
    longest_ms: AtomicU64,
    bytes_out: AtomicU64,
    bytes_in_wire: AtomicU64,
    bytes_in: AtomicU64,
}

impl Totals {
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            requests: self.requests.load(Ordering::Relaxed),
            concurrent_requests: self.under_way_peak.load(Ordering::Relaxed),
            requests_per_second: 0,
            request_ms: self.longest_ms.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            bytes_in_wire: self.bytes_in_wire.load(Ordering::Relaxed),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
        }
    }

    /// Counts a request that begins; [`Totals::leave`] must follow whatever the answer is.
    pub(crate) fn enter(&self, caps: &Caps) -> Admission {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        if number > caps.requests {
            return Admission::OverRequests { first: number == caps.requests + 1 };
        }
        if under_way > caps.concurrent_requests {
            return Admission::OverConcurrent;
        }
        self.under_way_peak.fetch_max(under_way, Ordering::Relaxed);
        Admission::Admitted
    }

    pub(crate) fn leave(&self, duration: Duration) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.longest_ms.fetch_max(ms, Ordering::Relaxed);
    }

    pub(crate) fn add_out(&self, bytes: u64, caps: &Caps) -> Result<()> {
        within(&self.bytes_out, bytes, caps.total_bytes_out, Limit::TotalBytesOut)
    }

    pub(crate) fn add_in_wire(&self, bytes: u64, caps: &Caps) -> Result<()> {
        within(&self.bytes_in_wire, bytes, caps.total_bytes_in, Limit::TotalBytesIn)
    }

    pub(crate) fn add_in(&self, bytes: u64, caps: &Caps) -> Result<()> {
        within(&self.bytes_in, bytes, caps.total_bytes_in, Limit::TotalBytesIn)
    }
}

/// May a request begin?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted,
    OverConcurrent,
    OverRequests {
        /// The first one over, and the only one that the ledger is told of.
        first: bool,
    },
}

fn within(counter: &AtomicU64, bytes: u64, allowed: u64, limit: Limit) -> Result<()> {
    let total = counter.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
    if total > allowed { Err(Error::Limit { limit, allowed }) } else { Ok(()) }
}
