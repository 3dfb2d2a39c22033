//! Counts what one instance holds: memories, tables and core instances, summed, not each for itself.

use crate::engine::{INSTANCE_BYTES, STACK_BYTES};
use crate::explain::is_out_of_memory;
use crate::meter::{LimitHit, Meter};
use std::sync::Arc;
use wasmtime::{Error, ResourceLimiter, Result};

/// What an instance has before it holds anything: at most its stack and the engine's records of it, which are not asked for
/// one by one.
const FIXED_BYTES: u64 = (STACK_BYTES + INSTANCE_BYTES) as u64;
/// An element of a table is a pointer.
const ELEMENT_BYTES: u64 = 8;

/// The engine asks it before anything of an instance grows.
pub(crate) struct Limiter {
    meter: Arc<Meter>,
    /// Of linear memories.
    memory_bytes: u64,
    table_elements: u64,
}

impl Limiter {
    pub(crate) fn new(meter: Arc<Meter>) -> Self {
        Self { meter, memory_bytes: 0, table_elements: 0 }
    }

    /// What the linear memories have grown to.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    fn instances(&self) -> usize {
        usize::try_from(self.meter.limits.instances).unwrap_or(usize::MAX)
    }

    /// Charge everything that the instance would hold against its memory.
    fn charge(&self, memory_bytes: u64, table_elements: u64) -> Result<(), LimitHit> {
        let tables = table_elements.saturating_mul(ELEMENT_BYTES);
        let total = memory_bytes.saturating_add(tables).saturating_add(FIXED_BYTES);
        let allowed = self.meter.limits.memory_bytes;
        if total > allowed {
            let what = format!(
                "{memory_bytes} bytes of memory, {tables} of tables, {FIXED_BYTES} for its stack and the engine's records"
            );
            return Err(self.meter.hit("memory_bytes", format!("{allowed} bytes"), what));
        }
        self.meter.peaks.memory_bytes.raise(total);
        Ok(())
    }
}

impl ResourceLimiter for Limiter {
    /// An error, not `false`: a guest that is told `-1` aborts with words that name no limit, and may probe on forever.
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current) as u64);
        self.charge(total, self.table_elements).map_err(Error::new)?;
        self.memory_bytes = total;
        Ok(true)
    }

    /// A guest that asks for more than it declared is told so; that the machine has no more is not for it to explain.
    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        if is_out_of_memory(&error) { Err(error) } else { Ok(()) }
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current) as u64);
        let allowed = self.meter.limits.table_elements;
        if total > allowed {
            let message = format!("{total} elements in tables");
            return Err(Error::new(self.meter.hit("table_elements", format!("{allowed} elements"), message)));
        }
        self.charge(self.memory_bytes, total).map_err(Error::new)?;
        self.table_elements = total;
        self.meter.peaks.table_elements.raise(total);
        Ok(true)
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        if is_out_of_memory(&error) { Err(error) } else { Ok(()) }
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
