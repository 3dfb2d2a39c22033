//! The limits of an instance: defaults, ceilings, and what a manifest or an operator may change within them.

use crate::error::Error;
use pipeline::model::PageBudget;
use pipeline::validate;
use serde::{Deserialize, Serialize};

/// What one connector may use. Unless said otherwise a limit counts over all instances of one connector in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of one instance: its linear memories, its tables, its stack and the engine's own records of it.
    pub memory_bytes: u64,
    /// Elements of all tables of one instance.
    pub table_elements: u64,
    /// Core instances, memories and tables (each kind) inside one instance.
    pub instances: u64,
    /// Milliseconds on the processor, in the guest and in the host's work for it. What is over is seen when a tick ends.
    pub cpu_ms: u64,
    /// Milliseconds for one call into the connector, waits included.
    pub call_ms: u64,
    /// Milliseconds for one call of the connector into the host (a poll, a read).
    pub host_call_ms: u64,
    /// Milliseconds around everything.
    pub run_ms: u64,
    /// HTTP requests.
    pub requests: u64,
    /// HTTP requests that may begin in one second; more of them wait for their turn.
    pub requests_per_second: u64,
    /// HTTP requests under way at one time.
    pub concurrent_requests: u64,
    /// Milliseconds for one HTTP request, up to the end of its response.
    pub request_ms: u64,
    /// Bytes of one request's body.
    pub request_bytes: u64,
    /// Bytes of one response's body after decompression.
    pub response_bytes: u64,
    /// Bytes of all requests.
    pub bytes_out: u64,
    /// Bytes of all responses after decompression.
    pub bytes_in: u64,
    /// Log lines, standard output and standard error included.
    pub log_lines: u64,
    /// Bytes of all log lines.
    pub log_bytes: u64,
    /// Rows of one page.
    pub page_rows: u64,
    /// Bytes of one batch or page (a single row may have 16 MiB).
    pub page_bytes: u64,
    /// Bytes of one checkpoint.
    pub checkpoint_bytes: u64,
    /// Bytes of an error's text; more is cut, which is no failure.
    pub error_text_bytes: u64,
    /// Open handles (resources) of one instance.
    pub handles: u64,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const MINUTE_MS: u64 = 60 * 1000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

impl Limits {
    /// What a connector gets that asks for nothing else.
    pub fn defaults() -> Self {
        Self {
            memory_bytes: 256 * MIB,
            table_elements: 100_000,
            // componentize-py's guests have 14 core instances and 40 tables; 64 leaves them room.
            instances: 64,
            cpu_ms: HOUR_MS,
            call_ms: MINUTE_MS,
            host_call_ms: 45 * 1000,
            run_ms: 6 * HOUR_MS,
            requests: 100_000,
            // Few servers that want to be asked more often than this by one client, and none without saying so.
            requests_per_second: 1_000,
            concurrent_requests: 32,
            request_ms: 10 * MINUTE_MS,
            request_bytes: 64 * MIB,
            response_bytes: 64 * MIB,
            bytes_out: GIB,
            bytes_in: 16 * GIB,
            log_lines: 10_000,
            log_bytes: 4 * MIB,
            page_rows: 10_000,
            page_bytes: 8 * MIB,
            checkpoint_bytes: MIB,
            error_text_bytes: 4 * KIB,
            handles: 1_000,
        }
    }

    /// The most that this host gives to anyone.
    pub fn ceilings() -> Self {
        Self {
            // The pool is made for these three: a slot of it holds as much memory and as many elements, and is had by as
            // many memories, tables and core instances.
            memory_bytes: GIB,
            table_elements: 1_000_000,
            instances: 256,
            cpu_ms: 24 * HOUR_MS,
            call_ms: 10 * MINUTE_MS,
            host_call_ms: 10 * MINUTE_MS,
            run_ms: 48 * HOUR_MS,
            requests: 10_000_000,
            requests_per_second: 100_000,
            concurrent_requests: 256,
            request_ms: HOUR_MS,
            request_bytes: GIB,
            response_bytes: 4 * GIB,
            bytes_out: 256 * GIB,
            bytes_in: 1024 * GIB,
            log_lines: 1_000_000,
            log_bytes: 256 * MIB,
            page_rows: 100_000,
            page_bytes: 16 * MIB,
            checkpoint_bytes: 4 * MIB,
            error_text_bytes: 64 * KIB,
            handles: 100_000,
        }
    }

    /// The limit of this name; none where there is no such limit.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.clone().slot(name).map(|limit| *limit)
    }

    /// The defaults with what a manifest or an operator asked for in their place, none above its ceiling.
    ///
    /// # Errors
    /// [`Error::LimitAboveCeiling`] names the first limit that is asked over what this host gives to anyone.
    pub fn with(mut self, asked: &manifest::Limits, ceilings: &Self) -> Result<Self, Error> {
        for (name, _) in manifest::Limits::KEYS {
            let (Some(limit), Some(ceiling)) = (self.slot(name), ceilings.get(name)) else { continue };
            match asked.get(name) {
                Some(asked) if asked > ceiling => {
                    return Err(Error::LimitAboveCeiling { name, asked, ceiling });
                }
                Some(asked) => *limit = asked,
                // An operator may give less to everyone than what is the default.
                None => *limit = ceiling.min(*limit),
            }
        }
        Ok(self)
    }

    /// The sizes above which an answer of a connector is refused.
    pub fn sizes(&self) -> validate::Limits {
        let bytes = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        validate::Limits {
            page_rows_max: self.page_rows,
            batch_bytes_max: bytes(self.page_bytes),
            checkpoint_bytes_max: bytes(self.checkpoint_bytes),
            ..validate::Limits::default()
        }
    }

    /// What is asked of a connector is never more than it may bring.
    #[must_use]
    pub fn within(&self, asked: PageBudget) -> PageBudget {
        let least = |asked: u32, limit: u64| asked.min(u32::try_from(limit).unwrap_or(u32::MAX));
        PageBudget {
            max_rows: least(asked.max_rows, self.page_rows),
            max_bytes: least(asked.max_bytes, self.page_bytes),
            deadline_ms: least(asked.deadline_ms, self.call_ms),
        }
    }

    fn slot(&mut self, name: &str) -> Option<&mut u64> {
        Some(match name {
            "memory_bytes" => &mut self.memory_bytes,
            "table_elements" => &mut self.table_elements,
            "instances" => &mut self.instances,
            "cpu_ms" => &mut self.cpu_ms,
            "call_ms" => &mut self.call_ms,
            "host_call_ms" => &mut self.host_call_ms,
            "run_ms" => &mut self.run_ms,
            "requests" => &mut self.requests,
            "requests_per_second" => &mut self.requests_per_second,
            "concurrent_requests" => &mut self.concurrent_requests,
            "request_ms" => &mut self.request_ms,
            "request_bytes" => &mut self.request_bytes,
            "response_bytes" => &mut self.response_bytes,
            "bytes_out" => &mut self.bytes_out,
            "bytes_in" => &mut self.bytes_in,
            "log_lines" => &mut self.log_lines,
            "log_bytes" => &mut self.log_bytes,
            "page_rows" => &mut self.page_rows,
            "page_bytes" => &mut self.page_bytes,
            "checkpoint_bytes" => &mut self.checkpoint_bytes,
            "error_text_bytes" => &mut self.error_text_bytes,
            "handles" => &mut self.handles,
            _ => return None,
        })
    }
}
