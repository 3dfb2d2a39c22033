//! What a document says about limits. How far an override may go is the runtime's to decide.

use serde::{Deserialize, Serialize};

use crate::amount::{bytes, milliseconds};
use crate::reader::Node;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Bytes; a document may also say `"256 MiB"`.
    Bytes,
    /// Milliseconds; a document may also say `"30 s"`.
    Milliseconds,
    /// Things.
    Count,
}

/// Overrides of the host's limits; none: the host's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Linear memory, summed over all memories of an instance.
    pub memory_bytes: Option<u64>,
    /// Elements, summed over all tables of an instance.
    pub table_elements: Option<u64>,
    /// Core instances within one component instance.
    pub instances: Option<u64>,
    /// CPU time of all instances of the connector in one run.
    pub cpu_ms: Option<u64>,
    /// Wall-clock time of one call into the connector.
    pub call_ms: Option<u64>,
    /// Wall-clock time of one call of the connector into the host.
    pub host_call_ms: Option<u64>,
    /// Wall-clock time of the whole run.
    pub run_ms: Option<u64>,
    /// HTTP requests of one run.
    pub requests: Option<u64>,
    /// HTTP requests that may begin in one second; more of them wait for their turn.
    pub requests_per_second: Option<u64>,
    /// HTTP requests under way at one time.
    pub concurrent_requests: Option<u64>,
    /// Wall-clock time of one HTTP request, up to the end of its response.
    pub request_ms: Option<u64>,
    /// Body of one request.
    pub request_bytes: Option<u64>,
    /// Body of one response, decompressed.
    pub response_bytes: Option<u64>,
    /// All request bodies of one run.
    pub bytes_out: Option<u64>,
    /// All response bodies of one run, decompressed.
    pub bytes_in: Option<u64>,
    /// Log lines of one run.
    pub log_lines: Option<u64>,
    /// Bytes of all log lines of one run.
    pub log_bytes: Option<u64>,
    /// Rows of one page or batch.
    pub page_rows: Option<u64>,
    /// Bytes of one page or batch.
    pub page_bytes: Option<u64>,
    /// One checkpoint.
    pub checkpoint_bytes: Option<u64>,
    /// The text of one error.
    pub error_text_bytes: Option<u64>,
    /// Resources that the connector holds at one time.
    pub handles: Option<u64>,
}

impl Limits {
    /// Every key that a `limits` table may have, with what it counts.
    pub const KEYS: [(&'static str, Unit); 22] = [
        ("memory_bytes", Unit::Bytes),
        ("table_elements", Unit::Count),
        ("instances", Unit::Count),
        ("cpu_ms", Unit::Milliseconds),
        ("call_ms", Unit::Milliseconds),
        ("host_call_ms", Unit::Milliseconds),
        ("run_ms", Unit::Milliseconds),
        ("requests", Unit::Count),
        ("requests_per_second", Unit::Count),
        ("concurrent_requests", Unit::Count),
        ("request_ms", Unit::Milliseconds),
        ("request_bytes", Unit::Bytes),
        ("response_bytes", Unit::Bytes),
        ("bytes_out", Unit::Bytes),
        ("bytes_in", Unit::Bytes),
        ("log_lines", Unit::Count),
        ("log_bytes", Unit::Bytes),
        ("page_rows", Unit::Count),
        ("page_bytes", Unit::Bytes),
        ("checkpoint_bytes", Unit::Bytes),
        ("error_text_bytes", Unit::Bytes),
        ("handles", Unit::Count),
    ];

    /// The value under a key; none where the key is unknown or not set.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<u64> {
        self.clone().slot(key).and_then(|slot| *slot)
    }

    /// Every limit that is set, under its key.
    pub fn set(&self) -> impl Iterator<Item = (&'static str, Unit, u64)> {
        let read = self.clone();
        Self::KEYS.into_iter().filter_map(move |(key, unit)| read.get(key).map(|value| (key, unit, value)))
    }

    fn slot(&mut self, key: &str) -> Option<&mut Option<u64>> {
        Some(match key {
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

/// A `limits` table; absent, nothing is overridden.
pub(crate) fn read_limits(node: Option<Node<'_>>) -> Option<Limits> {
    let Some(node) = node else { return Some(Limits::default()) };
    let table = node.table(&Limits::KEYS.map(|(key, _)| key))?;
    let mut limits = Limits::default();
    for (key, unit) in Limits::KEYS {
        let Some(value) = table.get(key) else { continue };
        let value = match unit {
            Unit::Bytes => bytes(&value),
            Unit::Milliseconds => milliseconds(&value),
            Unit::Count => value.unsigned(),
        };
        if let Some(slot) = limits.slot(key) {
            *slot = value;
        }
    }
    Some(limits)
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn every_key_has_its_field() {
        let fields = serde_json::to_value(Limits::default()).unwrap();
        assert_eq!(fields.as_object().unwrap().len(), Limits::KEYS.len());
        for (key, _) in Limits::KEYS {
            assert!(fields.get(key).is_some(), "{key}");
            let limits: Limits = serde_json::from_value(serde_json::json!({ key: 7 })).unwrap();
            assert_eq!(limits.get(key), Some(7), "{key}");
        }
    }
}
