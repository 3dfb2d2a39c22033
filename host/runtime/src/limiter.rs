//! Counts what one instance holds: memories, tables and core instances, summed, not each for itself.

use crate::meter::Meter;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use wasmtime::{Error, ResourceLimiter, Result};

/// The engine asks it before anything of an instance grows.
pub(crate) struct Limiter {
    meter: Arc<Meter>,
    memory_bytes: u64,
    table_elements: u64,
}

impl Limiter {
    pub(crate) fn new(meter: Arc<Meter>) -> Self {
        Self { meter, memory_bytes: 0, table_elements: 0 }
    }

    fn instances(&self) -> usize {
        usize::try_from(self.meter.limits.instances).unwrap_or(usize::MAX)
    }
}

impl ResourceLimiter for Limiter {
    /// An error, not `false`: a guest that is told `-1` aborts with words that name no limit, and may probe on forever.
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current) as u64);
        let allowed = self.meter.limits.memory_bytes;
        if total > allowed {
            let hit = self.meter.hit(
                "memory_bytes",
                format!("{allowed} bytes"),
                format!("{total} bytes of memory"),
            );
            return Err(Error::new(hit));
        }
        self.memory_bytes = total;
        self.meter.memory_peak.fetch_max(total, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current) as u64);
        let allowed = self.meter.limits.table_elements;
        if total > allowed {
            let message = format!("{total} elements in tables");
            return Err(Error::new(self.meter.hit("table_elements", format!("{allowed} elements"), message)));
        }
        self.table_elements = total;
        self.meter.table_peak.fetch_max(total, Ordering::Relaxed);
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances()
    }

    fn tables(&self) -> usize {
        self.instances()
    }

    fn memories(&self) -> usize {
        self.instances()
    }
}
